//! `freq_items`: the values that columns have often.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Implementation;
use crate::expr::double;
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::relation::JoinOn;
use crate::proto::spark::join::JoinType;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Relation, StatFreqItems};
use crate::proto::{expression, relation};
use crate::shape::{Many, Short, Shorthand};
use crate::text::{Span, Spanned};

/// Makes one row with the values that columns have often, an array for each: `town_freqItems` for `town`. In short: `freq_items: [town]`.
///
/// All values are there that a part of the rows of `support` or more has; NULL is a value. Each array is sorted. Spark counts in one
/// pass, and may add values that are rarer, others for another order of the rows. Sail counts exactly, and adds none.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { town: string }
///       rows: [[Ulm], [Jena], [Ulm], [Jena], [Ulm]]
///     transform:
///       - freq_items: { columns: [town], support: 0.3 }
///     write: stdout
/// ```
///
/// ```text
/// town_freqItems
/// --------------
/// ["Jena","Ulm"]
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct FreqItems(Short<FreqItemsSettings>);

/// The settings of frequent values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct FreqItemsSettings {
    /// The columns, by their plain names.
    #[schemars(extend("minItems" = 1))]
    columns: Many<Spanned<String>>,
    /// The part of the rows from which on a value is frequent: from 0.0001 to 1.
    #[schemars(extend("default" = 0.01, "minimum" = 0.0001, "maximum" = 1))]
    support: Option<Spanned<f64>>,
}

impl Shorthand for FreqItemsSettings {
    const NAME: &'static str = "$pipectl::short:columns";
}

const USUAL_SUPPORT: f64 = 0.01;
const LEAST_SUPPORT: f64 = 0.0001;

impl FreqItemsSettings {
    fn support(&self) -> f64 {
        self.support.as_ref().map_or(USUAL_SUPPORT, |support| support.value)
    }
}

impl TransformKind for FreqItems {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.0.columns.is_empty(), "the columns");
        if let Some(support) = &self.0.0.support
            && !(LEAST_SUPPORT..=1.0).contains(&support.value)
        {
            let message = format!("the support is a number from 0.0001 to 1, and this is {}", support.value);
            checking.report(Diagnostic::new(Code::Settings, support.span, message));
        }
    }

    fn parts(&self) -> Vec<Span> {
        self.0.0.columns.iter().map(|column| column.span).collect()
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.0.columns.iter().collect()
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    fn work(&self) -> Work {
        Work::Undetermined
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let FreqItemsSettings { columns, .. } = &self.0.0;
        let support = self.0.0.support();
        let number = |at: usize| format!("__{at}");
        let values = columns.iter().enumerate().map(|(at, column)| {
            let value = if lowering.masks.hides(column.span) {
                expression::expression_string("CAST(NULL AS STRING)")
            } else {
                expression::attribute(quoted(&column.value))
            };
            expression::alias(value, number(at))
        });
        let input = relation::project(input, values.collect());
        let names = (0..columns.len()).map(number);
        let (made, ending) = match lowering.dialect.implementation() {
            Implementation::Spark => (
                relation::of(RelType::FreqItems(Box::new(StatFreqItems {
                    input: Some(Box::new(input)),
                    cols: names.collect(),
                    support: Some(support),
                }))),
                "_freqItems",
            ),
            Implementation::Sail => {
                let each = names.map(|name| frequent(input.clone(), &name, support));
                let all =
                    each.reduce(|left, right| relation::join(left, right, JoinType::Cross, JoinOn::Nothing));
                (all.unwrap_or_default(), "")
            }
        };
        let sorted = columns.iter().enumerate().map(|(at, column)| {
            let array = expression::expression_string(format!("sort_array({}{ending})", number(at)));
            expression::alias(array, format!("{}_freqItems", column.value))
        });
        relation::project(made, sorted.collect())
    }
}

/// The frequent values of one column, in one row. Arrays of values leave NULL out, and arrays of structs do not.
fn frequent(input: Relation, name: &str, support: f64) -> Relation {
    let text = |text: String, name: &str| expression::alias(expression::expression_string(text), name);
    let groups = relation::aggregate(
        input,
        vec![expression::attribute(name)],
        vec![text("count(*)".to_owned(), "rows")],
    );
    let counted = relation::project(
        groups,
        vec![
            expression::attribute(name),
            expression::attribute("rows"),
            text("sum(rows) OVER ()".to_owned(), "total"),
        ],
    );
    let frequent = format!("CASE WHEN rows >= {} * total THEN struct({name}) END", double(support));
    let values = text(format!("transform(collect_list({frequent}), one -> one.{name})"), name);
    relation::aggregate(counted, Vec::new(), vec![values])
}
