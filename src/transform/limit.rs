//! `limit`: keeps the first rows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Order, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::text::Spanned;

/// Keeps this many rows: the first ones after a `sort`, any without.
///
/// Which rows an engine takes without a `sort` may differ from run to run.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int }
///       rows:
///         - [Ann, 34]
///         - [Bob, 12]
///         - [Cem, null]
///   oldest:
///     from: people
///     transform:
///       - sort: [age DESC]
///       - limit: 1
///     write: stdout
/// ```
///
/// ```text
/// name | age
/// -----+----
/// Ann  |  34
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("maximum" = i32::MAX))]
pub(crate) struct Limit(Spanned<u64>);

impl Kind for Limit {
    fn check(&self, checking: &mut Checking<'_>) {
        if i32::try_from(self.0.value).is_err() {
            let message = format!("engines take limits up to {}", i32::MAX);
            checking.report(Diagnostic::new(Code::Settings, self.0.span, message));
        }
    }

    fn order(&self) -> Order<'_> {
        Order::Decisive
    }

    fn work(&self) -> Work {
        Work::Undetermined
    }

    fn lower(&self, input: Relation, _lowering: &Lowering<'_>) -> Relation {
        relation::limit(input, i32::try_from(self.0.value).unwrap_or(i32::MAX))
    }
}
