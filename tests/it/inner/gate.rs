//! Figures of the regression gate that a server sees: the memory that a long result needs, and the calls of a run.
//!
//! `.ci/gate` runs these tests with a release binary and ten million rows, and prints the figures that they print.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use insta::assert_snapshot;
use tokio::runtime::Runtime;

use crate::proto::spark::DataType;
use crate::proto::spark::data_type::{self, Kind, Struct, StructField};
use crate::scripted::{Script, Scripted, complete, repeated, rows};
use crate::support::Case;

#[path = "../../../benches/prepared/shapes.rs"]
mod shapes;

use shapes::Shape;

/// Rows of a batch: Spark's have as many.
const BATCH: i64 = 10_000;
/// Batches that differ; a result repeats them.
const DISTINCT: i64 = 8;
/// Without the gate's own number of rows. They have 55 bytes each, so that whoever collects them needs more than [`MOST_MEMORY`].
const ROWS: i64 = 3_000_000;
/// The most memory that a debug build may have at once, in MiB. The gate allows a release build 100.
const MOST_MEMORY: u64 = 140;

#[test]
fn the_memory_of_a_run_does_not_grow_with_its_rows() {
    let rows = env::var_os("PIPECTL_GATE_ROWS").map_or(ROWS, |rows| rows.to_str().unwrap().parse().unwrap());
    let binary = env::var_os("PIPECTL_GATE_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_pipectl").into());
    let batch = |at| Shape::Narrow.batch(at * BATCH, BATCH).unwrap();
    let batches: Vec<_> = (0..DISTINCT).map(batch).collect();
    let mut steps = repeated(&batches, usize::try_from(rows / BATCH).unwrap());
    steps.push(complete());
    let (server, _threads) = serve(Script::default().stream(steps));
    let url = format!("sc://127.0.0.1:{}", server.port);
    let text = "version: 1\nsteps: { rows: { range: 1, write: { parquet: out/rows.parquet } } }\n";
    let case = Case::new(["run", "-q", "--remote", &url, "p.yaml"]).file("p.yaml", text);
    let measure = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peak.py");
    let case = case.env("MEASURE", measure).env("BINARY", binary).any_stdout();
    let outcome = case.run_in_shell("shift; exec python3 \"$MEASURE\" \"$BINARY\" \"$@\"");
    let peak = outcome.stdout.trim().parse::<u64>().unwrap() >> 10;
    figure(&format!("peak memory of {rows} rows, MiB"), peak);
    assert_eq!(outcome.record()["actions"][0]["rows"], rows);
    assert!(
        peak <= MOST_MEMORY,
        "peak memory: {peak} MiB for {rows} rows, and {MOST_MEMORY} MiB are allowed"
    );
}

#[test]
fn a_run_makes_the_calls_that_it_needs() {
    let order = [("o_orderkey", BIGINT), ("o_custkey", BIGINT), ("o_comment", TEXT), ("gross", DECIMAL)];
    let answer = || [rows("a", 0, 5), complete()];
    // One stream for the expectations, one for each of the two outputs.
    let script = Script::default().stream(answer()).stream(answer()).stream(answer());
    let (server, _threads) = serve(script.columns_of("orders", columns(&order)).columns(columns(&CUSTOMER)));
    let url = format!("sc://127.0.0.1:{}", server.port);
    let arguments = ["run", "-q", "--remote", &url, "--root", "s3://lake", "pipelines/daily.yaml"];
    Case::new(arguments).examples().any_stdout().run();
    let mut calls = BTreeMap::<&str, u64>::new();
    for call in server.script.calls() {
        *calls.entry(kind(&call)).or_default() += 1;
    }
    let table = |(kind, count): (&&str, &u64)| format!("{kind} {count}\n");
    for (kind, count) in &calls {
        figure(&format!("calls of daily.yaml, {kind}"), *count);
    }
    assert_snapshot!(calls.iter().map(table).collect::<String>(), @"
    AnalyzePlan 8
    Config 2
    ExecutePlan 4
    ReleaseExecute 4
    ");
}

/// The procedure of the protocol that a call of the scripted server's list belongs to.
fn kind(call: &str) -> &'static str {
    match call.split(' ').next().unwrap() {
        "execute" => "ExecutePlan",
        "reattach" => "ReattachExecute",
        "release" => "ReleaseExecute",
        "analyze" => "AnalyzePlan",
        "config" => "Config",
        "interrupt" => "Interrupt",
        "add" => "AddArtifacts",
        "status" => "ArtifactStatus",
        "details" => "FetchErrorDetails",
        _ => panic!("`{call}` is not a call"),
    }
}

const BIGINT: fn() -> Kind = || Kind::Long(data_type::Long::default());
const TEXT: fn() -> Kind = || Kind::String(data_type::String::default());
const DECIMAL: fn() -> Kind = || {
    let (precision, scale) = (Some(15), Some(2));
    Kind::Decimal(data_type::Decimal { precision, scale, ..data_type::Decimal::default() })
};

/// A column's name and what makes its type.
type Column = (&'static str, fn() -> Kind);

/// The columns of `schemas/customers.yaml`.
const CUSTOMER: [Column; 8] = [
    ("c_custkey", BIGINT),
    ("c_name", TEXT),
    ("c_address", TEXT),
    ("c_nationkey", BIGINT),
    ("c_phone", TEXT),
    ("c_acctbal", DECIMAL),
    ("c_mktsegment", TEXT),
    ("c_comment", TEXT),
];

fn columns(columns: &[Column]) -> DataType {
    let field = |(name, kind): &Column| StructField {
        name: (*name).to_owned(),
        data_type: Some(DataType { kind: Some(kind()) }),
        nullable: true,
        ..StructField::default()
    };
    let fields = columns.iter().map(field).collect();
    DataType { kind: Some(Kind::Struct(Struct { fields, ..Struct::default() })) }
}

/// A server, and the threads in which it runs.
fn serve(script: Script) -> (Scripted, Runtime) {
    let threads = Runtime::new().unwrap();
    let server = threads.block_on(script.serve());
    (server, threads)
}

/// Prints a figure for `.ci/gate`.
#[expect(clippy::print_stdout, reason = "it is read by a program")]
fn figure(name: &str, value: u64) {
    println!("figure: {name}: {value}");
}
