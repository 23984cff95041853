//! Owns a sort key: an expression and, after it, a direction and where nulls go.
//!
//! pipectl takes both off itself: as part of the expression `revenue DESC` would be the column under the name `DESC`,
//! sorted upwards, without an error.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::template::Template;
use super::token::TokenKind;
use super::{Expr, Role};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    First,
    Last,
}

/// `EXPRESSION [ASC | DESC] [NULLS FIRST | NULLS LAST]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortKey {
    expr: Expr,
    direction: Direction,
    nulls: Nulls,
}

impl SortKey {
    pub(crate) fn expr(&self) -> &Expr {
        &self.expr
    }

    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    pub(crate) fn nulls(&self) -> Nulls {
        self.nulls
    }

    pub(crate) fn check(&self, found: &mut Diagnostics) {
        match self.leftover() {
            Some(word) => found.push(
                Diagnostic::new(
                    Code::Expression,
                    self.expr.template().place(&word),
                    "this is not how a sort key ends",
                )
                .help("after the expression write `ASC` or `DESC`, then `NULLS FIRST` or `NULLS LAST`"),
            ),
            None => self.expr.check(Role::Value, found),
        }
    }

    /// A last word that was meant as a direction, or as a place for nulls, and is none.
    fn leftover(&self) -> Option<Range<usize>> {
        let text = self.expr.template().scanned();
        let mut tokens = self.expr.template().tokens();
        tokens.retain(|token| token.kind != TokenKind::Comment);
        let [.., _, last] = tokens.as_slice() else { return None };
        let words = ["asc", "desc", "ascending", "descending", "nulls", "first", "last", "up", "down"];
        words.iter().any(|word| last.is_word(&text, word)).then(|| last.range.clone())
    }

    fn split(template: Template) -> Self {
        let text = template.scanned().into_owned();
        let mut tokens = template.tokens();
        tokens.retain(|token| token.kind != TokenKind::Comment);
        let mut left = tokens.as_slice();
        let mut nulls = None;
        if let [rest @ .., word, place] = left
            && !rest.is_empty()
            && word.is_word(&text, "nulls")
        {
            nulls = if place.is_word(&text, "first") {
                Some(Nulls::First)
            } else if place.is_word(&text, "last") {
                Some(Nulls::Last)
            } else {
                None
            };
            if nulls.is_some() {
                left = rest;
            }
        }
        let mut direction = Direction::Ascending;
        if let [rest @ .., word] = left
            && !rest.is_empty()
        {
            if word.is_word(&text, "desc") {
                (direction, left) = (Direction::Descending, rest);
            } else if word.is_word(&text, "asc") {
                left = rest;
            }
        }
        let end = left.last().map_or(text.len(), |token| token.range.end);
        let nulls = nulls.unwrap_or(match direction {
            Direction::Ascending => Nulls::First,
            Direction::Descending => Nulls::Last,
        });
        Self { expr: Expr(template.cut(end)), direction, nulls }
    }
}

impl<'de> Deserialize<'de> for SortKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Template::deserialize(deserializer).map(Self::split)
    }
}

impl JsonSchema for SortKey {
    fn schema_name() -> Cow<'static, str> {
        "SortKey".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "sort key",
            "type": "string",
            "description": "An expression, then `ASC` or `DESC`, then `NULLS FIRST` or `NULLS LAST`. Without them: `ASC NULLS FIRST`; with `DESC` alone: `NULLS LAST`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Ascending, Descending};
    use Nulls::{First, Last};

    #[test]
    fn direction_and_nulls_are_taken_off() {
        for (text, expr, direction, nulls) in [
            ("revenue DESC", "revenue", Descending, Last),
            ("revenue", "revenue", Ascending, First),
            ("a + b asc nulls last", "a + b", Ascending, Last),
            ("x desc NULLS FIRST", "x", Descending, First),
            ("lower(desc) DESC", "lower(desc)", Descending, Last),
            ("desc", "desc", Ascending, First),
            ("`a desc`", "`a desc`", Ascending, First),
            ("a nulls last", "a", Ascending, Last),
        ] {
            let key = SortKey::split(Template::of_text(text));
            let shown = key.expr.template().scanned().into_owned();
            assert_eq!((shown.as_str(), key.direction, key.nulls), (expr, direction, nulls), "{text}");
        }
    }
}
