//! `run`: what is sent to a session beside its plans, at a scripted server.

use tonic::Status;

use crate::on_spark::large::CACHED_FROM;
use crate::scripted::{Script, complete, missing_rows, rows};
use crate::support::Stage;

/// A server that takes rows beside plans.
fn caching() -> Script {
    Script::default()
        .setting(CACHED_FROM, "1000")
        .setting("spark.sql.session.localRelationChunkSizeRows", "1000")
        .setting("spark.sql.session.localRelationChunkSizeBytes", "20kb")
}

/// One step of rows that go beside the plan: its schema, and three chunks.
fn one_step() -> String {
    let values: String = (0..2000).map(|row| format!("        - ['row {row:>04}']\n")).collect();
    format!(
        "version: 1\nsteps:\n  n:\n    values:\n      columns: {{ n: string }}\n      rows:\n{values}    write: {{ stdout: csv }}\n"
    )
}

#[test]
fn what_a_plan_names_is_sent_before_it() {
    let stage = Stage::play(caching().stream([rows("a", 0, 2), complete()]));
    let text = format!("artifacts: [file: a.txt]\n{}", one_step());
    stage.run(&text).file("a.txt", "hello").stdout("n\n0\n1\n").run();
    let calls = stage.server.script.calls();
    let sent: Vec<&str> = calls.iter().map(String::as_str).collect();
    assert_eq!(sent[..5], ["analyze", "config", "config", "add 1 in [5]", "status"], "{calls:?}");
    assert!(sent[5].starts_with("add 3 in [") && sent[6..8] == ["analyze", "execute"], "{calls:?}");
    let artifacts = stage.server.script.artifacts();
    assert_eq!(artifacts.iter().filter(|(name, _)| name.starts_with("cache/")).count(), 3);
    assert_eq!(artifacts["files/a.txt"], b"hello");
}

#[test]
fn rows_that_the_server_has_lost_are_sent_again() {
    let stage = Stage::play(caching().forget().stream([rows("a", 0, 2), complete()]));
    stage.run(&one_step()).stdout("n\n0\n1\n").run();
    let calls = stage.server.script.calls();
    let adds = calls.iter().filter(|call| call.starts_with("add 3")).count();
    assert_eq!((adds, stage.server.script.artifacts().len()), (2, 3), "{calls:?}");

    let stage = Stage::play(caching().refuse(missing_rows()).stream([rows("a", 0, 2), complete()]));
    stage.run(&one_step()).stdout("n\n0\n1\n").run();
    let calls = stage.server.script.calls();
    assert_eq!(calls.iter().filter(|call| *call == "status").count(), 2, "{calls:?}");

    let stage = Stage::play(caching().refuse(missing_rows()).refuse(missing_rows()));
    let outcome = stage.run(&one_step()).code(1).any_stderr().run();
    assert!(outcome.stderr.contains("NOT_FOUND_CHUNKED_CACHED_LOCAL_RELATION"), "{}", outcome.stderr);
}

#[test]
fn another_session_gets_all_of_it_too() {
    let lost = Status::internal("[INVALID_HANDLE.SESSION_CHANGED] The server has restarted. SQLSTATE: HY000");
    let stage = Stage::play(caching().refuse(lost).stream([rows("a", 0, 2), complete()]));
    let text = format!("artifacts: [file: a.txt]\n{}", one_step());
    stage.run(&text).file("a.txt", "hello").stdout("n\n0\n1\n").any_stderr().run();
    let calls = stage.server.script.calls();
    let count = |what: &str| calls.iter().filter(|call| *call == what).count();
    assert_eq!((count("execute"), count("add 1 in [5]"), count("status")), (2, 2, 2), "{calls:?}");
}
