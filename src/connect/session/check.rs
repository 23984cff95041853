//! Finds out whether a session is still the one that was set up.
//!
//! A JVM server has a name of its own for each session and says it with every answer. Sail has none: it makes a session anew,
//! with default settings and without views, for whoever asks in one that it does not know, as after a restart. So a session
//! there gets a setting of its own, which one that was made anew lacks.

use std::time::Duration;

use tokio::time::timeout;

use crate::connect::error::Error;
use crate::connect::session::Session;
use crate::proto::spark::config_request::operation::OpType;
use crate::proto::spark::config_request::{GetOption, Set};
use crate::proto::spark::{ConfigResponse, KeyValue};

/// The setting; its value is the session's id.
pub(crate) const WITNESS: &str = "spark.pipectl.session";
const LIMIT: Duration = Duration::from_secs(60);
/// One try, where an error is to be told anyway.
const GLANCE: Duration = Duration::from_secs(5);

/// The question that every session can be asked at no cost.
pub(crate) fn question() -> OpType {
    OpType::GetOption(GetOption { keys: vec![WITNESS.to_owned()] })
}

/// Gives a session its witness, where one is needed.
pub(crate) async fn install(session: &Session) -> Result<(), Error> {
    if !session.is_namesake() {
        return Ok(());
    }
    let pairs = vec![KeyValue { key: WITNESS.to_owned(), value: Some(session.id.clone()) }];
    session.configure(OpType::Set(Set { pairs, silent: None }), LIMIT).await?;
    session.now_has_witness();
    Ok(())
}

/// An error where the session is another one by now.
pub(crate) async fn hear(session: &Session) -> Result<(), Error> {
    if !session.needs_witness() {
        return Ok(());
    }
    let answer = session.configure(question(), LIMIT).await?;
    if knows(session, &answer) { Ok(()) } else { Err(lost()) }
}

/// The same at a glance, where a failure is to be explained: nothing where that can't be found out.
pub(crate) async fn glance(session: &Session) -> Option<Error> {
    if !session.needs_witness() {
        return None;
    }
    let mut stub = session.stub(&session.line.hold());
    let question = session.request(session.config(question()));
    let answer = timeout(GLANCE, stub.config(question)).await.ok()?.ok()?;
    (!knows(session, answer.get_ref())).then(lost)
}

fn knows(session: &Session, answer: &ConfigResponse) -> bool {
    answer.pairs.iter().any(|pair| pair.key == WITNESS && pair.value.as_ref() == Some(&session.id))
}

fn lost() -> Error {
    Error::SessionLost { reason: "it was made anew, as after a restart of the server".to_owned() }
}
