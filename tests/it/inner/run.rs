//! `run`: what it says and returns where no engine is reached.

use insta::assert_snapshot;

use crate::on_sail::run::{CHECKED, run};
use crate::support::Case;

#[test]
fn an_input_that_is_missing_is_1() {
    let text = CHECKED.replace("range: 3", "read: { format: parquet, path: in.parquet }");
    let outcome = run(&text).code(1).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error[E026]: the input of `numbers` is missing: `[folder]/in.parquet` does not exist
     --> p.yaml:6:36
      |
    6 |     read: { format: parquet, path: in.parquet }
      |                                    ^^^^^^^^^^

    error: an input is missing
    ");
}

#[test]
fn a_wrong_command_line_is_2() {
    Case::new(["run"]).code(2).any_stderr().run();
}

#[test]
fn an_engine_out_of_reach_is_69() {
    // Nobody listens at the discard port.
    let case = run(CHECKED).env("PIPECTL_REMOTE", "sc://127.0.0.1:9").env("PIPECTL_RETRY_BUDGET", "1");
    let outcome = case.code(69).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
      target  the server of `PIPECTL_REMOTE`
    error: sc://127.0.0.1:9 can not be reached: nothing listens at this port
      help: look whether the server runs, and for a slip in the address
    ");
}

#[test]
fn a_wrong_file_is_78_before_any_engine() {
    let outcome = run(&CHECKED.replace("sort:", "sorted:")).code(78).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error[E003]: there is no transform `sorted`
      --> p.yaml:12:17
       |
    12 |     transform: [sorted: id DESC]
       |                 ^^^^^^
       |
       = help: did you mean `sort`?

    error: the pipeline has 1 mistake
    ");
}
