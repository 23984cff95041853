//! Where in a text that was sent an error is, in the unit in which its server counts.

use std::ops::Range;

/// A place in a text that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ErrorPosition {
    /// Sail counts bytes.
    Bytes(Range<usize>),
    /// Spark counts characters.
    Characters(Range<usize>),
    /// Its parser says a line, counted from 1, and a character in it, counted from 0.
    Line { line: usize, character: usize },
}

impl ErrorPosition {
    /// `SQLSTATE: 42601 (line 1, pos 13)`.
    pub(crate) fn said_by_spark(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(" (line ")?;
        let (line, rest) = rest.split_once(", pos ")?;
        let (character, _) = rest.split_once(')')?;
        Some(Self::Line { line: line.parse().ok()?, character: character.parse().ok()? })
    }

    /// `found x at 13:14 expected …`.
    pub(crate) fn said_by_sail(text: &str) -> Option<Self> {
        let (before, _) = text.split_once("found ")?.1.split_once(" expected ")?;
        let (start, end) = before.rsplit_once(" at ")?.1.split_once(':')?;
        Some(Self::Bytes(start.parse().ok()?..end.parse().ok()?))
    }

    /// The bytes of the text; of a place in it that has no end those to the end of the text.
    pub(crate) fn bytes(&self, text: &str) -> Range<usize> {
        let byte = |character: usize| text.char_indices().nth(character).map_or(text.len(), |(at, _)| at);
        match self {
            Self::Bytes(range) => range.start.min(text.len())..range.end.min(text.len()),
            Self::Characters(range) => byte(range.start)..byte(range.end),
            Self::Line { line, character } => {
                let before = line.saturating_sub(1);
                let start = match before {
                    0 => 0,
                    _ => text.match_indices('\n').nth(before - 1).map_or(text.len(), |(at, _)| at + 1),
                };
                let rest = text.get(start..).unwrap_or_default();
                let at = rest.char_indices().nth(*character).map_or(rest.len(), |(at, _)| at);
                start + at..text.len()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_counted_in_their_unit() {
        let text = "SELECT 'ü😀',\n 'ü' || oops";
        for (place, word) in [
            (ErrorPosition::said_by_spark("[X] no. SQLSTATE: 42601 (line 2, pos 8)\n\n== SQL =="), "oops"),
            (ErrorPosition::said_by_spark("[X] no. SQLSTATE: 42601 (line 1, pos 7)"), "'ü😀'"),
            (ErrorPosition::said_by_sail("invalid argument: found oops at 26:30 expected end"), "oops"),
            (Some(ErrorPosition::Characters(21..25)), "oops"),
        ] {
            let range = place.unwrap().bytes(text);
            assert!(text.get(range.clone()).unwrap().starts_with(word), "{word} {range:?}");
        }
        for text in ["found end of input expected x", "line 1 pos 7", ""] {
            assert_eq!(ErrorPosition::said_by_sail(text), None);
            assert_eq!(ErrorPosition::said_by_spark(text), None);
        }
    }
}
