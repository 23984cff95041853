//! An engine's error in lines, below its message: short, until more is asked for.

use super::format::Verbosity;
use crate::record::{Cause, EngineError};

/// Calls of an engine's trace that are shown.
const SHOWN_CALLS: usize = 30;
/// Characters of a fragment, and of the engine's own text, that are shown.
const LONGEST_FRAGMENT: usize = 120;
const LONGEST_ORIGINAL: usize = 2_000;

/// What there is to an engine's error besides its message, a line each.
pub(super) fn details(said: &EngineError, verbosity: Verbosity) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fragments: Vec<String> = said.contexts.iter().map(|it| one_line(&it.fragment)).collect();
    fragments.retain(|fragment| !fragment.is_empty() && !said.message.contains(&format!("`{fragment}`")));
    fragments.dedup();
    lines.extend(fragments.iter().map(|fragment| format!("in: {}", cut(fragment, LONGEST_FRAGMENT))));
    // What only says that a file could not be read, or that a task has failed, has its reason in what caused it.
    let is_wrapping = said.error_class.as_deref().is_none_or(|class| class.starts_with("FAILED_READ_FILE"));
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
    match &cause.error_class {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::QueryContext;

    fn lines(said: &EngineError, verbosity: Verbosity) -> String {
        details(said, verbosity).join("\n")
    }

    #[test]
    fn an_engines_error_is_short_until_more_is_asked_for() {
        let cause = |class: &str, message: &str| Cause {
            error_class: Some(class.to_owned()),
            message: message.to_owned(),
        };
        let context =
            |fragment: &str| QueryContext { fragment: fragment.to_owned(), ..QueryContext::default() };
        let said = EngineError {
            error_class: Some("FAILED_READ_FILE.NO_HINT".to_owned()),
            sql_state: Some("KD001".to_owned()),
            message: "Error while reading `a.csv`.".to_owned(),
            original: Some("[FAILED_READ_FILE.NO_HINT] Error\n== SQL ==".to_owned()),
            contexts: vec![context("sum(x /\n    y)"), context("sum(x / y)"), context("a.csv"), context("")],
            causes: vec![cause("java.io.IOException", "bad"), cause("MALFORMED", "3 is no row")],
            trace: (0..40).map(|line| format!("a.b.c(D.java:{line})")).collect(),
            is_internal: true,
            ..EngineError::default()
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
        assert_eq!(lines(&EngineError::default(), Verbosity::Verbose), "");
    }
}
