//! Takes what is known to be secret out of what is told: text by text, before anything is made of it, so that neither a line nor a
//! JSON object breaks by it.

use std::collections::BTreeMap;

use crate::connect::{Cause, QueryContext, ServerError};
use crate::diagnostic::Diagnostic;
use crate::record::{Event, Failed, Label, Outcome, Output, Verdict};
use crate::secret::scrubbed;

/// What may hold a secret in its texts. Numbers, times and the words of our own formats hold none.
pub(super) trait Scrub {
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
        if let std::borrow::Cow::Owned(safe) = scrubbed(self) {
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

/// Scrubs each of some places.
fn all<const N: usize>(places: [&mut dyn Scrub; N]) {
    places.into_iter().for_each(Scrub::scrub);
}

impl Scrub for ServerError {
    fn scrub(&mut self) {
        all([&mut self.class, &mut self.sql_state, &mut self.message, &mut self.original]);
        all([
            &mut self.parameters,
            &mut self.contexts,
            &mut self.hierarchy,
            &mut self.causes,
            &mut self.trace,
        ]);
    }
}

impl Scrub for QueryContext {
    fn scrub(&mut self) {
        all([&mut self.fragment, &mut self.summary]);
    }
}

impl Scrub for Cause {
    fn scrub(&mut self) {
        all([&mut self.class, &mut self.message]);
    }
}

impl Scrub for Label {
    fn scrub(&mut self) {
        self.step.scrub();
    }
}

impl Scrub for Verdict {
    fn scrub(&mut self) {
        self.expected.scrub();
    }
}

impl Scrub for Output {
    fn scrub(&mut self) {
        self.place.scrub();
    }
}

impl Scrub for Failed {
    fn scrub(&mut self) {
        all([&mut self.message, &mut self.said, &mut self.hint]);
    }
}

impl Scrub for Outcome {
    fn scrub(&mut self) {
        match self {
            Self::Succeeded { outputs, .. } => outputs.scrub(),
            Self::Failed(failed) => failed.scrub(),
            Self::Skipped { because } => because.scrub(),
            Self::Interrupted => {}
        }
    }
}

impl Scrub for Event {
    fn scrub(&mut self) {
        match self {
            Self::Fetched { what: text, .. }
            | Self::Target(text)
            | Self::EngineReady { engine: text, .. }
            | Self::Began { pipeline: text, .. }
            | Self::Note(text)
            | Self::Again { reason: text } => text.scrub(),
            // Paths are scrubbed where they are written.
            Self::Checked { .. } | Self::Read(_) | Self::Preparing(_) => {}
            Self::Started(action) | Self::Rows { action, .. } | Self::Tasks { action, .. } => action.scrub(),
            Self::Unmet { action, verdict } => all([action, verdict]),
            Self::Ended { action, outcome, .. } => all([action, outcome]),
        }
    }
}

impl Scrub for Diagnostic {
    fn scrub(&mut self) {
        all([&mut self.message, &mut self.label, &mut self.help, &mut self.class, &mut self.sql_state]);
        self.related.iter_mut().for_each(|(_, label)| label.scrub());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::json::{Depth, outcome_value};
    use crate::secret::Secret;

    #[test]
    fn a_failure_is_told_without_secrets_and_with_its_form() {
        let secret = Secret::new("status-7f\"3a");
        let text = || format!("`{}` is wrong", secret.expose());
        let said = ServerError {
            class: Some("CAST_INVALID_INPUT".to_owned()),
            message: text(),
            original: Some(text()),
            parameters: BTreeMap::from([(text(), text())]),
            contexts: vec![QueryContext { fragment: text(), summary: text(), range: None }],
            causes: vec![Cause { class: None, message: text() }],
            trace: vec![text()],
            ..ServerError::default()
        };
        let failed =
            Failed { message: text(), said: Some(Box::new(said)), hint: Some(text()), engine_lost: false };
        let told = outcome_value(&Outcome::Failed(failed).scrubbed(), Depth::Full);
        assert!(!told.to_string().contains("7f"), "{told:#}");
        assert_eq!(told["error"]["parameters"], json!({ "`***` is wrong": "`***` is wrong" }));
        assert_eq!(
            (&told["status"], &told["error"]["class"]),
            (&json!("error"), &json!("CAST_INVALID_INPUT"))
        );
    }
}
