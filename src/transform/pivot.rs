//! `pivot`: makes columns of values.

use std::borrow::Cow;
use std::collections::HashMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Bindings, Expr, Role, Value};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::aggregate::{GroupType, Pivot as Pivoted};
use crate::proto::spark::data_type::{Kind as TypeKind, Null};
use crate::proto::spark::expression::Literal;
use crate::proto::spark::expression::literal::LiteralType;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Aggregate, DataType, Relation};
use crate::proto::{expression, relation};
use crate::scalar::Segment;
use crate::shape::{Entries, Many};
use crate::text::Spanned;

/// Makes columns of a column's values: one row for each group, and in it an aggregate for each value.
///
/// With one aggregate the columns are called as the values are, `Ulm`; with several as the value and the aggregate, `Ulm_total`. Where a
/// group has no row with a value, there is NULL, also for `count(*)`. `values` says which values become columns, in this order, and rows
/// with others are left out; `null` stands for NULL, and its column is called `null`. They are read as the column's type reads them, and
/// columns are called as they are written. Without `values` all that occur become columns, in their order (10,000 at most): the engine
/// reads the rows while it analyses, `pipectl check` too, and a new value is a new column. So give them where you know them. Rows come in
/// no order.
///
/// ```yaml
/// version: 1
/// steps:
///   sales:
///     values:
///       columns: { town: string, year: int, price: int }
///       rows:
///         - [Ulm, 2025, 5]
///         - [Ulm, 2026, 7]
///         - [Ulm, 2026, 1]
///         - [Jena, 2026, 3]
///     transform:
///       - pivot:
///           by: [town]
///           column: year
///           values: [2025, 2026]
///           columns: { total: sum(price) }
///       - sort: [town]
///     write: stdout
/// ```
///
/// ```text
/// town | 2025 | 2026
/// -----+------+-----
/// Jena | NULL |    3
/// Ulm  |    5 |    8
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Pivot {
    /// The groups' keys, as in `aggregate`. Without keys there is one row in all.
    by: Option<Many<Expr>>,
    /// The column, or expression, whose values become columns.
    column: Expr,
    /// Its values that become columns; all that occur where not given.
    #[schemars(extend("minItems" = 1))]
    values: Option<Many<PivotValue>>,
    /// The aggregates: `name: expression`.
    #[schemars(extend("minProperties" = 1))]
    columns: Spanned<Entries<Expr>>,
}

/// A value that becomes a column, as text; nothing for NULL. It is an expression only in that an engine may refuse it by itself.
#[derive(Debug, Clone)]
struct PivotValue(Option<Expr>);

impl PivotValue {
    /// Its text, or the texts of a list's items.
    fn texts(&self, bindings: &Bindings) -> Vec<Option<String>> {
        let Some(expr) = &self.0 else { return vec![None] };
        let template = expr.template();
        if let [Segment::Variable { index, .. }] = template.segments()
            && let Value::List(items) = &bindings.get(*index).value
        {
            return items.iter().map(|item| Some(item.to_string())).collect();
        }
        vec![Some(template.plain())]
    }

    fn is_kept(&self, lowering: &Lowering<'_>) -> bool {
        self.0.as_ref().is_none_or(|expr| !lowering.masks.hides(expr.span()))
    }
}

impl Pivot {
    fn by(&self) -> impl Iterator<Item = &Expr> {
        self.by.iter().flat_map(|by| by.iter())
    }

    fn values(&self) -> &[PivotValue] {
        self.values.as_deref().unwrap_or_default()
    }

    fn aggregates(&self) -> impl Iterator<Item = &Expr> {
        self.columns.value.iter().map(|(_, expr)| expr)
    }

    fn literals(&self, lowering: &Lowering<'_>) -> Vec<Literal> {
        let kept = self.values().iter().filter(|value| value.is_kept(lowering));
        let literal = |text: Option<String>| {
            let literal_type = match text {
                Some(text) => LiteralType::String(text),
                None => LiteralType::Null(DataType { kind: Some(TypeKind::Null(Null::default())) }),
            };
            Literal { data_type: None, literal_type: Some(literal_type) }
        };
        kept.flat_map(|value| value.texts(lowering.bindings)).map(literal).collect()
    }
}

impl TransformKind for Pivot {
    fn check(&self, checking: &mut Checking<'_>) {
        for expr in self.by() {
            expr.check(Role::Column, checking.found);
        }
        self.column.check(Role::Value, checking.found);
        if self.columns.value.is_empty() {
            let message = "the aggregates are missing here";
            let diagnostic = Diagnostic::new(Code::MissingKey, self.columns.span, message);
            checking.report(diagnostic.help("write for example `columns: { total: sum(price) }`"));
        }
        for expr in self.aggregates() {
            expr.check(Role::Value, checking.found);
        }
        checking.not_empty(self.values.as_ref().is_some_and(|values| values.is_empty()), "the values");
        let mut seen = HashMap::new();
        for value in self.values() {
            let span = value.0.as_ref().map_or(checking.item, Expr::span);
            if value.0.as_ref().is_some_and(|expr| checking.refuses_secret(expr.template())) {
                continue;
            }
            for text in value.texts(checking.bindings) {
                let name = text.unwrap_or_else(|| "null".to_owned());
                if let Some(first) = seen.insert(name.to_lowercase(), span) {
                    let message = format!("two columns would be called `{name}`");
                    let diagnostic = Diagnostic::new(Code::Settings, span, message);
                    checking.report(diagnostic.related(first, "the other one").help("keep one of them"));
                }
            }
        }
    }

    fn stages(&self) -> Vec<Vec<&Expr>> {
        vec![
            self.by().collect(),
            vec![&self.column],
            self.values().iter().filter_map(|value| value.0.as_ref()).collect(),
            self.aggregates().collect(),
        ]
    }

    fn columns_come_from_rows(&self) -> bool {
        self.values.is_none()
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

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let is_hidden = |expr: &Expr| lowering.masks.hides(expr.span());
        let by = self.by().map(|expr| lowering.column(expr)).collect();
        let aggregates = self.columns.value.iter().map(|(name, expr)| {
            // Engines pivot aggregates alone.
            let value = if is_hidden(expr) {
                expression::expression_string("max(NULL)")
            } else {
                lowering.expr(expr)
            };
            expression::alias(value, name.value.clone())
        });
        let aggregates = aggregates.collect();
        if is_hidden(&self.column) {
            return relation::aggregate(input, by, aggregates);
        }
        let pivot = Pivoted { col: Some(lowering.expr(&self.column)), values: self.literals(lowering) };
        relation::of(RelType::Aggregate(Box::new(Aggregate {
            input: Some(Box::new(input)),
            group_type: GroupType::Pivot.into(),
            grouping_expressions: by,
            aggregate_expressions: aggregates,
            pivot: Some(pivot),
            grouping_sets: Vec::new(),
        })))
    }
}

impl<'de> Deserialize<'de> for PivotValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for PivotValue {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "PivotValue".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "value", "type": ["string", "number", "boolean", "null"] })
    }
}
