//! Secrets: what is stopped or killed tells none.

use crate::support::Canary;
use crate::support::{Case, processes};

#[test]
fn what_is_stopped_tells_no_secret() {
    let canary = Canary::new();
    let text = "\
version: 1
steps:
  s:
    range: 100000000000
    transform: [aggregate: { columns: { s: \"sum(id % length(${secret:CANARY}))\" } }]
    write: { parquet: out/s.parquet }
";
    let case = || {
        Case::new(["run", "p.yaml", "-v"])
            .file("p.yaml", text)
            .env("CANARY", &canary.value)
            .engine()
            .any_stderr()
    };
    let mut running = case().code(130).start();
    running.wait_for("checked");
    let engines = processes(&running.path(""));
    assert!(!engines.is_empty());
    for (_, line) in &engines {
        canary.assert_absent("a command line", line.as_bytes());
    }
    running.signal("INT");
    canary.assert_nowhere(&running.end(), &[]);
    let outcome = case().args(["--timeout", "3s", "--log-format", "json"]).code(1).run();
    canary.assert_nowhere(&outcome, &[]);
    // And where the engine is killed, whose last lines are told.
    let mut running = case().code(69).start();
    running.wait_for("checked");
    crate::support::signal(running.engine(), "KILL");
    canary.assert_nowhere(&running.end(), &[]);
}
