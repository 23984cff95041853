//! `dedupe`: keeps one row of each group.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::sort_orders::{sort_orders, turn};
use super::{RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Role, SortKey, TokenKind};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::expression::SortOrder;
use crate::proto::spark::expression::sort_order::{NullOrdering, SortDirection};
use crate::proto::spark::{Expression, Relation};
use crate::proto::{expression, relation};
use crate::shape::{Many, Short, Shorthand};
use crate::text::Spanned;

/// Keeps one row of each group of rows that are equal in these columns. In short: `dedupe: [id]`.
///
/// With `order` it is the first in that order: `order: [updated_at DESC]` keeps the latest. Of rows that are equal in the order too, and
/// without an order, any is kept, which may differ from run to run: add keys until one row is the first. NULL equals NULL here, so that
/// rows without a key are one group; `filter` them apart before where each shall stay. Rows come in no order. For rows that are equal in
/// all columns there is `distinct`.
///
/// ```yaml
/// version: 1
/// steps:
///   changes:
///     values:
///       columns: { id: int, name: string, updated_at: date }
///       rows:
///         - [1, Ann, 2026-01-01]
///         - [1, Anna, 2026-01-03]
///         - [2, Bob, 2026-01-02]
///         - [2, Rob, null]
///     transform:
///       - dedupe: { by: [id], order: [updated_at DESC] }
///       - sort: [id]
///     write: stdout
/// ```
///
/// ```text
/// id | name | updated_at
/// ---+------+-----------
///  1 | Anna | 2026-01-03
///  2 | Bob  | 2026-01-02
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Dedupe(Short<DedupeSettings>);

/// The settings of a deduplication.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct DedupeSettings {
    /// What is equal within a group: columns, or expressions such as `lower(email)`.
    #[schemars(with = "Many<Expr>", extend("minItems" = 1))]
    by: Many<Key>,
    /// Which row comes first in its group, as in `sort`.
    order: Option<Many<SortKey>>,
    /// Which row is kept.
    keep: Option<Spanned<Keep>>,
}

impl Shorthand for DedupeSettings {
    const NAME: &'static str = "$pipectl::short:by";
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("default" = "first"))]
enum Keep {
    /// The first in the order, or any without one.
    #[default]
    First,
    /// The last in the order.
    Last,
    /// None of a group that has several: the rows stay that are alone.
    None,
}

/// What is equal within a group.
#[derive(Debug, Clone)]
struct Key {
    expr: Expr,
    /// Its name, where it is a column and nothing more.
    column: Option<Spanned<String>>,
}

/// The name of the column that tells the rows of a group apart, until they are.
const PLACE: &str = "pipectl__place";

impl Dedupe {
    fn order_keys(&self) -> &[SortKey] {
        self.0.0.order.as_deref().unwrap_or_default()
    }

    fn keep(&self) -> Keep {
        self.0.0.keep.as_ref().map_or_else(Keep::default, |keep| keep.value)
    }

    /// The rows' order within their group; without one it is that of a constant, which all engines take.
    fn orders(&self, lowering: &Lowering<'_>) -> Vec<SortOrder> {
        let mut orders = sort_orders(self.order_keys(), lowering);
        if self.keep() == Keep::Last {
            orders.iter_mut().for_each(turn);
        }
        if orders.is_empty() {
            let constant = expression::expression_string("1");
            let (up, first) = (SortDirection::Ascending, NullOrdering::SortNullsFirst);
            orders.push(expression::sort_order(constant, up, first));
        }
        orders
    }

    /// Numbers the rows of each group, so that those that are kept have the number one.
    fn numbered(&self, by: Vec<Expression>, lowering: &Lowering<'_>) -> Expression {
        let (function, order) = match self.keep() {
            Keep::First | Keep::Last => ("row_number()", self.orders(lowering)),
            Keep::None => ("count(1)", Vec::new()),
        };
        expression::window(expression::expression_string(function), by, order, None)
    }
}

impl TransformKind for Dedupe {
    fn check(&self, checking: &mut Checking<'_>) {
        let settings = &self.0.0;
        if settings.by.is_empty() {
            let diagnostic = Diagnostic::new(Code::MissingKey, checking.item, "the columns are missing here");
            checking.report(diagnostic.help("for rows that are equal in all columns write `- distinct`"));
        }
        for key in settings.by.iter() {
            key.expr.check(Role::Value, checking.found);
        }
        for key in self.order_keys() {
            key.check(checking.found);
        }
        let Some(keep) = &settings.keep else { return };
        match (keep.value, self.order_keys()) {
            (Keep::Last, []) => {
                let message = "without an order there is no last row";
                let diagnostic = Diagnostic::new(Code::Settings, keep.span, message);
                checking.report(diagnostic.help("say the order: `order: [updated_at]`"));
            }
            (Keep::None, [_, ..]) => {
                let message = "an order decides nothing where no row of a group is kept";
                let diagnostic = checking.needless("order", message);
                checking.report(diagnostic.related(keep.span, "this says so").help("leave `order` away"));
            }
            (Keep::First | Keep::Last | Keep::None, _) => {}
        }
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.0.by.iter().filter_map(|key| key.column.as_ref()).collect()
    }

    fn stages(&self) -> Vec<Vec<&Expr>> {
        vec![
            self.0.0.by.iter().map(|key| &key.expr).collect(),
            self.order_keys().iter().map(SortKey::expr).collect(),
        ]
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    /// Even an order may leave it open which of two equal rows is the first.
    fn work(&self) -> Work {
        match self.keep() {
            Keep::First | Keep::Last => Work::Undetermined,
            Keep::None => Work::Heavy,
        }
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let by = self.0.0.by.iter().filter(|key| !lowering.masks.hides(key.expr.span()));
        if self.order_keys().is_empty() && self.keep() == Keep::First {
            let columns: Option<Vec<String>> =
                by.clone().map(|key| key.column.as_ref().map(|column| column.value.clone())).collect();
            if let Some(columns) = columns.filter(|columns| !columns.is_empty()) {
                return relation::deduplicate(input, columns);
            }
        }
        let place = self.numbered(by.map(|key| lowering.expr(&key.expr)).collect(), lowering);
        let numbered = relation::with_columns(input, [(PLACE.to_owned(), place)]);
        let kept = relation::filter(numbered, expression::expression_string(format!("{PLACE} = 1")));
        relation::drop(kept, vec![PLACE.to_owned()])
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expr = Expr::deserialize(deserializer)?;
        let text = expr.template().scanned().into_owned();
        let column = match expr.template().tokens().as_slice() {
            [only] if matches!(only.kind, TokenKind::Word | TokenKind::QuotedName) => only.name(&text),
            _ => None,
        };
        let column = column.map(|value| Spanned { value, span: expr.span() });
        Ok(Self { expr, column })
    }
}
