//! Owns where the keys of a step's settings stand, for what is wrong with a key and not with its value.
//!
//! Names are not kept: the text of the file has them, and is looked at only where something is wrong.

use crate::diagnostic::Suggestion;
use crate::text::{Sources, Span};

/// The entries of the settings of a step's parts.
#[derive(Debug, Default)]
pub(crate) struct SettingKeys(Vec<Entry>);

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The place by which the part is known that has the setting.
    item: Span,
    key: Span,
    value: Span,
}

impl SettingKeys {
    pub(crate) fn push(&mut self, item: Span, key: Span, value: Span) {
        self.0.push(Entry { item, key, value });
    }

    /// Where a key of a part's settings stands; nothing where the settings are written without keys.
    pub(super) fn key(&self, sources: &Sources, item: Span, name: &str) -> Option<Span> {
        self.entry(sources, item, name).map(|entry| entry.key)
    }

    /// The edit that removes a key with its value, where nothing else has to change.
    pub(super) fn removal(&self, sources: &Sources, item: Span, name: &str) -> Option<Suggestion> {
        let Entry { key, value, .. } = self.entry(sources, item, name)?;
        let text = sources.get(key.file).text();
        let (start, end) = removed(text, key, value)?;
        let offset = |at: usize| u32::try_from(at).ok();
        let span = Span { file: key.file, start: offset(start)?, end: offset(end)? };
        Some(Suggestion::maybe_incorrect(span, ""))
    }

    fn entry(&self, sources: &Sources, item: Span, name: &str) -> Option<Entry> {
        let is_named = |entry: &&Entry| {
            let text = sources.get(entry.key.file).text();
            let written = text.get(entry.key.start as usize..entry.key.end as usize);
            written.is_some_and(|written| written.trim_matches(['\'', '"']) == name)
        };
        self.0.iter().filter(|entry| entry.item == item).find(is_named).copied()
    }
}

/// The bytes of an entry with what separates it from the others; nothing for the only one, and for the one after a `-`.
fn removed(text: &str, key: Span, value: Span) -> Option<(usize, usize)> {
    let (start, end) = (key.start as usize, key.end.max(value.end) as usize);
    let written = text.get(start..end)?.trim_end();
    let end = start + written.len();
    let (before, behind) = (text.get(..start)?, text.get(end..)?);
    // The place of a value that is nothing is the key's.
    let behind = if value.end <= key.end { behind.strip_prefix(':')? } else { behind };
    let end = text.len() - behind.len();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    if before.get(line..)?.chars().all(|c| c == ' ') {
        // A line of its own, or several, with what follows in the last one: nothing but a comment.
        let rest = behind.split_inclusive('\n').next().unwrap_or_default();
        let is_alone = rest.trim().is_empty() || rest.trim_start().starts_with('#');
        return is_alone.then_some((line, end + rest.len()));
    }
    if let Some(others) = before.trim_end().strip_suffix(',') {
        return Some((others.len(), end));
    }
    let rest = behind.trim_start_matches(' ').strip_prefix(',')?.trim_start_matches(' ');
    before.trim_end().ends_with('{').then_some((start, text.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FileId;

    #[test]
    fn an_entry_is_removed_with_what_separates_it() {
        for (text, key, value, expected) in [
            ("a: 1\n  b: 2\n  c: 3\n", "b", "2", Some("a: 1\n  c: 3\n")),
            ("  b: 2 # two\n  c: 3\n", "b", "2", Some("  c: 3\n")),
            ("  b: |\n    x\n  c: 3\n", "b", "|\n    x\n", Some("  c: 3\n")),
            ("{ a: 1, b: 2 }", "a", "1", Some("{ b: 2 }")),
            ("{ a: 1, b: 2 }", "b", "2", Some("{ a: 1 }")),
            ("{ a: 1, b: [2, 3], c: 4 }", "b", "[2, 3]", Some("{ a: 1, c: 4 }")),
            ("{ a: 1 }", "a", "1", None),
            ("- a: 1\n  b: 2\n", "a", "1", None),
        ] {
            let span = |part: &str| {
                let at = u32::try_from(text.find(part).unwrap()).unwrap();
                Span { file: FileId(0), start: at, end: at + u32::try_from(part.len()).unwrap() }
            };
            let left = removed(text, span(key), span(value)).map(|(start, end)| {
                let mut left = text.to_owned();
                left.replace_range(start..end, "");
                left
            });
            assert_eq!(left.as_deref(), expected, "{text}");
        }
    }
}
