//! A Spark Connect server that costs nothing, and its counterpart, which encodes the same rows without one.
//!
//! `prepared serve` answers every query with batches that it has made beforehand; `prepared encode OUT.parquet` hands the same
//! batches to the same writer of Parquet. What `pipectl run` takes beyond the second is what the way through the network
//! costs. `benches/prepared/measure.py` compares the two.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use bytes::Bytes;
use clap::{Args, Parser, Subcommand};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pipectl::bench::Writer;
use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpListener;
use tonic::codegen::BoxStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::proto::spark::analyze_plan_request::Analyze;
use crate::proto::spark::analyze_plan_response::{self, Schema, SparkVersion};
use crate::proto::spark::execute_plan_response::{ArrowBatch, ResponseType, ResultComplete};
use crate::proto::spark::plan::OpType;
use crate::proto::spark::{
    AnalyzePlanRequest, AnalyzePlanResponse, ConfigRequest, ConfigResponse, DataType, ExecutePlanRequest,
    ExecutePlanResponse, InterruptRequest, InterruptResponse, ReattachExecuteRequest, ReleaseExecuteRequest,
    ReleaseExecuteResponse, ReleaseSessionRequest, ReleaseSessionResponse,
};

#[path = "../tests/scripted/generated.rs"]
mod generated;

#[path = "../tests/it/proto.rs"]
mod proto;
#[path = "../benches/prepared/shapes.rs"]
mod shapes;

use generated::spark_connect_service_server::{SparkConnectService, SparkConnectServiceServer};
use shapes::Shape;

/// Batches of a file that are read ahead of the clock.
const READ_AHEAD: usize = 64;

/// Serves prepared rows, or encodes them.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve Spark Connect at a port of the loopback address, which is printed; every query has the same rows.
    Serve {
        #[command(flatten)]
        rows: Rows,
        /// The port; 0 for one that is free.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Write the rows to a Parquet file, and print as JSON what that took.
    Encode {
        #[command(flatten)]
        rows: Rows,
        /// Encode the rows of this Parquet file instead; reading them is not counted.
        #[arg(long, value_name = "FILE")]
        rows_of: Option<PathBuf>,
        /// The file.
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Rows {
    #[arg(long, value_enum, default_value_t = Shape::Narrow)]
    shape: Shape,
    /// How many rows there are.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(i64).range(1..))]
    rows: i64,
    /// How many rows a batch has: Spark's have so many, however wide they are.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..))]
    batch_rows: i64,
    /// How many batches differ; they repeat then, so that memory does not grow with the rows.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(i64).range(1..))]
    distinct: i64,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    match Arguments::parse().verb {
        Verb::Serve { rows, port } => serve(rows.prepare()?.into_messages()?, port),
        Verb::Encode { rows, rows_of: None, out } => encode(rows.prepare()?.into_batches(), &out),
        Verb::Encode { rows_of: Some(file), out, .. } => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
            let batches = reader.with_batch_size(10_000).build()?;
            encode(batches.map(|batch| Ok(batch?)), &out)
        }
    }
}

impl Rows {
    fn prepare(&self) -> Result<Prepared> {
        let length = self.batch_rows;
        let count = parts(self.rows, length);
        let batch = |at: i64| self.shape.batch(at * length, length);
        let batches = (0..count.min(self.distinct)).map(batch).collect::<std::result::Result<_, _>>()?;
        Ok(Prepared { batches, length, rows: self.rows })
    }
}

/// Batches of one length, which repeat until there are enough rows; the last is cut.
struct Prepared {
    batches: Vec<RecordBatch>,
    length: i64,
    rows: i64,
}

impl Prepared {
    fn into_batches(self) -> impl Iterator<Item = Result<RecordBatch>> {
        let Self { batches, length, rows } = self;
        let starts = (0..rows).step_by(usize::try_from(length).unwrap_or(usize::MAX));
        let lengths = starts.map(move |start| length.min(rows - start));
        let endless = (0..batches.len()).cycle();
        endless.zip(lengths).map(move |(at, length)| Ok(batches[at].slice(0, usize::try_from(length)?)))
    }

    /// The batches as they are sent, in order.
    fn into_messages(self) -> Result<Messages> {
        let whole = self.batches.iter().map(stream).collect::<Result<Vec<_>>>()?;
        let rest = self.rows % self.length;
        let rest = if rest == 0 {
            None
        } else {
            let at = usize::try_from(self.rows / self.length)? % self.batches.len();
            Some(stream(&self.batches[at].slice(0, usize::try_from(rest)?))?)
        };
        Ok(Messages { whole, rest, length: self.length, rows: self.rows })
    }
}

/// How many parts of a length there are, the last of which may be shorter.
fn parts(rows: i64, length: i64) -> i64 {
    (rows + length - 1) / length
}

fn stream(batch: &RecordBatch) -> Result<Bytes> {
    let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref())?;
    writer.write(batch)?;
    Ok(writer.into_inner()?.into())
}

/// Hands the batches to the writer; only its own time counts.
fn encode(batches: impl Iterator<Item = Result<RecordBatch>>, out: &Path) -> Result<()> {
    let out = std::path::absolute(out)?;
    let mut batches = batches.peekable();
    let first = match batches.peek() {
        Some(Ok(first)) => first.clone(),
        Some(Err(error)) => return Err(error.to_string().into()),
        None => return Err("there are no rows".into()),
    };
    let mut spent = Spent::default();
    let mut writer = spent.on(|| Writer::open(&format!("parquet: '{}'", out.display()), &first))?;
    let mut rows = 0;
    loop {
        let mut ready = batches.by_ref().take(READ_AHEAD).collect::<Result<VecDeque<_>>>()?;
        if ready.is_empty() {
            break;
        }
        rows += ready.iter().map(RecordBatch::num_rows).sum::<usize>();
        spent.on(|| {
            while let Some(batch) = ready.pop_front() {
                writer.write(&batch)?;
            }
            Ok(())
        })?;
    }
    let bytes = spent.on(|| writer.finish())?;
    let Spent { wall, processor } = spent;
    let figures = serde_json::json!({
        "rows": rows,
        "bytes": bytes,
        "wall_seconds": wall.as_secs_f64(),
        "processor_seconds": processor.as_secs_f64(),
    });
    writeln!(io::stdout(), "{figures}")?;
    Ok(())
}

/// What a piece of work took.
#[derive(Default)]
struct Spent {
    wall: Duration,
    processor: Duration,
}

impl Spent {
    fn on<T>(
        &mut self,
        work: impl FnOnce() -> std::result::Result<T, String>,
    ) -> std::result::Result<T, String> {
        let (began, before) = (Instant::now(), processor_time());
        let done = work();
        self.wall += began.elapsed();
        self.processor += processor_time().saturating_sub(before);
        done
    }
}

/// Of all threads of this process.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

fn serve(messages: Messages, port: u16) -> Result<()> {
    let messages = Arc::new(messages);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        writeln!(io::stdout(), "sc://{}", listener.local_addr()?)?;
        io::stdout().flush()?;
        let service = SparkConnectServiceServer::new(Service { messages });
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        Ok(Server::builder().serve_with_incoming(service, incoming).await?)
    })
}

/// A result, ready to be sent.
struct Messages {
    whole: Vec<Bytes>,
    /// The last batch, where it is shorter.
    rest: Option<Bytes>,
    length: i64,
    rows: i64,
}

impl Messages {
    /// How many batches there are.
    fn count(&self) -> i64 {
        parts(self.rows, self.length)
    }

    /// The batches from this one on, then the word that there are no more.
    fn responses(self: Arc<Self>, from: i64) -> impl Iterator<Item = (i64, ResponseType)> + Send {
        let count = self.count();
        (from..=count).map(move |at| {
            let sent = self.batch(at).map(ResponseType::ArrowBatch);
            (at, sent.unwrap_or(ResponseType::ResultComplete(ResultComplete {})))
        })
    }

    fn batch(&self, at: i64) -> Option<ArrowBatch> {
        let offset = at * self.length;
        let row_count = self.length.min(self.rows - offset);
        let data = match &self.rest {
            _ if row_count <= 0 => return None,
            Some(rest) if row_count < self.length => rest,
            _ => self.whole.get(usize::try_from(at).ok()? % self.whole.len())?,
        };
        Some(ArrowBatch {
            row_count,
            data: Bytes::clone(data),
            start_offset: Some(offset),
            ..ArrowBatch::default()
        })
    }
}

/// Answers as a server of Spark does, to whoever asks and in every session.
struct Service {
    messages: Arc<Messages>,
}

impl Service {
    /// Sends what comes after these responses; their ids are their numbers.
    fn send(&self, session_id: String, operation_id: String, from: i64) -> Response<Stream> {
        let responses = Arc::clone(&self.messages).responses(from).map(move |(at, response_type)| {
            Ok(ExecutePlanResponse {
                session_id: session_id.clone(),
                operation_id: operation_id.clone(),
                response_id: at.to_string(),
                response_type: Some(response_type),
                ..ExecutePlanResponse::default()
            })
        });
        Response::new(Box::pin(tokio_stream::iter(responses)))
    }
}

type Stream = BoxStream<ExecutePlanResponse>;
type Answer<T> = std::result::Result<Response<T>, Status>;

#[tonic::async_trait]
impl SparkConnectService for Service {
    async fn execute_plan(&self, request: Request<ExecutePlanRequest>) -> Answer<Stream> {
        let request = request.into_inner();
        let operation = request.operation_id.unwrap_or_default();
        let plan = request.plan.and_then(|plan| plan.op_type);
        // A command has nothing to say but that it is done.
        let from = if matches!(plan, Some(OpType::Command(_))) { self.messages.count() } else { 0 };
        Ok(self.send(request.session_id, operation, from))
    }

    async fn reattach_execute(&self, request: Request<ReattachExecuteRequest>) -> Answer<Stream> {
        let request = request.into_inner();
        let last = request.last_response_id.map(|id| id.parse::<i64>()).transpose();
        let last = last.map_err(|_| Status::invalid_argument("no response has this id"))?;
        Ok(self.send(request.session_id, request.operation_id, last.map_or(0, |last| last + 1)))
    }

    async fn release_execute(
        &self,
        request: Request<ReleaseExecuteRequest>,
    ) -> Answer<ReleaseExecuteResponse> {
        let session_id = request.into_inner().session_id;
        Ok(Response::new(ReleaseExecuteResponse { session_id, ..ReleaseExecuteResponse::default() }))
    }

    async fn release_session(
        &self,
        request: Request<ReleaseSessionRequest>,
    ) -> Answer<ReleaseSessionResponse> {
        let session_id = request.into_inner().session_id;
        Ok(Response::new(ReleaseSessionResponse { session_id, ..ReleaseSessionResponse::default() }))
    }

    async fn interrupt(&self, request: Request<InterruptRequest>) -> Answer<InterruptResponse> {
        let session_id = request.into_inner().session_id;
        Ok(Response::new(InterruptResponse { session_id, ..InterruptResponse::default() }))
    }

    async fn config(&self, request: Request<ConfigRequest>) -> Answer<ConfigResponse> {
        let session_id = request.into_inner().session_id;
        Ok(Response::new(ConfigResponse { session_id, ..ConfigResponse::default() }))
    }

    async fn analyze_plan(&self, request: Request<AnalyzePlanRequest>) -> Answer<AnalyzePlanResponse> {
        let request = request.into_inner();
        let result = match request.analyze {
            Some(Analyze::Schema(_)) => {
                analyze_plan_response::Result::Schema(Schema { schema: Some(DataType::default()) })
            }
            _ => analyze_plan_response::Result::SparkVersion(SparkVersion { version: "4.3.0".to_owned() }),
        };
        Ok(Response::new(AnalyzePlanResponse {
            session_id: request.session_id,
            result: Some(result),
            ..AnalyzePlanResponse::default()
        }))
    }
}
