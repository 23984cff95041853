//! `asof_join`: brings the nearest row of another step beside each row of this one, as prices and the trades after them.
//!
//! Spark works its own relation out by comparing every pair, and Sail has none. So both are told to do what costs a sort: the right side's
//! rows are numbered in their order, both sides are united, and of each left row it is counted how many right rows come before it. That
//! is the number of the one it belongs to. The relation is left for conditions that are no keys.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::name::{StepName, StepRef, quoted};
use crate::proto::expression::{self, attribute, call, expression_string};
use crate::proto::relation::{self, JoinOn};
use crate::proto::spark::join::JoinType;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{AsOfJoin, Expression, Relation};
use crate::shape::Many;
use crate::text::{Span, Spanned};

/// Brings the nearest row of another step beside each row: to each trade the last quote before it.
///
/// Rows are compared by `on`, or by `left_on` and `right_on`, which need types that go together; `by` are columns that must be equal.
/// Columns are qualified as in a `join`; those of earlier joins are called by the step this one comes `from` as well. Of `on` and `by` the
/// result has the left side's column alone. Of several right rows that are equally near, any one is taken; where one before and one
/// after are, the one before. NULLs are near nothing and equal nothing. Give `by` where there is much data: without it all rows are
/// sorted in one place. Rows come in no order.
///
/// ```yaml
/// version: 1
/// steps:
///   trades:
///     values:
///       columns: { at: timestamp, stock: string, pieces: int }
///       rows:
///         - [2026-01-05 10:00:05, A, 100]
///         - [2026-01-05 10:00:07, B, 50]
///         - [2026-01-05 10:09:00, A, 10]
///   quotes:
///     values:
///       columns: { at: timestamp, stock: string, price: int }
///       rows:
///         - [2026-01-05 10:00:01, A, 7]
///         - [2026-01-05 10:00:04, A, 8]
///         - [2026-01-05 10:00:08, B, 3]
///   priced:
///     from: trades
///     transform:
///       - asof_join:
///           with: quotes
///           on: at
///           by: [stock]
///           how: left
///           tolerance: INTERVAL 1 MINUTE
///       - sort: [at]
///     write: stdout
/// ```
///
/// ```text
/// at                   | stock | pieces | price
/// ---------------------+-------+--------+------
/// 2026-01-05T10:00:05Z | A     |    100 |     8
/// 2026-01-05T10:00:07Z | B     |     50 |  NULL
/// 2026-01-05T10:09:00Z | A     |     10 |  NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
// One column of both sides, or an expression for each.
#[schemars(extend("oneOf" = [{ "required": ["on"] }, { "required": ["left_on", "right_on"] }]))]
pub(crate) struct AsofJoin {
    /// The step on the right side.
    with: StepRef,
    /// The name that qualifies the right side's columns; its step's name where not given.
    r#as: Option<Spanned<StepName>>,
    /// The column by which rows are near each other, where both sides have it under one name.
    on: Option<Spanned<String>>,
    /// What is compared of a left row, where the names differ: a column or an expression.
    left_on: Option<Expr>,
    /// What is compared of a right row.
    right_on: Option<Expr>,
    /// Columns that both sides have, and that must be equal.
    #[schemars(extend("minItems" = 1))]
    by: Option<Many<Spanned<String>>>,
    /// A condition that a pair must meet too: `quotes.venue <> trades.venue`. Sail has no such thing, and Spark compares every pair.
    condition: Option<Expr>,
    /// Which left rows are kept.
    #[serde(default)]
    #[schemars(extend("default" = "inner"))]
    how: How,
    /// On which side of a left row its right row is.
    #[serde(default)]
    #[schemars(extend("default" = "backward"))]
    direction: Direction,
    /// How far away a right row may be: a number, or an interval such as `INTERVAL 5 MINUTES`.
    tolerance: Option<Expr>,
    /// Whether a right row may be at the very place of the left one.
    #[serde(default = "yes")]
    #[schemars(extend("default" = true))]
    allow_exact_matches: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Those that have a right row.
    #[default]
    Inner,
    /// All; those without a right row have NULLs.
    Left,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Direction {
    /// Before it: the last one.
    #[default]
    Backward,
    /// After it: the first one.
    Forward,
    /// On either: the nearer one.
    Nearest,
}

/// What a left row is compared by; its number among the right rows.
const LEFT: &str = "__pipectl_left";
const WANTED: &str = "__pipectl_wanted";
/// What a right row is compared by; its own number.
const RIGHT: &str = "__pipectl_right";
const NUMBER: &str = "__pipectl_number";
/// 1 for right rows, 0 for left ones.
const SIDE: &str = "__pipectl_side";

fn left_key(at: usize) -> String {
    format!("__pipectl_left_key_{at}")
}

fn right_key(at: usize) -> String {
    format!("__pipectl_right_key_{at}")
}

impl AsofJoin {
    fn right_name(&self) -> &str {
        self.r#as.as_ref().map_or(self.with.as_str(), |name| name.value.as_str())
    }

    fn join_type(&self) -> JoinType {
        match self.how {
            How::Inner => JoinType::Inner,
            How::Left => JoinType::LeftOuter,
        }
    }

    /// What rows are compared by, of both sides.
    fn compared(&self, lowering: &Lowering<'_>) -> (Expression, Expression) {
        let nothing = || expression_string("NULL");
        if let Some(on) = &self.on {
            let is_hidden = lowering.masks.hides(on.span);
            let column = || if is_hidden { nothing() } else { attribute(quoted(&on.value)) };
            return (column(), column());
        }
        let side = |expr: Option<&Expr>| expr.map_or_else(nothing, |expr| lowering.expr(expr));
        (side(self.left_on.as_ref()), side(self.right_on.as_ref()))
    }

    fn keys(&self, lowering: &Lowering<'_>) -> Vec<&str> {
        let by = self.by.iter().flat_map(|by| by.iter());
        by.filter(|key| !lowering.masks.hides(key.span)).map(|key| key.value.as_str()).collect()
    }

    /// The right side's columns of which the result has the left side's.
    fn merged(&self, lowering: &Lowering<'_>) -> Vec<String> {
        let keys = self.keys(lowering).into_iter().map(str::to_owned);
        let on = self.on.iter().filter(|on| !lowering.masks.hides(on.span)).map(|on| on.value.clone());
        keys.chain(on).collect()
    }

    /// The right side's rows that are somewhere, with what they are compared by, and their keys under these names.
    fn right_side(&self, key: impl Fn(usize) -> String, lowering: &Lowering<'_>) -> Relation {
        let right = relation::subquery_alias(lowering.input(self.with.as_str()), self.right_name());
        let (_, compared) = self.compared(lowering);
        let mut columns = vec![(RIGHT.to_owned(), compared)];
        for (at, name) in self.keys(lowering).into_iter().enumerate() {
            columns.push((key(at), attribute(quoted(name))));
        }
        relation::filter(
            relation::with_columns(right, columns),
            expression_string(format!("{RIGHT} IS NOT NULL")),
        )
    }

    /// The number of a left row's right row among those with its keys, as text; it may be one that there is none of.
    fn wanted(&self, keys: usize) -> String {
        let keys: Vec<String> = (0..keys).map(left_key).collect();
        let partition =
            if keys.is_empty() { String::new() } else { format!("PARTITION BY {} ", keys.join(", ")) };
        // Rows up to this one; `right_first` says whether those at the same place are among them.
        let over = |direction: &str, right_first: bool| {
            let side = if right_first { "DESC" } else { "ASC" };
            format!(
                "OVER ({partition}ORDER BY {LEFT} {direction}, {SIDE} {side} \
                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
            )
        };
        let exact = self.allow_exact_matches;
        let before = format!("sum({SIDE}) {}", over("ASC", exact));
        // At the same place is before already, where both ways are gone.
        let after_exact = exact && self.direction == Direction::Forward;
        let after = format!("sum({SIDE}) {} + 1", over("ASC", !after_exact));
        let wanted = match self.direction {
            Direction::Backward => before,
            Direction::Forward => after,
            Direction::Nearest => {
                let place = format!("CASE WHEN {SIDE} = 1 THEN {LEFT} END");
                let last = format!("max({place}) {}", over("ASC", exact));
                let next = format!("min({place}) {}", over("DESC", false));
                format!(
                    "CASE WHEN {next} IS NULL THEN {before} WHEN {last} IS NULL THEN {after} \
                     WHEN {LEFT} - {last} <= {next} - {LEFT} THEN {before} ELSE {after} END"
                )
            }
        };
        format!("CASE WHEN {LEFT} IS NOT NULL THEN {wanted} END")
    }

    /// Which numbered right row belongs to a left one.
    fn condition(&self, keys: usize, lowering: &Lowering<'_>) -> Expression {
        let column = |name: &str| attribute(name);
        let mut all = vec![call("==", vec![column(WANTED), column(NUMBER)])];
        for at in 0..keys {
            all.push(call("==", vec![column(&left_key(at)), column(&right_key(at))]));
        }
        if let Some(tolerance) = &self.tolerance {
            let away = |operator| call(operator, vec![column(LEFT), lowering.expr(tolerance)]);
            if self.direction != Direction::Forward {
                all.push(call(">=", vec![column(RIGHT), away("-")]));
            }
            if self.direction != Direction::Backward {
                all.push(call("<=", vec![column(RIGHT), away("+")]));
            }
        }
        all.into_iter().reduce(|left, right| call("and", vec![left, right])).unwrap_or_default()
    }

    /// By counting, whose work grows as that of a sort.
    fn counted(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let keys = self.keys(lowering);
        let (compared, _) = self.compared(lowering);
        let text = |text: &str| expression_string(text);
        let mut columns = vec![(LEFT.to_owned(), compared), (SIDE.to_owned(), text("0"))];
        columns.extend(keys.iter().enumerate().map(|(at, key)| (left_key(at), attribute(quoted(key)))));
        let left = relation::with_columns(input, columns);
        let mut columns = vec![expression::alias(attribute(RIGHT), LEFT), expression::alias(text("1"), SIDE)];
        columns.extend((0..keys.len()).map(|at| attribute(left_key(at))));
        let places = relation::project(self.right_side(left_key, lowering), columns);
        let both = relation::union_or_null(left, places);
        let wanted = text(&self.wanted(keys.len()));
        let counted = relation::with_columns(both, [(WANTED.to_owned(), wanted)]);
        let left = relation::filter(counted, text(&format!("{SIDE} = 0")));
        let left = relation::drop(left, vec![SIDE.to_owned()]);

        let partition: Vec<Expression> = (0..keys.len()).map(|at| attribute(right_key(at))).collect();
        let order = expression::upwards(attribute(RIGHT));
        let number = expression::window(text("row_number()"), partition, vec![order], None);
        let right = self.right_side(right_key, lowering);
        let right = relation::with_columns(right, [(NUMBER.to_owned(), number)]);
        let merged = self.merged(lowering);
        let right = if merged.is_empty() { right } else { relation::drop(right, merged) };

        let joined = relation::join(
            relation::subquery_alias(left, lowering.left),
            relation::subquery_alias(right, self.right_name()),
            self.join_type(),
            JoinOn::Condition(self.condition(keys.len(), lowering)),
        );
        let mut helpers: Vec<String> = [LEFT, WANTED, RIGHT, NUMBER].map(str::to_owned).to_vec();
        helpers.extend((0..keys.len()).flat_map(|at| [left_key(at), right_key(at)]));
        relation::drop(joined, helpers)
    }

    /// By Spark's own relation, which takes any condition.
    fn compared_in_pairs(&self, condition: &Expr, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let column = |side: &str, name: &str| attribute(format!("{}.{}", quoted(side), quoted(name)));
        let (left, right) = (lowering.left, self.right_name());
        let compared = match self.on.as_ref().filter(|on| !lowering.masks.hides(on.span)) {
            Some(on) => (column(left, &on.value), column(right, &on.value)),
            None => self.compared(lowering),
        };
        let keys = self.keys(lowering);
        let equal = keys.iter().map(|key| call("==", vec![column(left, key), column(right, key)]));
        let condition = equal.fold(lowering.condition(condition), |all, equal| call("and", vec![all, equal]));
        let word = |text: &str| text.to_owned();
        let joined = relation::of(RelType::AsOfJoin(Box::new(AsOfJoin {
            left: Some(Box::new(input)),
            right: Some(Box::new(relation::subquery_alias(lowering.input(self.with.as_str()), right))),
            left_as_of: Some(compared.0),
            right_as_of: Some(compared.1),
            join_expr: Some(condition),
            using_columns: Vec::new(),
            join_type: word(match self.how {
                How::Inner => "inner",
                How::Left => "left",
            }),
            tolerance: self.tolerance.as_ref().map(|tolerance| lowering.expr(tolerance)),
            allow_exact_matches: self.allow_exact_matches,
            direction: word(match self.direction {
                Direction::Backward => "backward",
                Direction::Forward => "forward",
                Direction::Nearest => "nearest",
            }),
        })));
        let merged = self.merged(lowering);
        if merged.is_empty() {
            return joined;
        }
        relation::drop_expressions(joined, merged.iter().map(|name| column(right, name)).collect())
    }
}

impl TransformKind for AsofJoin {
    fn inputs(&self) -> Vec<&StepRef> {
        vec![&self.with]
    }

    fn reads_twice(&self) -> bool {
        self.condition.is_none()
    }

    fn check(&self, checking: &mut Checking<'_>) {
        let exprs = [&self.left_on, &self.right_on, &self.condition, &self.tolerance];
        for expr in exprs.into_iter().flatten() {
            expr.check(Role::Value, checking.found);
        }
        if self.by.as_ref().is_some_and(|by| by.is_empty()) {
            checking.not_empty(true, "the columns of `by`");
        }
        let span = checking.item;
        let diagnostic = match (&self.on, &self.left_on, &self.right_on) {
            (Some(on), None, None) if on.value.contains(['=', '<', '>']) => Diagnostic::new(
                Code::Settings,
                on.span,
                "`on` is a column that both sides have, and no condition",
            )
            .help("columns that must be equal are `by: [column]`; any other condition is `condition`")
            .help("compare by expressions with `left_on` and `right_on`"),
            (Some(_), None, None) | (None, Some(_), Some(_)) => return,
            (Some(_), left, right) => {
                let mut diagnostic = checking.setting("on", "`on` excludes `left_on` and `right_on`");
                for key in [left.as_ref().map(|_| "left_on"), right.as_ref().map(|_| "right_on")] {
                    diagnostic = key.into_iter().fold(diagnostic, |diagnostic, key| {
                        diagnostic.related(checking.key(key), "the other one")
                    });
                }
                diagnostic.help("keep `on` where both sides have the column, else the other two")
            }
            (None, None, None) => {
                Diagnostic::new(Code::MissingKey, span, "what rows are compared by is missing").help(
                    "write a column that both sides have, `on: time`, or `left_on: …` and `right_on: …`",
                )
            }
            (None, Some(_), None) => {
                let key = checking.key("left_on");
                Diagnostic::new(Code::MissingKey, key, "`left_on` needs a `right_on` beside it")
            }
            (None, None, Some(_)) => {
                let key = checking.key("right_on");
                Diagnostic::new(Code::MissingKey, key, "`right_on` needs a `left_on` beside it")
            }
        };
        checking.report(diagnostic);
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        let lacks = self.condition.is_some() && dialect.implementation() == Implementation::Sail;
        lacks.then(|| {
            format!(
                "{dialect} has no `asof_join` with a `condition`, but with keys (`by`) alone; Spark has it"
            )
        })
    }

    fn expressions(&self) -> Vec<&Expr> {
        [&self.left_on, &self.right_on, &self.tolerance, &self.condition].into_iter().flatten().collect()
    }

    fn columns_shared(&self) -> Vec<&Spanned<String>> {
        self.on.iter().chain(self.by.iter().flat_map(|by| by.iter())).collect()
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    /// Of rows that are equally near any is taken.
    fn work(&self) -> Work {
        Work::Undetermined
    }

    fn names(&self) -> Names<'_> {
        Names::Renewed
    }

    fn depth(&self) -> usize {
        9
    }

    fn new_name(&self) -> Option<(&str, Span)> {
        let span = self.r#as.as_ref().map_or(self.with.span(), |name| name.span);
        Some((self.right_name(), span))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        match &self.condition {
            Some(condition) if lowering.dialect.implementation() == Implementation::Spark => {
                self.compared_in_pairs(condition, input, lowering)
            }
            _ => self.counted(input, lowering),
        }
    }
}
