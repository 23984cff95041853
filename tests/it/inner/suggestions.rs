//! The suggestions of every case in `tests/specs/invalid`: each edit, applied by itself, fixes what it was suggested for,
//! and those that can be applied as they are do so together.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::specs::{INVALID, each, validated};

/// Whether two are one, before and after an edit behind where it begins.
fn is_same(one: &Value, other: &Value) -> bool {
    ["code", "message", "file", "line", "column"].iter().all(|key| one[key] == other[key])
}

/// The diagnostics of a case in a folder.
fn diagnostics(folder: &Path, case: &Path) -> Vec<Value> {
    let lines = validated(folder, case, &["--log-format", "json", "--all-diagnostics"]);
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is an object"));
    events.filter(|event| event["event"] == "diagnostic").collect()
}

fn suggestions(diagnostic: &Value) -> &[Value] {
    diagnostic["suggestions"].as_array().expect("a list")
}

fn is_machine_applicable(suggestion: &Value) -> bool {
    match suggestion["applicability"].as_str() {
        Some("MachineApplicable") => true,
        Some("MaybeIncorrect") => false,
        other => panic!("{other:?} is no applicability"),
    }
}

/// Whether an edit is one of a file, and not of the value of `--vars`.
fn is_in_a_file(suggestion: &Value) -> bool {
    !suggestion["file"].as_str().expect("a text").starts_with("--vars")
}

/// The byte at a line and a column, both counted from 1; columns count characters.
fn offset(text: &str, suggestion: &Value, line: &str, column: &str) -> usize {
    let number = |key: &str| usize::try_from(suggestion[key].as_u64().expect("a number")).unwrap();
    let start: usize = text.split_inclusive('\n').take(number(line) - 1).map(str::len).sum();
    let rest = text.get(start..).unwrap();
    start + rest.char_indices().nth(number(column) - 1).map_or(rest.len(), |(at, _)| at)
}

/// Applies edits to the files in a folder, the last first, so that the places of the others stay.
fn apply(folder: &Path, edits: &[&Value]) {
    let mut edits: Vec<&Value> = edits.to_vec();
    edits.sort_by_key(|edit| (edit["line"].as_u64(), edit["column"].as_u64()));
    edits.dedup();
    for edit in edits.into_iter().rev() {
        let path = folder.join(edit["file"].as_str().unwrap());
        let mut text = fs::read_to_string(&path).unwrap();
        let start = offset(&text, edit, "line", "column");
        let end = offset(&text, edit, "end_line", "end_column");
        text.replace_range(start..end, edit["replacement"].as_str().unwrap());
        fs::write(&path, text).unwrap();
    }
}

/// A copy of the cases, with the files that they name.
fn copied() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(Path::new(INVALID), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if entry.path().extension().is_none_or(|ending| ending != "snap") {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The diagnostics of a case once edits are applied to a copy of it.
fn edited(folder: &Path, case: &Path, edits: &[&Value]) -> Vec<Value> {
    let files: Vec<_> = edits.iter().map(|edit| folder.join(edit["file"].as_str().unwrap())).collect();
    let before: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    apply(folder, edits);
    let after = diagnostics(folder, case);
    for (file, text) in files.iter().zip(before) {
        fs::write(file, text).unwrap();
    }
    after
}

#[test]
fn a_suggestion_fixes_what_it_was_made_for() {
    let copy = copied();
    let folder = copy.path();
    let (certain, guessed) = (Cell::new(0), Cell::new(0));
    each("invalid", |case| {
        let before = diagnostics(folder, case);
        for diagnostic in &before {
            for suggestion in suggestions(diagnostic).iter().filter(|one| is_in_a_file(one)) {
                let after = edited(folder, case, &[suggestion]);
                let is_gone = !after.iter().any(|other| is_same(diagnostic, other));
                assert!(is_gone, "{}: {suggestion:#} leaves {diagnostic:#}", case.display());
                let is_unread = |all: &[Value]| all.iter().any(|one| one["code"] == "E001");
                assert!(
                    is_unread(&before) || !is_unread(&after),
                    "{}: after {suggestion:#} the file is no YAML",
                    case.display()
                );
                let count = if is_machine_applicable(suggestion) { &certain } else { &guessed };
                count.set(count.get() + 1);
            }
        }
        let is_certain = |one: &&Value| is_in_a_file(one) && is_machine_applicable(one);
        let has_certain = |one: &&Value| suggestions(one).iter().any(|one| is_certain(&one));
        let fixed: Vec<&Value> = before.iter().filter(has_certain).collect();
        let edits = fixed.iter().map(|one| {
            let mut all = suggestions(one).iter().filter(is_certain);
            let first = all.next().unwrap();
            assert!(all.next().is_none(), "which of them is applied? {one:#}");
            first
        });
        let edits: Vec<&Value> = edits.collect();
        if edits.len() > 1 {
            let after = edited(folder, case, &edits);
            for one in fixed {
                let is_gone = !after.iter().any(|other| is_same(one, other));
                assert!(is_gone, "{}: {one:#} is left", case.display());
            }
        }
    });
    let counts = (certain.get(), guessed.get());
    assert!(counts.0 >= 40 && counts.1 >= 40, "the cases have {counts:?} certain and guessed edits");
}
