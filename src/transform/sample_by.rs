//! `sample_by`: keeps rows by chance, of each value another share.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::pairs::{Pair, Pairs};
use super::sample::check_share;
use super::{TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Constant, Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::proto::expression::expression_string;
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::text::Spanned;

/// Keeps, by chance, another share of the rows for each value of a column: a stratified sample.
///
/// Rows with a value that is not named are left out, unless `others` says otherwise; NULL is a value too. With a `seed` an engine takes the
/// same rows again as long as they come to it in the same way; another engine takes others.
///
/// `fractions` holds values, and no expressions: what stands in quotes is a text, `1` a number, `2026-01-31` a date. Where the value is a
/// variable, which can't be a key, write a list: `- { value: "${town}", fraction: 0.5 }`.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, town: string }
///       rows:
///         - [Ann, Ulm]
///         - [Bob, Ulm]
///         - [Cem, Bonn]
///         - [Dan, null]
///     transform:
///       - sample_by: { by: town, fractions: { Ulm: 1, Bonn: 0 }, others: 1, seed: 7 }
///       - sort: [name]
///     write: stdout
/// ```
///
/// ```text
/// name | town
/// -----+-----
/// Ann  | Ulm
/// Bob  | Ulm
/// Dan  | NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct SampleBy {
    /// The column, or an expression, whose values have shares of their own.
    by: Expr,
    /// The share of rows to keep for each value: `value: share`, from 0 to 1.
    fractions: Spanned<Pairs<Fraction>>,
    /// The share of all other rows.
    #[schemars(extend("minimum" = 0, "maximum" = 1, "default" = 0))]
    others: Option<Spanned<f64>>,
    /// A whole number that decides which rows are kept.
    seed: Option<Spanned<i64>>,
}

/// A value and its share.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Fraction {
    /// The value; `null` for rows without one.
    #[serde(deserialize_with = "Option::deserialize")]
    value: Option<Constant>,
    /// The share of its rows.
    #[schemars(extend("minimum" = 0, "maximum" = 1))]
    fraction: Spanned<f64>,
}

impl Pair for Fraction {
    type Key = Constant;
    type Value = Spanned<f64>;
    const WRITTEN: &'static str = "a mapping, `value: share`, or a list of `{ value, fraction }`";

    fn new(key: Constant, value: Spanned<f64>) -> Self {
        Self { value: Some(key), fraction: value }
    }
}

impl TransformKind for SampleBy {
    fn check(&self, checking: &mut Checking<'_>) {
        self.by.check(Role::Value, checking.found);
        let fractions = &self.fractions.value.0;
        checking.not_empty(fractions.is_empty(), "the shares");
        for Fraction { value, fraction } in fractions {
            if let Some(value) = value {
                value.check(checking.bindings, checking.found);
            }
            check_share(fraction, checking);
        }
        let mut seen = HashSet::new();
        for Fraction { value, fraction } in fractions {
            let sql = value.as_ref().map_or("NULL".to_owned(), |it| it.sql(checking.bindings));
            if !seen.insert(sql) {
                let span = value.as_ref().map_or(fraction.span, Constant::span);
                let message = "this value has a share already";
                checking.found.push(Diagnostic::new(Code::Settings, span, message));
            }
        }
        if let Some(others) = &self.others {
            check_share(others, checking);
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        vec![&self.by]
    }

    fn work(&self) -> Work {
        Work::Undetermined
    }

    /// As a filter, which takes the same rows as the engines' own relation does: that one finds no NULL on Sail, and no date and no
    /// decimal on Spark.
    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let by = lowering.sql(&self.by);
        let share = |share: &Spanned<f64>| format!("{:?}D", share.value);
        let cases = self.fractions.value.0.iter().map(|Fraction { value, fraction }| {
            let value = value.as_ref().map_or("NULL".to_owned(), |it| it.sql(lowering.bindings));
            format!(" WHEN ({by}\n) <=> {value} THEN {}", share(fraction))
        });
        let cases: String = cases.collect();
        let others = self.others.as_ref().map_or("0.0D".to_owned(), share);
        let seed = self.seed.as_ref().map(|seed| seed.value.to_string()).unwrap_or_default();
        relation::filter(input, expression_string(format!("rand({seed}) < CASE{cases} ELSE {others} END")))
    }
}
