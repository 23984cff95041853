//! Runs the example pipelines on Sail, and compares what they write with what plain SQL gives (`tests/expected/make.py`).

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_csv::reader::{Format, ReaderBuilder};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Case, Outcome};

const README: &str = include_str!("../../../README.md");

/// A header and rows, each value as text; a decimal has all the digits of its type.
type Rows = Vec<Vec<String>>;

#[test]
pub(crate) fn daily() {
    let outcome = run("daily");
    assert_eq!(written(&outcome, "by_segment"), expected("by_segment"));
    assert!(README.contains(&outcome.stdout), "the README shows another result: {}", outcome.stdout);
}

#[test]
pub(crate) fn pricing_summary() {
    let outcome = run("pricing_summary");
    let rows = written(&outcome, "pricing_summary_19981201");
    assert_eq!(rows, expected("pricing_summary"));
    let printed: Rows =
        outcome.stdout.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    assert_eq!(printed, rows);
}

#[test]
pub(crate) fn late_shipments() {
    let outcome = run("late_shipments");
    assert_eq!(written(&outcome, "late_suppliers"), expected("late_suppliers"));
    assert_eq!(written(&outcome, "never_late_suppliers"), expected("never_late_suppliers"));
    // The same rows by nation, which the folders' names say.
    let rows = written(&outcome, "late_suppliers");
    let nation = rows[0].iter().position(|name| name == "nation").unwrap();
    let nations: HashSet<&String> = rows[1..].iter().map(|row| &row[nation]).collect();
    for name in &nations {
        let file = outcome.path(&format!("pipelines/out/late_by_nation/nation={name}/part-00000.csv"));
        let text = fs::read_to_string(file).unwrap();
        let of_nation = rows.iter().filter(|row| row[nation] == **name || row[nation] == "nation");
        let lines = of_nation.map(|row| {
            let rest = row.iter().enumerate().filter(|(at, _)| *at != nation);
            rest.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(",")
        });
        assert_eq!(text.lines().collect::<Vec<_>>(), lines.collect::<Vec<_>>(), "{name}");
    }
    assert_eq!(fs::read_dir(outcome.path("pipelines/out/late_by_nation")).unwrap().count(), nations.len());
}

#[test]
pub(crate) fn top_customers() {
    let outcome = run("top_customers");
    let rows = written(&outcome, "customers_to_call");
    assert_eq!(rows, expected("customers_to_call"));
    assert_eq!(written(&outcome, "best_by_nation"), expected("best_by_nation"));
    assert_eq!(outcome.stdout.lines().count(), rows.len() - 1);
    for (line, row) in outcome.stdout.lines().zip(&rows[1..]) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["name"], row[1].as_str());
    }
}

#[test]
pub(crate) fn waiting_suppliers() {
    let outcome = run("waiting_suppliers");
    let rows = written(&outcome, "waiting_suppliers");
    assert_eq!(rows, expected("waiting_suppliers"));
    assert_eq!(printed(&outcome), rows);
}

#[test]
pub(crate) fn quiet_customers() {
    let outcome = run("quiet_customers");
    let rows = written(&outcome, "quiet_customers");
    assert_eq!(rows, expected("quiet_customers"));
    assert_eq!(printed(&outcome), rows);
}

fn run(name: &str) -> Outcome {
    Case::new(["run", &format!("pipelines/{name}.yaml")]).examples().engine().any_stdout().any_stderr().run()
}

/// The table that the run printed.
fn printed(outcome: &Outcome) -> Rows {
    let lines = outcome.stdout.lines().enumerate().filter(|(number, _)| *number != 1);
    lines.map(|(_, line)| line.split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What the run wrote.
fn written(outcome: &Outcome, name: &str) -> Rows {
    let file = File::open(outcome.path(&format!("pipelines/out/{name}.parquet"))).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let header = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    rows(header, reader.build().unwrap().map(Result::unwrap))
}

fn expected(name: &str) -> Rows {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/expected/{name}.csv"));
    let (found, _) =
        Format::default().with_header(true).infer_schema(File::open(&path).unwrap(), Some(1)).unwrap();
    let header: Vec<String> = found.fields().iter().map(|field| field.name().clone()).collect();
    let fields: Vec<Field> = header.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    let reader = ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(true)
        .build(File::open(&path).unwrap())
        .unwrap();
    rows(header, reader.map(Result::unwrap))
}

fn rows(header: Vec<String>, batches: impl Iterator<Item = RecordBatch>) -> Rows {
    let mut rows = vec![header];
    for batch in batches {
        let options = FormatOptions::default();
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        rows.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect()),
        );
    }
    assert!(rows.len() > 1, "there are no rows to compare");
    rows
}
