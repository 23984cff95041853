//! Owns what is known to be secret in this process, and takes it out of texts.
//!
//! Where nothing is known this costs one look at a flag. Else a text is read once, for all secrets in all their forms together.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};

use super::encoded::forms;

/// What stands in a text where a secret was.
const INSTEAD: &str = "***";

/// Bytes from which on a secret is taken out wherever it stands. A shorter one is part of ordinary words: taking it out of them would
/// spoil every message, and show by its gaps what was taken. So it is taken out where it stands alone in quotes.
const SHORTEST: usize = 4;

/// Bytes of a secret's beginning from which on it is taken out at the end of a text, which somebody may have cut.
const TELLING_BEGINNING: usize = 8;
/// Bytes of a secret that are compared with the end of a text.
const LONGEST_BEGINNING: usize = 512;

static IS_ANY: AtomicBool = AtomicBool::new(false);
#[cfg(not(test))]
static KNOWN: RwLock<Known> = RwLock::new(Known::none());
static VARIABLES: RwLock<BTreeSet<String>> = RwLock::new(BTreeSet::new());

struct Known {
    texts: BTreeSet<String>,
    /// Made of the texts when it is first needed.
    scanner: Option<Arc<Scanner>>,
}

impl Known {
    const fn none() -> Self {
        Self { texts: BTreeSet::new(), scanner: None }
    }
}

/// The secrets of this process.
#[cfg(not(test))]
fn list() -> &'static RwLock<Known> {
    &KNOWN
}

/// Those of one test, so that what another one takes for a secret changes nothing in it.
#[cfg(test)]
fn list() -> &'static RwLock<Known> {
    thread_local! {
        static KNOWN: &'static RwLock<Known> = Box::leak(Box::new(RwLock::new(Known::none())));
    }
    KNOWN.with(|known| *known)
}

/// Takes a text for a secret from now on.
pub(super) fn learn(text: &str) {
    if text.is_empty() {
        return;
    }
    let mut known = list().write().unwrap_or_else(PoisonError::into_inner);
    if known.texts.insert(text.to_owned()) {
        known.scanner = None;
        IS_ANY.store(true, Ordering::Release);
    }
}

/// Takes note of a variable of the environment that a secret was taken from.
pub(crate) fn came_from_variable(name: &str) {
    VARIABLES.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
}

/// The variables of the environment that secrets were taken from.
pub(crate) fn variables() -> BTreeSet<String> {
    VARIABLES.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The text without the secrets that are known.
pub(crate) fn scrubbed(text: &str) -> Cow<'_, str> {
    scanner().map_or(Cow::Borrowed(text), |scanner| scanner.scrubbed(text, 0..0).0)
}

/// The same, and where a range of the text has gone.
pub(crate) fn scrubbed_with_range(text: &str, range: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    match scanner() {
        None => (Cow::Borrowed(text), range),
        Some(scanner) => scanner.scrubbed(text, range),
    }
}

fn scanner() -> Option<Arc<Scanner>> {
    if !IS_ANY.load(Ordering::Acquire) {
        return None;
    }
    let known = list().read().unwrap_or_else(PoisonError::into_inner);
    if let Some(scanner) = &known.scanner {
        return Some(Arc::clone(scanner));
    }
    drop(known);
    let mut known = list().write().unwrap_or_else(PoisonError::into_inner);
    let scanner = Arc::new(Scanner::new(known.texts.iter().map(String::as_str)));
    known.scanner = Some(Arc::clone(&scanner));
    Some(scanner)
}

/// Finds all forms of all secrets.
struct Scanner {
    all: Option<AhoCorasick>,
    /// What is looked for; of what stands in quotes those are a part.
    patterns: Vec<Pattern>,
}

struct Pattern {
    text: String,
    /// Bytes at both ends that stay.
    quotes: usize,
}

impl Scanner {
    fn new<'s>(secrets: impl Iterator<Item = &'s str>) -> Self {
        let mut patterns = Vec::new();
        for secret in secrets {
            if secret.len() >= SHORTEST {
                let long = forms(secret).into_iter().filter(|form| form.len() >= SHORTEST);
                patterns.extend(long.map(|text| Pattern { text, quotes: 0 }));
            } else {
                for quote in ["'", "\"", "`"] {
                    for form in [secret.to_owned(), hexadecimal(secret), hexadecimal(secret).to_lowercase()] {
                        patterns.push(Pattern { text: format!("{quote}{form}{quote}"), quotes: 1 });
                    }
                }
            }
        }
        let texts = patterns.iter().map(|pattern| &pattern.text);
        // Overlapping secrets have to be found both.
        let all = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            // `upper(${secret:X})` is as telling.
            .ascii_case_insensitive(true)
            .build(texts)
            .ok();
        Self { all, patterns }
    }

    fn scrubbed<'t>(&self, text: &'t str, range: Range<usize>) -> (Cow<'t, str>, Range<usize>) {
        let secret = self.secret(text);
        if secret.is_empty() {
            return (Cow::Borrowed(text), range);
        }
        let mut safe = String::with_capacity(text.len());
        let mut from = 0;
        let (mut start, mut end) = (range.start, range.end);
        for hidden in secret {
            safe.push_str(text.get(from..hidden.start).unwrap_or_default());
            let begins = safe.len();
            safe.push_str(INSTEAD);
            // What begins or ends within a secret does so at its edge.
            if range.start >= hidden.end {
                start = range.start - hidden.end + safe.len();
            } else if range.start > hidden.start {
                start = begins;
            }
            if range.end >= hidden.end {
                end = range.end - hidden.end + safe.len();
            } else if range.end > hidden.start {
                end = safe.len();
            }
            from = hidden.end;
        }
        safe.push_str(text.get(from..).unwrap_or_default());
        (Cow::Owned(safe), start..end)
    }

    /// Where secrets stand, in order and apart.
    fn secret(&self, text: &str) -> Vec<Range<usize>> {
        let Some(all) = &self.all else {
            // So many that they can't be looked for: then nothing is told.
            return std::iter::once(0..text.len()).filter(|range| !range.is_empty()).collect();
        };
        let mut found: Vec<Range<usize>> = all
            .find_overlapping_iter(text)
            .map(|found| {
                let quotes = self.patterns[found.pattern().as_usize()].quotes;
                found.start() + quotes..found.end() - quotes
            })
            .collect();
        found.extend(self.beginning_at_end(text));
        found.sort_by_key(|range| (range.start, range.end));
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }

    /// The beginning of a secret, where a text ends in the midst of it: servers cut long messages.
    fn beginning_at_end(&self, text: &str) -> Option<Range<usize>> {
        let end = text.trim_end_matches(['.', '…', ' ', '\n']).len();
        let text = text.get(..end)?;
        let longest = self.patterns.iter().filter(|pattern| pattern.quotes == 0).filter_map(|pattern| {
            let most = pattern.text.len().saturating_sub(1).min(LONGEST_BEGINNING).min(text.len());
            let beginning = |length: &usize| {
                pattern.text.get(..*length).is_some_and(|beginning| text.ends_with(beginning))
            };
            (TELLING_BEGINNING..=most).rev().find(beginning)
        });
        longest.max().map(|length| end - length..end)
    }
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub(secrets: &[&str], text: &str) -> String {
        Scanner::new(secrets.iter().copied()).scrubbed(text, 0..0).0.into_owned()
    }

    #[test]
    fn secrets_are_taken_out_in_all_their_forms() {
        for (text, safe) in [
            ("nothing here", "nothing here"),
            ("p is h'nter2!", "p is ***"),
            ("p is 'h''nter2!', h\\'nter2!", "p is '***', ***"),
            ("CAST(X'68276E7465723221' AS STRING)", "CAST(X'***' AS STRING)"),
            ("68276e7465723221 aCdudGVyMiE= h%27nter2%21", "*** *** ***"),
            ("h'nter2!h'nter2!", "******"),
            ("it goes on: h'nter2", "it goes on: h'nter2"),
            ("it is cut: 68276E746572...", "it is cut: ***..."),
            ("it is cut: 68276E746572", "it is cut: ***"),
        ] {
            assert_eq!(scrub(&["h'nter2!"], text), safe, "{text}");
        }
    }

    #[test]
    fn secrets_that_overlap_are_taken_out_whole() {
        assert_eq!(scrub(&["abcdef", "defghi"], "abcdefghi x abcdef y defghi"), "*** x *** y ***");
        assert_eq!(scrub(&["abcd", "abcdefgh"], "abcdefgh abcd"), "*** ***");
    }

    #[test]
    fn short_secrets_are_taken_out_where_they_stand_alone() {
        for (text, safe) in [
            ("there are letters", "there are letters"),
            ("The value 'e' of the type \"STRING\"", "The value '***' of the type \"STRING\""),
            ("CAST(X'65' AS STRING)", "CAST(X'***' AS STRING)"),
        ] {
            assert_eq!(scrub(&["e"], text), safe);
        }
        assert_eq!(scrub(&["\"", "***"], "a \"b\" '\"' ***"), "a \"b\" '***' ***");
    }

    #[test]
    fn a_range_moves_with_the_text() {
        let scanner = Scanner::new(["hunter2"].into_iter());
        for (range, moved) in
            [(0..1, 0..1), (5..12, 5..8), (6..9, 5..8), (0..7, 0..8), (13..16, 9..12), (9..18, 5..14)]
        {
            let (text, range) = scanner.scrubbed("a is hunter2 and b", range);
            assert_eq!((&*text, range), ("a is *** and b", moved));
        }
    }

    #[test]
    fn a_long_text_is_read_once() {
        let secrets: Vec<String> = (0..200).map(|number| format!("secret-number-{number}")).collect();
        let scanner = Scanner::new(secrets.iter().map(String::as_str));
        let text = "secret-number-secret-number-x ".repeat(100_000);
        let began = std::time::Instant::now();
        assert_eq!(scanner.scrubbed(&text, 0..0).0, text);
        // A second is what a hundred times the work would take.
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
}
