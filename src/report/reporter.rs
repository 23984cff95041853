//! Reports events, diagnostics and results on stderr.

use std::io::IsTerminal as _;
use std::sync::mpsc;
use std::thread;

use super::diagnostic::{Colour, render};
use super::escape::escaped;
use super::format::{Format, Verbosity};
use super::stderr::write_line;
use super::{github, human, json, words};
use crate::diagnostic::{Diagnostic, Excerpt, Extent};
use crate::record::{
    DiagnosticCounts, DiagnosticRecord, ErrorRecord, Event, Level, Message, RunResults, RunStatus, Scrub,
};
use crate::secret::scrubbed;
use crate::text::Sources;

/// Tells on stderr what happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reporter {
    pub(super) format: Format,
    pub(super) verbosity: Verbosity,
    extent: Extent,
    colour: Colour,
    pub(super) moving: bool,
}

impl Reporter {
    pub(crate) fn new(format: Format, verbosity: Verbosity, extent: Extent) -> Self {
        let stderr = std::io::stderr();
        let is_coloured = anstream::AutoStream::choice(&stderr) != anstream::ColorChoice::Never;
        Self {
            format,
            verbosity,
            extent,
            colour: if is_coloured { Colour::Always } else { Colour::Never },
            moving: stderr.is_terminal() && format == Format::Text && verbosity > Verbosity::Quiet,
        }
    }

    /// Tells what is worth knowing of the user's files; who wants failures alone is told no warnings.
    pub(crate) fn diagnostics(self, sources: &Sources, diagnostics: &[Diagnostic]) {
        let errors_only = self.verbosity == Verbosity::Quiet;
        let wanted = diagnostics.iter().filter(|one| !errors_only || one.is_error());
        self.show(sources, &Excerpt::new(wanted, self.extent));
    }

    /// Tells what the user's files are refused for: mistakes, or warnings that are taken for such.
    pub(crate) fn mistakes(self, sources: &Sources, diagnostics: &[Diagnostic]) {
        if diagnostics.iter().any(Diagnostic::is_error) {
            self.diagnostics(sources, diagnostics);
        } else {
            self.show(sources, &Excerpt::new(diagnostics, self.extent));
        }
    }

    fn show(self, sources: &Sources, excerpt: &Excerpt<'_>) {
        let shown: Vec<Diagnostic> = excerpt.shown.iter().copied().cloned().map(Scrub::scrubbed).collect();
        let omitted = (!excerpt.omitted.is_empty()).then(|| DiagnosticCounts::new(&excerpt.omitted));
        let rest = omitted.as_ref().map(words::omitted);
        match self.format {
            Format::Json => {
                for one in &shown {
                    let event = Event::Diagnostic(Box::new(DiagnosticRecord::new(sources, one)));
                    write_line(&json::line(event, self.verbosity));
                }
                if let Some(counts) = omitted {
                    write_line(&json::line(Event::DiagnosticsOmitted(counts), self.verbosity));
                }
            }
            Format::Text | Format::Github => {
                if !shown.is_empty() {
                    write_line(&format!("{}\n", render(sources, &shown, self.colour)));
                }
                if let Some(rest) = &rest {
                    write_line(&format!("{rest}\n"));
                }
                if self.format == Format::Github {
                    for one in &shown {
                        write_line(&escaped(&github::diagnostic(sources, one)));
                    }
                    if let Some(rest) = &rest {
                        write_line(&github::notice(rest));
                    }
                }
            }
        }
    }

    /// Says why a command could not do what it was asked, and what may help.
    pub(crate) fn failure(self, error: ErrorRecord) {
        let error = error.scrubbed();
        match self.format {
            Format::Json => write_line(&json::line(Event::Failure(error), self.verbosity)),
            Format::Text | Format::Github => {
                write_line(&human::failure(&error, self.verbosity, self.colour));
                if self.format == Format::Github {
                    write_line(&github::failure(&error));
                }
            }
        }
    }

    /// Tells something that is neither a failure nor progress.
    pub(crate) fn note(self, message: &str) {
        let message = &scrubbed(message);
        match self.format {
            _ if self.verbosity == Verbosity::Quiet => {}
            Format::Json => write_line(&json::note(message)),
            Format::Text | Format::Github => write_line(&escaped(message)),
        }
    }

    pub(super) fn is_quiet(self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Reports what happens from now on, in a thread of its own, until all senders are gone.
    pub(crate) fn listen(self, receiver: mpsc::Receiver<Message>) -> Listener {
        Listener(thread::spawn(move || self.tell(&receiver)))
    }

    fn tell(self, receiver: &mpsc::Receiver<Message>) {
        let mut human = human::Human::new(self.verbosity, self.colour, self.moving);
        let mut annotations = github::Annotations::default();
        let mut machine = json::Machine::default();
        let least = if self.verbosity == Verbosity::Quiet { Level::Error } else { Level::Info };
        for message in receiver {
            let event = match message {
                Message::Event(event) => event,
                Message::Diagnostics(sources, diagnostics) => {
                    human.end();
                    self.mistakes(&sources, &diagnostics);
                    continue;
                }
            };
            match self.format {
                Format::Text => human.tell(&event),
                Format::Github => {
                    human.tell(&event);
                    if let Some(line) = annotations.event(&event) {
                        write_line(&escaped(&line));
                    }
                }
                Format::Json => {
                    if machine.wants(&event) && json::level(&event) >= least {
                        write_line(&json::line(event, self.verbosity));
                    }
                }
            }
        }
        human.end();
    }

    /// Says how a run came out.
    pub(crate) fn results(self, results: &RunResults) {
        let has_run = results.error.is_none();
        match self.format {
            _ if self.verbosity == Verbosity::Quiet || !has_run => {}
            Format::Json => {
                write_line(&json::line(Event::RunFinished(results.summary.clone()), self.verbosity));
            }
            Format::Text | Format::Github => {
                write_line(&format!("{:>8}  {}", "run", words::summary(&results.summary)));
            }
        }
        if results.status != RunStatus::Succeeded {
            self.failure(results.failure());
        }
    }
}

/// The thread that reports what happens.
pub(crate) struct Listener(thread::JoinHandle<()>);

impl Listener {
    /// Waits until everything is reported; all senders must be gone.
    pub(crate) fn join(self) {
        if let Err(panic) = self.0.join() {
            std::panic::resume_unwind(panic);
        }
    }
}
