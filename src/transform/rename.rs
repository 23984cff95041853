//! `rename`: gives columns new names.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Checking, Lowering};
use crate::name::unqualified;
use crate::proto::spark::Relation;
use crate::proto::{expression, relation};
use crate::shape::Entries;
use crate::text::Spanned;

/// Gives columns new names: `old: new`. A column that does not exist is a mistake.
///
/// Columns keep their places, and rows their order. Names are plain, without a qualifier.
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
///   renamed:
///     from: people
///     transform:
///       - rename: { name: first_name }
///     write: stdout
/// ```
///
/// ```text
/// first_name |  age
/// -----------+-----
/// Ann        |   34
/// Bob        |   12
/// Cem        | NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minProperties" = 1, "additionalProperties" = { "title": "name", "type": "string", "minLength": 1 }))]
pub(crate) struct Rename(Entries<Spanned<String>>);

impl TransformKind for Rename {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the columns");
        for (old, new) in self.0.iter() {
            if let Some(plain) = unqualified(&old.value) {
                let message = format!("`{}` is not a plain column name", old.value);
                checking.report(
                    Diagnostic::new(Code::Settings, old.span, message)
                        .label("engines would rename nothing, and say nothing")
                        .help(format!("write `{plain}`"))
                        .instead(plain),
                );
            }
            if new.value.is_empty() {
                checking.report(Diagnostic::new(Code::BadName, new.span, "the new name is empty"));
            }
        }
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.iter().map(|(old, _)| old).collect()
    }

    /// Sail renames no column that is spelt otherwise, and says nothing.
    fn spelt_exactly(&self) -> bool {
        true
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        let both = self.0.iter().flat_map(|(old, new)| [old.value.as_str(), new.value.as_str()]);
        RowOrder::Changed(Some(both.collect()))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let (hidden, kept): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|(old, _)| lowering.masks.hides(old.span));
        let kept = kept.into_iter().map(|(old, new)| (old.value.clone(), new.value.clone()));
        let renamed = relation::renamed(input, kept);
        if hidden.is_empty() {
            return renamed;
        }
        // What a column would be called that is not there is not missed as well.
        let new =
            hidden.into_iter().map(|(_, new)| (new.value.clone(), expression::expression_string("NULL")));
        relation::with_columns(renamed, new)
    }
}
