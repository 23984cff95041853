//! `sql`: a query over the rows so far.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Template, check_query};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::Relation;

/// Puts a query over the rows so far, which it calls `input`: `sql: SELECT … FROM input`.
///
/// They are called by the step they come `from`, too. Other names after `FROM` or `JOIN` are tables of the catalog; another step's rows are
/// brought by `join`, or by a step that begins with `sql`. Variables are bound as arguments of the query, whatever their type. The query
/// is one statement in the engine's own SQL: Sail has no `QUALIFY`, `GROUP BY ALL`, recursive `WITH` and `|>`. After it no column has a
/// qualifier, and rows are in the order that the query itself makes.
///
/// ```yaml
/// version: 1
/// vars:
///   least: 2
/// steps:
///   sales:
///     values:
///       columns: { town: string, price: int }
///       rows: [[Ulm, 5], [Jena, 7], [Ulm, 8]]
///     transform:
///       - with_columns: { gross: price * 2 }
///       - sql: |
///           SELECT town, sum(gross) AS gross
///           FROM input
///           GROUP BY town
///           HAVING count(*) >= ${least}
///     write: stdout
/// ```
///
/// ```text
/// town | gross
/// -----+------
/// Ulm  |    26
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Sql(Template);

impl TransformKind for Sql {
    fn check(&self, checking: &mut Checking<'_>) {
        if self.0.is_blank() {
            checking.report(Diagnostic::new(Code::Expression, self.0.span(), "the query is empty"));
        } else {
            check_query(&self.0, checking.found);
        }
    }

    fn query(&self) -> Option<&Template> {
        Some(&self.0)
    }

    fn may_repeat_columns(&self) -> bool {
        true
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

    /// Its input has a name, and is no part of it.
    fn lower(&self, _input: Relation, lowering: &Lowering<'_>) -> Relation {
        lowering.query(&self.0)
    }
}
