//! `range`: numbers, one a row.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Kind;
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::{Short, Shorthand};
use crate::text::Spanned;

/// Makes numbers, one a row, in the column `id`. In short: `range: 100`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Range(Short<Settings>);

/// Makes numbers, one a row, in the column `id`. In short: `range: 100`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Settings {
    /// The first number.
    #[serde(default)]
    start: i64,
    /// The end, which is not one of them.
    end: i64,
    /// From one number to the next; negative to count down.
    step: Option<Spanned<i64>>,
    /// The number of partitions; the engine's default where not given.
    partitions: Option<i32>,
}

impl Shorthand for Settings {
    const NAME: &'static str = "$pipectl::short:end";
}

impl Kind for Range {
    fn check(&self, checking: &mut Checking<'_>) {
        if let Some(step) = self.0.0.step.as_ref().filter(|step| step.value == 0) {
            checking.report(Diagnostic::new(Code::Settings, step.span, "a range with the step 0 has no end"));
        }
    }

    fn lower(&self, _schema: Option<&str>, _lowering: &Lowering<'_>) -> Relation {
        let settings = &self.0.0;
        let step = settings.step.as_ref().map_or(1, |step| step.value);
        relation::range(settings.start, settings.end, step, settings.partitions)
    }
}
