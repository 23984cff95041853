//! Owns a template as it is sent to an engine, and the way back from a place in what was sent to one in the template.
//!
//! Parts of it can be masked, so that an engine's analysis goes on behind what is wrong there.

use std::ops::Range;

use super::template::{Template, with_backslashes};
use super::token::PLACEHOLDER;
use crate::dialect::Quotes;
use crate::scalar::Segment;

/// Text for an engine, made of a template's own text, values, and masks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    text: String,
    /// The bytes of the scanned text for which it stands.
    scanned: Range<usize>,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The template's own text, byte for byte.
    Own,
    /// It stands for a variable, or in place of something that is wrong.
    Other,
}

impl Template {
    /// The text for an engine, each value as `value` writes it, and the way back.
    pub(crate) fn sent(&self, quotes: Quotes, value: impl FnMut(u32) -> String) -> Sent {
        Sent::new(self, quotes, value)
    }
}

impl Sent {
    /// The text of a template, each value as `value` writes it.
    pub(super) fn new(template: &Template, quotes: Quotes, mut value: impl FnMut(u32) -> String) -> Self {
        let mut at = 0;
        let pieces = template.segments().iter().map(|segment| {
            let (text, length, origin) = match segment {
                Segment::Text { text, .. } => (text.clone(), text.len(), Origin::Own),
                Segment::Variable { index, .. } => (value(*index), PLACEHOLDER.len_utf8(), Origin::Other),
            };
            let scanned = at..at + length;
            at += length;
            Piece { text, scanned, origin }
        });
        let mut sent = Self(pieces.collect());
        if quotes == Quotes::Backslash {
            sent.write_backslashes();
        }
        sent
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Quotes as engines read them that do not know doubled ones. The text becomes no longer and no shorter by it.
    fn write_backslashes(&mut self) {
        let changed = with_backslashes(&self.text());
        let mut at = 0;
        for piece in &mut self.0 {
            let end = at + piece.text.len();
            if let Some(text) = changed.get(at..end) {
                text.clone_into(&mut piece.text);
            }
            at = end;
        }
    }

    /// Takes off what stands behind so many bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        let mut at = 0;
        for piece in &mut self.0 {
            let left = length.saturating_sub(at);
            at += piece.text.len();
            if piece.text.len() > left {
                piece.text.truncate(left);
                if piece.origin == Origin::Own {
                    piece.scanned.end = piece.scanned.start + left;
                }
            }
        }
    }

    /// The bytes of the scanned text for which bytes of this text stand.
    pub(crate) fn scanned(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.at(range.start).map_or(0, |(piece, offset)| match piece.origin {
            Origin::Own => piece.scanned.start + offset,
            Origin::Other => piece.scanned.start,
        });
        let last = range.end.max(range.start + 1) - 1;
        let end = self.at(last).map_or(start, |(piece, offset)| match piece.origin {
            Origin::Own => piece.scanned.start + offset + 1,
            Origin::Other => piece.scanned.end,
        });
        start..end.max(start)
    }

    /// The piece with a byte of this text, and that byte's offset in it; the last piece's end for what lies behind.
    fn at(&self, byte: usize) -> Option<(&Piece, usize)> {
        let mut at = 0;
        for piece in &self.0 {
            if byte < at + piece.text.len() {
                return Some((piece, byte - at));
            }
            at += piece.text.len();
        }
        self.0.last().map(|piece| (piece, piece.text.len()))
    }

    /// Puts a text in place of bytes of the scanned text.
    pub(crate) fn mask(&mut self, range: &Range<usize>, text: &str) {
        let mut pieces = Vec::with_capacity(self.0.len() + 2);
        let mut mask = Some(Piece { text: text.to_owned(), scanned: range.clone(), origin: Origin::Other });
        for piece in self.0.drain(..) {
            let Range { start, end } = piece.scanned;
            if end <= range.start || (start >= range.end && mask.is_none()) {
                pieces.push(piece);
                continue;
            }
            if start >= range.end {
                pieces.extend(mask.take());
                pieces.push(piece);
                continue;
            }
            let part = |from: usize, to: usize| Piece {
                text: piece.text.get(from - start..to - start).unwrap_or_default().to_owned(),
                scanned: from..to,
                origin: Origin::Own,
            };
            if piece.origin == Origin::Own && start < range.start {
                pieces.push(part(start, range.start));
            }
            pieces.extend(mask.take());
            if piece.origin == Origin::Own && end > range.end {
                pieces.push(part(range.end, end));
            }
        }
        pieces.extend(mask);
        self.0 = pieces;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::{Layout, Style, Written};
    use crate::text::Span;

    fn template() -> Template {
        let segments = vec![
            Segment::Text { text: "x = 'ü''' AND day > ".to_owned(), at: 0 },
            Segment::Variable { index: 7, text: "2026-01-31".into(), at: 21 },
            Segment::Text { text: " + oops".to_owned(), at: 27 },
        ];
        Template::of_written(Written {
            span: Span::default(),
            style: Style::Literal,
            layout: Layout::Verbatim,
            segments,
        })
    }

    fn sent() -> Sent {
        Sent::new(&template(), Quotes::Backslash, |index| format!("DATE '{index}'"))
    }

    #[test]
    fn a_place_is_found_again_behind_values_and_quotes() {
        let (sent, template) = (sent(), template());
        let (text, scanned) = (sent.text(), template.scanned());
        assert_eq!(text, r"x = 'ü\'' AND day > DATE '7' + oops");
        for word in ["x", "AND", "day", "oops"] {
            let at = text.find(word).unwrap();
            assert_eq!(scanned.get(sent.scanned(&(at..at + word.len()))), Some(word));
        }
        let at = text.find("'7'").unwrap();
        let placeholder = scanned.find(PLACEHOLDER).unwrap();
        assert_eq!(sent.scanned(&(at..at + 1)), placeholder..placeholder + PLACEHOLDER.len_utf8());
        assert_eq!(sent.scanned(&(text.len()..text.len())).end, scanned.len() + 1);
    }

    #[test]
    fn what_is_masked_is_replaced_and_the_rest_is_found() {
        let (mut sent, template) = (sent(), template());
        let scanned = template.scanned();
        for (word, mask) in [("oops", "NULL"), ("day", "CAST(NULL AS DATE)")] {
            let at = scanned.find(word).unwrap();
            sent.mask(&(at..at + word.len()), mask);
        }
        let text = sent.text();
        assert_eq!(text, r"x = 'ü\'' AND CAST(NULL AS DATE) > DATE '7' + NULL");
        let at = text.find("> DATE").unwrap();
        assert_eq!(scanned.get(sent.scanned(&(at..at + 1))), Some(">"));
        let at = text.rfind("NULL").unwrap();
        assert_eq!(scanned.get(sent.scanned(&(at..at + 4))), Some("oops"));
        // What is taken off is not put back.
        let mut sent = self::sent();
        sent.truncate(sent.text().find(" > DATE").unwrap());
        let at = scanned.find("AND").unwrap();
        sent.mask(&(at..at + 3), "OR");
        assert_eq!(sent.text(), r"x = 'ü\'' OR day");
    }
}
