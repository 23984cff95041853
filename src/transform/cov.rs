//! `cov`: how two columns of numbers vary together.

use schemars::JsonSchema;
use serde::Deserialize;

use super::pair::Pair;
use super::{Names, RowOrder, TransformKind, Work};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Relation, StatCov};
use crate::shape::{Short, Shorthand};
use crate::text::{Span, Spanned};

/// Makes one row with the covariance of two columns of numbers, that of a sample. In short: `cov: [price, weight]`.
///
/// Rows in which either is NULL are left out, as SQL's `covar_samp` does; Python's `df.cov` takes NULL for 0, which `fill_nulls: 0` before
/// it brings about. The result is NULL where there are fewer than two rows. That of a whole population is `covar_pop` in an `aggregate`.
///
/// ```yaml
/// version: 1
/// steps:
///   parcels:
///     values:
///       columns: { price: int, weight: int }
///       rows: [[1, 10], [2, 20], [3, 30], [4, null]]
///     transform:
///       - cov: [price, weight]
///     write: stdout
/// ```
///
/// ```text
///  cov
/// ----
/// 10.0
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Cov(Short<CovSettings>);

/// The settings of a covariance.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct CovSettings {
    /// The two columns, by their plain names.
    columns: Pair,
    /// The name of the result's column.
    #[serde(rename = "as")]
    #[schemars(extend("default" = "cov"))]
    name: Option<Spanned<String>>,
}

impl Shorthand for CovSettings {
    const NAME: &'static str = "$pipectl::short:columns";
}

impl TransformKind for Cov {
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
        let name = settings.name.as_ref().map_or("cov", |name| name.value.as_str());
        settings.columns.lower(input, lowering, ("cov", name), |input, col1, col2| {
            relation::of(RelType::Cov(Box::new(StatCov { input: Some(Box::new(input)), col1, col2 })))
        })
    }
}
