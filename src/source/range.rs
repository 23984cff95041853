//! `range`: numbers, one a row.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SourceKind;
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::{Short, Shorthand};
use crate::text::Spanned;

/// Makes numbers, one a row, in the column `id`. In short: `range: 100`.
///
/// They begin with 0 where `start` is not given. Where there are none between `start` and `end` there are no rows.
///
/// ```yaml
/// version: 1
/// steps:
///   countdown:
///     range: { start: 6, end: 0, step: -2 }
///     write: stdout
/// ```
///
/// ```text
/// id
/// --
///  6
///  4
///  2
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Range(Short<RangeSettings>);

/// The settings of a range.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct RangeSettings {
    /// The first number.
    #[serde(default)]
    start: i64,
    /// The end, which is not one of them.
    end: i64,
    /// From one number to the next; negative to count down.
    #[schemars(extend("default" = 1, "not" = { "const": 0 }))]
    step: Option<Spanned<i64>>,
    /// The number of partitions; the engine's default where not given.
    #[schemars(extend("minimum" = 1))]
    partitions: Option<i32>,
}

impl Shorthand for RangeSettings {
    const NAME: &'static str = "$pipectl::short:end";
}

impl SourceKind for Range {
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
