//! `run`: what a signal stops, and what is left when pipectl or its engine is killed.

use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{Case, Outcome, processes, signal};

/// Its query takes longer than any test.
const LONG: &str = "\
version: 1
steps:
  sum:
    range: 100000000000
    transform: [aggregate: { columns: { s: sum(id % 7) } }]
    write: [parquet: out/sum.parquet, stdout: csv]
";
/// It sends rows for longer than any test.
const WIDE: &str = "\
version: 1
steps:
  rows:
    range: 100000000000
    write: { parquet: out/rows.parquet }
";
/// What is said of an engine that was killed.
const KILLED: &str = "error: the engine ended unexpectedly: it was killed (SIGKILL)";
/// How soon an interrupted run must be over, on a machine that does other things beside.
const SOON: Duration = Duration::from_secs(4);

fn run(text: &str) -> Case {
    Case::new(["run", "p.yaml"]).file("p.yaml", text).engine().any_stderr()
}

/// Nothing was written, the record says so, and it did not take long.
fn assert_stopped(outcome: &Outcome, code: i32, since: Instant) {
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert_eq!(outcome.record()["exit_code"], code);
}

#[test]
fn a_signal_interrupts_the_query() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let mut running = run(LONG).code(code).start();
        running.wait_for("checked");
        let since = Instant::now();
        running.signal(name);
        let outcome = running.end();
        assert_stopped(&outcome, code, since);
        assert_eq!(outcome.record()["actions"][0]["status"], "interrupted");
        if code == 130 {
            assert_snapshot!(outcome.stderr, @"
              engine  Sail 0.7.2, private to this run, ready in [time]
             checked  by the engine in [time]
             stopped  sum
                 run  1 step interrupted in [time]
            error: interrupted
            ");
        }
    }
}

#[test]
fn a_signal_drops_what_is_half_written() {
    let running = run(WIDE).code(143).start();
    running.wait_for_file("out", 1_000_000);
    let since = Instant::now();
    running.signal("TERM");
    assert_stopped(&running.end(), 143, since);
}

#[test]
fn a_signal_ends_an_engine_that_is_starting() {
    for wait in [0, 30, 60, 90] {
        let running = run(LONG).code(130).start();
        // From the first moment at which a signal is heard.
        while processes(&running.path("")).is_empty() {}
        std::thread::sleep(Duration::from_millis(wait));
        let since = Instant::now();
        running.signal("INT");
        assert_stopped(&running.end(), 130, since);
    }
}

#[test]
fn a_signal_ends_the_check() {
    let mut text = "version: 1\nsteps:\n  s0: { range: 3 }\n".to_owned();
    for step in 1..3_000 {
        text.push_str(&format!("  s{step}:\n    from: s{}\n    expect: [that: id >= 0]\n", step - 1));
    }
    text.push_str("    write: stdout\n");
    let mut running = run(&text).code(130).start();
    running.wait_for("engine");
    let since = Instant::now();
    running.signal("INT");
    let outcome = running.end();
    assert!(!outcome.stderr.contains("checked"), "the check was too quick for this test");
    assert_stopped(&outcome, 130, since);
}

#[test]
fn a_second_signal_does_not_wait() {
    let running = run(LONG).code(143).any_leftovers().start();
    running.wait_for_file("out", 1);
    // An engine that answers nothing would have to be waited for.
    signal(running.engine(), "STOP");
    running.signal("INT");
    std::thread::sleep(Duration::from_millis(100));
    let since = Instant::now();
    running.signal("TERM");
    let outcome = running.end();
    assert!(since.elapsed() < SOON);
    assert_eq!(outcome.files(), ["out/.sum.parquet.lock"]);
}

#[test]
fn a_signal_that_comes_twice_at_once_is_one() {
    // So does `timeout`, to the process and to its group.
    let running = run(LONG).code(143).start();
    running.wait_for_file("out", 1);
    running.signal("TERM");
    running.signal("TERM");
    assert_eq!(running.end().files(), Vec::<String>::new());
}

#[test]
fn an_engine_outlives_no_killed_pipectl() {
    let running = run(LONG).start();
    running.engine();
    running.kill();
    let mut running = run(LONG).start();
    running.wait_for("checked");
    running.kill();
}

#[test]
fn an_engine_that_is_killed_ends_the_run() {
    let running = run(WIDE).code(69).start();
    running.wait_for_file("out", 1_000_000);
    let engine = running.engine();
    let since = Instant::now();
    signal(engine, "KILL");
    let outcome = running.end();
    assert_stopped(&outcome, 69, since);
    assert_eq!(outcome.record()["actions"][0]["status"], "failed");
    assert!(outcome.stderr.contains(KILLED), "{}", outcome.stderr);

    let mut running = run(LONG).code(69).start();
    running.wait_for("checked");
    let since = Instant::now();
    signal(running.engine(), "KILL");
    let outcome = running.end();
    assert_stopped(&outcome, 69, since);
    assert_eq!(outcome.record()["actions"][0]["status"], "failed");
    assert_snapshot!(outcome.stderr, @"
      engine  Sail 0.7.2, private to this run, ready in [time]
     checked  by the engine in [time]
    error: the engine ended unexpectedly: it was killed (SIGKILL), perhaps because the machine ran out of memory
    ");
}
