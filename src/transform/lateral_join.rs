//! `lateral_join`: for each row, rows that depend on it: the best of another step, or what a function makes of it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sort::Sort;
use super::top::Top;
use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Implementation;
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::name::{StepName, StepRef};
use crate::proto::expression;
use crate::proto::relation::{self, JoinOn};
use crate::proto::spark::expression::SortOrder;
use crate::proto::spark::join::JoinType;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{LateralJoin as Lateral, Relation};
use crate::shape::Many;
use crate::text::{Span, Spanned};

/// Brings rows that depend on a row beside it: the best ones of another step, or what a function makes of it.
///
/// `with` takes the rows of another step that `on` finds, puts them in the order of `sort`, and keeps `limit` of them for each row: the
/// two largest orders of every customer. Columns are qualified as in a `join`. Rows with equal keys come in any order, and so does
/// the result. `call` takes the rows of a function instead, one beside the other: `explode(items)`; a row of which it makes none is gone,
/// unless the function's name ends in `_outer`. For the sum or the number of another step's rows, `aggregate` that step and `join` it.
///
/// ```yaml
/// version: 1
/// steps:
///   customers:
///     values: { columns: { id: int, name: string }, rows: [[1, Ann], [2, Bob]] }
///   orders:
///     values:
///       columns: { customer: int, item: string, price: int }
///       rows: [[1, tea, 3], [1, rug, 90], [1, cup, 8]]
///   largest:
///     from: customers
///     transform:
///       - lateral_join:
///           with: orders
///           on: orders.customer = customers.id
///           sort: [orders.price DESC]
///           limit: 2
///           how: left
///       - select: [name, item, price]
///       - sort: [name, price DESC]
///     write: stdout
///   counted:
///     from: customers
///     after: largest
///     transform:
///       - lateral_join: { call: "explode(sequence(1, id))", columns: [n] }
///       - sort: [id, n]
///     write: stdout
/// ```
///
/// ```text
/// name | item | price
/// -----+------+------
/// Ann  | rug  |    90
/// Ann  | cup  |     8
/// Bob  | NULL |  NULL
/// id | name | n
/// ---+------+--
///  1 | Ann  | 1
///  2 | Bob  | 1
///  2 | Bob  | 2
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
// Rows of a step, some of them, or those of a function.
#[schemars(extend("oneOf" = [
    { "anyOf": [{ "required": ["on"] }, { "required": ["limit"] }], "required": ["with"] },
    { "required": ["call", "columns"] },
]))]
pub(crate) struct LateralJoin {
    /// The step whose rows are brought.
    with: Option<StepRef>,
    /// The name that qualifies the right side's columns; its step's name where not given.
    r#as: Option<Spanned<StepName>>,
    /// Which of its rows belong to a row: `orders.customer = customers.id`; all where not given.
    on: Option<Expr>,
    /// The order in which the first of them are found.
    sort: Option<Spanned<Sort>>,
    /// How many of them are kept for each row; all where not given.
    #[schemars(extend("minimum" = 1, "maximum" = i32::MAX))]
    limit: Option<Spanned<u64>>,
    /// Which rows are kept.
    how: Option<Spanned<How>>,
    /// A function that makes rows: `explode(items)`, `posexplode(items)`, `inline(entries)`.
    call: Option<Expr>,
    /// The names of the columns that the function makes.
    #[schemars(extend("minItems" = 1))]
    columns: Option<Many<Spanned<String>>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Those to which rows belong.
    #[default]
    Inner,
    /// All; those to which none belong have NULLs.
    Left,
}

impl LateralJoin {
    fn right_name(&self) -> &str {
        let own = self.r#as.as_ref().map(|name| name.value.as_str());
        own.or(self.with.as_ref().map(StepRef::as_str)).unwrap_or_default()
    }

    fn join_type(&self) -> JoinType {
        match self.how.as_ref().map_or_else(How::default, |how| how.value) {
            How::Inner => JoinType::Inner,
            How::Left => JoinType::LeftOuter,
        }
    }

    fn keys(&self, lowering: &Lowering<'_>) -> Vec<SortOrder> {
        self.sort.as_ref().map_or_else(Vec::new, |sort| sort.value.keys(lowering))
    }

    fn check_call(&self, call: &Expr, checking: &mut Checking<'_>) {
        call.check(Role::Value, checking.found);
        let others = [
            ("with", self.with.is_some()),
            ("as", self.r#as.is_some()),
            ("on", self.on.is_some()),
            ("sort", self.sort.is_some()),
            ("limit", self.limit.is_some()),
            ("how", self.how.is_some()),
        ];
        for (key, _) in others.into_iter().filter(|(_, is_given)| *is_given) {
            let diagnostic = checking.exclusive("call", key);
            let help = match key {
                "how" => "for rows of which the function makes none, call `explode_outer(…)`",
                "on" => "choose among the rows that it makes with a `filter` after this",
                _ => "rows of another step are brought by `with`, those of a function by `call`",
            };
            checking.report(diagnostic.help(help));
        }
        if self.columns.as_ref().is_none_or(|columns| columns.is_empty()) {
            checking.report(
                Diagnostic::new(
                    Code::MissingKey,
                    call.span(),
                    "the columns that the function makes have no names",
                )
                .help("write `columns: [item]`, a name for each"),
            );
        }
    }
}

impl TransformKind for LateralJoin {
    fn inputs(&self) -> Vec<&StepRef> {
        self.with.iter().collect()
    }

    fn check(&self, checking: &mut Checking<'_>) {
        if let Some(call) = &self.call {
            self.check_call(call, checking);
            return;
        }
        if let Some(on) = &self.on {
            on.check(Role::Value, checking.found);
        }
        if let Some(sort) = &self.sort {
            sort.value.check(checking);
            if self.limit.is_none() {
                checking.report(
                    checking
                        .needless("sort", "without a `limit` this `sort` does nothing")
                        .help("add `limit`, or sort the result: `- sort: […]` after this"),
                );
            }
        }
        if let Some(limit) = &self.limit
            && !i32::try_from(limit.value).is_ok_and(|rows| rows > 0)
        {
            let message = format!("a limit here is a number from 1 to {}", i32::MAX);
            checking.report(Diagnostic::new(Code::Settings, limit.span, message));
        }
        if self.with.is_none() {
            checking.report(
                Diagnostic::new(Code::MissingKey, checking.item, "the lateral join has neither `with` nor `call`")
                    .help("bring rows of another step, `with: orders`, or those of a function, `call: explode(items)`"),
            );
            return;
        }
        if self.columns.as_ref().is_some_and(|columns| !columns.is_empty()) {
            checking.report(
                checking
                    .needless("columns", "`columns` names what a `call` makes")
                    .help("choose columns with a `select` after this"),
            );
        }
        if self.on.is_none() && self.limit.is_none() {
            checking.report(
                Diagnostic::new(
                    Code::MissingKey,
                    checking.item,
                    "the lateral join has neither `on` nor `limit`",
                )
                .help("for every row with every row write `join` with `how: cross`"),
            );
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        let keys = self.sort.iter().flat_map(|sort| sort.value.exprs());
        self.on.iter().chain(keys).chain(&self.call).collect()
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        if self.with.is_some() { RowOrder::Gone } else { RowOrder::Changed(None) }
    }

    fn work(&self) -> Work {
        match (&self.with, &self.limit, &self.sort) {
            (None, ..) => Work::Light,
            // Of rows that are equal in the order any are taken.
            (_, Some(_), _) => Work::Undetermined,
            (_, None, _) => Work::Heavy,
        }
    }

    fn names(&self) -> Names<'_> {
        if self.with.is_some() { Names::Wanted } else { Names::Kept }
    }

    fn depth(&self) -> usize {
        5
    }

    fn new_name(&self) -> Option<(&str, Span)> {
        let with = self.with.as_ref()?;
        let span = self.r#as.as_ref().map_or(with.span(), |name| name.span);
        Some((self.right_name(), span))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let Some(with) = &self.with else {
            let names = self.columns.iter().flat_map(|columns| columns.iter()).map(|name| name.value.clone());
            let call = self.call.iter().map(|call| {
                if lowering.masks.hides(call.span()) {
                    return expression::alias(expression::expression_string("NULL"), "__pipectl_nothing");
                }
                expression::aliases(lowering.expr(call), names.clone().collect())
            });
            let all = std::iter::once(expression::expression_string("*"));
            return relation::project(input, all.chain(call).collect());
        };
        let right = relation::subquery_alias(lowering.input(with.as_str()), self.right_name());
        let on = self.on.as_ref().map(|on| lowering.condition(on));
        let how = self.join_type();
        let Some(limit) = &self.limit else {
            // A condition alone is what any join has.
            return relation::join(input, right, how, on.map_or(JoinOn::Nothing, JoinOn::Condition));
        };
        if lowering.dialect.implementation() == Implementation::Sail {
            // It has no limit in a query that depends on a row.
            return Top { how, on, order: self.keys(lowering), rows: limit.value }.lower(input, right);
        }
        let found = match on {
            Some(on) => relation::filter(right, on),
            None => right,
        };
        let keys = self.keys(lowering);
        let sorted = if keys.is_empty() { found } else { relation::sort(found, keys) };
        let first = relation::limit(sorted, i32::try_from(limit.value).unwrap_or(i32::MAX));
        relation::of(RelType::LateralJoin(Box::new(Lateral {
            left: Some(Box::new(input)),
            right: Some(Box::new(relation::subquery_alias(first, self.right_name()))),
            join_condition: None,
            join_type: how.into(),
        })))
    }
}
