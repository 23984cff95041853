//! Owns the reading of a text, also of one whose syntax is broken: a value that is no YAML is reported and stands for nothing, so
//! that what follows it is read too.
//!
//! Only what is sure is repaired: a value that begins and ends in one line. Where that is not the end of it, reading ends.

use std::ops::Range;

use super::node::Document;
use super::parse::{Broken, parse};
use crate::diagnostic::Diagnostics;
use crate::text::FileId;

/// Values that are skipped.
const MOST: usize = 30;
/// Bytes of a text that is read again for each of them.
const LARGEST: usize = 1 << 20;

/// Reads one document. Repeated keys and tags are collected, and so are syntax errors, as long as each spoils one value
/// alone; there is no tree where one leaves open how the text goes on.
pub(crate) fn read<'t>(file: FileId, text: &'t str, found: &mut Diagnostics) -> Option<Document<'t>> {
    let mut own = Diagnostics::default();
    match parse(file, text, &[], &mut own) {
        Ok(document) => {
            found.append(own);
            document
        }
        Err(broken) => recover(file, text, broken, own, found),
    }
}

/// Reads a text of which `broken` is wrong, and what else is, as far as that can be told apart.
fn recover<'t>(
    file: FileId,
    text: &str,
    broken: Broken,
    so_far: Diagnostics,
    found: &mut Diagnostics,
) -> Option<Document<'t>> {
    let (mut broken, mut own) = (broken, so_far);
    let mut mended = text.to_owned();
    let mut spoilt: Vec<Range<usize>> = Vec::new();
    loop {
        found.push(*broken.diagnostic);
        let at = broken.at.filter(|_| text.len() <= LARGEST && spoilt.len() < MOST);
        let spoilt_now = at.and_then(|at| value(&mended, at));
        // What is repaired already and still in the way can't be skipped.
        let spoilt_now = spoilt_now.filter(|value| spoilt.iter().all(|known| known.end <= value.start));
        let Some(value) = spoilt_now else {
            found.append(own);
            return None;
        };
        mended.replace_range(value.clone(), &"_".repeat(value.len()));
        spoilt.push(value);
        own = Diagnostics::default();
        match parse(file, &mended, &spoilt, &mut own) {
            Ok(document) => {
                found.append(own);
                return document.map(Document::into_owned);
            }
            Err(next) => broken = next,
        }
    }
}

/// The value of the line that holds the byte `at`, where the byte is in it and its end is known.
fn value(text: &str, at: usize) -> Option<Range<usize>> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..)?.lines().next()?;
    let mut rest = line.trim_start_matches(' ');
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start_matches(' ');
    }
    if let Some((_, value)) = rest.split_once(": ").filter(|(key, _)| is_key(key)) {
        rest = value.trim_start_matches(' ');
    }
    if rest.len() == line.trim_start_matches(' ').len() {
        // Neither a key nor an item: the line may be meant as anything.
        return None;
    }
    let from = start + line.len() - rest.len();
    let counted = |text: &str| (text.matches(['[', '{']).count(), text.matches([']', '}']).count());
    let is_in_flow = counted(text.get(..start)?).0 > counted(text.get(..start)?).1;
    let rest = rest.trim_end();
    // The comma between two items is none of them.
    let rest = rest.strip_suffix(',').filter(|_| is_in_flow).unwrap_or(rest);
    let end = from + rest.len();
    let is_whole = match (rest.chars().next()?, counted(rest)) {
        // A list or mapping that goes on in the next line would lose its end.
        ('[' | '{', (open, close)) => open == close,
        // An item of a list in brackets may be the one that ends it.
        (_, (open, close)) if open < close => {
            let (open, close) = counted(text.get(..start)?);
            open == close
        }
        _ => true,
    };
    (is_whole && from <= at && at <= end && end > from && !rest.contains('\t')).then_some(from..end)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
}
