//! `run` against a server that does what a script says: what a network and a server can do, done exactly.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use insta::assert_snapshot;
use tokio::runtime::Runtime;
use tonic::{Code, Status};

use crate::proto::spark::DataType;
use crate::proto::spark::data_type::{Integer, Kind, Struct, StructField};
use crate::scripted::{Script, Scripted, Step, batch, complete, pieces, rows, schema, spark_error};
use crate::support::Case;

const WRITES: &str = "version: 1\nsteps: { n: { range: 9, write: { parquet: out/n.parquet } } }\n";
const PRINTS: &str = "version: 1\nsteps: { n: { range: 9, write: { stdout: csv } } }\n";

/// A server that plays a script, and the threads in which it does.
pub(crate) struct Stage {
    pub(crate) server: Scripted,
    _threads: Runtime,
}

impl Stage {
    pub(crate) fn play(script: Script) -> Self {
        let threads = Runtime::new().unwrap();
        let server = threads.block_on(script.columns(numbers()).serve());
        Self { server, _threads: threads }
    }

    /// A run of a pipeline at this server.
    pub(crate) fn run(&self, pipeline: &str) -> Case {
        let url = format!("sc://127.0.0.1:{}", self.server.port);
        Case::new(["run", "-q", "--retry-budget", "5", "--remote", &url, "p.yaml"]).file("p.yaml", pipeline)
    }
}

/// One column `n`.
fn numbers() -> DataType {
    let integer = DataType { kind: Some(Kind::Integer(Integer::default())) };
    let field = StructField { name: "n".to_owned(), data_type: Some(integer), ..StructField::default() };
    DataType { kind: Some(Kind::Struct(Struct { fields: vec![field], ..Struct::default() })) }
}

#[test]
fn a_result_in_every_shape_is_the_same_rows() {
    let text: String = (0..9).map(|n| format!("{n}\n")).collect();
    let whole = || {
        let numbers = arrow::array::Int32Array::from_iter_values(0..9);
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
    assert_snapshot!(outcome.stderr);
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
fn a_session_that_is_lost_after_rows_came_is_lost() {
    let lost = Status::internal("[INVALID_HANDLE.SESSION_CHANGED] The server has restarted. SQLSTATE: HY000");
    let script =
        Script::default().stream([rows("a", 0, 3), Step::Fail(lost)]).stream([rows("a", 0, 9), complete()]);
    let stage = Stage::play(script);
    let outcome = stage.run(WRITES).code(69).any_stderr().run();
    assert!(!outcome.path("out").exists());
    assert_eq!(counted(&stage, "execute"), 1);
    assert_snapshot!(outcome.stderr);
}
