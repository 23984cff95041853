//! Asks the server a question every few seconds, for as long as the session lives.
//!
//! It keeps a session that only waits from being ended: Sail ends one after a quarter of an hour, and its queries with it. And
//! where it gets no answer, the connection is dead: see [`crate::connect::transport::channel`]. Pings of HTTP/2 could tell that as well, but servers
//! before Spark 4.3 hang up on who sends them more often than every five minutes.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::time::sleep;

use crate::connect::session::Session;
use crate::connect::session::check;

/// Begins to ask; the session holds the task that does. Needs a runtime.
pub(crate) fn start(session: &Arc<Session>) {
    let pause = session.patience.beat;
    session
        .keepalive
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .spawn(beat(Arc::downgrade(session), pause));
}

/// Asks no more: a session that is over would begin anew.
pub(crate) fn stop(session: &Session) {
    session.keepalive.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
}

async fn beat(session: Weak<Session>, pause: Duration) {
    loop {
        sleep(pause).await;
        let Some(session) = session.upgrade() else { return };
        ask(&session).await;
    }
}

async fn ask(session: &Session) {
    let held = session.line.hold();
    let mut stub = session.stub(&held);
    let question = session.request(session.config(check::question()));
    let dead = tokio::select! {
        // An error too: somebody has sent it. What a broken connection means is for those to say who wait for more.
        _somebody_is_there = stub.config(question) => false,
        _already = held.replaced() => false,
        () = held.silence(session.patience.dead) => true,
    };
    if dead {
        session.line.replace(&held);
    }
}
