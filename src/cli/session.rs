//! Work in a session at an engine: it is reached, the work is done, the session ends. What `run`, `check` and `show` share.

use std::time::Duration;

use tokio::time::timeout;

use super::failure::Failure;
use super::interrupt::Interrupt;
use super::reach::{EngineArguments, Reached};
use super::target::At;
use crate::connect::{Client, Tag};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::Dialect;
use crate::engine::Managed;
use crate::pipeline::{Pipeline, StepId};
use crate::plan::Plan;
use crate::run::check::check;
use crate::run::{self, Event, Sender, inputs, upload};
use crate::secret::Plain;

/// How long a server may take to be told that its session has ended: one that is lost is not waited for.
const LAST_WORD: Duration = Duration::from_secs(3);

/// How many more sessions work may begin in, where one is lost before anything was received.
const MOST_SESSIONS: usize = 3;

/// Where work is done, and who hears of it.
pub(super) struct Place<'a> {
    pub(super) engine: &'a EngineArguments,
    pub(super) at: &'a At,
    /// The tag of what is carried out there.
    pub(super) tag: Tag,
    pub(super) events: &'a Sender,
    pub(super) interrupt: &'a Interrupt,
}

impl Place<'_> {
    /// Does work in a session, and again in another one where that is lost. That it was lost is an error only where nothing was received
    /// or written.
    pub(super) async fn carry_out<T>(
        &self,
        conf: &[(String, Plain)],
        work: impl AsyncFn(&Client, &Dialect) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut again = MOST_SESSIONS;
        loop {
            match self.attempt(conf, &work).await {
                Err(Failure::Connect(error)) if error.is_session_lost() && again > 0 => {
                    again -= 1;
                    self.events.send(Event::Again { reason: run::chain(&error) });
                }
                result => return result,
            }
        }
    }

    async fn attempt<T>(
        &self,
        conf: &[(String, Plain)],
        work: &impl AsyncFn(&Client, &Dialect) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Self { engine, events, interrupt, .. } = self;
        let Reached { client, dialect, managed } = interrupt.or(engine.reach(self.at, conf, events)).await?;
        let work = async {
            tokio::select! {
                biased;
                result = work(&client, &dialect) => result,
                never = engine.tell_outages(&client, events) => match never {},
            }
        };
        let result = match &managed {
            Some(engine) => Box::pin(unless_it_ends(engine, work)).await,
            None => Box::pin(work).await,
        };
        // What comes from here on comes too late to stop anything.
        let signal = interrupt.signal();
        match managed {
            // It takes its session along.
            Some(engine) => engine.stop().await,
            None => goodbye(&client, &self.tag, signal.is_some(), events).await,
        }
        match signal {
            Some(signal) => Err(Failure::Interrupted(signal)),
            None => result,
        }
    }

    /// Sends what the plan must have.
    pub(super) async fn send(
        &self,
        client: &Client,
        pipeline: &Pipeline,
        plan: &Plan,
    ) -> Result<(), Failure> {
        let sent = async { Ok(upload::everything(client, pipeline, plan, self.events).await?) };
        let refused = self.interrupt.or(sent).await?;
        if refused.has_errors() {
            return Err(wrong(pipeline, refused.sorted()));
        }
        Ok(())
    }

    /// Lets the engine analyse a plan that has what it must have.
    pub(super) async fn analyse(
        &self,
        client: &Client,
        pipeline: &Pipeline,
        plan: &Plan,
    ) -> Result<Diagnostics, Failure> {
        let check = Box::pin(check(client, pipeline, plan));
        self.interrupt.or(async { Ok(check.await?) }).await
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
    let why = match timeout(LAST_WORD, goodbye).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it does not answer within {} s", LAST_WORD.as_secs()),
    };
    // Else nothing runs there any more, and the session expires by itself.
    if is_stopped {
        events.send(Event::Note(format!(
            "the engine has not confirmed that this run's work there has ended: {why}; look for operations with the tag `{}` in the \
             session `{}` there, and stop them, or they end with that session",
            tag.as_str(),
            client.session_id()
        )));
    }
}

/// Awaits work for as long as the private engine lives.
async fn unless_it_ends<T>(
    engine: &Managed,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        result = work => result,
        ended = engine.ended() => Err(Failure::EngineEnded {
            reason: ended.ending.to_string(),
            last_lines: ended.last_lines,
        }),
    }
}

/// Says which of the files are missing that these steps read, and which of those that pipectl reads are not what they should be.
pub(super) fn inputs_exist(pipeline: &Pipeline, steps: &[StepId]) -> Result<(), Failure> {
    let missing = inputs::missing(pipeline, steps);
    if missing.has_errors() {
        return Err(Failure::Input { sources: pipeline.sources.clone(), diagnostics: missing.sorted() });
    }
    let unreadable = inputs::read_uploads(pipeline, steps);
    if unreadable.has_errors() { Err(wrong(pipeline, unreadable.sorted())) } else { Ok(()) }
}

/// What is wrong with a pipeline. That nothing but an input is missing is no mistake in it.
pub(super) fn wrong(pipeline: &Pipeline, diagnostics: Vec<Diagnostic>) -> Failure {
    let sources = pipeline.sources.clone();
    let mut errors = diagnostics.iter().filter(|one| one.is_error());
    if errors.all(|error| error.code == Code::NoInput) {
        return Failure::Input { sources, diagnostics };
    }
    Failure::Pipeline { sources, diagnostics }
}
