//! `run` against a server that does what a script says: what a network and a server can do, done exactly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{Int64Array, RecordBatch, StringArray};
use insta::assert_snapshot;
use tonic::{Code, Status};

use crate::proto::spark::FetchErrorDetailsResponse;
use crate::proto::spark::fetch_error_details_response::{
    self as details, QueryContext, SparkThrowable, StackTraceElement,
};
use crate::scripted::{Script, Step, batch, complete, pieces, progress, rows, schema, spark_error};
use crate::support::Case;
use crate::support::Stage;

const WRITES: &str = "version: 1\nsteps: { n: { range: 9, write: { parquet: out/n.parquet } } }\n";
const PRINTS: &str = "version: 1\nsteps: { n: { range: 9, write: { stdout: csv } } }\n";

#[test]
fn a_result_in_every_shape_is_the_same_rows() {
    let text: String = (0..9).map(|n| format!("{n}\n")).collect();
    let whole = || {
        let numbers = arrow_array::Int32Array::from_iter_values(0..9);
        RecordBatch::try_from_iter([("n", Arc::new(numbers) as _)]).unwrap()
    };
    let none = whole().slice(0, 0);
    let pause = || Step::Pause(Duration::from_millis(300));
    let shapes: [Vec<Step>; 4] = [
        vec![schema("s"), rows("a", 0, 4), rows("b", 4, 9), complete()],
        vec![rows("a", 0, 1), pause(), rows("b", 1, 1), pause(), rows("c", 1, 9), complete()],
        [pieces("a", 0, &whole(), 7), vec![complete()]].concat(),
        [vec![batch("a", 0, &none)], pieces("b", 0, &whole(), 2), vec![batch("c", 9, &none), complete()]]
            .concat(),
    ];
    for steps in shapes {
        let stage = Stage::play(Script::default().stream(steps));
        stage.run(PRINTS).stdout(&format!("n\n{text}")).run();
    }
    let stage = Stage::play(Script::default().stream([rows("a", 0, 0), complete()]));
    stage.run(PRINTS).stdout("n\n").run();
}

#[test]
fn a_stream_that_breaks_is_taken_up_where_it_broke() {
    let gone = || Step::Fail(Status::unavailable("the network is gone"));
    let script = Script::default()
        .stream([rows("a", 0, 3), rows("b", 3, 5), gone()])
        .stream([rows("c", 5, 6)])
        .stream([gone()])
        .stream([rows("d", 6, 9), complete()]);
    let stage = Stage::play(script);
    stage.run(PRINTS).stdout("n\n0\n1\n2\n3\n4\n5\n6\n7\n8\n").run();
    let calls = stage.server.script.calls();
    let reattached: Vec<&String> = calls.iter().filter(|call| call.starts_with("reattach")).collect();
    assert_eq!(reattached, ["reattach after b", "reattach after c", "reattach after c"], "{calls:?}");
}

#[test]
fn a_server_that_contradicts_itself_fails_the_output() {
    let other = RecordBatch::try_from_iter([("n", Arc::new(StringArray::from(vec!["x"])) as _)]).unwrap();
    let wide = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1])) as _)]).unwrap();
    let cases: [(&str, Vec<Step>); 6] = [
        ("rows that are missing", vec![rows("a", 0, 3), rows("b", 4, 9), complete()]),
        ("rows that come twice", vec![rows("a", 0, 3), rows("b", 0, 3), complete()]),
        ("another type", vec![rows("a", 0, 3), batch("b", 3, &other), complete()]),
        ("a wider type", vec![rows("a", 0, 3), batch("b", 3, &wide), complete()]),
        ("half a batch", [pieces("a", 0, &wide, 2)[..1].to_vec(), vec![complete()]].concat()),
        ("no batch at all", vec![complete()]),
    ];
    for (what, steps) in cases {
        let stage = Stage::play(Script::default().stream(steps));
        let outcome = stage.run(WRITES).code(1).any_stderr().run();
        assert!(!outcome.path("out/n.parquet").exists(), "{what}");
        assert!(!outcome.stderr.is_empty(), "{what}");
        assert_snapshot!(what.replace(' ', "_"), outcome.stderr);
    }
}

#[test]
fn an_error_in_the_middle_leaves_nothing() {
    let error = spark_error(
        "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012",
        &[("errorClass", "DIVIDE_BY_ZERO"), ("sqlState", "22012")],
    );
    let stage = Stage::play(Script::default().stream([rows("a", 0, 3), Step::Fail(error)]));
    let outcome = stage.run(WRITES).code(1).any_stderr().run();
    assert!(!outcome.path("out").exists());
    assert_snapshot!(outcome.stderr);
}

#[test]
fn what_a_server_says_does_not_reach_the_terminal_as_it_is() {
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7} no\u{202e}txet";
    let stage = Stage::play(Script::default().stream([Step::Fail(Status::internal(hostile))]));
    let outcome = stage.run(WRITES).code(1).any_stderr().run();
    assert!(!outcome.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", outcome.stderr);
    assert!(outcome.stderr.contains("owned"), "{}", outcome.stderr);
}

#[test]
fn nor_does_what_it_tells_when_more_is_asked_for() {
    let hostile = "\u{1b}[2J\u{7}\nstopped\u{202e}";
    let throwable = SparkThrowable {
        error_class: Some("A_B".to_owned()),
        query_contexts: vec![QueryContext { fragment: hostile.to_owned(), ..QueryContext::default() }],
        ..SparkThrowable::default()
    };
    let call = StackTraceElement { declaring_class: hostile.to_owned(), ..StackTraceElement::default() };
    let error = |message: &str, cause_idx, spark_throwable| details::Error {
        message: message.to_owned(),
        stack_trace: vec![call.clone()],
        cause_idx,
        spark_throwable,
        ..details::Error::default()
    };
    // The second one says that it has caused itself.
    let errors = vec![
        error(&format!("[A_B] {hostile}\n{hostile}"), Some(1), Some(throwable)),
        error(hostile, Some(1), None),
    ];
    let details =
        FetchErrorDetailsResponse { root_error_idx: Some(0), errors, ..FetchErrorDetailsResponse::default() };
    let failing = Step::Fail(spark_error("[A_B] no", &[("errorId", "7")]));
    let stage = Stage::play(Script::default().stream([failing]).details(details));
    let url = format!("sc://127.0.0.1:{}", stage.server.port);
    let case = Case::new(["run", "-v", "--remote", &url, "p.yaml"]).file("p.yaml", WRITES);
    let outcome = case.code(1).any_stderr().run();
    assert!(!outcome.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", outcome.stderr);
    assert!(!outcome.stderr.lines().any(|line| line.starts_with("stopped")), "{}", outcome.stderr);
    let told = &outcome.record()["actions"][0]["error"]["engine"];
    assert_eq!(told["causes"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["contexts"][0]["fragment"], hostile);
}

#[test]
fn a_batch_of_a_hundred_megabytes_comes_through() {
    const ROWS: usize = 100;
    let text = "x".repeat(1 << 20);
    let texts = StringArray::from_iter_values(std::iter::repeat_n(text.as_str(), ROWS));
    let wide = RecordBatch::try_from_iter([("n", Arc::new(texts) as _)]).unwrap();
    let offset = i64::try_from(ROWS).unwrap();
    let steps = [vec![batch("a", 0, &wide)], pieces("b", offset, &wide, 4), vec![complete()]].concat();
    let stage = Stage::play(Script::default().stream(steps));
    let outcome = stage.run(WRITES).run();
    assert_eq!(outcome.record()["actions"][0]["rows"], 2 * ROWS);
}

#[test]
fn a_server_of_another_age_is_told_from_one_that_fits() {
    for version in ["4.0.0", "4.3.0", "4.3.1-SNAPSHOT", "4.9.0", "5.0.0"] {
        let stage = Stage::play(Script::default().version(version).stream([rows("a", 0, 1), complete()]));
        stage.run(PRINTS).stdout("n\n0\n").any_stderr().run();
    }
    for version in ["3.5.8", "3.4.0"] {
        let stage = Stage::play(Script::default().version(version));
        let outcome = stage.run(PRINTS).code(69).any_stderr().run();
        assert!(outcome.stderr.contains(version), "{}", outcome.stderr);
    }
    let stage = Stage::play(Script::default().fail(Status::new(Code::Unimplemented, "no such method")));
    stage.run(PRINTS).code(69).any_stderr().run();
}

/// The calls of runs that begin again, without those that only keep the session.
fn counted(stage: &Stage, call: &str) -> usize {
    stage.server.script.calls().iter().filter(|one| *one == call).count()
}

#[test]
fn a_session_that_is_lost_before_anything_came_is_set_up_again() {
    let lost =
        || Status::internal("[INVALID_HANDLE.SESSION_CHANGED] The server has restarted. SQLSTATE: HY000");
    let script = Script::default().refuse(lost()).stream([rows("a", 0, 9), complete()]);
    let stage = Stage::play(script);
    let outcome = stage.run(WRITES).any_stderr().run();
    assert!(outcome.path("out/n.parquet").exists());
    assert_eq!(outcome.record()["actions"].as_array().unwrap().len(), 1);
    assert_snapshot!(outcome.record()["restarts"]);
    assert_eq!(counted(&stage, "execute"), 2);
    let sessions: std::collections::HashSet<String> =
        stage.server.script.executed().into_iter().map(|request| request.session_id).collect();
    assert_eq!(sessions.len(), 2);
}

#[test]
fn a_session_that_is_lost_again_and_again_is_69() {
    let lost = || Status::internal("[INVALID_HANDLE.SESSION_CLOSED] The session is closed. SQLSTATE: HY000");
    let script = (0..9).fold(Script::default(), |script, _| script.refuse(lost()));
    let stage = Stage::play(script);
    let outcome = stage.run(WRITES).code(69).any_stderr().run();
    assert!(!outcome.path("out").exists());
    assert_eq!(counted(&stage, "execute"), 4);
    assert_snapshot!(outcome.stderr);
}

#[test]
fn a_session_that_is_lost_after_rows_came_is_set_up_again_until_they_are_seen() {
    let script = || {
        let lost = "[INVALID_HANDLE.SESSION_CHANGED] The server has restarted. SQLSTATE: HY000";
        let lost = Step::Fail(Status::internal(lost));
        Script::default().stream([rows("a", 0, 3), lost]).stream([rows("a", 0, 9), complete()])
    };
    let stage = Stage::play(script());
    let outcome = stage.run(WRITES).any_stderr().run();
    assert_eq!(outcome.parquet("out/n.parquet").lines().count(), 10, "the header, and each row once");
    assert_eq!(counted(&stage, "execute"), 2);
    // Rows that were printed can't be taken back.
    let stage = Stage::play(script());
    let outcome = stage.run(PRINTS).code(69).any_stdout().any_stderr().run();
    assert_eq!(counted(&stage, "execute"), 1);
    assert_snapshot!(outcome.stderr);
    // Nor is it known what a statement has done.
    let statement = WRITES.replace("range: 9", "sql: INSERT INTO a SELECT 1");
    assert!(statement.contains("INSERT"), "{statement}");
    let stage = Stage::play(script());
    stage.run(&statement).code(69).any_stderr().run();
    assert_eq!(counted(&stage, "execute"), 1);
}

const LIMITED: &str =
    "version: 1\nsteps: { n: { range: 9, timeout: 300ms, write: { parquet: out/n.parquet } } }\n";

#[test]
fn an_interruption_is_confirmed_or_tried_again() {
    // The one that is confirmed, and those that are passed over before it; the last one comes with what is given up.
    for (deaf_for, least) in [(0, 1), (1, 2), (3, 4)] {
        let script =
            Script::default().stream([rows("a", 0, 3), Step::Hang]).confirms_interrupts_after(deaf_for);
        let stage = Stage::play(script);
        let since = Instant::now();
        let outcome = stage.run(LIMITED).code(1).any_stderr().run();
        assert!(since.elapsed() < Duration::from_millis(2500), "{:?}", since.elapsed());
        let calls = stage.server.script.calls();
        let interrupts = calls.iter().filter(|call| *call == "interrupt").count();
        assert!((least..=least + 1).contains(&interrupts), "{calls:?}");
        assert_eq!(outcome.record()["notices"], serde_json::json!([]));
        assert_eq!(outcome.files(), Vec::<String>::new());
    }
}

#[test]
fn an_interruption_that_is_not_confirmed_is_told() {
    let stage = Stage::play(Script::default().stream([rows("a", 0, 3), Step::Hang]));
    let outcome = stage.run(LIMITED).code(1).any_stderr().run();
    let record = outcome.record();
    let notice = &record["notices"][0];
    assert_eq!((&notice["notice"], &notice["step"]), (&"operation_not_stopped".into(), &"n".into()));
    assert!(notice["reason"].as_str().unwrap().contains("within 5 s"), "{notice}");
    assert!(notice["tag"].as_str().unwrap().starts_with("pipectl-run-"), "{notice}");
    let operation = stage.server.script.executed()[0].operation_id.clone().unwrap();
    assert_eq!(notice["operation_id"], operation);
    // Failures alone.
    assert_snapshot!(outcome.stderr, @"
      failed  n: took longer than its `timeout` of 300 ms
    error: a step failed
    ");
}

#[test]
fn how_far_the_engine_is_is_told_to_machines() {
    let steps = [
        progress("p", 1, 4, 1000),
        progress("q", 2, 4, 2000),
        rows("a", 0, 9),
        progress("r", 4, 4, 4000),
        complete(),
    ];
    let stage = Stage::play(Script::default().stream(steps));
    let url = format!("sc://127.0.0.1:{}", stage.server.port);
    let case = Case::new(["run", "--log-format", "json", "--remote", &url, "p.yaml"]).file("p.yaml", WRITES);
    let outcome = case.any_stderr().run();
    let lines = outcome.stderr.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let told: Vec<_> = lines.filter(|line| line["event"] == "action_progress").collect();
    // One line of many that come at once.
    assert_eq!(told.len(), 1, "{told:?}");
    let expected = serde_json::json!({
        "step": "n", "action": "write", "id": 1,
        "rows": 0, "bytes": 0, "tasks": { "all": 4, "completed": 1, "running": 3, "bytes_read": 1000 },
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&told[0][key], value, "{key}");
    }
}

#[test]
fn failures_alone_are_told_where_that_is_asked_for() {
    let unused = "version: 1\nvars: { x: { type: int, default: 1 } }\nsteps: { n: { range: 9, write: { parquet: out/n.parquet } } }\n";
    for format in ["text", "json"] {
        let stage = Stage::play(Script::default().stream([rows("a", 0, 9), complete()]));
        let outcome = stage.run(unused).args(["--log-format", format]).any_stderr().run();
        assert_eq!(outcome.stderr, "");
        let failing = Script::default().stream([Step::Fail(Status::internal("[A_B] no. SQLSTATE: 22012"))]);
        let stage = Stage::play(failing);
        let outcome = stage.run(unused).args(["--log-format", format]).code(1).any_stderr().run();
        assert_eq!(
            outcome.stderr.lines().count(),
            if format == "json" { 2 } else { 3 },
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn an_interruption_that_nobody_hears_is_told() {
    let stage = Stage::play(Script::default().stream([rows("a", 0, 3), Step::Hang]));
    let url = format!("sc://127.0.0.1:{}", stage.server.port);
    let case = Case::new(["run", "--retry-budget", "60", "--remote", &url, "p.yaml"]).file("p.yaml", WRITES);
    let mut running = case.code(130).any_stderr().start();
    running.wait_for("checked");
    running.wait_for_file("out", 1);
    drop(stage);
    running.signal("INT");
    let outcome = running.end();
    let record = outcome.record();
    let notices = record["notices"].as_array().unwrap().iter();
    let notices: Vec<&str> = notices.map(|one| one["notice"].as_str().unwrap()).collect();
    // The outage itself is told as well, where it has lasted long enough by then.
    let of_the_run: Vec<&str> = notices.into_iter().filter(|one| *one != "server_silent").collect();
    assert_eq!(of_the_run, ["operation_not_stopped", "session_not_ended"]);
    assert!(outcome.stderr.contains("may still be running at the engine: "), "{}", outcome.stderr);
    assert_eq!(record["stopped_by"], serde_json::json!({ "reason": "interrupted" }));
    assert_eq!(record["actions"][0]["status"], "interrupted");
    assert_eq!(outcome.files(), Vec::<String>::new());
}
