//! Progress for people: a line for what has ended, and on a terminal a moving one for what runs.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::diagnostic::Colour;
use super::download::{Amount, Pace, bar};
use super::engine_error::details;
use super::escape::escaped;
use super::format::Verbosity;
use super::stderr::write_line;
use super::units::{rows, seconds, size};
use super::words;
use crate::expect::OnFail;
use crate::record::{
    ActionKind, ActionRef, ActionResult, ErrorRecord, Event, ExpectationResult, Progress, Status,
};

/// How often a moving line moves.
const TICK: Duration = Duration::from_millis(120);

pub(super) struct Human {
    verbosity: Verbosity,
    colour: Colour,
    moving: Option<MultiProgress>,
    bars: HashMap<usize, ProgressBar>,
    /// The bar of a download, where one is shown.
    download: Option<ProgressBar>,
    pace: Pace,
    /// Actions whose failure was reported already, expectation by expectation.
    reported: HashSet<usize>,
}

impl Human {
    pub(super) fn new(verbosity: Verbosity, colour: Colour, moving: bool) -> Self {
        Self {
            verbosity,
            colour,
            moving: moving.then(MultiProgress::new),
            bars: HashMap::new(),
            download: None,
            pace: Pace::default(),
            reported: HashSet::new(),
        }
    }

    pub(super) fn tell(&mut self, event: &Event) {
        if let Event::DownloadProgress { what, bytes, total_bytes } = event {
            return self.fetched(&Amount { what, bytes: *bytes, of: *total_bytes });
        }
        self.download_ended();
        let note = AnsiColor::Yellow.on_default();
        match event {
            Event::Preparing(preparation) => self.line("", Style::new(), &words::preparing(preparation)),
            Event::TargetChosen { target } => self.line("target", Style::new(), target),
            Event::EngineReady { engine, seconds: took } => {
                self.line("engine", Style::new(), &format!("{engine}, ready in {}", seconds(*took)));
            }
            Event::CheckPassed { seconds: took } => {
                self.line("checked", Style::new(), &format!("by the engine in {}", seconds(*took)));
            }
            Event::ActionStarted(action) => self.started(action),
            Event::ActionProgress { action, progress } => self.moved(action, progress),
            Event::ExpectationFailed(result) => self.violated(result),
            Event::Notice(notice) => self.line("note", note, &words::notice(notice)),
            Event::ActionFinished(result) => self.finished(result),
            Event::RunRestarted { reason } => {
                self.end();
                self.line("note", note, &words::restarted(reason));
            }
            Event::RunStarted { .. }
            | Event::PipelineRead { .. }
            | Event::DownloadProgress { .. }
            | Event::Diagnostic(_)
            | Event::DiagnosticsOmitted(_)
            | Event::Failure(_)
            | Event::RunFinished(_) => {}
        }
    }

    pub(super) fn end(&mut self) {
        self.download_ended();
        for (_, bar) in self.bars.drain() {
            bar.finish_and_clear();
        }
    }

    fn fetched(&mut self, amount: &Amount<'_>) {
        match &self.moving {
            Some(moving) => {
                self.download.get_or_insert_with(|| bar(moving, amount)).set_position(amount.bytes);
            }
            None => {
                if let Some(line) = self.pace.line(Instant::now(), amount) {
                    self.line("", Style::new(), &line);
                }
            }
        }
    }

    fn download_ended(&mut self) {
        if let Some(bar) = self.download.take() {
            bar.finish_and_clear();
        }
        self.pace = Pace::default();
    }

    fn started(&mut self, action: &ActionRef) {
        let Some(moving) = &self.moving else { return };
        if !self.is_told(action) {
            return;
        }
        let bar = moving.add(ProgressBar::new_spinner());
        let template = "{spinner} {prefix} {msg} {elapsed}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_prefix(format!("{:<7} {}", action.action.as_str(), action.step));
        bar.enable_steady_tick(TICK);
        self.bars.insert(action.id, bar);
    }

    fn moved(&mut self, action: &ActionRef, progress: &Progress) {
        if let Some(bar) = self.bars.get(&action.id) {
            bar.set_message(how_far(progress));
        }
    }

    fn violated(&mut self, result: &ExpectationResult) {
        let (word, style) = match result.on_fail {
            OnFail::Fail => ("failed", AnsiColor::Red.on_default()),
            OnFail::Warn => ("warning", AnsiColor::Yellow.on_default()),
        };
        if result.on_fail == OnFail::Fail {
            self.reported.insert(result.action.id);
        }
        self.always(word, style, &format!("{}: {}", result.action.step, words::violated(result)));
    }

    fn finished(&mut self, result: &ActionResult) {
        let action = &result.action;
        if let Some(bar) = self.bars.remove(&action.id) {
            bar.finish_and_clear();
        }
        let what = match action.action {
            ActionKind::Write => action.step.clone(),
            other => format!("{} ({})", action.step, other.as_str()),
        };
        let yellow = AnsiColor::Yellow.on_default();
        match result.status {
            Status::Succeeded if self.is_told(action) => {
                let text = format!("{what}{}, {}", amount(result), seconds(result.seconds));
                self.line("done", AnsiColor::Green.on_default(), &text);
            }
            Status::Succeeded => {}
            Status::Failed if self.reported.contains(&action.id) => {}
            Status::Failed => self.failed(&what, result.error.as_ref()),
            Status::Skipped => {
                let because = result.skipped.as_ref().map(words::skipped).unwrap_or_default();
                self.always("skipped", yellow, &format!("{what}: {because}"));
            }
            Status::Interrupted => self.always("stopped", yellow, &what),
        }
    }

    fn failed(&self, what: &str, error: Option<&ErrorRecord>) {
        let Some(error) = error else { return };
        let mut text = format!("{what}: {}", error.message);
        for detail in error.engine.iter().flat_map(|said| details(said, self.verbosity)) {
            text.push_str("\n          ");
            text.push_str(&detail);
        }
        self.always("failed", AnsiColor::Red.on_default(), &text);
        for hint in &error.hints {
            self.always("", Style::new(), &format!("help: {hint}"));
        }
    }

    /// Views cost nothing and are told only where more is asked for.
    fn is_told(&self, action: &ActionRef) -> bool {
        self.verbosity == Verbosity::Verbose || action.action != ActionKind::View
    }

    fn line(&self, word: &str, style: Style, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.always(word, style, text);
        }
    }

    fn always(&self, word: &str, style: Style, text: &str) {
        let text = escaped(text);
        let line = match self.colour {
            Colour::Always => format!("{style}{word:>8}{style:#}  {text}"),
            Colour::Never => format!("{word:>8}  {text}"),
        };
        match &self.moving {
            Some(moving) => moving.suspend(|| write_line(&line)),
            None => write_line(&line),
        }
    }
}

/// How far an action is, as far as that is known: the engine's tasks first, for it works before it sends rows.
fn how_far(progress: &Progress) -> String {
    let tasks = progress.tasks.filter(|tasks| tasks.all > 0);
    let tasks = tasks.map(|tasks| format!("{} of {} tasks", tasks.completed, tasks.all));
    let arrived = (progress.rows > 0).then(|| format!("{}, {}", rows(progress.rows), size(progress.bytes)));
    tasks.into_iter().chain(arrived).collect::<Vec<_>>().join(", ")
}

/// Why a command failed, with what may help below it.
pub(super) fn failure(error: &ErrorRecord, verbosity: Verbosity, colour: Colour) -> String {
    let (red, plain) = match colour {
        Colour::Always => (AnsiColor::Red.on_default().bold(), Style::new()),
        Colour::Never => (Style::new(), Style::new()),
    };
    let hints = error.hints.iter().map(|hint| format!("\n{plain}  help: {}", escaped(hint)));
    let details = error.engine.iter().flat_map(|said| details(said, verbosity));
    let details: String = details.map(|detail| format!("\n  {}", escaped(&detail))).collect();
    format!("{red}error{red:#}: {}{details}{}", escaped(&error.message), hints.collect::<String>())
}

/// The rows of an action's outputs, or those that it has without any.
fn amount(result: &ActionResult) -> String {
    let Some(all) = result.rows else { return String::new() };
    if result.outputs.is_empty() {
        return format!(": {}", rows(all));
    }
    let outputs = result.outputs.iter();
    let each = outputs
        .map(|output| format!("{}, {} → {}", rows(output.rows), size(output.bytes), words::place(output)));
    format!(": {}", each.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Tasks;

    #[test]
    fn a_bar_tells_what_is_known() {
        let tasks = |all| Some(Tasks { completed: 3, all, ..Tasks::default() });
        for (rows, tasks, told) in [
            (0, None, ""),
            (0, tasks(0), ""),
            (0, tasks(40), "3 of 40 tasks"),
            (1_234, None, "1,234 rows, 5.00 MB"),
            (1_234, tasks(40), "3 of 40 tasks, 1,234 rows, 5.00 MB"),
        ] {
            assert_eq!(how_far(&Progress { rows, bytes: 5_000_000, tasks }), told);
        }
    }
}
