//! Takes what is known to be secret out of what is told: text by text, before anything is made of it, so that neither a line nor a
//! JSON object breaks by it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{
    ActionRef, ActionResult, Cause, DiagnosticRecord, EngineError, ErrorRecord, Event, ExpectationResult,
    Notice, OutputRecord, Preparation, QueryContext, SkipReason, WarmProblem,
};
use crate::diagnostic::Diagnostic;
use crate::secret::scrubbed;

/// What may hold a secret in its texts. Numbers, times and the words of our own formats hold none.
pub(crate) trait Scrub {
    fn scrub(&mut self);

    fn scrubbed(mut self) -> Self
    where
        Self: Sized,
    {
        self.scrub();
        self
    }
}

impl Scrub for String {
    fn scrub(&mut self) {
        if let Cow::Owned(safe) = scrubbed(self) {
            *self = safe;
        }
    }
}

impl<T: Scrub> Scrub for Option<T> {
    fn scrub(&mut self) {
        self.iter_mut().for_each(Scrub::scrub);
    }
}

impl<T: Scrub> Scrub for Vec<T> {
    fn scrub(&mut self) {
        self.iter_mut().for_each(Scrub::scrub);
    }
}

impl<T: Scrub> Scrub for Box<T> {
    fn scrub(&mut self) {
        (**self).scrub();
    }
}

impl<V: Scrub> Scrub for BTreeMap<String, V> {
    fn scrub(&mut self) {
        *self =
            std::mem::take(self).into_iter().map(|(key, value)| (key.scrubbed(), value.scrubbed())).collect();
    }
}

/// Scrubs each of some places. The structs below are taken apart field by field, so that a new one is not forgotten.
fn all<const N: usize>(places: [&mut dyn Scrub; N]) {
    places.into_iter().for_each(Scrub::scrub);
}

impl Scrub for EngineError {
    fn scrub(&mut self) {
        let Self {
            error_class,
            sql_state,
            message,
            parameters,
            contexts,
            causes,
            is_internal: _,
            original,
            trace,
        } = self;
        all([error_class, sql_state, message, original]);
        all([parameters, contexts, causes, trace]);
    }
}

impl Scrub for QueryContext {
    fn scrub(&mut self) {
        let Self { fragment, start: _, stop: _, summary } = self;
        all([fragment, summary]);
    }
}

impl Scrub for Cause {
    fn scrub(&mut self) {
        let Self { error_class, message } = self;
        all([error_class, message]);
    }
}

impl Scrub for ErrorRecord {
    fn scrub(&mut self) {
        let Self { message, class: _, hints, is_locked: _, engine } = self;
        all([message, hints, engine]);
    }
}

impl Scrub for ActionRef {
    fn scrub(&mut self) {
        let Self { id: _, step, action: _ } = self;
        step.scrub();
    }
}

impl Scrub for ExpectationResult {
    fn scrub(&mut self) {
        let Self { action, expectation, violations: _, rows: _, on_fail: _ } = self;
        all([action, expectation]);
    }
}

impl Scrub for OutputRecord {
    fn scrub(&mut self) {
        let Self { kind: _, path, rows: _, bytes: _ } = self;
        path.scrub();
    }
}

impl Scrub for SkipReason {
    fn scrub(&mut self) {
        match self {
            Self::UpstreamFailed { step }
            | Self::ExpectationFailed { step }
            | Self::ExpectationNotEvaluated { step } => step.scrub(),
            Self::RunStopped => {}
        }
    }
}

impl Scrub for ActionResult {
    fn scrub(&mut self) {
        let Self { action, status: _, rows: _, outputs, skipped, error, attempts: _, seconds: _ } = self;
        all([action, outputs, skipped, error]);
    }
}

impl Scrub for Preparation {
    fn scrub(&mut self) {
        match self {
            Self::Waiting { what }
            | Self::Fetching { what }
            | Self::Unpacking { what }
            | Self::Compiling { what }
            | Self::Installed { what } => what.scrub(),
            Self::Sending { .. } => {}
        }
    }
}

impl Scrub for WarmProblem {
    fn scrub(&mut self) {
        match self {
            Self::Refused { reason } | Self::Broken { reason } => reason.scrub(),
            Self::Ended | Self::Unresponsive => {}
        }
    }
}

impl Scrub for Notice {
    fn scrub(&mut self) {
        match self {
            Self::Configuration { message } | Self::EngineWarning { message } => message.scrub(),
            Self::CompressionReplaced { setting, asked, used, engine } => all([setting, asked, used, engine]),
            Self::EngineIgnored { reason } => reason.scrub(),
            Self::WarmEngineUnused { engine, problem } => all([engine, problem]),
            Self::ServerSilent { server, reason, .. } => all([server, reason]),
            Self::ServerAnswers { server } => server.scrub(),
            Self::SessionNotEnded { reason, tag, session_id } => all([reason, tag, session_id]),
            Self::OperationNotStopped { step, reason, operation_id, tag } => {
                all([step, reason, operation_id, tag]);
            }
            Self::TimeoutWithoutEffect { step } | Self::RowsCut { step, .. } => step.scrub(),
            Self::NotMaterialized { step, reason } => all([step, reason]),
            Self::PartialPreview { step, last, .. } => all([step, last]),
            Self::OrderLost { engine, .. } => engine.scrub(),
        }
    }
}

impl Scrub for Event {
    fn scrub(&mut self) {
        match self {
            Self::TargetChosen { target } => target.scrub(),
            Self::PipelineRead { files } => files.scrub(),
            Self::Diagnostic(diagnostic) => diagnostic.scrub(),
            Self::Preparing(preparation) => preparation.scrub(),
            Self::DownloadProgress { what, .. } => what.scrub(),
            Self::EngineReady { engine, .. } => engine.scrub(),
            Self::RunStarted { pipeline, .. } => pipeline.scrub(),
            Self::ActionStarted(action) | Self::ActionProgress { action, .. } => action.scrub(),
            Self::ExpectationFailed(result) => result.scrub(),
            Self::ActionFinished(result) => result.scrub(),
            Self::Notice(notice) => notice.scrub(),
            Self::RunRestarted { reason } => reason.scrub(),
            Self::Failure(error) => error.scrub(),
            Self::DiagnosticsOmitted(_) | Self::CheckPassed { .. } | Self::RunFinished(_) => {}
        }
    }
}

impl Scrub for DiagnosticRecord {
    fn scrub(&mut self) {
        all([&mut self.message, &mut self.label, &mut self.notes, &mut self.help]);
        all([&mut self.class, &mut self.sql_state]);
        self.suggestions.retain(|edit| is_safe(&edit.replacement));
        self.related.iter_mut().for_each(|place| place.message.scrub());
    }
}

impl Scrub for Diagnostic {
    fn scrub(&mut self) {
        all([&mut self.message, &mut self.label, &mut self.notes, &mut self.help]);
        all([&mut self.class, &mut self.sql_state]);
        self.suggestions.retain(|suggestion| is_safe(&suggestion.replacement));
        self.related.iter_mut().for_each(|(_, label)| label.scrub());
    }
}

/// Whether a text has no secret. An edit without its secret would be another edit, so it is left out.
fn is_safe(text: &str) -> bool {
    matches!(scrubbed(text), Cow::Borrowed(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Class;
    use crate::record::{ActionKind, Status};
    use crate::secret::Secret;

    #[test]
    fn a_failure_is_recorded_without_secrets_and_with_its_form() {
        let secret = Secret::new("status-7f\"3a");
        let text = || format!("`{}` is wrong", secret.expose());
        let said = EngineError {
            error_class: Some("CAST_INVALID_INPUT".to_owned()),
            message: text(),
            original: Some(text()),
            parameters: BTreeMap::from([(text(), text())]),
            contexts: vec![QueryContext { fragment: text(), summary: text(), ..QueryContext::default() }],
            causes: vec![Cause { error_class: None, message: text() }],
            trace: vec![text()],
            ..EngineError::default()
        };
        let mut error = ErrorRecord::new(Class::Data, text()).hints([text()]);
        error.engine = Some(Box::new(said));
        let action = ActionRef { id: 1, step: text(), action: ActionKind::Write };
        let result = ActionResult { error: Some(error), ..ActionResult::new(action, Status::Failed, 0.0) };
        let told = serde_json::to_value(result.scrubbed()).unwrap();
        assert!(!told.to_string().contains("7f"), "{told:#}");
        assert_eq!(told["error"]["engine"]["parameters"], json!({ "`***` is wrong": "`***` is wrong" }));
        assert_eq!(
            (&told["status"], &told["error"]["engine"]["error_class"]),
            (&json!("failed"), &json!("CAST_INVALID_INPUT"))
        );
    }
}
