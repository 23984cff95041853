//! Holds `src` to the tables in the documentation of `src/lib.rs`: which room may use which, and where crates live.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Names by the name that may use them, or that they may be used in.
type Table = BTreeMap<String, BTreeSet<String>>;

#[test]
fn rooms_use_what_their_table_allows() {
    let (rooms, _) = tables();
    let mut wrong = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for Source { room, path, code } in sources() {
        let Some(allowed) = rooms.get(&room) else {
            wrong.insert(format!("{path}: the room `{room}` is not in the table"));
            continue;
        };
        for used in used_by(&code, "crate") {
            if used == "{" {
                wrong.insert(format!("{path}: write one `use crate::room` for each room"));
            } else if used != room && !allowed.contains(&used) {
                wrong.insert(format!("{path}: `{room}` may not use `{used}`"));
            }
        }
        seen.insert(room);
    }
    let gone: Vec<&String> = rooms.keys().filter(|room| !seen.contains(*room)).collect();
    assert!(wrong.is_empty() && gone.is_empty(), "{wrong:#?}\nin the table and not in src: {gone:?}");
    assert!(seen.len() > 20, "the rooms were not found: {seen:?}");
}

#[test]
fn crates_stay_where_they_live() {
    let (_, crates) = tables();
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let dependencies: BTreeSet<String> = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" =").filter(|_| !line.starts_with('#')))
        .map(|(name, _)| name.replace('-', "_"))
        .collect();
    let listed: BTreeSet<String> = crates.keys().cloned().collect();
    assert_eq!(listed, dependencies, "the table and Cargo.toml know the same crates");
    let mut wrong = BTreeSet::new();
    for Source { room, path, code } in sources() {
        for (name, homes) in &crates {
            let is_at_home = homes.contains("everywhere") || homes.contains(&room);
            if !is_at_home && !used_by(&code, name).is_empty() {
                wrong.insert(format!("{path}: `{name}` does not live in `{room}`"));
            }
        }
        let reads_environment = used_by(&code, "env").iter().any(|used| used.starts_with("var"));
        if reads_environment && path != "cli/environment.rs" && room != "lowered" {
            wrong.insert(format!("{path}: the environment is read in `cli/environment.rs` alone"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A file without its comments.
struct Source {
    room: String,
    path: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let folder = Path::new(ROOT).join("src");
    let mut found = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(&folder, &path));
            }
        }
    }
    found
}

fn source(folder: &Path, file: &PathBuf) -> Source {
    let text = fs::read_to_string(file).unwrap();
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let path = file.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
    let room = path.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
    Source { room, path, code: code.join("\n") }
}

/// What follows `name::` in the code, where `name` is not itself a part of something.
fn used_by(code: &str, name: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, found) in code.match_indices(&format!("{name}::")) {
        let before = code.get(..at).unwrap_or_default();
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let is_first = match before.chars().next_back() {
            // `std::env::var` is what is looked for under `env`.
            Some(':') => before.ends_with("std::"),
            Some(c) => !is_part(c),
            None => true,
        };
        let after = code.get(at + found.len()..).unwrap_or_default();
        let end = after.find(|c: char| !is_part(c)).unwrap_or(after.len());
        if is_first {
            used.insert(after.get(..end.max(1)).unwrap_or_default().to_owned());
        }
    }
    used
}

/// The tables of the documentation: rooms with what they may use, crates with the rooms in which they live.
fn tables() -> (Table, Table) {
    let text = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let documentation: String =
        text.lines().filter_map(|line| line.strip_prefix("//!")).collect::<Vec<_>>().join("\n");
    let group = |name: &str| {
        let (_, after) = documentation.split_once(&format!("*{name}* are ")).unwrap();
        names(after.split([';', '.']).next().unwrap_or_default())
    };
    let groups = [("words", group("words")), ("kinds", group("kinds"))];
    let (mut rooms, mut crates) = (Table::new(), Table::new());
    for line in documentation.lines().map(str::trim) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match (line.starts_with("| `"), cells.as_slice()) {
            (true, [room, _, uses]) => {
                let mut allowed = names(uses);
                for (word, members) in &groups {
                    if uses.split(", ").any(|part| part == *word) {
                        allowed.extend(members.iter().cloned());
                    }
                }
                rooms.extend(names(room).into_iter().map(|room| (room, allowed.clone())));
            }
            (true, [all, homes]) => {
                let mut rooms = names(homes);
                if *homes == "everywhere" {
                    rooms.insert((*homes).to_owned());
                }
                crates.extend(names(all).into_iter().map(|name| (name, rooms.clone())));
            }
            _ => {}
        }
    }
    (rooms, crates)
}

/// What stands in backquotes.
fn names(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
