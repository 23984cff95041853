//! `sample`: keeps rows by chance.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic, Suggestion};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::{Relation, Sample as Message};
use crate::shape::{Short, Shorthand};
use crate::text::Spanned;

/// Keeps a share of the rows, by chance. In short: `sample: 0.1`.
///
/// Each row is kept or not for itself, so a tenth of 1000 rows is about 100. With a `seed` an engine takes the same rows again as long as
/// they come to it in the same way; another engine takes others. Without one it takes other rows in each run.
///
/// With `from` and `to` instead of `fraction`, rows are split: parts of the same rows with the same `seed` that do not overlap have no
/// row in common, and together all of them.
///
/// ```yaml
/// version: 1
/// steps:
///   numbers:
///     range: 1000
///   training:
///     from: numbers
///     transform:
///       - sample: { from: 0, to: 0.8, seed: 7 }
///   test:
///     from: numbers
///     transform:
///       - sample: { from: 0.8, to: 1, seed: 7 }
///   both:
///     from: training
///     transform:
///       - union: test
///       - aggregate: { columns: { rows: count(*), different: count(DISTINCT id) } }
///     write: stdout
/// ```
///
/// ```text
/// rows | different
/// -----+----------
/// 1000 |      1000
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Sample(Short<SampleSettings>);

/// The settings of a sample.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(extend("oneOf" = [
    { "required": ["fraction"] },
    { "required": ["from", "seed"] },
    { "required": ["to", "seed"], "not": { "required": ["from"] } },
]))]
struct SampleSettings {
    /// The share of rows to keep, from 0 to 1; with replacement how often each is expected, which may be more.
    #[schemars(extend("minimum" = 0))]
    fraction: Option<Spanned<f64>>,
    /// Where a part of a split begins, from 0 to 1.
    #[schemars(extend("minimum" = 0, "maximum" = 1, "default" = 0))]
    from: Option<Spanned<f64>>,
    /// Where a part of a split ends, from 0 to 1.
    #[schemars(extend("minimum" = 0, "maximum" = 1, "default" = 1))]
    to: Option<Spanned<f64>>,
    /// A whole number that decides which rows are kept.
    seed: Option<Spanned<i64>>,
    /// Whether a row may be taken several times.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    with_replacement: bool,
}

impl Shorthand for SampleSettings {
    const NAME: &'static str = "$pipectl::short:fraction";
}

/// Reports a number that is no share of rows.
pub(super) fn check_share(share: &Spanned<f64>, checking: &mut Checking<'_>) {
    if (0.0..=1.0).contains(&share.value) {
        return;
    }
    let diagnostic = Diagnostic::new(Code::Settings, share.span, "a share of rows is from 0 to 1");
    let is_percent = (2.0..=100.0).contains(&share.value);
    checking.report(if is_percent {
        let part = share.value / 100.0;
        diagnostic
            .help(format!("for {} percent write `{part}`", share.value))
            .suggestion(Suggestion::maybe_incorrect(share.span, part.to_string()))
    } else {
        diagnostic
    });
}

impl SampleSettings {
    /// Reports what is wrong with a part of a split.
    fn check_part(&self, checking: &mut Checking<'_>) {
        let Some(first) = self.from.as_ref().or(self.to.as_ref()) else { return };
        let key = if self.from.is_some() { "from" } else { "to" };
        if self.fraction.is_some() {
            let message = "`fraction` and a part of a split exclude each other";
            let diagnostic =
                checking.setting(key, message).related(checking.key("fraction"), "the other one");
            checking.report(diagnostic.help("keep `fraction`, or `from` and `to`"));
            return;
        }
        let ends = [&self.from, &self.to];
        ends.into_iter().flatten().for_each(|end| check_share(end, checking));
        if self.with_replacement {
            let diagnostic = checking.needless("with_replacement", "a part of a split has no row twice");
            checking.report(diagnostic.help("remove `with_replacement`"));
        }
        if self.seed.is_none() {
            let message = "a part of a split needs a `seed`: without one the parts would overlap";
            checking.report(checking.setting(key, message).help("write the same `seed` in each part"));
        }
        let (from, to) = self.bounds();
        if from >= to {
            let end = self.to.as_ref().unwrap_or(first);
            let message = format!("nothing lies between {from} and {to}");
            checking.report(Diagnostic::new(Code::Settings, end.span, message));
        }
    }

    fn bounds(&self) -> (f64, f64) {
        let value = |end: &Option<Spanned<f64>>| end.as_ref().map(|end| end.value);
        match value(&self.fraction) {
            Some(fraction) => (0.0, fraction),
            None => (value(&self.from).unwrap_or(0.0), value(&self.to).unwrap_or(1.0)),
        }
    }
}

impl TransformKind for Sample {
    fn check(&self, checking: &mut Checking<'_>) {
        let settings = &self.0.0;
        settings.check_part(checking);
        match &settings.fraction {
            Some(fraction)
                if settings.with_replacement && (!fraction.value.is_finite() || fraction.value < 0.0) =>
            {
                let message = "how often a row is expected is 0 or more";
                checking.report(Diagnostic::new(Code::Settings, fraction.span, message));
            }
            Some(_) if settings.with_replacement => {}
            Some(fraction) if fraction.value > 1.0 && fraction.value < 2.0 => {
                let message = "a share of rows is from 0 to 1";
                checking.report(
                    Diagnostic::new(Code::Settings, fraction.span, message)
                        .help("to take rows several times write `with_replacement: true`"),
                );
            }
            Some(fraction) => check_share(fraction, checking),
            None if settings.from.is_none() && settings.to.is_none() => checking.report(
                Diagnostic::new(Code::MissingKey, checking.item, "the key `fraction` is missing")
                    .help("write a share of rows, `sample: 0.1`, or a part of a split, `from` and `to`"),
            ),
            None => {}
        }
    }

    fn work(&self) -> Work {
        Work::Undetermined
    }

    fn lower(&self, input: Relation, _lowering: &Lowering<'_>) -> Relation {
        let settings = &self.0.0;
        let (lower_bound, upper_bound) = settings.bounds();
        let sample = Message {
            lower_bound,
            upper_bound,
            with_replacement: Some(settings.with_replacement),
            seed: settings.seed.as_ref().map(|seed| seed.value),
            // Parts of a split must see rows in the same order.
            deterministic_order: settings.fraction.is_none(),
            ..Message::default()
        };
        relation::sample(input, sample)
    }
}
