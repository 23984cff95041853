//! `run`: outputs appear whole or not at all, side by side, whatever fails beside them.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Case, ENDLESS};

/// Two outputs of which one fails when it is read, and others beside.
const MIXED: &str = "\
version: 1
steps:
  first:
    range: 2
    write: { stdout: csv }
  bad:
    range: 3
    transform: [with_columns: { x: \"raise_error('boom')\" }]
    write: { parquet: out/bad.parquet }
  reader:
    from: bad
    transform: [filter: id > 0]
    write: { parquet: out/reader.parquet }
  last:
    range: { start: 7, end: 9 }
    write: { stdout: csv }
";

#[test]
pub(crate) fn outputs_on_stdout_come_whole_and_in_order() {
    let mut text = "version: 1\nsteps:\n".to_owned();
    let mut expected = String::new();
    for step in 0..12_u64 {
        // The first ones take longest.
        let rows = 20_000 / (step + 1);
        text.push_str(&format!(
            "  s{step}:\n    range: {{ end: {rows}, partitions: 1 }}\n    write: {{ stdout: csv }}\n"
        ));
        expected.push_str("id\n");
        expected.extend((0..rows).map(|row| format!("{row}\n")));
    }
    for threads in ["1", "8"] {
        let case = Case::pipeline(&text).args(["--threads", threads]).any_stdout();
        assert!(case.run().stdout == expected, "{threads} threads");
    }
}

#[test]
pub(crate) fn what_is_independent_runs_side_by_side() {
    let mut text = "version: 1\nsteps:\n".to_owned();
    for step in 0..6 {
        text.push_str(&format!("  s{step}:\n    range: 10\n    write: {{ parquet: out/{step}.parquet }}\n"));
    }
    let outcome = Case::pipeline(&text).run();
    assert_eq!(outcome.files().len(), 6);
    for step in 0..6 {
        assert_eq!(outcome.parquet(&format!("out/{step}.parquet")).lines().count(), 11);
    }
}

#[test]
pub(crate) fn a_failure_lets_nothing_more_begin() {
    let outcome = Case::pipeline(MIXED).args(["-j1"]).code(1).stdout("id\n0\n1\n").any_stderr().run();
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert_snapshot!(outcome.stderr, @"
      failed  bad: boom
     skipped  reader: the run was stopped
     skipped  last: the run was stopped
    error: a step failed
    ");
}

#[test]
pub(crate) fn a_failure_stops_what_needs_it_alone_where_the_rest_is_kept_going() {
    let case = Case::pipeline(MIXED).args(["-k", "-j1"]).code(1).stdout("id\n0\n1\nid\n7\n8\n").any_stderr();
    let outcome = case.run();
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert_snapshot!(outcome.stderr, @"
      failed  bad: boom
      failed  reader: boom
    error: a step failed
    ");
    let status = |at: usize| outcome.record()["actions"][at]["status"].clone();
    assert_eq!(outcome.record()["exit_code"], 1);
    assert_eq!(status(0), "succeeded");
}

#[test]
pub(crate) fn a_failure_interrupts_what_runs_beside_it_where_it_is_fast() {
    let long = "range: 100000000000\n    transform: [aggregate: { columns: { s: sum(id) } }]\n    write: { parquet: out/last.parquet }\n";
    let (before, _) = MIXED.split_once("range: { start: 7").unwrap();
    let text = format!("{before}{long}");
    let outcome = Case::pipeline(&text).args(["-x", "-j8"]).code(1).any_stdout().any_stderr().run();
    assert_eq!(outcome.files(), Vec::<String>::new());
    let record = outcome.record();
    let last = record["actions"].as_array().unwrap().iter().find(|action| action["step"] == "last").unwrap();
    assert_eq!(last["status"], "interrupted");
    assert_eq!(record["exit_code"], 1);
}

#[test]
pub(crate) fn one_run_at_a_time_writes_an_output() {
    let first = Case::new(["run", "p.yaml"]).file("p.yaml", ENDLESS).engine().code(130).any_stderr().start();
    first.wait_for_file("out", 1);
    let output = first.path("out/sum.parquet");
    let other = ENDLESS.replace("out/sum.parquet", &output.to_string_lossy());
    let second = Case::pipeline(&other).code(75).any_stderr().run();
    let stderr = second.stderr.replace(&*output.to_string_lossy(), "[output]");
    assert_snapshot!(stderr, @"
    error: another run is writing `[output]` (process [number], run [id])
      help: wait until the other run has ended, then try again
    ");
    assert_eq!(second.record()["exit_code"], 75);
    first.signal("INT");
    first.end();
}

/// Rows that fit in no pipe's buffer.
const MANY: &str = "version: 1\nsteps: { rows: { range: 3000000, write: { stdout: csv } } }\n";

#[test]
pub(crate) fn a_reader_that_goes_away_ends_the_run_quietly() {
    let case = Case::pipeline(MANY).any_stdout();
    let outcome =
        case.run_in_shell("exec 3>&1; { \"$@\" 2>&3; echo \"code $?\" >&3; } | head -n 2 >/dev/null");
    assert_eq!(outcome.stdout, "code 0\n");
}

#[test]
pub(crate) fn a_full_disk_fails_the_output() {
    let outcome = Case::pipeline(MANY).code(1).any_stderr().run_in_shell("\"$@\" >/dev/full");
    assert_snapshot!(outcome.stderr, @"
      failed  rows: cannot write to stdout: No space left on device (os error 28)
    error: a step failed
    ");
    // A file that may not grow, as root may not either.
    let text = MANY.replace("stdout: csv", "parquet: out/rows.parquet");
    let case = Case::pipeline(&text).code(1).any_stderr();
    let outcome = case.run_in_shell("trap '' XFSZ; ulimit -f 100; \"$@\"");
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert_snapshot!(outcome.stderr, @"
      failed  rows: cannot write `[folder]/out/rows.parquet`: File too large (os error 27)
    error: a step failed
    ");
}

#[test]
pub(crate) fn an_output_that_can_not_be_is_told() {
    let text = "version: 1\nsteps: { rows: { range: 3, write: { parquet: PATH } } }\n";
    // A folder in which nobody can make a file, root neither: it is none.
    for path in ["in/a", "in/file/b.parquet"] {
        let case = Case::pipeline(&text.replace("PATH", path)).file("in/a/kept", "").file("in/file", "");
        let outcome = case.code(1).any_stderr().run();
        assert_eq!(outcome.files(), ["in/a/kept", "in/file"]);
        match path {
            "in/a" => {
                assert_snapshot!(outcome.stderr, @"error: `[folder]/in/a` is a folder; name a file in it");
            }
            _ => {
                assert_snapshot!(outcome.stderr, @"error: cannot create the folder `[folder]/in/file`: File exists (os error 17)");
            }
        }
    }
}

#[test]
pub(crate) fn a_run_that_fails_keeps_the_old_file() {
    let case = Case::pipeline(MIXED).file("out/bad.parquet", "the old one").code(1).any_stdout().any_stderr();
    let outcome = case.run();
    assert_eq!(fs::read_to_string(outcome.path("out/bad.parquet")).unwrap(), "the old one");
}
