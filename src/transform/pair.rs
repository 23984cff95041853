//! Two columns of numbers, as `corr` and `cov` take them.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Implementation;
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::Relation;
use crate::proto::{expression, relation};
use crate::text::{Span, Spanned};

/// Two columns, by their plain names.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minItems" = 2, "maxItems" = 2))]
pub(super) struct Pair(Spanned<Vec<Spanned<String>>>);

impl Pair {
    pub(super) fn check(&self, checking: &mut Checking<'_>) {
        let count = self.0.value.len();
        if count != 2 {
            let message = match count {
                1 => "this is one column, and it takes two".to_owned(),
                count => format!("these are {count} columns, and it takes two"),
            };
            checking.report(
                Diagnostic::new(Code::Settings, self.0.span, message)
                    .help("write both columns: `[price, weight]`"),
            );
        }
    }

    pub(super) fn names(&self) -> Vec<&Spanned<String>> {
        self.0.value.iter().collect()
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.0.value.iter().map(|column| column.span).collect()
    }

    /// One row with the column `name`. Sail has a relation for it, which passes over NULLs; Spark's takes NULL for 0, so that there a
    /// function does it, which is the same.
    pub(super) fn lower(
        &self,
        input: Relation,
        lowering: &Lowering<'_>,
        (function, name): (&str, &str),
        relation: impl FnOnce(Relation, String, String) -> Relation,
    ) -> Relation {
        let [first, second] = self.0.value.as_slice() else { return input };
        let is_masked = [first, second].into_iter().any(|column| lowering.masks.hides(column.span));
        if lowering.dialect.implementation() == Implementation::Sail && !is_masked {
            let made = relation(input, first.value.clone(), second.value.clone());
            return relation::renamed(made, [(function.to_owned(), name.to_owned())]);
        }
        let value = |column: &Spanned<String>| {
            if lowering.masks.hides(column.span) {
                "CAST(NULL AS DOUBLE)".to_owned()
            } else {
                quoted(&column.value)
            }
        };
        let function = if function == "cov" { "covar_samp" } else { function };
        let text = format!("{function}({}, {})", value(first), value(second));
        let column = expression::alias(expression::expression_string(text), name);
        relation::aggregate(input, Vec::new(), vec![column])
    }
}
