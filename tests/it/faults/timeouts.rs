//! `run`: what takes longer than it was given, a step or the whole run, is stopped here and at the engine.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use insta::{allow_duplicates, assert_snapshot};
use serde_json::Value;

use crate::support::Warm;
use crate::support::{Case, ENDLESS, elsewhere};

/// Two queries that take longer than any test: one that sends nothing, and one that sends rows all the time.
const SLOW: &str = "\
version: 1
steps:
  sum:
    range: 100000000000
    timeout: 2s
    transform: [aggregate: { columns: { s: sum(id % 7) } }]
    write: { parquet: out/sum.parquet }
  later:
    from: sum
    write: { parquet: out/later.parquet }
  rows:
    range: 100000000000
    timeout: 1s
    write: { parquet: out/rows.parquet }
  quick:
    range: 3
    timeout: 2m
    write: { stdout: csv }
";

/// Part of what runs on every engine.
pub(crate) fn a_step_is_stopped_and_the_rest_goes_on() {
    let case = Case::pipeline(SLOW).args(["-k", "-j", "1"]).code(1).stdout("id\n0\n1\n2\n").any_stderr();
    let outcome = case.run();
    allow_duplicates! {
        assert_snapshot!(outcome.stderr, @"
          failed  sum (materialize): took longer than its `timeout` of 2 s
         skipped  sum: `sum` did not succeed
         skipped  later: `sum` did not succeed
          failed  rows: took longer than its `timeout` of 1 s
        error: a step failed
        ");
    }
    // Nothing is left of an output, nor beside it.
    assert_eq!(outcome.files(), Vec::<String>::new());
    let record = outcome.record();
    let actions = record["actions"].as_array().unwrap();
    let of = |step: &str| actions.iter().rfind(|action| action["step"] == step).unwrap();
    assert_eq!(of("rows")["status"], "failed");
    assert_eq!(of("rows")["error"]["message"], "took longer than its `timeout` of 1 s");
    assert!(of("rows")["seconds"].as_f64().unwrap() < 6.0, "{record}");
    assert_eq!(of("later")["status"], "skipped");
    assert_eq!(of("quick")["status"], "succeeded");
}

/// Part of what runs on every engine.
pub(crate) fn a_run_is_stopped() {
    let since = Instant::now();
    let outcome = Case::pipeline(ENDLESS).args(["--timeout", "3s"]).code(1).any_stderr().run();
    assert!(since.elapsed() < Duration::from_secs(9), "{:?}", since.elapsed());
    assert_eq!(outcome.files(), Vec::<String>::new());
    let record = outcome.record();
    assert_eq!(record["stopped_by"], serde_json::json!({ "reason": "timed_out", "limit": "3 s" }));
    assert_eq!(record["actions"][0]["status"], "interrupted");
    assert_eq!(record["exit_code"], 1);
    assert!(
        outcome.stderr.ends_with("error: the run took longer than its `--timeout` of 3 s\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn on_sail() {
    a_step_is_stopped_and_the_rest_goes_on();
    a_run_is_stopped();
    let warm = Warm::start("sail");
    let failed = elsewhere(
        "engine: sail",
        warm.runtime(),
        &[("a run", a_run_is_stopped), ("a step", a_step_is_stopped_and_the_rest_goes_on)],
    );
    assert!(failed.is_empty(), "{failed:?}");
    has_nothing_to_do(&warm);
}

/// Fails where an engine still works for somebody: an idle one uses hardly any of the processors.
pub(crate) fn has_nothing_to_do(warm: &Warm) {
    let files = fs::read_dir(warm.runtime().join("pipectl")).unwrap().map(|entry| entry.unwrap().path());
    let note = files.into_iter().find(|path| path.extension().is_some_and(|it| it == "json")).unwrap();
    let note: Value = serde_json::from_slice(&fs::read(note).unwrap()).unwrap();
    // What collects garbage and compiles behind the scenes gets a moment.
    sleep(Duration::from_secs(2));
    let before = processor_seconds(&note["pid"]);
    sleep(Duration::from_secs(4));
    let used = processor_seconds(&note["pid"]) - before;
    assert!(used <= 2, "the engine has worked for {used} s of 4");
}

fn processor_seconds(process: &Value) -> u64 {
    let output = Command::new("ps").args(["-o", "time=", "-p", &process.to_string()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Days before a dash, and fractions of a second, are none here.
    let parts: Vec<u64> =
        text.trim().split(':').map(|part| part.split('.').next().unwrap().parse().unwrap()).collect();
    parts.iter().fold(0, |sum, part| sum * 60 + part)
}

#[test]
fn the_limit_of_a_run_covers_the_start_of_its_engine() {
    for limit in ["1ms", "40ms"] {
        let case =
            Case::new(["run", "p.yaml"]).file("p.yaml", ENDLESS).engine().env("PIPECTL_TIMEOUT", limit);
        let since = Instant::now();
        let outcome = case.code(1).any_stderr().run();
        assert!(since.elapsed() < Duration::from_secs(6));
        assert!(
            outcome.stderr.contains("the run took longer than its `--timeout` of "),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.record()["exit_code"], 1);
    }
}

#[test]
fn a_limit_that_nothing_keeps_is_told() {
    const PART: &str = "\
version: 1
steps:
  part: { range: 3, timeout: 1m }
  whole: { from: part, timeout: 1m, write: { stdout: csv } }
";
    let case = Case::new(["run", "p.yaml"]).file("p.yaml", PART).engine().stdout("id\n0\n1\n2\n");
    let outcome = case.any_stderr().run();
    let notes: Vec<&str> = outcome.stderr.lines().filter(|line| line.contains("note")).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("the `timeout` of `part` has no effect"), "{notes:?}");
}

#[test]
fn what_is_no_length_of_time_is_no_limit() {
    let outcome =
        Case::new(["run", "p.yaml", "--timeout", "90"]).file("p.yaml", ENDLESS).code(2).any_stderr().run();
    assert!(outcome.stderr.contains("`90` has no unit: did you mean `90s`?"), "{}", outcome.stderr);
}

#[test]
fn a_run_that_is_in_time_succeeds() {
    const QUICK: &str = "version: 1\nsteps: { n: { range: 3, timeout: 1m, write: { stdout: csv } } }\n";
    Case::pipeline(QUICK).args(["--timeout", "1m"]).stdout("id\n0\n1\n2\n").run();
}
