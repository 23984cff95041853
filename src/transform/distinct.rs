//! `distinct`: keeps one of equal rows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RowOrder, TransformKind, Work};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;

/// Keeps one of rows that are equal in all columns. It has no settings: `- distinct`.
///
/// For this NULL equals NULL. Rows come in no order.
///
/// ```yaml
/// version: 1
/// steps:
///   towns:
///     values:
///       columns: { town: string }
///       rows: [[Ulm], [null], [Ulm], [null]]
///     transform:
///       - distinct
///       - sort: [town]
///     write: stdout
/// ```
///
/// ```text
/// town
/// ----
/// NULL
/// Ulm
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Distinct {}

impl TransformKind for Distinct {
    fn check(&self, _checking: &mut Checking<'_>) {}

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn lower(&self, input: Relation, _lowering: &Lowering<'_>) -> Relation {
        relation::deduplicate(input, Vec::new())
    }
}
