//! Executions against a server that misbehaves on purpose.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};

use super::{Execution, interrupt};
use crate::connect::endpoint::Endpoint;
use crate::connect::error::Error;
use crate::connect::execution::stream::{Event, ResponseStream};
use crate::connect::scripted::{Script, Step, complete, halves, rows, schema, spark_error};
use crate::connect::session::{Interrupted, OperationId, Session, Tag};
use crate::connect::transport::connect::reach;
use crate::proto::relation;
use crate::proto::spark::FetchErrorDetailsResponse;
use crate::proto::spark::fetch_error_details_response::{self as details, SparkThrowable};

const BUDGET: Duration = Duration::from_millis(600);
const SILENCE: Duration = Duration::from_secs(1);
const NOT_FOUND: &str = "[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle is invalid.";

fn at(port: u16) -> Endpoint {
    Endpoint::loopback(port, None)
}

async fn session(endpoint: &Endpoint) -> Arc<Session> {
    let mut session = Session::new(endpoint, reach(endpoint).await.unwrap(), BUDGET);
    session.patience.silence = SILENCE;
    Arc::new(session)
}

fn execute(session: &Arc<Session>) -> ResponseStream {
    let plan = relation::range(0, 9, 1, None).into();
    ResponseStream::new(Execution::new(Arc::clone(session), plan, &[Tag::new("run,1")], OperationId::new()))
}

/// Reads to the end: the numbers that came, and how often a schema did.
async fn read(stream: &mut ResponseStream) -> Result<(Vec<i32>, usize), Error> {
    let (mut numbers, mut schemas) = (Vec::new(), 0);
    while let Some(event) = stream.next().await? {
        match event {
            Event::Batch(batch) => numbers.extend(batch.column(0).as_primitive::<Int32Type>().values()),
            Event::Schema => schemas += 1,
            other => panic!("unexpected: {other:?}"),
        }
    }
    Ok((numbers, schemas))
}

/// Plays a script and reads the result; then everything in the background is over.
async fn play(script: Script) -> (Result<(Vec<i32>, usize), Error>, Script) {
    let server = script.serve().await;
    let session = session(&at(server.port)).await;
    let result = read(&mut execute(&session)).await;
    session.finish_background().await;
    (result, server.script)
}

fn numbers(to: i32) -> Vec<i32> {
    (0..to).collect()
}

#[tokio::test]
async fn a_whole_result() {
    let (result, script) =
        play(Script::default().stream([schema("1"), rows("2", 0, 3), rows("3", 3, 5), complete()])).await;
    assert_eq!(result.unwrap(), (numbers(5), 1));
    assert_eq!(script.calls(), ["execute", "release all"]);
    let request = script.executed().remove(0);
    assert_eq!(request.tags, ["run_1"]);
    assert_eq!(request.request_options.len(), 2);
    assert!(request.client_type.unwrap().contains(" spark/4.3 os/"));
}

#[tokio::test]
async fn a_stream_that_ends_early_is_taken_up_again() {
    let script = Script::default()
        .stream([schema("1"), rows("2", 0, 3)])
        .stream([])
        .stream([rows("3", 3, 5)])
        .stream([complete()]);
    let (result, script) = play(script).await;
    assert_eq!(result.unwrap(), (numbers(5), 1));
    let calls = ["execute", "reattach after 2", "reattach after 2", "reattach after 3", "release all"];
    assert_eq!(script.calls(), calls);
}

#[tokio::test]
async fn a_batch_may_be_cut_between_its_chunks() {
    let [first, second] = halves("1", 0, 50);
    let script = Script::default().stream([first]).stream([second, complete()]);
    let (result, script) = play(script).await;
    assert_eq!(result.unwrap().0, numbers(50));
    assert_eq!(script.calls(), ["execute", "reattach after 1-0", "release all"]);
}

/// A session that finds out within a second that a connection is dead.
async fn with_heart(endpoint: &Endpoint) -> Arc<Session> {
    let mut session = Session::new(endpoint, reach(endpoint).await.unwrap(), Duration::from_secs(5));
    session.patience.beat = Duration::from_millis(100);
    session.patience.dead = Duration::from_millis(400);
    let session = Arc::new(session);
    crate::connect::session::keepalive::start(&session);
    session
}

#[tokio::test]
async fn a_connection_with_nobody_at_its_other_end_is_replaced() {
    let script =
        Script::default().stream([rows("1", 0, 3), Step::Hang]).stream([rows("2", 3, 5), complete()]);
    let server = script.serve().await;
    let wire = server.wire().await;
    let session = with_heart(&at(wire.port)).await;
    let mut stream = execute(&session);
    stream.next().await.unwrap();
    wire.freeze();
    let read = timeout(Duration::from_secs(5), read(&mut stream)).await;
    assert_eq!(read.expect("it was noticed").unwrap().0, [3, 4]);
    session.finish_background().await;
    let mut calls = server.script.calls();
    calls.retain(|call| call != "config");
    assert_eq!(calls, ["execute", "reattach after 1", "release all"]);
}

#[tokio::test]
async fn a_quiet_server_is_not_taken_for_a_dead_connection() {
    let pause = Step::Pause(Duration::from_millis(900));
    let script = Script::default().stream([rows("1", 0, 3), pause, complete()]);
    let server = script.serve().await;
    let session = with_heart(&at(server.port)).await;
    assert_eq!(read(&mut execute(&session)).await.unwrap().0, numbers(3));
    let beats = server.script.calls().iter().filter(|call| *call == "config").count();
    assert!(beats >= 4, "{beats}");
    session.finish_background().await;
    assert!(!server.script.calls().iter().any(|call| call.starts_with("reattach")));
}

#[tokio::test]
async fn what_nobody_reads_is_kept_attached() {
    let script =
        Script::default().stream([rows("1", 0, 3), Step::Hang]).stream([rows("2", 3, 5), complete()]);
    let server = script.serve().await;
    let mut session = Session::new(&at(server.port), reach(&at(server.port)).await.unwrap(), BUDGET);
    session.patience.fresh = Duration::from_millis(200);
    let session = Arc::new(session);
    let mut stream = execute(&session);
    stream.next().await.unwrap();
    timeout(Duration::from_millis(300), stream.keep()).await.unwrap_err();
    assert_eq!(server.script.calls(), ["execute", "reattach after 1"]);
    assert_eq!(read(&mut stream).await.unwrap().0, [3, 4]);
}

#[tokio::test]
async fn a_result_that_is_complete_but_for_a_chunk_is_an_error() {
    let [first, _] = halves("1", 0, 50);
    let (result, _) = play(Script::default().stream([first, complete()])).await;
    assert!(matches!(result, Err(Error::Protocol(_))), "{result:?}");
}

#[tokio::test]
async fn a_schema_that_is_told_again_is_told_once() {
    let script = Script::default().stream([schema("1")]).stream([schema("1"), rows("2", 0, 3), complete()]);
    assert_eq!(play(script).await.0.unwrap(), (numbers(3), 1));
}

#[tokio::test]
async fn repeated_rows_are_an_error() {
    let script = Script::default().stream([rows("1", 0, 3)]).stream([rows("1", 0, 3), complete()]);
    let (result, _) = play(script).await;
    assert!(matches!(&result, Err(Error::Protocol(what)) if what.contains("row 0")), "{result:?}");
}

/// Plays a script as Sail does, which calls the session as the client does.
async fn play_as_sail(script: Script) -> (Result<(Vec<i32>, usize), Error>, Script) {
    let server = script.serve().await;
    let session = session(&at(server.port)).await;
    server.script.server_session(&session.id);
    let result = read(&mut execute(&session)).await;
    session.finish_background().await;
    (result, server.script)
}

#[tokio::test]
async fn sail_has_to_begin_with_what_came_last() {
    let script = Script::default()
        .stream([schema("1"), rows("2", 0, 3), rows("3", 3, 5), Step::Fail(Status::unavailable("gone"))])
        .stream([rows("3", 3, 5), Step::Fail(Status::unavailable("again"))])
        .stream([rows("3", 3, 5), rows("4", 5, 6), schema("5"), complete()]);
    let (result, script) = play_as_sail(script).await;
    assert_eq!(result.unwrap(), (numbers(6), 1));
    assert_eq!(script.calls(), ["execute", "reattach after 2", "reattach after 2", "release all"]);
    let released = script.released_on_the_way();
    assert!(!released.contains(&"release until 5".to_owned()), "{released:?}");
}

#[tokio::test]
async fn rows_that_sail_has_forgotten_are_not_left_out() {
    let gone = || Step::Fail(Status::unavailable("gone"));
    let scripts = [
        Script::default()
            .stream([schema("1"), rows("2", 0, 3), gone()])
            .stream([rows("4", 5, 6), complete()]),
        Script::default().stream([schema("1"), gone()]).stream([rows("2", 0, 3), complete()]),
    ];
    for script in scripts {
        let (result, _) = play_as_sail(script).await;
        assert!(matches!(result, Err(Error::OperationLost { .. })), "{result:?}");
    }
}

#[tokio::test]
async fn a_result_that_was_lost_to_the_last_row_is_worked_out_again() {
    let sent = || Status::internal("internal error: task context not found for operation");
    let gone = || Step::Fail(Status::unavailable("gone"));
    let script = Script::default()
        .stream([schema("1"), gone()])
        .refuse(sent())
        .stream([schema("2"), rows("3", 0, 3), gone()])
        .stream([rows("3", 0, 3), complete()]);
    let (result, script) = play_as_sail(script).await;
    assert_eq!(result.unwrap(), (numbers(3), 1));
    assert_eq!(script.calls(), ["execute", "reattach", "execute", "reattach after 2", "release all"]);

    let lost = || Status::internal("invalid argument: operation not found: 1");
    let script = Script::default().stream([schema("1"), gone()]).refuse(lost()).stream([
        schema("2"),
        rows("3", 0, 3),
        complete(),
    ]);
    let (result, script) = play_as_sail(script).await;
    assert_eq!(result.unwrap(), (numbers(3), 1));
    assert_eq!(script.calls(), ["execute", "reattach", "execute", "release all"]);

    let script = Script::default().stream([schema("1"), rows("2", 0, 3), gone()]).refuse(sent());
    let (result, script) = play_as_sail(script).await;
    assert!(matches!(result, Err(Error::OperationLost { .. })), "{result:?}");
    assert_eq!(script.calls()[..2], ["execute", "reattach after 1"]);
}

#[tokio::test]
async fn failures_that_pass_are_waited_for() {
    let script = Script::default()
        .stream([rows("1", 0, 3), Step::Fail(Status::unavailable("one"))])
        .refuse(Status::unavailable("two"))
        .refuse(Status::internal("[INVALID_CURSOR.DISCONNECTED] taken"))
        .stream([rows("2", 3, 5), complete()]);
    let (result, script) = play(script).await;
    assert_eq!(result.unwrap().0, numbers(5));
    assert_eq!(
        script.calls(),
        ["execute", "reattach after 1", "reattach after 1", "reattach after 1", "release all"]
    );
}

#[tokio::test]
async fn failures_that_stay_end_with_the_budget() {
    let mut script = Script::default().stream([rows("1", 0, 3)]);
    for _ in 0..20 {
        script = script.refuse(Status::unavailable("gone for lunch"));
    }
    let start = Instant::now();
    let (result, _) = play(script).await;
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { reason, .. } if reason == "gone for lunch"), "{error}");
    assert!(start.elapsed() > BUDGET && start.elapsed() < BUDGET * 10, "{:?}", start.elapsed());
}

#[tokio::test]
async fn streams_with_nothing_in_them_are_no_hot_loop() {
    let mut script = Script::default();
    for _ in 0..1000 {
        script = script.stream([]);
    }
    let (result, script) = play(script).await;
    assert!(matches!(result, Err(Error::Unreachable { .. })), "{result:?}");
    assert!(script.calls().len() < 12, "{:?}", script.calls());
}

#[tokio::test]
async fn an_execution_that_never_arrived_is_sent_again_under_its_id() {
    let script = Script::default()
        .refuse(Status::unavailable("lost"))
        .refuse(Status::internal(NOT_FOUND))
        .stream([rows("1", 0, 3), complete()]);
    let (result, script) = play(script).await;
    assert_eq!(result.unwrap().0, numbers(3));
    assert_eq!(script.calls(), ["execute", "reattach", "execute", "release all"]);
    let ids: Vec<_> = script.executed().into_iter().map(|request| request.operation_id).collect();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn an_execution_of_which_something_came_is_never_sent_again() {
    let script = Script::default().stream([rows("1", 0, 3)]).refuse(Status::internal(NOT_FOUND));
    let (result, script) = play(script).await;
    assert!(matches!(result, Err(Error::OperationLost { .. })), "{result:?}");
    assert!(!script.calls()[1..].contains(&"execute".to_owned()));
}

/// Sail runs an operation twice when it is sent twice, so its word for "unknown" is not enough to send it again.
#[tokio::test]
async fn an_execution_that_sail_does_not_know_is_lost() {
    let script =
        Script::default().stream([]).refuse(Status::internal("invalid argument: operation not found: 1"));
    let (result, script) = play(script).await;
    assert!(matches!(result, Err(Error::OperationLost { .. })), "{result:?}");
    assert_eq!(script.executed().len(), 1);
}

#[tokio::test]
async fn what_was_interrupted_is_cancelled_however_the_server_says_so() {
    let ends: [Vec<Step>; 3] = [
        vec![],
        vec![Step::Fail(Status::internal("[OPERATION_CANCELED] stopped"))],
        vec![Step::Fail(Status::internal(NOT_FOUND))],
    ];
    for end in ends {
        let pause = Step::Pause(Duration::from_millis(150));
        let steps = [rows("1", 0, 3), pause].into_iter().chain(end.clone());
        let server = Script::default().stream(steps).serve().await;
        let session = session(&at(server.port)).await;
        let mut stream = execute(&session);
        stream.next().await.unwrap();
        interrupt(&session, &Interrupted::Tag(Tag::new("run,1"))).await.unwrap();
        let error = stream.next().await.unwrap_err();
        assert!(matches!(error, Error::Cancelled), "{end:?}: {error}");
    }
}

#[tokio::test]
async fn an_interrupt_of_something_else_cancels_nothing() {
    let server = Script::default().stream([rows("1", 0, 3)]).stream([complete()]).serve().await;
    let session = session(&at(server.port)).await;
    interrupt(&session, &Interrupted::Tag(Tag::new("t"))).await.unwrap();
    let mut stream = execute(&session);
    interrupt(&session, &Interrupted::Operation(OperationId::new())).await.unwrap();
    assert_eq!(read(&mut stream).await.unwrap().0, numbers(3));
}

#[tokio::test]
async fn errors_come_with_all_that_the_server_knows() {
    let error = spark_error(
        "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012",
        &[("errorId", "7"), ("classes", "[]")],
    );
    let throwable = SparkThrowable {
        error_class: Some("DIVIDE_BY_ZERO".to_owned()),
        sql_state: Some("22012".to_owned()),
        ..SparkThrowable::default()
    };
    let details = FetchErrorDetailsResponse {
        root_error_idx: Some(0),
        errors: vec![details::Error {
            message: "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide`. SQLSTATE: 22012".to_owned(),
            spark_throwable: Some(throwable),
            ..details::Error::default()
        }],
        ..FetchErrorDetailsResponse::default()
    };
    let steps = || [rows("1", 0, 3), Step::Fail(error.clone())];
    let (result, script) = play(Script::default().stream(steps()).details(details)).await;
    let message = "Division by zero. Use `try_divide`. [DIVIDE_BY_ZERO]";
    assert_eq!(result.unwrap_err().to_string(), message);
    let mut calls = script.calls();
    calls.sort_unstable();
    assert_eq!(calls, ["details", "execute", "release all"]);
    let (result, _) = play(Script::default().stream(steps())).await;
    assert_eq!(result.unwrap_err().to_string(), "Division by zero. [DIVIDE_BY_ZERO]");
}

#[tokio::test]
async fn another_server_behind_the_address_is_noticed() {
    let server =
        Script::default().stream([rows("1", 0, 3)]).stream([rows("2", 3, 5), complete()]).serve().await;
    server.script.server_session("first");
    let session = session(&at(server.port)).await;
    let mut stream = execute(&session);
    stream.next().await.unwrap();
    server.script.server_session("second");
    let error = stream.next().await.unwrap_err();
    assert!(matches!(error, Error::SessionLost { .. }), "{error}");
    assert!(stream.next().await.unwrap().is_none(), "nothing comes after an error");
}

#[tokio::test]
async fn a_lost_session_is_no_lost_operation() {
    for text in ["[INVALID_HANDLE.SESSION_CLOSED] The handle.", "invalid argument: session 1 is not running"]
    {
        let (result, script) = play(Script::default().refuse(Status::internal(text))).await;
        assert!(matches!(result, Err(Error::SessionLost { .. })), "{result:?}");
        assert_eq!(script.executed().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_for_another_session_is_refused() {
    let script = Script::default().stream([rows("1", 0, 3), complete()]);
    script.confuse_sessions();
    let (result, _) = play(script).await;
    assert!(matches!(result, Err(Error::Protocol(_))), "{result:?}");
}

#[tokio::test]
async fn what_is_not_read_to_its_end_is_stopped() {
    let server = Script::default().stream([rows("1", 0, 3), Step::Hang]).serve().await;
    let session = session(&at(server.port)).await;
    let mut stream = execute(&session);
    stream.next().await.unwrap();
    drop(stream);
    session.finish_background().await;
    assert_eq!(server.script.calls(), ["execute", "interrupt", "release all"]);
}

#[tokio::test]
async fn what_was_never_asked_for_is_never_sent() {
    let server = Script::default().serve().await;
    let session = session(&at(server.port)).await;
    drop(execute(&session));
    session.finish_background().await;
    assert!(server.script.calls().is_empty());
}

#[tokio::test]
async fn releases_on_the_way_are_few_and_the_latest() {
    let mut steps: Vec<_> = (0..200).map(|row| rows(&row.to_string(), row, row + 1)).collect();
    steps.push(complete());
    let (result, script) = play(Script::default().stream(steps)).await;
    assert_eq!(result.unwrap().0, numbers(200));
    assert!(script.released_on_the_way().len() < 5, "{:?}", script.released_on_the_way());
    assert_eq!(script.calls(), ["execute", "release all"]);
}

#[tokio::test]
async fn what_was_read_is_released_while_more_comes() {
    let pause = || Step::Pause(Duration::from_millis(200));
    let steps = [
        rows("1", 0, 1),
        pause(),
        rows("2", 1, 2),
        pause(),
        rows("3", 2, 3),
        pause(),
        rows("4", 3, 4),
        pause(),
    ];
    let (_, script) = play(Script::default().stream(steps.into_iter().chain([complete()]))).await;
    let released = script.released_on_the_way();
    assert_eq!(released[0], "release until 1");
    assert!(released.len() > 1 && released.is_sorted(), "{released:?}");
}

#[tokio::test]
async fn a_reader_may_give_up_and_come_back() {
    let pause = || Step::Pause(Duration::from_millis(30));
    let steps = [pause(), rows("1", 0, 3), pause(), rows("2", 3, 5), pause()];
    let server = Script::default().stream(steps).stream([pause(), rows("3", 5, 6), complete()]).serve().await;
    let session = session(&at(server.port)).await;
    let mut stream = execute(&session);
    let mut batches = 0;
    loop {
        match timeout(Duration::from_millis(4), stream.next()).await {
            Err(_) => {}
            Ok(event) => match event.unwrap() {
                Some(_) => batches += 1,
                None => break,
            },
        }
    }
    session.finish_background().await;
    assert_eq!(batches, 3);
    assert_eq!(server.script.calls(), ["execute", "reattach after 2", "release all"]);
}

#[tokio::test]
async fn a_silent_stream_is_taken_up_again() {
    let script =
        Script::default().stream([rows("1", 0, 3), Step::Hang]).stream([rows("2", 3, 5), complete()]);
    let (result, script) = play(script).await;
    assert_eq!(result.unwrap().0, numbers(5));
    assert_eq!(script.calls(), ["execute", "reattach after 1", "release all"]);
}

#[tokio::test]
async fn a_cut_wire_loses_nothing() {
    let script =
        Script::default().stream([rows("1", 0, 3), Step::Hang]).stream([rows("2", 3, 5), complete()]);
    let server = script.serve().await;
    let wire = server.wire().await;
    let session = session(&at(wire.port)).await;
    let mut stream = execute(&session);
    stream.next().await.unwrap();
    wire.cut();
    let start = Instant::now();
    assert_eq!(read(&mut stream).await.unwrap().0, [3, 4]);
    assert!(start.elapsed() < SILENCE, "the cut itself was noticed");
    session.finish_background().await;
    assert_eq!(server.script.calls(), ["execute", "reattach after 1", "release all"]);
}

/// What has not left this machine can be sent again to any server.
#[tokio::test]
async fn an_execution_that_was_never_sent_is_sent_later() {
    let server = Script::default().stream([rows("1", 0, 3), complete()]).serve().await;
    let wire = server.wire().await;
    let endpoint = at(wire.port);
    let session = session(&endpoint).await;
    drop(wire);
    // The channel notices that its connection is gone.
    sleep(Duration::from_millis(50)).await;
    let mut stream = execute(&session);
    let later = async {
        sleep(Duration::from_millis(100)).await;
        server.wire_at(endpoint.port()).await
    };
    let (result, _wire) = tokio::join!(read(&mut stream), later);
    assert_eq!(result.unwrap().0, numbers(3));
    session.finish_background().await;
    assert_eq!(server.script.calls(), ["execute", "release all"]);
}

#[tokio::test]
async fn a_server_that_dies_is_unreachable() {
    let server = Script::default().stream([rows("1", 0, 3), Step::Hang]).serve().await;
    let wire = server.wire().await;
    let session = session(&at(wire.port)).await;
    let mut stream = execute(&session);
    stream.next().await.unwrap();
    drop(wire);
    let error = stream.next().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("can not be reached: "), "{error}");
}

#[tokio::test]
async fn a_refused_user_is_told_so() {
    for code in [Code::Unauthenticated, Code::PermissionDenied] {
        let (result, _) =
            play(Script::default().refuse(Status::new(code, "Invalid authentication token"))).await;
        let error = result.unwrap_err();
        assert_eq!(error.to_string(), "the server refuses this user: Invalid authentication token");
        assert!(error.is_unreachable());
        assert!(error.hint().unwrap_or_default().starts_with("no token was sent"), "{error:?}");
    }
}
