//! What `benches/` and `examples/prepared.rs` reach of the stages: a thin function for each.
//!
//! It is there with the feature `bench` alone, and no part of what the library promises. Nothing is measured here.

use std::io;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use bytes::Bytes;
use chrono::DateTime;
use prost::Message as _;
use tokio_util::sync::CancellationToken;

use crate::connect::Assembler;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dialect::Dialect;
use crate::graph;
use crate::pipeline;
use crate::plan;
use crate::proto::spark::execute_plan_response::ArrowBatch;
use crate::sink::{Finished, Flow, Sink, Site, StoreSettings, Stores};
use crate::spec;
use crate::target::TargetSettings;
use crate::text::FileId;
use crate::yaml;

/// Why a stage did not come to its end.
type Reason = String;

/// A pipeline without mistakes.
pub struct Pipeline(pipeline::Pipeline);

/// The order of its steps.
pub struct Graph(graph::Graph);

/// An engine to lower for.
#[derive(Debug, Clone, Copy)]
pub enum Engine {
    Sail,
    Spark,
}

/// Text to a tree.
pub fn parse(text: &str) -> Result<(), Reason> {
    let mut found = Diagnostics::default();
    let document = yaml::read(FileId::default(), text, &mut found);
    if document.is_some() && !found.has_errors() { Ok(()) } else { Err(reason(&found.sorted())) }
}

/// Text to a pipeline.
pub fn bind(text: &str) -> Result<Pipeline, Reason> {
    let inputs = spec::Inputs {
        variables: &[],
        documents: &spec::Documents::default(),
        environment: &|_| None,
        files: &|_| Err(io::ErrorKind::NotFound.into()),
        canonical: &|path| Ok(path.to_path_buf()),
        run_id: "bench",
        started_at: DateTime::UNIX_EPOCH,
        root: None,
        target: &TargetSettings::default(),
    };
    let loaded = spec::load(Path::new("bench.yaml"), PathBuf::from("/"), text.as_bytes().to_vec(), &inputs);
    loaded.pipeline.map(Pipeline).map_err(|_| reason(&loaded.diagnostics))
}

/// A pipeline to its graph.
pub fn graph(pipeline: &Pipeline) -> Graph {
    Graph(graph::Graph::new(&pipeline.0))
}

/// A pipeline to its plan; how many actions that has.
pub fn lower(pipeline: &Pipeline, graph: &Graph, engine: Engine) -> Result<usize, Reason> {
    let dialect = match engine {
        Engine::Sail => Dialect::sail(),
        Engine::Spark => Dialect::spark(),
    };
    let plan = plan::compile(&pipeline.0, &graph.0, &dialect).map_err(|gaps| reason(&gaps.sorted()))?;
    Ok(plan.actions.len())
}

/// Batches as messages of a server, each in so many chunks.
pub fn messages(batches: &[RecordBatch], chunks: usize) -> Result<Vec<Bytes>, ArrowError> {
    let mut messages = Vec::new();
    let mut offset = 0;
    for batch in batches {
        let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref())?;
        writer.write(batch)?;
        let stream = Bytes::from(writer.into_inner()?);
        let length = stream.len().div_ceil(chunks);
        let row_count = i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        for chunk in 0..chunks {
            let end = stream.len().min((chunk + 1) * length);
            let message = ArrowBatch {
                row_count,
                data: stream.slice(end.min(chunk * length)..end),
                start_offset: Some(offset),
                chunk_index: i64::try_from(chunk).ok(),
                num_chunks_in_batch: i64::try_from(chunks).ok(),
            };
            messages.push(Bytes::from(message.encode_to_vec()));
        }
        offset += row_count;
    }
    Ok(messages)
}

/// Messages to batches, as the client puts them together; how many rows they have.
pub fn decode(messages: &[Bytes]) -> Result<usize, Reason> {
    let mut assembler = Assembler::default();
    let mut rows = 0;
    for message in messages {
        let piece = ArrowBatch::decode(Bytes::clone(message)).map_err(|error| error.to_string())?;
        let batch = assembler.push(piece).map_err(|error| error.to_string())?;
        rows += batch.map_or(0, |batch| batch.num_rows());
    }
    assembler.finish().map_err(|error| error.to_string())?;
    Ok(rows)
}

/// An output under construction.
pub struct Writer(Box<dyn crate::sink::Writer>);

impl Writer {
    /// Begins an output, which is written as in a pipeline file: `parquet: out.parquet`. What goes to stdout is thrown away.
    pub fn open(write: &str, first: &RecordBatch) -> Result<Self, Reason> {
        let text = format!("version: 1\nsteps:\n  rows:\n    range: 1\n    write: {{ {write} }}\n");
        let pipeline = bind(&text)?.0;
        let step = pipeline.steps.first().ok_or("no step")?;
        let sink: &Sink = step.sinks.first().map(|sink| &sink.value).ok_or("no output")?;
        let stores = Stores::new(StoreSettings::default());
        let site = Site { folder: step.folder(), stores: &stores, stop: &CancellationToken::new() };
        let opened = sink.open(&site, Box::new(io::sink()), first.schema_ref());
        opened.map(Self).map_err(|error| error.to_string())
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Reason> {
        match self.0.write(batch).map_err(|error| error.to_string())? {
            Flow::More => Ok(()),
            Flow::Enough => Err("it has enough rows".to_owned()),
        }
    }

    /// Completes it; how many bytes it has.
    pub fn finish(self) -> Result<u64, Reason> {
        let written = self.0.finish().and_then(Finished::commit);
        written.map(|written| written.bytes).map_err(|error| error.to_string())
    }
}

fn reason(found: &[Diagnostic]) -> Reason {
    found.first().map_or_else(|| "nothing was read".to_owned(), |first| first.message.clone())
}
