//! `alias`: gives the rows a name by which their columns are qualified.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Checking, Lowering};
use crate::name::{NAME_PATTERN, is_name};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::text::Spanned;

/// Gives the rows a name, by which expressions call their columns from here on: `alias: o`, then `o.id`.
///
/// It replaces the names that columns had: those of the step they come `from`, and those of earlier joins. After a `select` or an
/// `aggregate` columns have no qualifier, but a later `join` still calls its left side so.
///
/// ```yaml
/// version: 1
/// steps:
///   employees:
///     values: { columns: { id: int, name: string, boss: int }, rows: [[1, Ann, null], [2, Bob, 1]] }
///   bosses:
///     from: employees
///     transform:
///       - alias: e
///       - join: { with: employees, as: b, on: e.boss = b.id }
///       - select: [e.name, b.name AS boss]
///     write: stdout
/// ```
///
/// ```text
/// name | boss
/// -----+-----
/// Bob  | Ann
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("pattern" = NAME_PATTERN))]
pub(crate) struct Alias(Spanned<String>);

impl TransformKind for Alias {
    fn check(&self, checking: &mut Checking<'_>) {
        if !is_name(&self.0.value) {
            let message = format!("`{}` can't name rows: use letters, digits and `_`", self.0.value);
            checking.report(Diagnostic::new(Code::BadName, self.0.span, message));
        }
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Renamed
    }

    fn names(&self) -> Names<'_> {
        Names::Called(&self.0.value)
    }

    fn lower(&self, input: Relation, _lowering: &Lowering<'_>) -> Relation {
        relation::subquery_alias(input, self.0.value.as_str())
    }
}
