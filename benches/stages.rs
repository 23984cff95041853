//! What each stage costs by itself: `cargo bench --features bench`.
//!
//! Pipelines come from `benches/validate/generate.py`, rows from `benches/prepared/shapes.rs`.

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use arrow_array::RecordBatch;
use clap::ValueEnum as _;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pipectl::bench::{self, Engine};

#[path = "prepared/shapes.rs"]
mod shapes;

use shapes::Shape;

const STEPS: [usize; 2] = [1_000, 10_000];
/// Rows of a batch, as Spark cuts them, and batches: as many as a row group of pipectl's Parquet has at least.
const ROWS: i64 = 10_000;
const BATCHES: i64 = 14;

fn pipelines(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pipeline");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    for steps in STEPS {
        let text = generated(steps);
        group.throughput(Throughput::Elements(steps as u64));
        group.bench_with_input(BenchmarkId::new("parse", steps), &text, |bencher, text| {
            bencher.iter(|| bench::parse(black_box(text)).expect("a generated file has no mistakes"));
        });
        group.bench_with_input(BenchmarkId::new("bind", steps), &text, |bencher, text| {
            bencher.iter_with_large_drop(|| {
                bench::bind(black_box(text)).expect("a generated file has no mistakes")
            });
        });
        let pipeline = bench::bind(&text).expect("a generated file has no mistakes");
        group.bench_function(BenchmarkId::new("graph", steps), |bencher| {
            bencher.iter_with_large_drop(|| bench::graph(black_box(&pipeline)));
        });
        let graph = bench::graph(&pipeline);
        for (name, engine) in [("lower for Sail", Engine::Sail), ("lower for Spark", Engine::Spark)] {
            group.bench_function(BenchmarkId::new(name, steps), |bencher| {
                bencher.iter(|| {
                    bench::lower(black_box(&pipeline), &graph, engine).expect("engines have all of it")
                });
            });
        }
    }
    group.finish();
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rows");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let write = |name| (name, format!("{name}: '{}'", folder.path().join("out").display()));
    let outputs = ["parquet", "csv", "ndjson", "arrow"].map(write);
    for shape in Shape::value_variants() {
        let batches = batches(*shape);
        let bytes = batches.iter().map(RecordBatch::get_array_memory_size).sum::<usize>();
        group.throughput(Throughput::Bytes(bytes as u64));
        for (name, chunks) in [("decode whole", 1), ("decode chunks", 4)] {
            let messages = bench::messages(&batches, chunks).expect("Arrow has streams of all types");
            group.bench_function(BenchmarkId::new(name, format!("{shape:?}")), |bencher| {
                bencher.iter(|| bench::decode(black_box(&messages)).expect("the messages are whole"));
            });
        }
        for (name, write) in &outputs {
            group.bench_function(
                BenchmarkId::new(format!("encode {name}"), format!("{shape:?}")),
                |bencher| {
                    bencher
                        .iter(|| encode(write, black_box(&batches)).expect("the output holds these columns"));
                },
            );
        }
    }
    group.finish();
}

fn encode(write: &str, batches: &[RecordBatch]) -> Result<u64, String> {
    let mut writer = bench::Writer::open(write, batches.first().ok_or("no rows")?)?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()
}

fn generated(steps: usize) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/validate/generate.py");
    let output = Command::new("python3").arg(script).arg(steps.to_string()).output();
    let output = output.expect("the generator needs python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the generator writes UTF-8")
}

fn batches(shape: Shape) -> Vec<RecordBatch> {
    let batch = |at| shape.batch(at * ROWS, ROWS).expect("the columns have the same length");
    (0..BATCHES).map(batch).collect()
}

criterion_group!(stages, pipelines, rows);
criterion_main!(stages);
