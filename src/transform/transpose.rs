//! `transpose`: makes rows of columns and columns of rows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind, Work};
use crate::dialect::{Dialect, Implementation};
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::Relation;
use crate::proto::spark::relation::RelType;
use crate::proto::{expression, relation};
use crate::shape::{Short, Shorthand};
use crate::text::Spanned;

/// Makes rows of columns and columns of rows, for small tables. In short: `transpose: name`.
///
/// Each value of the index column becomes a column of that name, in the order of the values; each other column becomes a row, with its name
/// in the column `key`. The types of the other columns must go together. The engine reads the rows while it analyses, since they are the
/// columns then: it takes 500 at most, unless `conf` says otherwise with `spark.sql.transposeMaxValues`. Rows with NULL in the index column
/// are left out. Sail has no `transpose`.
///
/// ```yaml
/// # engines: spark
/// version: 1
/// steps:
///   sales:
///     values:
///       columns: { town: string, y2025: int, y2026: int }
///       rows:
///         - [Ulm, 5, 7]
///         - [Jena, null, 1]
///     transform:
///       - transpose: town
///       - sort: [key]
///     write: stdout
/// ```
///
/// ```text
/// key   | Jena | Ulm
/// ------+------+----
/// y2025 | NULL |   5
/// y2026 |    1 |   7
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Transpose(Short<TransposeSettings>);

/// The settings of a transposition.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct TransposeSettings {
    /// The column whose values become the names of the columns; the first one where not given.
    index: Option<Spanned<String>>,
}

impl Shorthand for TransposeSettings {
    const NAME: &'static str = "$pipectl::short:index";
}

impl TransformKind for Transpose {
    fn check(&self, _checking: &mut Checking<'_>) {}

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        match dialect.implementation() {
            Implementation::Sail => Some(format!(
                "{dialect} has no `transpose`; Spark has it, and `unpivot` with a `pivot` behind it means the same on both"
            )),
            Implementation::Spark => None,
        }
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.0.index.iter().collect()
    }

    fn columns_come_from_rows(&self) -> bool {
        true
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let index = self.0.0.index.iter().filter(|index| !lowering.masks.hides(index.span));
        let index_columns = index.map(|index| expression::attribute(quoted(&index.value))).collect();
        let input = Some(Box::new(input));
        relation::of(RelType::Transpose(Box::new(crate::proto::spark::Transpose { input, index_columns })))
    }
}
