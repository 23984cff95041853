//! `run`: what is in the files and folders, read back by readers that are not pipectl's, and what is left of those
//! that did not come to be.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::support::{Case, read_back};

/// A machine that does other things too may need them for millions of rows.
const MANY_MINUTES: Duration = Duration::from_secs(600);

/// A pipeline that writes to `OUT` the numbers from 0 on, and what follows from them.
const NUMBERS: &str = "\
version: 1
steps:
  numbers:
    range: ROWS
    transform: [select: [id, \"concat('row ', id) AS text\"]]
    write:
      - OUTPUT
";

pub(crate) fn numbers(rows: u64, output: &str) -> String {
    NUMBERS.replace("ROWS", &rows.to_string()).replace("OUTPUT", output)
}

/// The paths below a folder, hidden ones too.
pub(crate) fn tree(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

fn check_numbers(rows: u64, paths: &[&Path]) -> String {
    let arguments = [OsString::from("numbers"), rows.to_string().into()];
    read_back(arguments.into_iter().chain(paths.iter().map(|path| path.as_os_str().to_owned())))
}

#[test]
pub(crate) fn every_type_comes_back_from_every_kind_of_output() {
    for rows in ["3", "2", "1", "0"] {
        let text = include_str!("every_type.yaml");
        let outcome = Case::pipeline(text).args(["--var", &format!("least={rows}")]).any_stdout().run();
        // One pass feeds them all.
        assert_eq!(outcome.record()["actions"].as_array().unwrap().len(), 1);
        assert_eq!(outcome.stdout, fs::read_to_string(outcome.path("out/plain.ndjson")).unwrap());
        let out = outcome.path("out");
        let values = read_back([OsString::from("types"), out.into(), rows.into()]);
        assert!(values.starts_with("23 outputs, "), "{values}");
        if rows == "0" {
            for folder in ["parquet_rolling", "parquet_partitioned"] {
                let file =
                    fs::File::open(outcome.path("out").join(folder).join("part-00000.parquet")).unwrap();
                let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
                assert_eq!(reader.schema().fields().len(), 22, "{folder}");
            }
        }
    }
}

#[test]
fn many_rows_come_back() {
    let rows = 5_000_000;
    for output in ["a.parquet", "a.arrow", "a.csv", "a.ndjson"] {
        let kind = output.rsplit('.').next().unwrap();
        let case = Case::pipeline(&numbers(rows, &format!("{kind}: out/{output}")));
        let outcome = case.at_most(MANY_MINUTES).run();
        check_numbers(rows, &[&outcome.path("out").join(output)]);
    }
}

#[test]
fn folders_whose_rows_come_mixed_have_no_more_files_than_they_need() {
    let rows = 1_000_000;
    let text = numbers(rows, "parquet: { path: out/by_group, partition_by: group, max_rows_per_file: 6000 }");
    let columns = "\"concat('row ', id) AS text\"";
    let text = text.replace(columns, &format!("{columns}, \"id % 100 AS group\""));
    let outcome = Case::pipeline(&text).at_most(MANY_MINUTES).run();
    let said = check_numbers(rows, &[&outcome.path("out/by_group")]);
    assert_eq!(said, "by_group: 200 files, 1000000 rows\n");
}

#[test]
fn a_mode_says_what_happens_to_what_is_there() {
    let home = TempDir::new().unwrap();
    let out = home.path().to_string_lossy().into_owned();
    let run = |rows: u64, output: &str| {
        Case::pipeline(&numbers(rows, &output.replace("OUT", &out))).code(0).run();
    };
    let fails = |output: &str| {
        let outcome = Case::pipeline(&numbers(1, &output.replace("OUT", &out))).code(1).any_stderr().run();
        let said = outcome.stderr.replace(&out, "[out]");
        said.lines().next().unwrap().trim_start_matches("  failed  numbers: ").to_owned()
    };
    let read = |path: &str| fs::read_to_string(home.path().join(path)).unwrap();

    for rows in [2, 0, 1] {
        run(rows, "csv: { path: OUT/log.csv, mode: append }");
        run(rows, "ndjson: { path: OUT/log.ndjson, mode: append }");
        run(rows, "parquet: { path: OUT/log, mode: append, max_rows_per_file: 1 }");
    }
    assert_eq!(read("log.csv"), "id,text\n0,row 0\n1,row 1\n0,row 0\n");
    assert_eq!(
        read("log.ndjson"),
        "{\"id\":0,\"text\":\"row 0\"}\n{\"id\":1,\"text\":\"row 1\"}\n{\"id\":0,\"text\":\"row 0\"}\n"
    );
    assert_eq!(tree(&home.path().join("log")).len(), 3);

    fs::write(home.path().join("other.csv"), "id,name\n1,x").unwrap();
    assert_eq!(
        fails("csv: { path: OUT/other.csv, mode: append }"),
        "`[out]/other.csv` begins with another header than these rows have, so they are not added to it"
    );
    assert_eq!(read("other.csv"), "id,name\n1,x");
    fs::write(home.path().join("cut.csv"), "id,text\n7,row 7").unwrap();
    run(1, "csv: { path: OUT/cut.csv, mode: append }");
    assert_eq!(read("cut.csv"), "id,text\n7,row 7\n0,row 0\n");

    assert_eq!(
        fails("csv: { path: OUT/cut.csv, mode: error }"),
        "`[out]/cut.csv` exists already, and `mode: error` does not replace it"
    );
    assert_eq!(
        fails("csv: { path: OUT/log, mode: error, max_rows_per_file: 5 }"),
        "`[out]/log` exists already, and `mode: error` does not replace it"
    );
    run(9, "csv: { path: OUT/log, max_rows_per_file: 5 }");
    assert_eq!(tree(&home.path().join("log")), ["part-00000.csv", "part-00001.csv"]);
    assert_eq!(
        fails("csv: { path: OUT/cut.csv, partition_by: id }"),
        "`[out]/cut.csv` is a file, and this output is a folder"
    );

    fs::write(home.path().join("log/notes.txt"), "precious").unwrap();
    assert_eq!(
        fails("csv: { path: OUT/log, max_rows_per_file: 5 }"),
        "`[out]/log/notes.txt` is no part of an output, so `[out]/log` is not replaced; move it out of there"
    );
    assert_eq!(tree(&home.path().join("log")), ["notes.txt", "part-00000.csv", "part-00001.csv"]);
    assert_eq!(tree(home.path()).iter().filter(|path| path.contains(".partial")).count(), 0);
}

#[test]
fn outputs_of_one_step_appear_together_or_not_at_all() {
    let text = "\
version: 1
steps:
  rows:
    range: 3
    transform: [with_columns: { span: \"make_interval(1, 2)\" }]
    write:
      - csv: out/a.csv
      - ndjson: { path: out/b, partition_by: id }
      - parquet: out/c.parquet
      - arrow: out/d.arrow
";
    let case = Case::pipeline(text).file("out/a.csv", "old").file("out/b/id=9/part-00000.ndjson", "old");
    let outcome = case.code(1).any_stderr().run();
    assert_eq!(outcome.files(), ["out/a.csv", "out/b/id=9/part-00000.ndjson"]);
    assert_eq!(fs::read_to_string(outcome.path("out/a.csv")).unwrap(), "old");
    assert_snapshot!(outcome.stderr, @"
      failed  rows: column `span` has type calendar interval, which Parquet cannot hold; convert it, for example with CAST(span AS STRING)
    error: a step failed
    ");
}

#[test]
fn a_disk_without_room_leaves_the_old_folder() {
    for output in [
        "csv: { path: out/rows, max_rows_per_file: 10000000 }",
        "parquet: { path: out/rows, max_rows_per_file: 10000000, compression: none, dictionary: false }",
        "arrow: { path: out/rows, max_rows_per_file: 10000000 }",
        "ndjson: { path: out/rows, max_rows_per_file: 10000000, compression: gzip }",
    ] {
        let case = Case::pipeline(&numbers(300_000, output)).file("out/rows/part-00000.csv", "old");
        let outcome = case.code(1).any_stderr().run_in_shell("trap '' XFSZ; ulimit -f 100; \"$@\"");
        assert_eq!(outcome.files(), ["out/rows/part-00000.csv"], "{output}");
        assert!(outcome.stderr.contains("File too large"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("out/rows/part-00000."), "{}", outcome.stderr);
    }
}

#[test]
fn rows_as_arrow_go_to_another_program() {
    let text = numbers(1_000, "stdout: arrow");
    let outcome = Case::pipeline(&text).run_in_shell("\"$@\" > rows.arrows");
    let bytes = fs::read(outcome.path("rows.arrows")).unwrap();
    let reader = arrow_ipc::reader::StreamReader::try_new(bytes.as_slice(), None).unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 1_000);
}
