//! Owns a window's frame: which rows around the current one a function sees, as SQL writes it.
//!
//! pipectl takes it apart itself: the protocol has its ends as enums and values, and engines tell little of what is wrong with them.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Bindings, Expr, Token, TokenKind, Value, tokens};
use crate::lowering::{Checking, Lowering};
use crate::proto::expression;
use crate::proto::spark::Expression;
use crate::proto::spark::expression::literal::LiteralType;
use crate::proto::spark::expression::window::WindowFrame;
use crate::proto::spark::expression::window::window_frame::{FrameBoundary, FrameType, frame_boundary};
use crate::scalar::Segment;

/// `rows between 2 preceding and current row`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame(Expr);

/// What the ends of a frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Rows,
    /// Differences of the sort key.
    Range,
}

/// Where an end lies, in the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    FirstRow,
    Before,
    CurrentRow,
    Behind,
    LastRow,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    side: Side,
    /// The bytes that say how far it is from the current row.
    offset: Option<Range<usize>>,
    /// All of its bytes.
    range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parsed {
    unit: Unit,
    from: End,
    to: End,
}

/// What is wrong, and how to mend it.
struct Wrong {
    range: Range<usize>,
    message: String,
    help: &'static str,
}

const ENDS: &str =
    "an end is `unbounded preceding`, `2 preceding`, `current row`, `2 following` or `unbounded following`";
const EXAMPLE: &str = "write for example `rows between 2 preceding and current row`";

impl Frame {
    pub(super) fn expr(&self) -> &Expr {
        &self.0
    }

    /// Reports what is wrong with it; `keys` are the sort keys of its window.
    pub(super) fn check(&self, keys: usize, checking: &mut Checking<'_>) {
        let template = self.0.template();
        let Some(tokens) = template.check(checking.found) else { return };
        let text = template.scanned();
        let parsed = match parse(&text, &tokens).and_then(|parsed| self.ordered(parsed, checking.bindings)) {
            Ok(parsed) => parsed,
            Err(Wrong { range, message, help }) => {
                let diagnostic = Diagnostic::new(Code::Expression, template.place(&range), message);
                checking.report(diagnostic.help(help));
                return;
            }
        };
        if keys == 0 {
            let message = "a frame means nothing without an order: which rows come before?";
            let diagnostic = Diagnostic::new(Code::MissingKey, self.0.span(), message);
            checking.report(diagnostic.help("say it, `order: [day]`, or leave the frame away"));
        } else if keys > 1
            && parsed.unit == Unit::Range
            && let Some(offset) = parsed.from.offset.or(parsed.to.offset)
        {
            let message = format!("a `range` with a distance goes along one sort key, and there are {keys}");
            let diagnostic = Diagnostic::new(Code::Settings, template.place(&offset), message);
            checking.report(diagnostic.help("keep one key, or count rows: `rows between …`"));
        }
    }

    /// Whether an end is an interval away, as far as can be seen.
    pub(super) fn has_interval(&self) -> bool {
        let text = self.0.template().scanned();
        self.0.template().tokens().iter().any(|token| token.is_word(&text, "interval"))
    }

    /// Refuses a frame whose first end lies behind the other, and distances that are no numbers of rows.
    fn ordered(&self, parsed: Parsed, bindings: &Bindings) -> Result<Parsed, Wrong> {
        let (from, to) = (&parsed.from, &parsed.to);
        let mut is_turned = from.side > to.side || from.side == Side::LastRow || to.side == Side::FirstRow;
        if parsed.unit == Unit::Rows {
            let [near, far] = [from, to].map(|end| end.offset.as_ref().map(|it| self.rows(it, bindings)));
            let (near, far) = (near.transpose()?, far.transpose()?);
            is_turned |= from.side == to.side
                && match from.side {
                    Side::Before => near < far,
                    Side::Behind => near > far,
                    Side::FirstRow | Side::CurrentRow | Side::LastRow => false,
                };
        }
        if is_turned {
            return Err(Wrong {
                range: from.range.start..to.range.end.max(from.range.end),
                message: "no row is in this frame: its first end lies behind the other".to_owned(),
                help: EXAMPLE,
            });
        }
        Ok(parsed)
    }

    /// A number of rows: digits, or a variable that holds a whole number.
    fn rows(&self, offset: &Range<usize>, bindings: &Bindings) -> Result<i32, Wrong> {
        let template = self.0.template();
        let text = template.scanned();
        let written = text.get(offset.clone()).unwrap_or_default();
        let variables = template.tokens();
        let mut variables = variables.iter().filter(|token| token.kind == TokenKind::Variable);
        let value = match variables.position(|token| token.range == *offset) {
            Some(at) => {
                let indices = template.segments().iter().filter_map(|segment| match segment {
                    Segment::Variable { index, .. } => Some(*index),
                    Segment::Text { .. } => None,
                });
                match indices.map(|index| &bindings.get(index).value).nth(at) {
                    // Stands in for a value that was reported.
                    Some(Value::Identifier(_)) => Some(0),
                    Some(Value::Integer(rows)) => i32::try_from(*rows).ok(),
                    _ => None,
                }
            }
            None => written.parse().ok(),
        };
        value.filter(|rows| *rows >= 0).ok_or_else(|| Wrong {
            range: offset.clone(),
            message: "`rows` are counted in whole numbers".to_owned(),
            help: "write `2 preceding`; a distance of the sort key's values is a `range`",
        })
    }

    /// As the protocol has it; nothing where it is left out.
    pub(super) fn lower(&self, lowering: &Lowering<'_>) -> Option<WindowFrame> {
        if lowering.masks.hides(self.0.span()) {
            return None;
        }
        let text = lowering.sql(&self.0);
        let mut tokens = tokens(&text, &[]);
        tokens.retain(|token| token.kind != TokenKind::Comment);
        let Parsed { unit, from, to } = parse(&text, &tokens).ok()?;
        let frame_type = match unit {
            Unit::Rows => FrameType::Row,
            Unit::Range => FrameType::Range,
        };
        let end = |end: &End| {
            let boundary = match (end.side, &end.offset) {
                (Side::FirstRow | Side::LastRow, _) => frame_boundary::Boundary::Unbounded(true),
                (side @ (Side::Before | Side::Behind), Some(offset)) => {
                    let value = match unit {
                        Unit::Rows => number(&text, offset, side),
                        Unit::Range => distance(&text, offset, side),
                    };
                    frame_boundary::Boundary::Value(Box::new(value))
                }
                (Side::CurrentRow | Side::Before | Side::Behind, _) => {
                    frame_boundary::Boundary::CurrentRow(true)
                }
            };
            Some(Box::new(FrameBoundary { boundary: Some(boundary) }))
        };
        Some(WindowFrame { frame_type: frame_type.into(), lower: end(&from), upper: end(&to) })
    }
}

/// A number of rows, of which that of a variable stands in quotes.
fn number(text: &str, offset: &Range<usize>, side: Side) -> Expression {
    let text = text.get(offset.clone()).unwrap_or_default();
    let rows: i32 = text.split('\'').nth(1).unwrap_or(text).parse().unwrap_or_default();
    expression::literal(LiteralType::Integer(if side == Side::Before { -rows } else { rows }))
}

/// A difference of the sort key, at the place at which it stands in the frame's text, so that an engine's places are right.
fn distance(text: &str, offset: &Range<usize>, side: Side) -> Expression {
    let open = if side == Side::Before { "-(" } else { "(" };
    let before = " ".repeat(offset.start.saturating_sub(open.len()));
    let text = text.get(offset.clone()).unwrap_or_default();
    expression::expression_string(format!("{before}{open}{text})"))
}

fn parse(text: &str, tokens: &[Token]) -> Result<Parsed, Wrong> {
    let whole = 0..text.len();
    let [unit, rest @ ..] = tokens else {
        return Err(Wrong { range: whole, message: "a frame is missing here".to_owned(), help: EXAMPLE });
    };
    let is = |token: &Token, word: &str| token.is_word(text, word);
    let what = if is(unit, "rows") {
        Unit::Rows
    } else if is(unit, "range") {
        Unit::Range
    } else {
        let message = "a frame begins with `rows` or `range`".to_owned();
        return Err(Wrong { range: unit.range.clone(), message, help: EXAMPLE });
    };
    match rest {
        [between, ends @ ..] if is(between, "between") => {
            let Some(and) = ends.iter().position(|token| is(token, "and")) else {
                let message = "a frame `between` has two ends, with `and` between them".to_owned();
                return Err(Wrong { range: between.range.clone(), message, help: EXAMPLE });
            };
            let (from, to) = (&ends[..and], &ends[and + 1..]);
            let from = end(text, from, &ends[and].range)?;
            Ok(Parsed { unit: what, from, to: end(text, to, &ends[and].range)? })
        }
        only => {
            let from = end(text, only, &unit.range)?;
            let to = End { side: Side::CurrentRow, offset: None, range: from.range.clone() };
            Ok(Parsed { unit: what, from, to })
        }
    }
}

/// One end of a frame; `near` is where it is missing.
fn end(text: &str, tokens: &[Token], near: &Range<usize>) -> Result<End, Wrong> {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        let message = "an end of the frame is missing here".to_owned();
        return Err(Wrong { range: near.clone(), message, help: ENDS });
    };
    let range = first.range.start..last.range.end;
    let is = |token: &Token, word: &str| token.is_word(text, word);
    let (side, offset) = match tokens {
        [current, row] if is(current, "current") && is(row, "row") => (Side::CurrentRow, None),
        [unbounded, side] if is(unbounded, "unbounded") && is(side, "preceding") => (Side::FirstRow, None),
        [unbounded, side] if is(unbounded, "unbounded") && is(side, "following") => (Side::LastRow, None),
        [offset @ .., side] if !offset.is_empty() && (is(side, "preceding") || is(side, "following")) => {
            let end = offset.last().map_or(range.end, |last| last.range.end);
            let place = if is(side, "preceding") { Side::Before } else { Side::Behind };
            (place, Some(range.start..end))
        }
        _ => {
            let message = format!("`{}` is no end of a frame", text.get(range.clone()).unwrap_or_default());
            return Err(Wrong { range, message, help: ENDS });
        }
    };
    Ok(End { side, offset, range })
}

impl<'de> Deserialize<'de> for Frame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Expr::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Frame {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Frame".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "frame",
            "type": "string",
            "pattern": "^(?i:\\s*(rows|range)\\s.*(preceding|following|current\\s+row)\\s*)$",
            "examples": [
                "rows between 2 preceding and current row",
                "rows between unbounded preceding and unbounded following",
                "range between interval 7 days preceding and current row",
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(Unit, Side, Side), String> {
        match parse(text, &tokens(text, &[])) {
            Ok(parsed) => Ok((parsed.unit, parsed.from.side, parsed.to.side)),
            Err(wrong) => Err(text.get(wrong.range).unwrap().to_owned()),
        }
    }

    #[test]
    fn frames_are_read_as_sql_writes_them() {
        for (text, unit, from, to) in [
            ("rows between 2 preceding and current row", Unit::Rows, Side::Before, Side::CurrentRow),
            ("ROWS 2 PRECEDING", Unit::Rows, Side::Before, Side::CurrentRow),
            ("range unbounded preceding", Unit::Range, Side::FirstRow, Side::CurrentRow),
            (
                "range between interval 7 days preceding and interval 1 day following",
                Unit::Range,
                Side::Before,
                Side::Behind,
            ),
            (
                "rows between unbounded preceding and unbounded following",
                Unit::Rows,
                Side::FirstRow,
                Side::LastRow,
            ),
        ] {
            assert_eq!(parsed(text), Ok((unit, from, to)), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_found_where_it_stands() {
        for (text, place) in [
            ("between 1 preceding and current row", "between"),
            ("rows between 1 preceding", "between"),
            ("rows between 1 preceding and 2", "2"),
            ("rows between and current row", "and"),
            ("rows", "rows"),
            ("rows between current and 1 following", "current"),
        ] {
            assert_eq!(parsed(text), Err(place.to_owned()), "{text}");
        }
    }
}
