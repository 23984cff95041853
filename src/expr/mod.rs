//! Owns expressions: text with variables as segments, its tokens, and what is wrong with it as far as can be seen without
//! an engine. pipectl keeps no function catalogue and parses no SQL: the server does.

mod column_type;
mod constant;
mod data_type;
mod foreign;
mod interval;
mod literal;
mod otherwise;
mod reading;
mod sent;
mod sort_key;
mod template;
mod token;
mod value;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::Quotes;
use crate::text::Span;

pub(crate) use column_type::{ColumnType, Difference};
pub(crate) use constant::Constant;
pub(crate) use data_type::{TYPE_NAMES, Type};
pub(crate) use literal::double;
pub(crate) use reading::is_known;
pub(crate) use sent::Sent;
pub(crate) use sort_key::{Direction, Nulls, SortKey};
pub(crate) use template::{Template, without_end};
pub(crate) use token::{Token, TokenKind, tokens};
pub(crate) use value::{Bindings, Bound, Value};

/// A Spark SQL expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expr(Template);

/// Where an expression stands, which decides whether it may name its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A column is made and may be named: `sum(x) AS total`.
    Column,
    /// A value or condition; a trailing name would be dropped in silence.
    Value,
}

impl Expr {
    /// A part of a text that holds several.
    pub(crate) fn new(template: Template) -> Self {
        Self(template)
    }

    pub(crate) fn span(&self) -> Span {
        self.0.span()
    }

    pub(crate) fn template(&self) -> &Template {
        &self.0
    }

    /// The text for an engine, each value a typed literal.
    pub(crate) fn sql(&self, bindings: &Bindings, quotes: Quotes) -> String {
        self.0.sql(bindings, quotes)
    }

    /// The text as it is printed.
    pub(crate) fn told(&self, bindings: &Bindings) -> String {
        self.0.told(bindings)
    }

    /// What is sent with the way back to this expression.
    pub(crate) fn sent(&self, bindings: &Bindings, quotes: Quotes) -> Sent {
        self.0.sent(quotes, |index| bindings.get(index).literal())
    }

    /// Reports what can be seen to be wrong.
    pub(crate) fn check(&self, role: Role, found: &mut Diagnostics) {
        let Some(tokens) = self.0.check(found) else { return };
        otherwise::warn(&self.0, &tokens, found);
        dates(&self.0, &tokens, found);
        if let Some(comma) = comma(&tokens) {
            found.push(
                Diagnostic::new(
                    Code::Expression,
                    self.0.place(&comma.range),
                    "one expression ends at this comma",
                )
                .help("write several as a list, one `- item` a line"),
            );
            return;
        }
        if role == Role::Column {
            return;
        }
        let text = self.0.scanned();
        if let Some(name) = trailing_name(&tokens, &text) {
            let span = self.0.place(&name.range);
            let word = name.text(&text).to_owned();
            let message =
                format!("`{word}` after a complete expression would be read as a name for it and dropped");
            found.push(
                Diagnostic::new(Code::Expression, span, message)
                    .label("an operator is missing, or this is too much")
                    .help("columns get names in `select`, and by the keys of `with_columns` and `aggregate`"),
            );
        }
    }

    /// The name of the column that it makes, where that can be seen: `sum(x) AS total`, `orders.id`.
    pub(crate) fn column_name(&self) -> Option<String> {
        let text = self.0.scanned();
        let mut tokens = self.0.tokens();
        tokens.retain(|token| token.kind != TokenKind::Comment);
        let named = trailing_name(&tokens, &text).or_else(|| {
            let is_path = tokens.iter().enumerate().all(|(at, token)| match token.kind {
                TokenKind::Word | TokenKind::QuotedName => at.is_multiple_of(2),
                TokenKind::Symbol('.') => !at.is_multiple_of(2),
                _ => false,
            });
            tokens.last().filter(|_| is_path)
        });
        named?.name(&text)
    }
}

/// Reports what can be seen to be wrong with a query; nothing more is known of what it means.
pub(crate) fn check_query(query: &Template, found: &mut Diagnostics) {
    if let Some(tokens) = query.check(found) {
        otherwise::warn(query, &tokens, found);
        otherwise::warn_of_clauses(query, &tokens, found);
        dates(query, &tokens, found);
    }
}

/// Reports dates without quotes, which SQL takes for differences of numbers: some engines compare those with dates, in silence.
fn dates(template: &Template, tokens: &[Token], found: &mut Diagnostics) {
    let text = template.scanned();
    for five in tokens.windows(5) {
        let [year, minus, month, other_minus, day] = five else { continue };
        let is_number = |token: &Token, digits: usize| {
            token.kind == TokenKind::Number && token.text(&text).len() == digits
        };
        let is_one = five.windows(2).all(|pair| pair[0].range.end == pair[1].range.start);
        let is_minus = |token: &Token| token.kind == TokenKind::Symbol('-');
        if is_one
            && is_number(year, 4)
            && is_number(month, 2)
            && is_number(day, 2)
            && is_minus(minus)
            && is_minus(other_minus)
        {
            let range = year.range.start..day.range.end;
            let date = text.get(range.clone()).unwrap_or_default();
            let message = format!("`{date}` is no date here, but one number minus two others");
            found.push(
                Diagnostic::new(Code::Expression, template.place(&range), message)
                    .help(format!("write `DATE '{date}'`")),
            );
        }
    }
}

/// A comma that no bracket holds.
fn comma(tokens: &[Token]) -> Option<&Token> {
    let mut depth = 0_usize;
    tokens.iter().find(|token| {
        match token.kind {
            TokenKind::Symbol('(' | '[') => depth += 1,
            TokenKind::Symbol(')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.kind == TokenKind::Symbol(',')
    })
}

/// A name at the end that no operator binds: `id > 1 oops`, `a AS b`. `tokens` are without comments.
fn trailing_name<'t>(tokens: &'t [Token], text: &str) -> Option<&'t Token> {
    let [.., before, last] = tokens else { return None };
    let is_name = match last.kind {
        TokenKind::QuotedName => true,
        TokenKind::Word => !is_any(last, text, ENDS_AN_EXPRESSION),
        _ => false,
    };
    if !is_name || (is_any(last, text, UNITS) && tokens.iter().any(|token| token.is_word(text, "interval"))) {
        return None;
    }
    let operand_before = match before.kind {
        TokenKind::QuotedName | TokenKind::Text | TokenKind::Number | TokenKind::Variable => true,
        TokenKind::Word => before.is_word(text, "as") || !is_any(before, text, WANTS_AN_OPERAND),
        TokenKind::Symbol(symbol) => matches!(symbol, ')' | ']'),
        TokenKind::Comment => false,
    };
    operand_before.then_some(last)
}

/// Words that may end an expression after an operand.
const ENDS_AN_EXPRESSION: &[&str] = &["null", "true", "false", "end", "unknown", "nulls", "local"];
/// Words after which an operand is expected.
const WANTS_AN_OPERAND: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "like",
    "ilike",
    "rlike",
    "regexp",
    "between",
    "is",
    "div",
    "mod",
    "when",
    "then",
    "else",
    "case",
    "escape",
    "distinct",
    "from",
    "collate",
    "over",
    "all",
    "any",
    "some",
    "zone",
    "interval",
    "exists",
    "similar",
    "to",
    "for",
    "by",
    "date",
    "timestamp",
    "timestamp_ntz",
    "timestamp_ltz",
];
/// Units that end an interval.
const UNITS: &[&str] = &[
    "year",
    "years",
    "quarter",
    "quarters",
    "month",
    "months",
    "week",
    "weeks",
    "day",
    "days",
    "hour",
    "hours",
    "minute",
    "minutes",
    "second",
    "seconds",
    "millisecond",
    "milliseconds",
    "microsecond",
    "microseconds",
    "nanosecond",
    "nanoseconds",
];

fn is_any(token: &Token, text: &str, words: &[&str]) -> bool {
    token.kind == TokenKind::Word && words.iter().any(|word| token.is_word(text, word))
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Template::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Expr {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "expression",
            "type": ["string", "number", "boolean"],
            "description": "A Spark SQL expression, parsed by the engine. Variables: `${name}`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trailing(text: &str) -> Option<String> {
        let tokens = Template::of_text(text).check(&mut Diagnostics::default()).unwrap();
        trailing_name(&tokens, text).map(|token| token.text(text).to_owned())
    }

    #[test]
    fn a_name_behind_a_complete_expression_is_found() {
        for (text, name) in [
            ("id > 1 oops", "oops"),
            ("a AS b", "b"),
            ("sum(x) total", "total"),
            ("a 'x' b", "b"),
            ("arr[0] first", "first"),
            ("a `b c`", "`b c`"),
            ("a desc", "desc"),
            ("x /* c */ y", "y"),
        ] {
            assert_eq!(trailing(text).as_deref(), Some(name), "{text}");
        }
    }

    #[test]
    fn the_name_of_a_column_is_seen() {
        for (text, name) in [
            ("id", Some("id")),
            ("a.`b c`", Some("b c")),
            ("sum(x) AS total", Some("total")),
            ("sum(x) total", Some("total")),
            ("sum(x)", None),
            ("a + b", None),
            ("a.*", None),
        ] {
            assert_eq!(Expr(Template::of_text(text)).column_name().as_deref(), name, "{text}");
        }
    }

    #[test]
    fn what_operators_bind_is_left_alone() {
        for text in [
            "id",
            "`id`",
            "a + b",
            "a IS NOT NULL",
            "NOT flag",
            "a AND NOT b",
            "x BETWEEN 1 AND y",
            "CASE WHEN a THEN 1 ELSE 2 END",
            "INTERVAL 1 DAY",
            "d + INTERVAL '2' MONTHS",
            "a DIV b",
            "a RLIKE b",
            "a COLLATE UTF8_LCASE",
            "a IS DISTINCT FROM b",
            "x::int",
            "first(a) IGNORE NULLS",
            "sum(a) OVER w",
            "DATE '2026-01-01'",
            "ts AT TIME ZONE tz",
            "a.b.c",
            "true",
        ] {
            assert_eq!(trailing(text), None, "{text}");
        }
    }
}
