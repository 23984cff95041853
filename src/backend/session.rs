//! Supervises work in a session: it begins again in another session where one is lost, and ends with its session and its managed engine.

use std::time::Duration;

use tokio::time::timeout;

use super::connect::{Connected, Session, connect, tell_outages};
use super::error::Error;
use super::location::{Location, Options};
use super::stop::Stop;
use crate::connect::{self, Client, Tag};
use crate::engine::Managed;
use crate::error::chain;
use crate::record::{Event, Notice, Sender};
use crate::secret::Plain;

/// How long a server may take to confirm the end of its session: one that is lost is not waited for.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(3);

/// How many more sessions work may begin in, where one is lost before it had any effect.
const MOST_SESSIONS: usize = 3;

/// An error of work in a session, which tells whether the session was lost.
pub(crate) trait SessionError: From<Error> {
    /// Returns the client's error that the work ended with, if there is one.
    fn client_error(&self) -> Option<&connect::Error>;
}

/// The engine of one run.
#[derive(Clone, Copy)]
pub(crate) struct Backend<'a> {
    pub(crate) location: &'a Location,
    pub(crate) options: &'a Options,
    /// The tag of what is executed there.
    pub(crate) tag: &'a Tag,
    pub(crate) events: &'a Sender,
    pub(crate) stop: &'a Stop,
}

impl Backend<'_> {
    /// Does work in a session, and again in another one where that is lost. The work ends with a lost session only where it had no effect
    /// yet.
    pub(crate) async fn in_session<T, E: SessionError>(
        &self,
        conf: &[(String, Plain)],
        work: impl AsyncFn(&Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut left = MOST_SESSIONS;
        loop {
            let result = self.attempt(conf, &work).await;
            let lost = result.as_ref().err().and_then(SessionError::client_error);
            match lost.filter(|error| error.is_session_lost() && left > 0) {
                Some(error) => {
                    left -= 1;
                    self.events.send(Event::RunRestarted { reason: chain(error) });
                }
                None => return result,
            }
        }
    }

    async fn attempt<T, E: SessionError>(
        &self,
        conf: &[(String, Plain)],
        work: &impl AsyncFn(&Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { location, options, tag, events, stop } = *self;
        let connecting = connect(location, options, conf, events);
        let Connected { session, managed } = self.unless_stopped(connecting).await?;
        let work = async {
            tokio::select! {
                biased;
                result = work(&session) => result,
                never = tell_outages(&session.client, options, events) => match never {},
            }
        };
        let result = match &managed {
            Some(engine) => Box::pin(unless_it_ends(engine, work)).await,
            None => Box::pin(work).await,
        };
        // What comes from here on comes too late to stop anything.
        let is_stopped = stop.token().is_cancelled();
        match managed {
            // It takes its session along.
            Some(engine) => engine.stop().await,
            None => goodbye(&session.client, tag, is_stopped, events).await,
        }
        if is_stopped { Err(Error::Interrupted.into()) } else { result }
    }

    /// Awaits something for as long as nobody wants to stop.
    pub(crate) async fn unless_stopped<T, E: Into<Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.stop.token().cancelled() => Err(Error::Interrupted),
            result = work => result.map_err(Into::into),
        }
    }
}

/// Ends the session. Where the work was stopped, the user is told if the engine may not have noticed.
async fn goodbye(client: &Client, tag: &Tag, is_stopped: bool, events: &Sender) {
    let goodbye = async {
        if is_stopped {
            // What was begun and not yet known of when the interruption came.
            client.interrupt_tag(tag).await?;
        }
        client.release_session().await
    };
    let reason = match timeout(GOODBYE_TIMEOUT, goodbye).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it does not answer within {} s", GOODBYE_TIMEOUT.as_secs()),
    };
    // Else nothing runs there any more, and the session expires by itself.
    if is_stopped {
        events.send(Event::Notice(Notice::SessionNotEnded {
            reason,
            tag: tag.as_str().to_owned(),
            session_id: client.session_id().to_string(),
        }));
    }
}

/// Awaits work for as long as the managed engine lives.
async fn unless_it_ends<T, E: From<Error>>(
    engine: &Managed,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::select! {
        biased;
        result = work => result,
        ended = engine.ended() => Err(Error::Ended {
            reason: ended.ending.to_string(),
            last_lines: ended.last_lines,
        }.into()),
    }
}
