//! Owns what people and machines are told: the only writer to stderr, and to the record of a run.

mod diagnostic;
mod escape;
mod github;
mod human;
mod json;
mod panic;
mod results;
mod scrub;
mod transfer;

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc;
use std::thread;

pub(crate) use diagnostic::{Colour, render};
pub(crate) use escape::escaped;
pub(crate) use panic::tell_panics;
pub(crate) use results::{Ending, Results, RunFacts};
pub(crate) use transfer::{Amount, Transfer};

use crate::connect::ServerError;
use crate::diagnostic::Diagnostic;
use crate::record::{Event, Preparation};
use crate::secret::scrubbed;
use crate::text::Sources;
use scrub::Scrub as _;

/// How progress and messages are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people: lines, and on a terminal moving ones.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
    /// For people, and annotations for GitHub Actions.
    Github,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Failures alone.
    Quiet,
    Normal,
    /// Also what is done at the engine besides outputs.
    Verbose,
}

/// Tells on stderr what happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reporter {
    format: Format,
    verbosity: Verbosity,
    colour: Colour,
    moving: bool,
}

impl Reporter {
    pub(crate) fn new(format: Format, verbosity: Verbosity) -> Self {
        let stderr = std::io::stderr();
        let is_coloured = anstream::AutoStream::choice(&stderr) != anstream::ColorChoice::Never;
        Self {
            format,
            verbosity,
            colour: if is_coloured { Colour::Always } else { Colour::Never },
            moving: stderr.is_terminal() && format == Format::Text && verbosity > Verbosity::Quiet,
        }
    }

    /// Tells what is worth knowing of the user's files; who wants failures alone is told no warnings.
    pub(crate) fn diagnostics(self, sources: &Sources, diagnostics: &[Diagnostic]) {
        let errors_only = self.verbosity == Verbosity::Quiet;
        let shown = diagnostics.iter().filter(|one| !errors_only || one.is_error());
        self.show(sources, shown.cloned().collect());
    }

    /// Tells what the user's files are refused for: mistakes, or warnings that are taken for such.
    pub(crate) fn mistakes(self, sources: &Sources, diagnostics: &[Diagnostic]) {
        if diagnostics.iter().any(Diagnostic::is_error) {
            self.diagnostics(sources, diagnostics);
        } else {
            self.show(sources, diagnostics.to_vec());
        }
    }

    fn show(self, sources: &Sources, diagnostics: Vec<Diagnostic>) {
        let shown = diagnostics.scrubbed();
        match self.format {
            Format::Json => shown.iter().for_each(|one| write_line(&json::diagnostic(sources, one))),
            Format::Text | Format::Github => {
                if !shown.is_empty() {
                    write_line(&format!("{}\n", render(sources, &shown, self.colour)));
                }
                if self.format == Format::Github {
                    for one in &shown {
                        write_line(&escaped(&github::diagnostic(sources, one)));
                    }
                }
            }
        }
    }

    /// Tells why a command could not do what it was asked, and what may help.
    pub(crate) fn failure(self, message: &str, hints: &[String]) {
        self.refusal(message, hints, None);
    }

    /// The same, with all that the engine has said, where the reason is its.
    pub(crate) fn refusal(self, message: &str, hints: &[String], said: Option<&ServerError>) {
        let (message, hints) = (&scrubbed(message), &hints.to_vec().scrubbed());
        let said = said.cloned().scrubbed();
        let said = said.as_ref();
        match self.format {
            Format::Json => write_line(&json::failure(message, hints, said, self.verbosity)),
            Format::Text | Format::Github => {
                write_line(&human::failure(message, hints, said, self.verbosity, self.colour));
                if self.format == Format::Github {
                    write_line(&github::failure(message, hints));
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

    /// Tells how far downloads are, outside of a run.
    pub(crate) fn transfer(self) -> Transfer {
        Transfer::new(self)
    }

    fn is_quiet(self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Tells what happens from now on, in a thread of its own, until the sender is gone; then the results come back.
    pub(crate) fn listen(self, facts: RunFacts) -> (crate::record::Sender, Listener) {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || self.tell(&receiver, Results::new(facts)));
        (crate::record::Sender::new(sender), Listener(thread))
    }

    fn tell(self, receiver: &mpsc::Receiver<Event>, mut results: Results) -> Results {
        let mut human = human::Human::new(self.verbosity, self.colour, self.moving);
        let mut annotations = github::Annotations::default();
        let mut machine = json::Machine::new(json::Depth::of(self.verbosity));
        let least = if self.verbosity == Verbosity::Quiet { json::Level::Error } else { json::Level::Info };
        for event in receiver {
            let event = event.scrubbed();
            results.record(&event);
            match self.format {
                Format::Text => human.tell(&event),
                Format::Github => {
                    human.tell(&event);
                    if let Some(line) = annotations.event(&event) {
                        write_line(&escaped(&line));
                    }
                }
                Format::Json => {
                    if let Some((level, line)) = machine.event(&event)
                        && level >= least
                    {
                        write_line(&line);
                    }
                }
            }
        }
        human.end();
        results
    }

    /// Tells how a run came out.
    pub(crate) fn summary(self, results: &Results) {
        match self.format {
            _ if self.verbosity == Verbosity::Quiet => {}
            Format::Json => write_line(&results.summary_json()),
            Format::Text | Format::Github => write_line(&results.summary()),
        }
    }
}

/// The thread that tells what happens.
pub(crate) struct Listener(thread::JoinHandle<Results>);

impl Listener {
    /// Waits until everything is told.
    pub(crate) fn results(self) -> Results {
        match self.0.join() {
            Ok(results) => results,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// What takes long, in words.
pub(crate) fn preparing(preparation: &Preparation) -> String {
    match preparation {
        Preparation::Waiting { what } => format!("another process is installing {what}; waiting for it"),
        Preparation::Fetching { what } => format!("installing, once: fetching {what}"),
        Preparation::Unpacking { what } => format!("unpacking {what}"),
        Preparation::Compiling { what } => format!("preparing {what}, once, so that it starts sooner"),
        Preparation::Installed { what } => format!("{what} is installed"),
        Preparation::Sending { bytes } => format!("sending {} MB to the engine", bytes.div_ceil(1_000_000)),
    }
}

/// Why all begins again, in a sentence.
fn again(reason: &str) -> String {
    let reason = reason.trim_end_matches('.');
    format!("{reason}; nothing was received yet, so the run begins again in a new session")
}

/// Tells what is wrong with the command line, in the words of its parser.
pub(crate) fn usage(text: &str) {
    let _nobody_reads = write!(anstream::stderr().lock(), "{}", scrubbed(text));
}

/// Tells what was asked for, to whom it was promised: help, the version.
pub(crate) fn help(text: &str) {
    let _nobody_reads = write!(anstream::stdout().lock(), "{}", scrubbed(text));
}

/// One line on stderr. Nobody can be told that it failed.
fn write_line(line: &str) {
    let mut stderr = anstream::stderr().lock();
    let _nobody_reads = writeln!(stderr, "{line}");
}
