//! `corr`: how two columns of numbers go together.

use schemars::JsonSchema;
use serde::Deserialize;

use super::pair::Pair;
use super::{Names, RowOrder, TransformKind, Work};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Relation, StatCorr};
use crate::shape::{Short, Shorthand};
use crate::text::{Span, Spanned};

/// Makes one row with the correlation of two columns of numbers, from -1 to 1. In short: `corr: [price, weight]`.
///
/// Rows in which either is NULL are left out, as SQL's `corr` does; Python's `df.corr` takes NULL for 0, which `fill_nulls: 0` before it
/// brings about. The result is NULL where there is none: fewer than two rows, or a column with one value alone.
///
/// ```yaml
/// version: 1
/// steps:
///   parcels:
///     values:
///       columns: { price: int, weight: int }
///       rows: [[1, 10], [2, 20], [3, 30], [4, null]]
///     transform:
///       - corr: [price, weight]
///     write: stdout
/// ```
///
/// ```text
/// corr
/// ----
///  1.0
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Corr(Short<CorrSettings>);

/// The settings of a correlation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct CorrSettings {
    /// The two columns, by their plain names.
    columns: Pair,
    /// Which correlation.
    #[serde(default)]
    #[schemars(extend("default" = "pearson"))]
    method: Method,
    /// The name of the result's column.
    #[serde(rename = "as")]
    #[schemars(extend("default" = "corr"))]
    name: Option<Spanned<String>>,
}

impl Shorthand for CorrSettings {
    const NAME: &'static str = "$pipectl::short:columns";
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// Pearson's: of a straight line. Engines have no other.
    #[default]
    Pearson,
}

impl TransformKind for Corr {
    fn check(&self, checking: &mut Checking<'_>) {
        self.0.0.columns.check(checking);
    }

    fn parts(&self) -> Vec<Span> {
        self.0.0.columns.spans()
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.0.columns.names()
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let settings = &self.0.0;
        let method = match settings.method {
            Method::Pearson => "pearson",
        };
        let name = settings.name.as_ref().map_or("corr", |name| name.value.as_str());
        settings.columns.lower(input, lowering, ("corr", name), |input, col1, col2| {
            relation::of(RelType::Corr(Box::new(StatCorr {
                input: Some(Box::new(input)),
                col1,
                col2,
                method: Some(method.to_owned()),
            })))
        })
    }
}
