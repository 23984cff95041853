//! `run`: what is large, and what is sent beside plans, on Sail.

use insta::assert_snapshot;

use crate::on_spark::large::{WIDE, mebibytes, sums, wide_is_refused};
use crate::support::Case;

#[test]
fn sail_takes_plans_up_to_its_limit() {
    Case::pipeline(&mebibytes(100, "")).stdout(&sums(100)).run();
    let over = Case::pipeline(&mebibytes(130, "")).code(78).any_stderr().run();
    let text: Vec<&str> = over.stderr.lines().filter(|line| !line.contains('|')).collect();
    assert_snapshot!(text.join("\n"), @"
    error[E022]: the plan of `sums` is too large: a request of 130.01 MiB is more than the server takes at once: 128 MiB
       --> p.yaml:140:3
        = help: put rows of `values` and `upload` into a file that the engine reads: `read`; or bring fewer
        = help: Spark takes these rows apart from its plans: `--engine spark`

    error: the pipeline has 1 mistake
    ");
    wide_is_refused(Case::pipeline(WIDE));
}

#[test]
fn artifacts_are_files_that_are_there() {
    let missing = "version: 1
artifacts:
  - file: nowhere.txt
  - jar: lib
steps: { n: { range: 2, write: stdout } }
";
    let run = |text: &str| Case::new(["run", "p.yaml"]).file("p.yaml", text).file("lib.jar/x", "");
    let outcome = run(&missing.replace("jar: lib", "jar: lib.jar")).code(1).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error[E026]: the artifact `[folder]/nowhere.txt` does not exist
     --> p.yaml:3:11
      |
    3 |   - file: nowhere.txt
      |           ^^^^^^^^^^^

    error[E026]: the artifact `[folder]/lib.jar` is a folder; pack it into an archive
     --> p.yaml:4:10
      |
    4 |   - jar: lib.jar
      |          ^^^^^^^

    error: an input is missing
    ");
    let outcome = run(missing).code(78).any_stderr().run();
    assert!(outcome.stderr.contains("the name of `jar: lib` ends with none of `.jar`"), "{}", outcome.stderr);
    let there = missing.replace("  - jar: lib\n", "  - file: lib.jar/x\n");
    let outcome = run(&there).file("nowhere.txt", "").engine().code(78).any_stderr().run();
    let text = outcome.stderr.split_once("error").unwrap().1;
    assert_snapshot!(text, @"
    [E022]: Sail 0.7.2 takes no artifacts: `nowhere.txt` and 1 more can't be sent to it
     --> p.yaml:3:11
      |
    3 |   - file: nowhere.txt
      |           ^^^^^^^^^^^
      |
      = help: Spark takes them: `--engine spark`, or a Spark server

    error: the pipeline has 1 mistake
    ");
}
