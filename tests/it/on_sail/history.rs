//! Tables that keep their history: what they were, on the engine that reads them, and what is said by one that does not.

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::Case;

/// Writes two versions of a table as Delta does: three rows at midnight of 2026-01-01, UTC, and five from six o'clock on.
const PARTS: &str = "\
version: 1
steps:
  three: { range: 3, write: { parquet: table/three.parquet } }
  five: { range: 5, write: { parquet: table/five.parquet } }
";

/// What Delta's log says of a version: its time in milliseconds, the file that comes, and the one that goes.
fn log(time: u64, comes: (&str, u64), goes: Option<&str>) -> String {
    let schema = r#"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}"#;
    let (file, size) = comes;
    let mut lines = vec![format!(r#"{{"commitInfo":{{"timestamp":{time},"operation":"WRITE"}}}}"#)];
    if goes.is_none() {
        lines.push(r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#.to_owned());
        lines.push(format!(
            r#"{{"metaData":{{"id":"5fba94ed-9794-4965-ba6e-6ee3c0d22af9","format":{{"provider":"parquet","options":{{}}}},"schemaString":"{schema}","partitionColumns":[],"configuration":{{}},"createdTime":{time}}}}}"#
        ));
    }
    lines.extend(goes.map(|goes| {
        format!(r#"{{"remove":{{"path":"{goes}","deletionTimestamp":{time},"dataChange":true}}}}"#)
    }));
    lines.push(format!(
        r#"{{"add":{{"path":"{file}","partitionValues":{{}},"size":{size},"modificationTime":{time},"dataChange":true}}}}"#
    ));
    lines.join("\n") + "\n"
}

const COUNTED: &str = "transform: [ { aggregate: { columns: { rows: count(*) } } } ], write: stdout";

#[test]
fn a_table_is_read_as_it_was() {
    let parts =
        Case::new(["run", "parts.yaml", "-q"]).engine().file("parts.yaml", PARTS).any_leftovers().run();
    let size = |name: &str| fs::metadata(parts.path(name)).unwrap().len();
    let logs = [
        log(1_767_225_600_000, ("three.parquet", size("table/three.parquet")), None),
        log(1_767_247_200_000, ("five.parquet", size("table/five.parquet")), Some("three.parquet")),
    ];
    let case = Case::new(["run", "p.yaml", "-q"]).engine();
    let table = case.path("table").display().to_string();
    let tables = [
        "version: 0".to_owned(),
        "version: \"${newest}\"".to_owned(),
        // Midnight in UTC is nine o'clock there.
        "timestamp: 2026-01-01T10:00:00".to_owned(),
        "timestamp: 2026-01-01T14:59:59".to_owned(),
        "timestamp: 2026-01-01T15:00:00".to_owned(),
        "timestamp: 2026-01-01T05:00:00Z".to_owned(),
        "timestamp: 2026-01-02".to_owned(),
    ];
    let steps: String = tables
        .iter()
        .enumerate()
        .map(|(at, which)| {
            let after = at.checked_sub(1).map(|before| format!("after: s{before}, ")).unwrap_or_default();
            format!("  s{at}: {{ table: {{ name: \"delta.`{table}`\", {which} }}, {after}{COUNTED} }}\n")
        })
        .collect();
    let read = format!(
        "  files: {{ read: {{ format: delta, path: table, options: {{ versionAsOf: 0 }} }}, after: s6, {COUNTED} }}\n"
    );
    let pipeline = format!(
        "version: 1\nvars: {{ newest: 1 }}\nconf: {{ spark.sql.session.timeZone: Asia/Tokyo }}\nsteps:\n{steps}{read}"
    );
    let case = case
        .file("p.yaml", pipeline)
        .file("table/three.parquet", fs::read(parts.path("table/three.parquet")).unwrap())
        .file("table/five.parquet", fs::read(parts.path("table/five.parquet")).unwrap())
        .file("table/_delta_log/00000000000000000000.json", &logs[0])
        .file("table/_delta_log/00000000000000000001.json", &logs[1]);
    for (version, seconds) in [(0, 1_767_225_600), (1, 1_767_247_200)] {
        let path = case.path(&format!("table/_delta_log/{version:020}.json"));
        let log = fs::File::options().append(true).open(path).unwrap();
        log.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    }
    let outcome = case.any_stdout().any_leftovers().run();
    let counts: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| line.trim().chars().all(|c| c.is_ascii_digit()) && !line.trim().is_empty())
        .map(str::trim)
        .collect();
    assert_eq!(counts, ["3", "5", "3", "3", "5", "3", "5", "3"], "{}", outcome.stdout);
}

#[test]
fn changes_are_refused_by_name() {
    let pipeline = "\
version: 1
steps:
  kept:
    table: { name: lake.orders, changes: { from: 3 } }
    write: stdout
";
    let outcome =
        Case::new(["check", "p.yaml"]).engine().file("p.yaml", pipeline).code(78).any_stderr().run();
    assert!(
        outcome.stderr.contains(
            "error[E022]: Sail 0.7.2 has no `changes` of tables; Spark 4.2 has them\n --> p.yaml:4:5\n"
        ),
        "{}",
        outcome.stderr
    );
}
