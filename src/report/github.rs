//! Annotations of GitHub Actions: workflow commands, which show a message beside the line that it is about.
//!
//! The commands stand among the lines for people; GitHub takes them out of the log of a job.

use std::collections::HashSet;

use super::words;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expect::OnFail;
use crate::record::{ErrorRecord, Event, Status};
use crate::text::Sources;

/// One diagnostic at its place; what helps is part of the message.
pub(super) fn diagnostic(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let source = sources.get(diagnostic.span.file);
    let (start, end) = (source.position(diagnostic.span.start), source.position(diagnostic.span.end));
    let level = match diagnostic.code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut place = vec![
        ("file", source.path().display().to_string()),
        ("line", start.line.to_string()),
        ("endLine", end.line.to_string()),
    ];
    // Columns count within one line, and the end's is one behind the last.
    if start.line == end.line {
        place.push(("col", start.column.to_string()));
        place.push(("endColumn", end.column.max(start.column).to_string()));
    }
    place.push(("title", format!("pipectl {}", diagnostic.code.as_str())));
    let notes = diagnostic.notes.iter().map(|note| format!("\nnote: {note}"));
    let help = diagnostic.help.iter().map(|help| format!("\nhelp: {help}"));
    command(level, &place, &(diagnostic.message.clone() + &notes.chain(help).collect::<String>()))
}

/// What is worth knowing of all of them.
pub(super) fn notice(message: &str) -> String {
    command("notice", &[("title", "pipectl".to_owned())], message)
}

/// A failure that has no place in a file.
pub(super) fn failure(error: &ErrorRecord) -> String {
    let hints: String = error.hints.iter().map(|hint| format!("\nhelp: {hint}")).collect();
    command("error", &[("title", "pipectl".to_owned())], &format!("{}{hints}", error.message))
}

/// Tells what happens in a run and somebody should see.
#[derive(Default)]
pub(super) struct Annotations {
    /// Actions whose failure was told by its reason.
    told: HashSet<usize>,
}

impl Annotations {
    pub(super) fn event(&mut self, event: &Event) -> Option<String> {
        let (level, action, message) = match event {
            Event::ActionFinished(result)
                if result.status == Status::Failed && !self.told.contains(&result.action.id) =>
            {
                ("error", &result.action, result.error.as_ref()?.message.clone())
            }
            Event::ExpectationFailed(result) if result.on_fail == OnFail::Fail => {
                self.told.insert(result.action.id);
                ("error", &result.action, words::violated(result))
            }
            Event::ExpectationFailed(result) => ("warning", &result.action, words::violated(result)),
            _ => return None,
        };
        Some(command(level, &[("title", format!("pipectl {}", action.step))], &message))
    }
}

fn command(level: &str, properties: &[(&str, String)], message: &str) -> String {
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    format!("::{level} {}::{}", properties.join(","), data(message))
}

/// Text as a command takes it: on one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same where a comma and a colon end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::text::{Source, Span};

    #[test]
    fn a_mistake_is_one_command() {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("a,b:c.yaml", "version: 1\nstpes:\n  a: 100%\n"));
        let wrong = |start, end| {
            Diagnostic::new(Code::UnknownKey, Span { file, start, end }, "100% wrong::\n")
                .help("see, `steps`")
        };
        assert_eq!(
            diagnostic(&sources, &wrong(11, 16)),
            "::error file=a%2Cb%3Ac.yaml,line=2,endLine=2,col=1,endColumn=6,title=pipectl E003::100%25 wrong::%0A%0Ahelp: see, `steps`"
        );
        assert_eq!(
            diagnostic(&sources, &wrong(11, 24)),
            "::error file=a%2Cb%3Ac.yaml,line=2,endLine=3,title=pipectl E003::100%25 wrong::%0A%0Ahelp: see, `steps`"
        );
    }
}
