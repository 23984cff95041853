//! Progress for people: a line for what has ended, and on a terminal a moving one for what runs.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::diagnostic::Colour;
use super::escape::escaped;
use super::json::Progress;
use super::transfer::{Amount, Pace, bar};
use super::{Verbosity, again, preparing, write_line};
use crate::connect::{Cause, ServerError};
use crate::expect::OnFail;
use crate::record::{Event, Label, Outcome, Output, Verdict};

/// How often a moving line moves.
const TICK: Duration = Duration::from_millis(120);

pub(super) struct Human {
    verbosity: Verbosity,
    colour: Colour,
    moving: Option<MultiProgress>,
    bars: HashMap<usize, (ProgressBar, Progress)>,
    /// The bar of a download, where one is shown.
    download: Option<ProgressBar>,
    pace: Pace,
    /// Actions whose failure was told already, expectation by expectation.
    told_failed: HashSet<usize>,
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
            told_failed: HashSet::new(),
        }
    }

    pub(super) fn tell(&mut self, event: &Event) {
        if let Event::Fetched { what, bytes, of } = event {
            return self.fetched(&Amount { what, bytes: *bytes, of: *of });
        }
        self.download_ended();
        match event {
            Event::Preparing(preparation) => self.line("", Style::new(), &preparing(preparation)),
            Event::Target(target) => self.line("target", Style::new(), target),
            Event::EngineReady { engine, took } => {
                self.line("engine", Style::new(), &format!("{engine}, ready in {}", seconds(*took)));
            }
            Event::Checked { took } => {
                self.line("checked", Style::new(), &format!("by the engine in {}", seconds(*took)));
            }
            Event::Began { .. } | Event::Read(_) | Event::Fetched { .. } => {}
            Event::Started(action) => self.started(action),
            Event::Rows { action, rows, bytes } => {
                self.moved(action, |it| (it.rows, it.bytes) = (*rows, *bytes));
            }
            Event::Tasks { action, tasks } => self.moved(action, |it| it.tasks = Some(*tasks)),
            Event::Unmet { action, verdict } => self.unmet(action, verdict),
            Event::Note(text) => self.line("note", AnsiColor::Yellow.on_default(), text),
            Event::Ended { action, outcome, took } => self.ended(action, outcome, *took),
            Event::Again { reason } => {
                self.end();
                self.line("note", AnsiColor::Yellow.on_default(), &again(reason));
            }
        }
    }

    pub(super) fn end(&mut self) {
        self.download_ended();
        for (_, (bar, _)) in self.bars.drain() {
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

    fn started(&mut self, action: &Label) {
        let Some(moving) = &self.moving else { return };
        if !self.is_told(action) {
            return;
        }
        let bar = moving.add(ProgressBar::new_spinner());
        let template = "{spinner} {prefix} {msg} {elapsed}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_prefix(format!("{:<7} {}", action.action, action.step));
        bar.enable_steady_tick(TICK);
        self.bars.insert(action.id, (bar, Progress::default()));
    }

    fn moved(&mut self, action: &Label, change: impl Fn(&mut Progress)) {
        if let Some((bar, progress)) = self.bars.get_mut(&action.id) {
            change(progress);
            bar.set_message(how_far(progress));
        }
    }

    fn unmet(&mut self, action: &Label, verdict: &Verdict) {
        if verdict.on_fail == OnFail::Fail {
            self.told_failed.insert(action.id);
        }
        let (word, style) = match verdict.on_fail {
            OnFail::Fail => ("failed", AnsiColor::Red.on_default()),
            OnFail::Warn => ("warning", AnsiColor::Yellow.on_default()),
        };
        self.always(word, style, &format!("{}: {verdict}", action.step));
    }

    fn ended(&mut self, action: &Label, outcome: &Outcome, took: Duration) {
        if let Some((bar, _)) = self.bars.remove(&action.id) {
            bar.finish_and_clear();
        }
        let what = match action.action {
            "write" => action.step.clone(),
            other => format!("{} ({other})", action.step),
        };
        if self.told_failed.contains(&action.id) && matches!(outcome, Outcome::Failed(_)) {
            return;
        }
        match outcome {
            Outcome::Succeeded { rows, outputs } => {
                if self.is_told(action) {
                    let green = AnsiColor::Green.on_default();
                    self.line("done", green, &format!("{what}{}, {}", amount(*rows, outputs), seconds(took)));
                }
            }
            Outcome::Failed(failed) => {
                let mut text = format!("{what}: {}", failed.message);
                for detail in failed.said.iter().flat_map(|said| details(said, self.verbosity)) {
                    text.push_str("\n          ");
                    text.push_str(&detail);
                }
                self.always("failed", AnsiColor::Red.on_default(), &text);
                if let Some(hint) = &failed.hint {
                    self.always("", Style::new(), &format!("help: {hint}"));
                }
            }
            Outcome::Skipped { because } => {
                self.always("skipped", AnsiColor::Yellow.on_default(), &format!("{what}: {because}"));
            }
            Outcome::Interrupted => self.always("stopped", AnsiColor::Yellow.on_default(), &what),
        }
    }

    /// Views cost nothing and are told only where more is asked for.
    fn is_told(&self, action: &Label) -> bool {
        self.verbosity == Verbosity::Verbose || action.action != "view"
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
    let rows = (progress.rows > 0).then(|| format!("{}, {}", counted(progress.rows), size(progress.bytes)));
    tasks.into_iter().chain(rows).collect::<Vec<_>>().join(", ")
}

/// Calls of an engine's trace that are shown.
const SHOWN_CALLS: usize = 30;
/// Characters of a fragment, and of the engine's own text, that are shown.
const LONGEST_FRAGMENT: usize = 120;
const LONGEST_ORIGINAL: usize = 2_000;

/// What there is to an engine's error besides its message, a line each.
fn details(said: &ServerError, verbosity: Verbosity) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fragments: Vec<String> = said.contexts.iter().map(|it| one_line(&it.fragment)).collect();
    fragments.retain(|fragment| !fragment.is_empty() && !said.message.contains(&format!("`{fragment}`")));
    fragments.dedup();
    lines.extend(fragments.iter().map(|fragment| format!("in: {}", cut(fragment, LONGEST_FRAGMENT))));
    // What only says that a file could not be read, or that a task has failed, has its reason in what caused it.
    let is_wrapping = said.class.as_deref().is_none_or(|class| class.starts_with("FAILED_READ_FILE"));
    if let Some(cause) = said.causes.last().filter(|_| is_wrapping && verbosity < Verbosity::Verbose) {
        lines.push(format!("because: {}", cause_line(cause)));
    }
    lines.extend(said.sql_state.iter().map(|state| format!("SQL state: {state}")));
    if said.is_internal {
        lines.push("this is a fault of the engine's own, not of the pipeline".to_owned());
    }
    if verbosity < Verbosity::Verbose {
        return lines;
    }
    lines.extend(said.causes.iter().map(|cause| format!("caused by: {}", cause_line(cause))));
    if let Some(original) = &said.original {
        lines.push("the engine's own words:".to_owned());
        lines.extend(cut(original, LONGEST_ORIGINAL).lines().map(|line| format!("  {line}")));
    }
    lines.extend(
        said.trace.iter().take(SHOWN_CALLS).map(|call| format!("  at {}", call.trim_start_matches("at "))),
    );
    if said.trace.len() > SHOWN_CALLS {
        lines.push(format!("  … {} more", said.trace.len() - SHOWN_CALLS));
    }
    lines
}

fn cause_line(cause: &Cause) -> String {
    match &cause.class {
        Some(class) => format!("{} [{class}]", cause.message),
        None => cause.message.clone(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Why a command failed, with what may help below it.
pub(super) fn failure(
    message: &str,
    hints: &[String],
    said: Option<&ServerError>,
    verbosity: Verbosity,
    colour: Colour,
) -> String {
    let (red, plain) = match colour {
        Colour::Always => (AnsiColor::Red.on_default().bold(), Style::new()),
        Colour::Never => (Style::new(), Style::new()),
    };
    let hints: String = hints.iter().map(|hint| format!("\n{plain}  help: {}", escaped(hint))).collect();
    let details = said.into_iter().flat_map(|said| details(said, verbosity));
    let details: String = details.map(|detail| format!("\n  {}", escaped(&detail))).collect();
    format!("{red}error{red:#}: {}{details}{hints}", escaped(message))
}

fn amount(rows: Option<u64>, outputs: &[Output]) -> String {
    match (rows, outputs) {
        (None, _) => String::new(),
        (Some(rows), []) => format!(": {}", counted(rows)),
        (Some(_), outputs) => {
            let each = outputs
                .iter()
                .map(|output| format!("{}, {} → {}", counted(output.rows), size(output.bytes), output.place));
            format!(": {}", each.collect::<Vec<_>>().join("; "))
        }
    }
}

pub(super) fn seconds(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{} min {:.0} s", took.as_secs() / 60, seconds % 60.0)
    }
}

pub(super) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let number = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", number / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number / 1e6),
        _ => format!("{:.2} GB", number / 1e9),
    }
}

fn counted(rows: u64) -> String {
    format!("{} {}", thousands(rows), if rows == 1 { "row" } else { "rows" })
}

/// A number with its digits in threes.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::QueryContext;

    fn lines(said: &ServerError, verbosity: Verbosity) -> String {
        details(said, verbosity).join("\n")
    }

    #[test]
    fn an_engines_error_is_short_until_more_is_asked_for() {
        let cause =
            |class: &str, message: &str| Cause { class: Some(class.to_owned()), message: message.to_owned() };
        let context =
            |fragment: &str| QueryContext { fragment: fragment.to_owned(), ..QueryContext::default() };
        let said = ServerError {
            class: Some("FAILED_READ_FILE.NO_HINT".to_owned()),
            sql_state: Some("KD001".to_owned()),
            message: "Error while reading `a.csv`.".to_owned(),
            original: Some("[FAILED_READ_FILE.NO_HINT] Error\n== SQL ==".to_owned()),
            contexts: vec![context("sum(x /\n    y)"), context("sum(x / y)"), context("a.csv"), context("")],
            causes: vec![cause("java.io.IOException", "bad"), cause("MALFORMED", "3 is no row")],
            trace: (0..40).map(|line| format!("a.b.c(D.java:{line})")).collect(),
            is_internal: true,
            ..ServerError::default()
        };
        insta::assert_snapshot!(lines(&said, Verbosity::Normal), @"
        in: sum(x / y)
        because: 3 is no row [MALFORMED]
        SQL state: KD001
        this is a fault of the engine's own, not of the pipeline
        ");
        let verbose = lines(&said, Verbosity::Verbose);
        assert!(
            verbose.contains("caused by: bad [java.io.IOException]\ncaused by: 3 is no row [MALFORMED]\n"),
            "{verbose}"
        );
        assert!(
            verbose.contains("the engine's own words:\n  [FAILED_READ_FILE.NO_HINT] Error\n  == SQL ==\n"),
            "{verbose}"
        );
        assert!(verbose.ends_with("  at a.b.c(D.java:29)\n  … 10 more"), "{verbose}");
        assert_eq!(lines(&ServerError::default(), Verbosity::Verbose), "");
    }

    #[test]
    fn a_bar_tells_what_is_known() {
        let tasks = |all| Some(crate::record::Tasks { completed: 3, all, ..crate::record::Tasks::default() });
        for (rows, tasks, told) in [
            (0, None, ""),
            (0, tasks(0), ""),
            (0, tasks(40), "3 of 40 tasks"),
            (1_234, None, "1,234 rows, 5.0 MB"),
            (1_234, tasks(40), "3 of 40 tasks, 1,234 rows, 5.0 MB"),
        ] {
            assert_eq!(how_far(&Progress { rows, bytes: 5_000_000, tasks }), told);
        }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(size(1_500), "1.5 kB");
        assert_eq!(seconds(Duration::from_millis(1_234)), "1.23 s");
        assert_eq!(seconds(Duration::from_secs(61)), "1 min 1 s");
    }
}
