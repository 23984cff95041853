//! `window`: adds columns that are worked out over the rows around each row.

use schemars::JsonSchema;
use serde::Deserialize;

use super::frame::Frame;
use super::sort_orders::sort_orders;
use super::{RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{Bindings, Direction, Expr, Nulls, Role, SortKey, Token, TokenKind};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::{Expression, Relation};
use crate::proto::{expression, relation};
use crate::shape::{Entries, Many};
use crate::text::Spanned;

/// Adds columns that are worked out over the rows around each row: ranks, running totals, the row before.
///
/// Each entry of `columns` is one function: `row_number()`, `lag(price)`, `sum(price)`, `first_value(price) IGNORE NULLS`. All of them see
/// the step's input, and the same window: the rows with equal values in `by` (NULL is a value of its own), or all rows. Without `order` a
/// function sees all of these; with it, those up to the current row and its equals, unless `frame` says otherwise. Where the function is a
/// part of a larger expression, write the window into the expression, in `with_columns`: `price / sum(price) OVER (PARTITION BY town)`.
/// Rows come in no order.
///
/// On Sail `collect_list`, `collect_set` and `array_agg` keep NULLs here. Spark has no `DISTINCT` here. Sail has no `FILTER` here, and no `range` by an interval; use a number there:
/// `order: [unix_date(day)]`, `frame: range between 7 preceding and current row`.
///
/// ```yaml
/// version: 1
/// steps:
///   sales:
///     values:
///       columns: { town: string, day: date, price: int }
///       rows:
///         - [Ulm, 2026-01-01, 5]
///         - [Ulm, 2026-01-02, 7]
///         - [Ulm, 2026-01-03, null]
///         - [Jena, 2026-01-01, 1]
///     transform:
///       - window:
///           by: [town]
///           order: [day]
///           columns:
///             number: row_number()
///             so_far: sum(price)
///       - window:
///           by: [town]
///           order: [day]
///           frame: rows between 1 preceding and current row
///           columns: { days: count(*) }
///       - sort: [town, day]
///     write: stdout
/// ```
///
/// ```text
/// town | day        | price | number | so_far | days
/// -----+------------+-------+--------+--------+-----
/// Jena | 2026-01-01 |     1 |      1 |      1 |    1
/// Ulm  | 2026-01-01 |     5 |      1 |      5 |    1
/// Ulm  | 2026-01-02 |     7 |      2 |     12 |    2
/// Ulm  | 2026-01-03 |  NULL |      3 |     12 |    2
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Window {
    /// Whose rows belong together: columns or expressions. Without them all rows do.
    by: Option<Many<Expr>>,
    /// The order of the rows, as in `sort`.
    order: Option<Many<SortKey>>,
    /// Which rows around the current one a function sees, as SQL says it: `rows between 2 preceding and current row`.
    frame: Option<Frame>,
    /// The columns that are added, or replaced: `name: function`.
    #[schemars(extend("minProperties" = 1))]
    columns: Spanned<Entries<Expr>>,
}

/// Functions that rank rows or look at others by their number: they need an order, and take no frame.
const RANKING: &[&str] =
    &["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"];

/// The name of a column that is there while a mistake is looked for.
const TRIED: &str = "pipectl__tried";

impl Window {
    fn by(&self) -> impl Iterator<Item = &Expr> {
        self.by.iter().flat_map(|by| by.iter())
    }

    fn order_keys(&self) -> &[SortKey] {
        self.order.as_deref().unwrap_or_default()
    }

    fn functions(&self) -> impl Iterator<Item = &Expr> {
        self.columns.value.iter().map(|(_, expr)| expr)
    }

    /// Reports an entry that is no function over the window.
    fn check_function(&self, expr: &Expr, checking: &mut Checking<'_>) {
        let mut found = Diagnostics::default();
        expr.check(Role::Value, &mut found);
        let is_readable = !found.has_errors();
        checking.found.append(found);
        if !is_readable {
            return;
        }
        let template = expr.template();
        let text = template.scanned();
        let mut tokens = template.tokens();
        tokens.retain(|token| token.kind != TokenKind::Comment);
        if let Some(over) = tokens.iter().find(|token| token.is_word(&text, "over")) {
            let message = "the window stands beside the function here, and not in it";
            let diagnostic = Diagnostic::new(Code::Expression, template.place(&over.range), message);
            checking.report(
                diagnostic
                    .help("leave `OVER (…)` away, and say what it says by `by`, `order` and `frame`")
                    .help("or write the whole expression into `with_columns`"),
            );
            return;
        }
        let Some(name) = called(&tokens, &text) else {
            let written = text.trim();
            let message = format!("`{written}` is not one function over the window");
            let over = self.over(checking.bindings);
            let help = if tokens.iter().any(|token| token.kind == TokenKind::Symbol('(')) {
                format!(
                    "write such an expression into `with_columns`, with `OVER ({over})` behind each function over the window"
                )
            } else {
                format!("write a function, as in `max({written})`")
            };
            checking.report(Diagnostic::new(Code::Expression, expr.span(), message).help(help));
            return;
        };
        if !RANKING.contains(&name.to_lowercase().as_str()) {
            return;
        }
        if self.order_keys().is_empty() {
            let message = format!("`{name}` needs an order: which row comes first?");
            let diagnostic = Diagnostic::new(Code::Settings, expr.span(), message);
            checking.report(diagnostic.help("say it: `order: [day]`"));
        } else if self.frame.is_some() {
            let message = format!("`{name}` sees all rows of its window, and takes no frame");
            checking.report(
                checking
                    .needless("frame", message)
                    .related(expr.span(), "this function")
                    .help("put it into another `window`, without `frame`"),
            );
        }
    }

    /// The window as SQL.
    fn over(&self, bindings: &Bindings) -> String {
        let by: Vec<String> = self.by().map(|expr| expr.told(bindings)).collect();
        let order: Vec<String> = self.order_keys().iter().map(|key| told(key, bindings)).collect();
        let mut parts = Vec::new();
        if !by.is_empty() {
            parts.push(format!("PARTITION BY {}", by.join(", ")));
        }
        if !order.is_empty() {
            parts.push(format!("ORDER BY {}", order.join(", ")));
        }
        parts.extend(self.frame.iter().map(|frame| frame.expr().told(bindings)));
        parts.join(" ")
    }

    fn has_word(&self, word: &str) -> bool {
        self.functions().any(|expr| {
            let text = expr.template().scanned();
            expr.template().tokens().iter().any(|token| token.is_word(&text, word))
        })
    }

    fn over_this(&self, function: Expression, lowering: &Lowering<'_>) -> Expression {
        let kept = self.by().filter(|expr| !lowering.masks.hides(expr.span()));
        let by = kept.map(|expr| lowering.expr(expr)).collect();
        let frame = self.frame.as_ref().and_then(|frame| frame.lower(lowering));
        expression::window(function, by, sort_orders(self.order_keys(), lowering), frame)
    }
}

/// The function that is called, where that and what belongs to it is all: `sum(x)`, `first_value(x) IGNORE NULLS`.
fn called(tokens: &[Token], text: &str) -> Option<String> {
    let open = tokens.iter().position(|token| token.kind == TokenKind::Symbol('('))?;
    let is_path = tokens[..open].iter().enumerate().all(|(at, token)| match token.kind {
        TokenKind::Word | TokenKind::QuotedName => at.is_multiple_of(2),
        TokenKind::Symbol('.') => !at.is_multiple_of(2),
        _ => false,
    });
    let name = tokens.get(open.checked_sub(1)?)?.name(text).filter(|_| is_path)?;
    let mut rest = behind(tokens, open)?;
    loop {
        rest = match rest {
            [] => return Some(name),
            [how, nulls, rest @ ..]
                if (how.is_word(text, "ignore") || how.is_word(text, "respect"))
                    && nulls.is_word(text, "nulls") =>
            {
                rest
            }
            [filter, open, ..] if filter.is_word(text, "filter") && open.kind == TokenKind::Symbol('(') => {
                behind(rest, 1)?
            }
            _ => return None,
        };
    }
}

/// What stands behind the bracket that closes the one at `open`.
fn behind(tokens: &[Token], open: usize) -> Option<&[Token]> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            TokenKind::Symbol('(') => depth += 1,
            TokenKind::Symbol(')') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return tokens.get(at + 1..);
        }
    }
    None
}

fn told(key: &SortKey, bindings: &Bindings) -> String {
    let expr = key.expr().told(bindings);
    match (key.direction(), key.nulls()) {
        (Direction::Ascending, Nulls::First) => expr,
        (Direction::Ascending, Nulls::Last) => format!("{expr} NULLS LAST"),
        (Direction::Descending, Nulls::Last) => format!("{expr} DESC"),
        (Direction::Descending, Nulls::First) => format!("{expr} DESC NULLS FIRST"),
    }
}

impl TransformKind for Window {
    fn check(&self, checking: &mut Checking<'_>) {
        if self.columns.value.is_empty() {
            let message = "the columns are missing here";
            checking.report(Diagnostic::new(Code::MissingKey, self.columns.span, message));
        }
        for expr in self.by() {
            expr.check(Role::Value, checking.found);
        }
        for key in self.order_keys() {
            key.check(checking.found);
        }
        for expr in self.functions() {
            self.check_function(expr, checking);
        }
        if let Some(frame) = &self.frame {
            frame.check(self.order_keys().len(), checking);
        }
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        match dialect.implementation() {
            Implementation::Sail if self.has_word("filter") => Some(format!(
                "{dialect} has no `FILTER` in window functions; Spark has it, and `CASE WHEN` inside the function means the same on both"
            )),
            Implementation::Sail if self.frame.as_ref().is_some_and(Frame::has_interval) => Some(format!(
                "{dialect} has no `range` by an interval; Spark has it, and a number means the same on both: `order: [unix_date(day)]`"
            )),
            Implementation::Spark if self.has_word("distinct") => Some(format!(
                "{dialect} has no `DISTINCT` in window functions; Sail has it, and `size(collect_set(…))` counts the same on both"
            )),
            Implementation::Sail | Implementation::Spark => None,
        }
    }

    fn stages(&self) -> Vec<Vec<&Expr>> {
        vec![
            self.by().collect(),
            self.order_keys().iter().map(SortKey::expr).collect(),
            self.functions().collect(),
            self.frame.iter().map(Frame::expr).collect(),
        ]
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let is_hidden = |expr: &Expr| lowering.masks.hides(expr.span());
        let mut input = input;
        if self.functions().any(is_hidden) {
            // What stands in for a wrong function has no window, which is to be looked at all the same.
            let tried = self.over_this(expression::expression_string("count(1)"), lowering);
            input = relation::with_columns(input, [(TRIED.to_owned(), tried)]);
            input = relation::drop(input, vec![TRIED.to_owned()]);
        }
        let columns = self.columns.value.iter().map(|(name, expr)| {
            let function = lowering.expr(expr);
            let value = if is_hidden(expr) { function } else { self.over_this(function, lowering) };
            (name.value.clone(), value)
        });
        relation::with_columns(input, columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::tokens;

    #[test]
    fn one_function_is_told_from_more() {
        for (text, name) in [
            ("sum(x)", Some("sum")),
            ("db.rank((1 + 2) * x)", Some("rank")),
            ("first_value(x) IGNORE NULLS", Some("first_value")),
            ("sum(x) FILTER (WHERE y > 1)", Some("sum")),
            ("x", None),
            ("x / sum(x)", None),
            ("sum(x) / count(*)", None),
            ("(sum(x))", None),
            ("-sum(x)", None),
            ("sum(x) filter", None),
        ] {
            assert_eq!(called(&tokens(text, &[]), text).as_deref(), name, "{text}");
        }
    }
}
