//! Progress for people: a line for what has ended, and on a terminal a moving one for what runs.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::diagnostic::Colour;
use super::escape::escaped;
use super::{Verbosity, write_line};
use crate::expect::OnFail;
use crate::run::{Event, Label, Outcome, Output, Verdict};

/// How often a moving line moves.
const TICK: Duration = Duration::from_millis(120);

pub(super) struct Human {
    verbosity: Verbosity,
    colour: Colour,
    moving: Option<MultiProgress>,
    bars: HashMap<usize, ProgressBar>,
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
            told_failed: HashSet::new(),
        }
    }

    pub(super) fn tell(&mut self, event: &Event) {
        match event {
            Event::Preparing(what) => self.line("", Style::new(), what),
            Event::Target(target) => self.line("target", Style::new(), target),
            Event::EngineReady { engine, took } => {
                self.line("engine", Style::new(), &format!("{engine}, ready in {}", seconds(*took)));
            }
            Event::Checked { took } => {
                self.line("checked", Style::new(), &format!("by the engine in {}", seconds(*took)));
            }
            Event::Began { .. } => {}
            Event::Started(action) => self.started(action),
            Event::Rows { action, rows, bytes } => {
                self.moved(action, &format!("{}, {}", counted(*rows), size(*bytes)));
            }
            Event::Tasks { action, completed, all } => {
                self.moved(action, &format!("{completed} of {all} tasks"));
            }
            Event::Unmet { action, verdict } => self.unmet(action, verdict),
            Event::Note(text) => self.always("note", AnsiColor::Yellow.on_default(), text),
            Event::Ended { action, outcome, took } => self.ended(action, outcome, *took),
        }
    }

    pub(super) fn end(&mut self) {
        for (_, bar) in self.bars.drain() {
            bar.finish_and_clear();
        }
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
        self.bars.insert(action.id, bar);
    }

    fn moved(&self, action: &Label, message: &str) {
        if let Some(bar) = self.bars.get(&action.id) {
            bar.set_message(message.to_owned());
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
        if let Some(bar) = self.bars.remove(&action.id) {
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
                self.always("failed", AnsiColor::Red.on_default(), &format!("{what}: {}", failed.message));
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

/// Why a command failed, with what may help below it.
pub(super) fn failure(message: &str, hints: &[String], colour: Colour) -> String {
    let (red, plain) = match colour {
        Colour::Always => (AnsiColor::Red.on_default().bold(), Style::new()),
        Colour::Never => (Style::new(), Style::new()),
    };
    let hints: String = hints.iter().map(|hint| format!("\n{plain}  help: {}", escaped(hint))).collect();
    format!("{red}error{red:#}: {}{hints}", escaped(message))
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

fn size(bytes: u64) -> String {
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
