//! `unpivot`: makes rows of columns.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Implementation;
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Expression, Relation, unpivot};
use crate::proto::{expression, relation};
use crate::shape::Many;
use crate::text::Spanned;

/// Makes rows of columns: one for each row and column, with the column's name and its value.
///
/// The columns of `ids` stay, and stand in each of these rows; the others become rows, or are left out where `columns` names some. A NULL
/// becomes a row too: `filter: value IS NOT NULL` takes it away. The values come into one column, so their types must go together; `cast`
/// them before where they don't. Rows come in no order.
///
/// ```yaml
/// version: 1
/// steps:
///   sales:
///     values:
///       columns: { town: string, y2025: int, y2026: int }
///       rows:
///         - [Ulm, 5, 7]
///         - [Jena, null, 1]
///     transform:
///       - unpivot: { ids: [town], variable_name: year, value_name: sales }
///       - sort: [town, year]
///     write: stdout
/// ```
///
/// ```text
/// town | year  | sales
/// -----+-------+------
/// Jena | y2025 |  NULL
/// Jena | y2026 |     1
/// Ulm  | y2025 |     5
/// Ulm  | y2026 |     7
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Unpivot {
    /// The columns that stay; none where not given.
    ids: Option<Many<Spanned<String>>>,
    /// The columns that become rows; all but `ids` where not given.
    #[schemars(extend("minItems" = 1))]
    columns: Option<Many<Spanned<String>>>,
    /// The name of the column with the columns' names.
    #[schemars(extend("default" = "variable", "minLength" = 1))]
    variable_name: Option<Spanned<String>>,
    /// The name of the column with their values.
    #[schemars(extend("default" = "value", "minLength" = 1))]
    value_name: Option<Spanned<String>>,
}

/// A column that no row has, and that is gone again.
const NONE: &str = "pipectl__none";

impl Unpivot {
    fn ids(&self) -> &[Spanned<String>] {
        self.ids.as_deref().unwrap_or_default()
    }

    fn all(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.ids().iter().chain(self.columns.iter().flat_map(|columns| columns.iter()))
    }

    fn variable_name(&self) -> &str {
        self.variable_name.as_ref().map_or("variable", |name| &name.value)
    }

    fn value_name(&self) -> &str {
        self.value_name.as_ref().map_or("value", |name| &name.value)
    }
}

fn kept(columns: &[Spanned<String>], lowering: &Lowering<'_>) -> Vec<Expression> {
    let kept = columns.iter().filter(|column| !lowering.masks.hides(column.span));
    kept.map(|column| expression::attribute(quoted(&column.value))).collect()
}

/// The same rows in columns that may all be NULL. Sail fails where some of the columns that become one may be NULL and others may not.
fn nullable(input: Relation) -> Relation {
    let none = relation::empty(format!("{NONE} STRING"));
    relation::drop(relation::union_or_null(input, none), vec![NONE.to_owned()])
}

impl TransformKind for Unpivot {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.columns.as_ref().is_some_and(|columns| columns.is_empty()), "the columns");
        for name in self.variable_name.iter().chain(&self.value_name) {
            if name.value.is_empty() {
                checking.report(Diagnostic::new(Code::BadName, name.span, "the new name is empty"));
            }
        }
        if self.variable_name().eq_ignore_ascii_case(self.value_name())
            && let Some(name) = self.value_name.as_ref().or(self.variable_name.as_ref())
        {
            let message = format!("both new columns would be called `{}`", name.value);
            checking.report(Diagnostic::new(Code::Settings, name.span, message).help("give them two names"));
        }
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.all().collect()
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

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let ids = kept(self.ids(), lowering);
        let values = self.columns.as_ref().map(|columns| kept(columns, lowering));
        if values.as_ref().is_some_and(Vec::is_empty) {
            // None is left of the columns: they are all wrong.
            let null = |name: &str| expression::alias(expression::expression_string("NULL"), name);
            let new = [null(self.variable_name()), null(self.value_name())];
            return relation::project(input, ids.into_iter().chain(new).collect());
        }
        let input = match lowering.dialect.implementation() {
            Implementation::Sail => nullable(input),
            Implementation::Spark => input,
        };
        relation::of(RelType::Unpivot(Box::new(crate::proto::spark::Unpivot {
            input: Some(Box::new(input)),
            ids,
            values: values.map(|values| unpivot::Values { values }),
            variable_column_name: self.variable_name().to_owned(),
            value_column_name: self.value_name().to_owned(),
        })))
    }
}
