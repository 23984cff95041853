//! `aggregate`: one row for each group.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::variable_keys::VariableKeys;
use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{Expr, Role, TokenKind};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::aggregate::{GroupType, GroupingSets};
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Aggregate as Grouped, Expression, Relation};
use crate::proto::{expression, relation};
use crate::shape::{Entries, Many};
use crate::text::{Span, Spanned};

/// Makes one row for each group: its keys, then the aggregates.
///
/// NULL is a group of its own. Functions pass over NULLs, but for `count(*)`, which counts rows; without keys and without rows there is
/// still one row. Groups come in no order. A sum of integers that is too large for its type fails on Spark and is wrong on Sail: cast to
/// `bigint` or `decimal` first.
///
/// Subtotals: `rollup: [country, town]` in place of `by` also groups by `country` alone and by nothing; `cube` by every choice of its keys;
/// `grouping_sets` by those that it lists. A key that a row is not grouped by is NULL there: `grouping(town)` is 1 in such rows and else 0,
/// and `grouping_id()` is different for each set. Without rows there are no totals either.
///
/// `having` keeps the groups that fulfil a condition: on the columns of the result, `total > 10`, or on aggregates and keys,
/// `count(*) > 1`.
///
/// ```yaml
/// version: 1
/// steps:
///   sales:
///     values:
///       columns: { town: string, price: int }
///       rows:
///         - [Ulm, 5]
///         - [Jena, 7]
///         - [Ulm, null]
///         - [null, 1]
///   by_town:
///     from: sales
///     transform:
///       - aggregate:
///           by: [town]
///           columns:
///             total: sum(price)
///             sales: count(*)
///       - sort: [town]
///     write: stdout
///   with_total:
///     from: sales
///     after: by_town
///     transform:
///       - aggregate:
///           rollup: [town]
///           columns:
///             total: sum(price)
///             is_total: grouping(town)
///           having: total > 1
///       - sort: [is_total, town]
///     write: stdout
/// ```
///
/// ```text
/// town | total | sales
/// -----+-------+------
/// NULL |     1 |     1
/// Jena |     7 |     1
/// Ulm  |     5 |     2
/// town | total | is_total
/// -----+-------+---------
/// Jena |     7 |        0
/// Ulm  |     5 |        0
/// NULL |    13 |        1
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(extend("dependentRequired" = { "grouping_sets": ["by"] }, "not" = { "anyOf": [
    { "required": ["by", "rollup"] },
    { "required": ["by", "cube"] },
    { "required": ["rollup", "cube"] },
    { "required": ["rollup", "grouping_sets"] },
    { "required": ["cube", "grouping_sets"] },
] }))]
pub(crate) struct Aggregate {
    /// The groups' keys: columns, or expressions with a name, `year(day) AS year`. Without keys there is one row in all.
    by: Option<Many<Expr>>,
    /// Keys of which the last is left out, then the last two, and so on: subtotals and a total.
    #[schemars(extend("minItems" = 1))]
    rollup: Option<Many<Expr>>,
    /// Keys of which every choice is a grouping of its own.
    #[schemars(extend("minItems" = 1))]
    cube: Option<Many<Expr>>,
    /// The groupings, each a list of keys of `by`, by their names: `[[country, town], [country], []]`.
    #[schemars(extend("minItems" = 1))]
    grouping_sets: Option<Spanned<Vec<Many<Spanned<String>>>>>,
    /// The aggregates: `name: expression`.
    columns: Spanned<Entries<Expr>>,
    /// The condition that groups fulfil.
    having: Option<Expr>,
}

/// Columns that are there until groups are chosen by them.
const CONDITION: &str = "pipectl__having";
const ROWS: &str = "pipectl__rows";
const SET: &str = "pipectl__set";

/// More keys would make more groups than grouping sets are worth, where an engine has to make them all.
const MOST_KEYS: usize = 10;

impl Aggregate {
    pub(super) fn keys(&self) -> impl Iterator<Item = &Expr> {
        let lists = [&self.by, &self.rollup, &self.cube];
        lists.into_iter().flatten().flat_map(|keys| keys.iter())
    }

    fn sets(&self) -> Option<&[Many<Spanned<String>>]> {
        self.grouping_sets.as_ref().map(|sets| sets.value.as_slice())
    }

    fn key_named(&self, name: &str) -> Option<usize> {
        self.keys().position(|key| key.column_name().is_some_and(|known| known.eq_ignore_ascii_case(name)))
    }

    /// The keys of a set, by their places.
    fn places(&self, set: &[Spanned<String>]) -> Vec<usize> {
        set.iter().filter_map(|name| self.key_named(&name.value)).collect()
    }

    /// What `grouping_id()` says of a set: a bit for each key, one where it is left out.
    fn id(&self, set: &[Spanned<String>]) -> u64 {
        let places = self.places(set);
        (0..self.keys().count()).fold(0, |id, key| id << 1 | u64::from(!places.contains(&key)))
    }

    /// Whether the condition is on aggregates, and not on columns of the result.
    fn has_aggregates(&self) -> bool {
        self.having.as_ref().is_some_and(|having| !calls(having).is_empty())
    }

    fn check_groups(&self, checking: &mut Checking<'_>) {
        let ways = [
            ("by", self.by.is_some() && self.grouping_sets.is_none()),
            ("rollup", self.rollup.is_some()),
            ("cube", self.cube.is_some()),
            ("grouping_sets", self.grouping_sets.is_some()),
        ];
        let given: Vec<&str> = ways.iter().filter(|(_, is_given)| *is_given).map(|(key, _)| *key).collect();
        if let [first, other, ..] = given.as_slice() {
            checking.report(
                checking
                    .exclusive(first, other)
                    .help("list the keys under one of them, `rollup: [country, town]`, or each grouping under `grouping_sets`"),
            );
        }
        let is_empty = |keys: &Option<Many<Expr>>| keys.as_ref().is_some_and(|keys| keys.is_empty());
        checking.not_empty(is_empty(&self.rollup) || is_empty(&self.cube), "the keys");
        if let Some(sets) = &self.grouping_sets
            && given.len() == 1
        {
            self.check_sets(&sets.value, sets.span, checking);
        }
    }

    fn check_sets(&self, sets: &[Many<Spanned<String>>], span: Span, checking: &mut Checking<'_>) {
        let names: Vec<String> = self.keys().filter_map(Expr::column_name).collect();
        if self.keys().next().is_none() {
            let diagnostic = Diagnostic::new(Code::MissingKey, span, "the keys of the sets are missing");
            checking.report(diagnostic.help("list all of them: `by: [country, town]`"));
            return;
        }
        if sets.is_empty() {
            checking.report(Diagnostic::new(Code::MissingKey, span, "the sets are missing here"));
            return;
        }
        let mut is_right = true;
        let mut seen: Vec<(u64, Span)> = Vec::new();
        for set in sets {
            for name in set.iter().filter(|name| self.key_named(&name.value).is_none()) {
                is_right = false;
                let message = format!("there is no key `{}` in `by`", name.value);
                let diagnostic = Diagnostic::new(Code::Settings, name.span, message);
                checking.report(diagnostic.suggest(&name.value, names.iter().map(String::as_str)));
            }
            let id = self.id(set);
            let at = set.first().map_or(span, |name| name.span);
            match seen.iter().find(|(known, _)| *known == id) {
                Some((_, first)) if is_right => {
                    let message = "this set stands here twice, so that its groups would come twice";
                    let diagnostic = Diagnostic::new(Code::Settings, at, message);
                    checking.report(diagnostic.related(*first, "the other one"));
                }
                _ => seen.push((id, at)),
            }
        }
        let is_used = |key: usize| sets.iter().any(|set| self.places(set).contains(&key));
        for (at, key) in self.keys().enumerate().filter(|(at, _)| is_right && !is_used(*at)) {
            let name = key.column_name();
            let diagnostic = Diagnostic::new(Code::Settings, key.span(), "no set holds this key");
            checking.report(match name {
                Some(_) => diagnostic.help("add it to a set, or take it away"),
                None => {
                    diagnostic.help(format!("give it a name, by which sets call it: `… AS key_{}`", at + 1))
                }
            });
        }
    }

    /// Refuses a condition that wants to be worked out before the aggregates and after them.
    fn check_condition(&self, checking: &mut Checking<'_>) {
        let Some(having) = &self.having else { return };
        having.check(Role::Value, checking.found);
        let calls = calls(having);
        let Some((function, _)) = calls.first() else { return };
        let template = having.template();
        let text = template.scanned();
        let tokens = template.tokens();
        for (at, token) in tokens.iter().enumerate() {
            let beside = |at: Option<usize>, symbols: &[char]| {
                at.and_then(|at| tokens.get(at)).is_some_and(|token| {
                    symbols.iter().any(|symbol| token.kind == TokenKind::Symbol(*symbol))
                })
            };
            let is_name = matches!(token.kind, TokenKind::Word | TokenKind::QuotedName)
                && !beside(Some(at + 1), &['(', '.'])
                && !beside(at.checked_sub(1), &['.']);
            let is_outside = !calls.iter().any(|(_, range)| range.contains(&token.range.start));
            let Some(name) = token.name(&text).filter(|_| is_name && is_outside) else { continue };
            let made = self.columns.value.iter().find(|(column, _)| column.value.eq_ignore_ascii_case(&name));
            let instead = match made {
                Some((_, expr)) => {
                    format!("write what it is in its place, `{}`", expr.told(checking.bindings))
                }
                None if self.names_a_key_anew(&name) => "write what it is in its place".to_owned(),
                None => continue,
            };
            let message = format!(
                "`{name}` is a column of the result, and `{function}` an aggregate of the rows: one condition can't have both"
            );
            let diagnostic = Diagnostic::new(Code::Expression, template.place(&token.range), message);
            checking.report(diagnostic.help(format!("{instead}, or make the other one a column too")));
        }
    }

    /// Whether a key has this name only in the result: `year(day) AS year`.
    fn names_a_key_anew(&self, name: &str) -> bool {
        let is_column = |key: &Expr| {
            let path = |kind: TokenKind| {
                matches!(kind, TokenKind::Word | TokenKind::QuotedName | TokenKind::Symbol('.'))
            };
            let tokens = key.template().tokens();
            tokens.iter().all(|token| path(token.kind)) && tokens.len() % 2 == 1
        };
        self.key_named(name).and_then(|at| self.keys().nth(at)).is_some_and(|key| !is_column(key))
    }

    /// The groupings as this engine has them: their type, their sets, and the condition that picks them.
    fn groups(&self, lowering: &Lowering<'_>) -> (GroupType, Vec<GroupingSets>, Option<String>) {
        let is_sail = lowering.dialect.implementation() == Implementation::Sail;
        match self.sets() {
            None if self.rollup.is_some() => (GroupType::Rollup, Vec::new(), None),
            None if self.cube.is_some() => (GroupType::Cube, Vec::new(), None),
            None => (GroupType::Groupby, Vec::new(), None),
            // Sail has no sets, so all that there could be are made, and these picked.
            Some(sets) if is_sail => {
                let ids: Vec<String> = sets.iter().map(|set| self.id(set).to_string()).collect();
                (GroupType::Cube, Vec::new(), Some(format!("{SET} IN ({})", ids.join(", "))))
            }
            Some(sets) => {
                let keys: Vec<&Expr> = self.keys().collect();
                let sets = sets.iter().map(|set| {
                    let keys = self.places(set).into_iter().filter_map(|place| keys.get(place));
                    GroupingSets { grouping_set: keys.map(|key| lowering.column(key)).collect() }
                });
                (GroupType::GroupingSets, sets.collect(), None)
            }
        }
    }
}

/// The calls of aggregate functions that are in common use, each with the bytes of its name and its arguments. pipectl knows them to tell
/// two ways apart in which a condition may be meant; of others it takes the usual one.
fn calls(expr: &Expr) -> Vec<(String, Range<usize>)> {
    const FAMILIES: &[&str] = &[
        "any_",
        "approx_",
        "bit_",
        "bool_",
        "collect_",
        "count_",
        "covar",
        "percentile",
        "regr_",
        "std",
        "var_",
    ];
    const FUNCTIONS: &[&str] = &[
        "any",
        "array_agg",
        "avg",
        "corr",
        "count",
        "every",
        "first",
        "first_value",
        "grouping",
        "grouping_id",
        "kurtosis",
        "last",
        "last_value",
        "listagg",
        "max",
        "max_by",
        "mean",
        "median",
        "min",
        "min_by",
        "mode",
        "skewness",
        "some",
        "string_agg",
        "sum",
        "try_avg",
        "try_sum",
        "variance",
    ];
    /// Of the families' names, but of one row.
    const OTHERS: &[&str] = &["bit_count", "bit_get", "bit_length"];
    let text = expr.template().scanned();
    let mut tokens = expr.template().tokens();
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let name = token.text(&text).to_lowercase();
        let is_aggregate = FUNCTIONS.contains(&name.as_str())
            || FAMILIES.iter().any(|family| name.starts_with(family)) && !OTHERS.contains(&name.as_str());
        let opens = tokens.get(at + 1).is_some_and(|next| next.kind == TokenKind::Symbol('('));
        if token.kind != TokenKind::Word || !is_aggregate || !opens {
            continue;
        }
        let mut depth = 0_usize;
        let close = tokens.iter().skip(at + 1).find(|token| {
            match token.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let end = close.map_or(text.len(), |close| close.range.end);
        found.push((format!("{}(…)", token.text(&text)), token.range.start..end));
    }
    found
}

impl TransformKind for Aggregate {
    fn check(&self, checking: &mut Checking<'_>) {
        for expr in self.keys() {
            expr.check(Role::Column, checking.found);
        }
        for (_, expr) in self.columns.value.iter() {
            expr.check(Role::Value, checking.found);
        }
        if self.columns.value.is_empty() && self.keys().next().is_none() {
            let message = "an aggregate without keys and without columns has no result";
            checking.report(Diagnostic::new(Code::Settings, self.columns.span, message));
        }
        self.check_groups(checking);
        self.check_condition(checking);
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        let is_sail = dialect.implementation() == Implementation::Sail;
        let keys = self.keys().count();
        (is_sail && self.grouping_sets.is_some() && keys > MOST_KEYS).then(|| {
            format!("{dialect} has no `grouping_sets` of more than {MOST_KEYS} keys, and here are {keys}; Spark has them")
        })
    }

    fn stages(&self) -> Vec<Vec<&Expr>> {
        vec![
            self.keys().collect(),
            self.columns.value.iter().map(|(_, expr)| expr).collect(),
            self.having.iter().collect(),
        ]
    }

    fn columns_made(&self) -> Vec<String> {
        if self.has_aggregates() {
            return Vec::new();
        }
        let keys = self.keys().filter_map(Expr::column_name);
        keys.chain(self.columns.value.iter().map(|(name, _)| name.value.clone())).collect()
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
        let (group_type, grouping_sets, picked) = self.groups(lowering);
        let has_subtotals = group_type != GroupType::Groupby;
        let keys = if has_subtotals && lowering.dialect.keeps_constants_in_subtotals() {
            VariableKeys::of(self.keys(), lowering)
        } else {
            VariableKeys::same(self.keys(), lowering)
        };
        let columns = self.columns.value.iter();
        let columns =
            columns.map(|(name, expr)| expression::alias(keys.expr(expr, lowering), name.value.clone()));
        let mut columns: Vec<_> = columns.collect();
        let mut helpers: Vec<String> = Vec::new();
        let mut help = |name: &str, value: Expression| {
            columns.push(expression::alias(value, name));
            helpers.push(name.to_owned());
        };
        if picked.is_some() {
            help(SET, expression::expression_string("grouping_id()"));
        }
        let mut conditions: Vec<Expression> = picked.into_iter().map(expression::expression_string).collect();
        let is_sail = lowering.dialect.implementation() == Implementation::Sail;
        if is_sail && has_subtotals {
            // Sail has a total of no rows, too.
            help(ROWS, expression::expression_string("count(1)"));
            conditions.push(expression::expression_string(format!("{ROWS} > 0")));
        }
        if let Some(having) = self.having.as_ref().filter(|having| !lowering.masks.hides(having.span())) {
            let is_beside = self.has_aggregates();
            if is_beside {
                help(CONDITION, keys.expr(having, lowering));
            }
            let above = || lowering.condition(having);
            conditions.push(if is_beside { expression::attribute(CONDITION) } else { above() });
        }
        let aggregated = relation::of(RelType::Aggregate(Box::new(Grouped {
            input: Some(Box::new(keys.input(input))),
            group_type: group_type.into(),
            grouping_expressions: keys.keys.clone(),
            aggregate_expressions: columns,
            pivot: None,
            grouping_sets,
        })));
        let aggregated =
            if keys.paths.is_empty() { aggregated } else { relation::renamed(aggregated, keys.names()) };
        let chosen = conditions.into_iter().fold(aggregated, relation::filter);
        if helpers.is_empty() { chosen } else { relation::drop(chosen, helpers) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Template;

    #[test]
    fn aggregates_are_told_from_functions_of_one_row() {
        for (text, names) in [
            ("total > 10", vec![]),
            ("count(*) > 1 AND coalesce(sum(x), 0) > 2", vec!["count(…)", "sum(…)"]),
            ("COUNT_IF(x) > 1", vec!["COUNT_IF(…)"]),
            ("bit_count(n) > 1 AND count > 2", vec![]),
        ] {
            let expr = Expr::new(Template::of_text(text));
            let found: Vec<String> = calls(&expr).into_iter().map(|(name, _)| name).collect();
            assert_eq!(found, names, "{text}");
        }
    }
}
