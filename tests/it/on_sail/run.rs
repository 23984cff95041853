//! `run`: what it says and returns, whatever happens.

use insta::assert_snapshot;

use crate::support::Case;

/// One step passes its rows on, and another one needs them.
pub(crate) const CHECKED: &str = "\
version: 1
vars:
  least: { type: int, default: 0 }
steps:
  numbers:
    range: 3
    expect:
      - that: id >= ${least}
    write: { parquet: out/numbers.parquet }
  shown:
    from: numbers
    transform: [sort: id DESC]
    write: { stdout: csv }
";

pub(crate) fn run(text: &str) -> Case {
    Case::new(["run", "p.yaml"]).file("p.yaml", text)
}

#[test]
fn success_is_0() {
    let outcome = run(CHECKED).engine().stdout("id\n2\n1\n0\n").any_stderr().run();
    assert!(outcome.path("out/numbers.parquet").is_file());
    let run = std::fs::read_dir(outcome.path("state/runs")).unwrap().next().unwrap().unwrap();
    let results = std::fs::read_to_string(run.path().join("run_results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    assert_eq!(results["exit_code"], 0);
}

#[test]
fn an_expectation_that_fails_is_1_and_keeps_its_rows_back() {
    let outcome = run(CHECKED).engine().env("PIPECTL_VAR_LEAST", "1").code(1).any_stderr().run();
    assert!(!outcome.path("out").exists());
    assert!(outcome.stderr.contains("does not hold for 1 of 3 rows"), "{}", outcome.stderr);
}

#[test]
fn a_wrong_column_is_78_before_any_output() {
    let outcome = run(&CHECKED.replace("id DESC", "ids DESC")).engine().code(78).any_stderr().run();
    assert!(!outcome.path("out").exists());
    assert_snapshot!(outcome.stderr, @"
      engine  Sail 0.7.2, private to this run, ready in [time]
    error[E024]: there is no column `ids`
      --> p.yaml:12:23
       |
    12 |     transform: [sort: ids DESC]
       |                       ^^^ not found in `numbers`
       |
       = help: did you mean `id`?

    error: the pipeline has 1 mistake
    ");
}

#[test]
fn the_record_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let case = run(CHECKED).engine().args(["-q", "--state-dir", "kept/here"]).stdout("id\n2\n1\n0\n");
    let outcome = case.run();
    assert!(!outcome.path("state").exists(), "the argument is nearer than the environment");
    let runs: Vec<_> =
        std::fs::read_dir(outcome.path("kept/here/runs")).unwrap().map(Result::unwrap).collect();
    let record = std::fs::read_to_string(runs[0].path().join("run_results.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["run_id"], *runs[0].file_name().to_string_lossy());
    assert_eq!(record["actions"][3]["rows"], 3);
    for folder in [outcome.path("kept/here"), runs[0].path()] {
        let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder:?}");
    }
}

#[test]
fn a_log_for_machines_is_json_in_every_line() {
    let broken =
        CHECKED.replace("range: 3", "range: 3\n    transform: [with_columns: { x: raise_error('boom') }]");
    let wrong = CHECKED.replace("id DESC", "ids DESC");
    for (text, code, events) in [
        (
            CHECKED,
            0,
            [
                "engine_ready",
                "check_passed",
                "run_started",
                "action_started",
                "action_finished",
                "run_finished",
            ]
            .as_slice(),
        ),
        (&broken, 1, &["action_finished", "run_finished", "failure"]),
        (&wrong, 78, &["engine_ready", "diagnostic", "failure"]),
        ("version: 2", 78, &["diagnostic", "failure"]),
    ] {
        let case =
            run(text).engine().args(["--log-format", "json", "-v"]).code(code).any_stdout().any_stderr();
        let outcome = case.run();
        assert_eq!(outcome.stdout, if code == 0 { "id\n2\n1\n0\n" } else { "" });
        let lines: Vec<serde_json::Value> =
            outcome.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
        for event in events {
            assert!(told.contains(event), "{event} is not among {told:?}");
        }
        assert!(lines.iter().all(|line| line["time"].is_string() && line["level"].is_string()));
    }
}
