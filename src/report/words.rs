//! Events in words, for people: what a record holds as data is English here alone.

use super::units::{count, number, seconds};
use crate::record::{
    DiagnosticCounts, ExpectationResult, Notice, OutputKind, OutputRecord, Preparation, RunSummary,
    SkipReason, WarmProblem,
};

/// What takes long before a run begins.
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

/// How many diagnostics of each code are not shown.
pub(crate) fn omitted(counts: &DiagnosticCounts) -> String {
    let counts = counts.counts.iter().map(|(code, omitted)| format!("{} more {code}", number(*omitted)));
    format!("… and {}; `--all-diagnostics` shows all of them", counts.collect::<Vec<_>>().join(", "))
}

/// Something that the user should know.
pub(crate) fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Configuration { message } => message.clone(),
        Notice::EngineWarning { message } => format!("the engine says of the session's settings: {message}"),
        Notice::CompressionReplaced { setting, asked, used, engine } => {
            format!(
                "`{setting}` is `{used}` and not `{asked}`, with which {engine} takes a hundred times as long"
            )
        }
        Notice::EngineIgnored { reason } => reason.clone(),
        Notice::WarmEngineUnused { engine, problem } => {
            let problem = match problem {
                WarmProblem::Ended => "has ended".to_owned(),
                WarmProblem::Refused { reason } => format!("is not used: {reason}"),
                WarmProblem::Unresponsive => "does not answer".to_owned(),
                WarmProblem::Broken { reason } => format!("does not answer as it should ({reason})"),
            };
            format!("the {engine} of `pipectl engine start` {problem}; this run starts its own")
        }
        Notice::ServerSilent { server, reason, retry_budget_seconds } => {
            format!(
                "{server} does not answer ({reason}); it is tried again for up to {retry_budget_seconds} s"
            )
        }
        Notice::ServerAnswers { server } => format!("{server} answers again"),
        Notice::SessionNotEnded { reason, tag, session_id } => format!(
            "the engine has not confirmed that this run's work there has ended: {reason}; look for operations with the tag `{tag}` \
             in the session `{session_id}` there, and stop them, or they end with that session"
        ),
        Notice::OperationNotStopped { step, reason, operation_id, tag } => format!(
            "the query of `{step}` may still be running at the engine: {reason}; look there for the operation {operation_id} with \
             the tag `{tag}`"
        ),
        Notice::TimeoutWithoutEffect { step } => format!(
            "the `timeout` of `{step}` has no effect: it is computed in the queries of the steps that read it; give them one"
        ),
        Notice::NotMaterialized { step, reason } => {
            format!(
                "the engine can't materialize steps ({reason}), so each consumer of `{step}` recomputes it"
            )
        }
        Notice::RowsCut { step, rows: 1 } => format!("{step}: only the first row is shown"),
        Notice::RowsCut { step, rows } => format!("{step}: only the first {rows} rows are shown"),
        Notice::PartialPreview { step, last: None, .. } => format!("{step}: the rows before its transforms"),
        Notice::PartialPreview { step, transforms, of, last: Some(last) } => {
            format!("{step}: the rows behind {transforms} of its {of} transforms, `{last}`")
        }
        Notice::OrderLost { engine, line } => format!(
            "{engine} loses the order of the `sort` in line {line} behind what comes after it: the rows stand in any order"
        ),
    }
}

/// Why an action was not started.
pub(super) fn skipped(reason: &SkipReason) -> String {
    match reason {
        SkipReason::UpstreamFailed { step } => format!("`{step}` did not succeed"),
        SkipReason::ExpectationFailed { step } => format!("`{step}` does not meet its expectations"),
        SkipReason::ExpectationNotEvaluated { step } => {
            format!("the expectations of `{step}` could not be evaluated")
        }
        SkipReason::RunStopped => "the run was stopped".to_owned(),
    }
}

/// What rows violate.
pub(super) fn violated(result: &ExpectationResult) -> String {
    format!("`{}` does not hold for {} of {} rows", result.expectation, result.violations, result.rows)
}

/// Why a run restarts.
pub(super) fn restarted(reason: &str) -> String {
    let reason = reason.trim_end_matches('.');
    format!("{reason}; nothing was changed yet, so the run restarts in a new session")
}

/// Where an output is.
pub(super) fn place(output: &OutputRecord) -> &str {
    match (output.kind, &output.path) {
        (OutputKind::File | OutputKind::Folder, Some(path)) => path,
        (OutputKind::Stdout, _) | (_, None) => "stdout",
    }
}

/// How a run came out.
pub(super) fn summary(summary: &RunSummary) -> String {
    let RunSummary { succeeded, failed, skipped, interrupted, outputs, .. } = *summary;
    let ends =
        [(succeeded, "succeeded"), (failed, "failed"), (skipped, "skipped"), (interrupted, "interrupted")];
    let mut parts: Vec<String> = Vec::new();
    for (number, how) in ends.into_iter().filter(|(number, _)| *number > 0) {
        let number = if parts.is_empty() { count(number, "step") } else { number.to_string() };
        parts.push(format!("{number} {how}"));
    }
    if parts.is_empty() {
        return format!("nothing to do in {}", seconds(summary.seconds));
    }
    if outputs > 0 {
        parts.push(format!("{} written", count(outputs, "output")));
    }
    format!("{} in {}", parts.join(", "), seconds(summary.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_steps_and_outputs() {
        let of = |succeeded, failed, skipped, outputs| RunSummary {
            succeeded,
            failed,
            skipped,
            outputs,
            seconds: 1.5,
            ..RunSummary::default()
        };
        assert_eq!(summary(&of(3, 0, 0, 1)), "3 steps succeeded, 1 output written in 1.50 s");
        assert_eq!(
            summary(&of(1, 1, 2, 2)),
            "1 step succeeded, 1 failed, 2 skipped, 2 outputs written in 1.50 s"
        );
        assert_eq!(summary(&of(0, 1, 0, 0)), "1 step failed in 1.50 s");
        assert_eq!(summary(&of(0, 0, 0, 0)), "nothing to do in 1.50 s");
    }
}
