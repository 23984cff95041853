//! Owns the text of the user's files and positions in it.
//!
//! A [`Span`] is a byte range of one [`Source`]; lines and columns are worked out only when something is shown, so that
//! reading a large file costs nothing for them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// Which of the files of a pipeline a span is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct FileId(pub(crate) u16);

/// A range of bytes in one file, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Deserialize)]
pub(crate) struct Span {
    pub(crate) file: FileId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// An empty span at the beginning of a file, for what concerns the file as a whole.
    pub(crate) fn start_of(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }

    /// How many bytes it has.
    pub(crate) fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// The part of this span from `from` to `to` bytes after its start, kept within the span.
    pub(crate) fn part(self, from: usize, to: usize) -> Self {
        let at = |offset: usize| (self.start + u32::try_from(offset).unwrap_or(u32::MAX)).min(self.end);
        Self { file: self.file, start: at(from), end: at(to) }
    }
}

/// A value and where in the file it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Spanned<T> {
    pub(crate) span: Span,
    pub(crate) value: T,
}

/// The name under which a deserializer that knows positions recognises a [`Spanned`].
pub(crate) const SPANNED: &str = "$pipectl::spanned";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "$pipectl::spanned")]
        struct Wire<T> {
            span: Span,
            value: T,
        }
        let Wire { span, value } = Wire::deserialize(deserializer)?;
        Ok(Self { span, value })
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: fmt::Display> fmt::Display for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A line and a column, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A file's name, as the user gave it, and its text.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    path: PathBuf,
    text: Arc<String>,
    /// Where each line begins; found out when the first position is asked for, since many may follow.
    lines: OnceLock<Arc<[usize]>>,
}

impl Source {
    pub(crate) fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: Arc::new(text.into()), lines: OnceLock::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> &Arc<String> {
        &self.text
    }

    /// Line and column of a byte offset.
    pub(crate) fn position(&self, offset: u32) -> Position {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let lines = self.lines.get_or_init(|| {
            let breaks = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(breaks).collect()
        });
        let line = lines.partition_point(|start| *start <= offset);
        let start = lines[line - 1];
        Position { line, column: self.text.get(start..offset).unwrap_or_default().chars().count() + 1 }
    }
}

/// The files that one pipeline consists of; spans point into them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    pub(crate) fn add(&mut self, source: Source) -> FileId {
        self.0.push(source);
        FileId(u16::try_from(self.0.len() - 1).expect("a pipeline has fewer than 65,536 files"))
    }

    /// The names of all files, the one that was asked for first.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(Source::path)
    }

    /// Whether both are the same files in the same order, so that a place in one is that in the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|(a, b)| a.path() == b.path() && a.text() == b.text())
    }

    /// Whether no further file can be told from the others.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() > usize::from(u16::MAX)
    }

    pub(crate) fn get(&self, file: FileId) -> &Source {
        &self.0[usize::from(file.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = Source::new("x.yaml", "a: é\nbb: c\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(5), Position { line: 1, column: 5 });
        assert_eq!(source.position(6), Position { line: 2, column: 1 });
        assert_eq!(source.position(4), Position { line: 1, column: 4 }, "inside a character");
        assert_eq!(source.position(9_999), Position { line: 3, column: 1 });
    }

    #[test]
    fn a_part_stays_inside_its_span() {
        let span = Span { file: FileId(0), start: 10, end: 14 };
        assert_eq!(span.part(1, 3), Span { file: FileId(0), start: 11, end: 13 });
        assert_eq!(span.part(2, 99), Span { file: FileId(0), start: 12, end: 14 });
    }
}
