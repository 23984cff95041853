//! Holds `src` to the tables in the documentation of `src/lib.rs`: which module may use which, and where crates live. Inside folders,
//! modules must not use each other in cycles, but for those that are listed here.

mod imports;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The cycles that are left: their folder, the modules in the order of their names, and the reason. `mod` is what a folder's own file
/// defines.
const CYCLES: &[(&str, &str, &str)] = &[
    (
        "connect/session",
        "check mod",
        "a session explains an error by asking in it whether it is still the same session",
    ),
    (
        "yaml/decode",
        "access mod",
        "a deserializer hands out accesses, which deserialize what is inside with it: serde is made so",
    ),
];

/// Names by the name that may use them, or that they may be used in.
type Table = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_use_what_their_table_allows() {
    let (modules, _) = tables();
    let mut wrong = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for Source { module, path, code } in sources() {
        let Some(allowed) = modules.get(&module) else {
            wrong.insert(format!("{path}: the module `{module}` is not in the table"));
            continue;
        };
        for used in used_by(&code, "crate") {
            if used == "{" {
                wrong.insert(format!("{path}: write one `use crate::module` for each module"));
            } else if used != module && !allowed.contains(&used) {
                wrong.insert(format!("{path}: `{module}` may not use `{used}`"));
            }
        }
        seen.insert(module);
    }
    let gone: Vec<&String> = modules.keys().filter(|module| !seen.contains(*module)).collect();
    assert!(wrong.is_empty() && gone.is_empty(), "{wrong:#?}\nin the table and not in src: {gone:?}");
    assert!(seen.len() > 20, "the modules were not found: {seen:?}");
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
    for Source { module, path, code } in sources() {
        for (name, homes) in &crates {
            let is_at_home = homes.contains("everywhere") || homes.contains(&module);
            if !is_at_home && !used_by(&code, name).is_empty() {
                wrong.insert(format!("{path}: `{name}` does not live in `{module}`"));
            }
        }
        let reads_environment = used_by(&code, "env").iter().any(|used| used.starts_with("var"));
        if reads_environment && path != "cli/env.rs" && module != "lowered" {
            wrong.insert(format!("{path}: the environment is read in `cli/env.rs` alone"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn modules_of_a_folder_use_each_other_in_no_unlisted_cycle() {
    let found = imports::cycles(&Path::new(ROOT).join("src"));
    let is_listed = |cycle: &imports::Cycle| {
        let modules: Vec<&str> = cycle.modules.iter().map(String::as_str).collect();
        CYCLES.iter().position(|(folder, listed, _)| *folder == cycle.folder && *listed == modules.join(" "))
    };
    let listed: BTreeSet<usize> = found.iter().filter_map(is_listed).collect();
    let new: Vec<String> =
        found.iter().filter(|cycle| is_listed(cycle).is_none()).map(ToString::to_string).collect();
    let gone: Vec<_> = CYCLES.iter().enumerate().filter(|(at, _)| !listed.contains(at)).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not listed: {}\nlisted and not in src: {gone:#?}",
        new.join("\n")
    );
}

#[test]
fn cycles_are_found_through_paths_and_re_exports() {
    let src = tempfile::tempdir().unwrap();
    let write = |path: &str, code: &str| {
        let path = src.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, code).unwrap();
    };
    write("lib.rs", "mod folder; mod other;");
    write("other.rs", "use crate::folder::{First, second::Second};");
    // The folder itself only declares and re-exports; what it defines is used, and uses nothing.
    write("folder/mod.rs", "mod first; mod second; pub use first::First; use third::THIRD; struct Shared;");
    write(
        "folder/first.rs",
        "use super::{Shared, second::{self as renamed}}; struct First(renamed::Second);",
    );
    write("folder/second.rs", "struct Second; #[cfg(test)] mod tests { use super::super::third::THIRD; }");
    write(
        "folder/third.rs",
        "// super::first\nconst THIRD: &str = \"a 'word'\"; fn f<'a>() -> char { '\"' }",
    );
    let found = || imports::cycles(src.path()).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(found(), Vec::<String>::new());

    write("folder/second.rs", "struct Second(super::First);");
    write("folder/mod.rs", "mod first; mod third; struct Shared(third::Third);");
    write("folder/third.rs", "struct Third; fn third() -> crate::folder::Shared {}");
    let cycle =
        "folder: mod third\n  `mod` uses `third`: folder::third::Third\n  `third` uses `mod`: folder::Shared";
    assert_eq!(found(), [cycle]);

    write("folder/mod.rs", "mod first; mod second; pub(crate) use first::First; struct Shared;");
    let cycle = "folder: first second\n  `first` uses `second`: folder::second, folder::second::Second\n  \
                 `second` uses `first`: folder::First";
    assert_eq!(found(), [cycle]);
}

/// A file without its comments.
struct Source {
    module: String,
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
    let module = path.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
    Source { module, path, code: code.join("\n") }
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

/// The tables of the documentation: modules with what they may use, crates with the modules in which they live.
fn tables() -> (Table, Table) {
    let text = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let documentation: String =
        text.lines().filter_map(|line| line.strip_prefix("//!")).collect::<Vec<_>>().join("\n");
    let group = |name: &str| {
        let words = documentation.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, after) = words.split_once(&format!("*{name}* are ")).unwrap();
        names(after.split([';', '.']).next().unwrap_or_default())
    };
    let groups = [("words", group("words")), ("kinds", group("kinds"))];
    let (mut modules, mut crates) = (Table::new(), Table::new());
    for line in documentation.lines().map(str::trim) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match (line.starts_with("| `"), cells.as_slice()) {
            (true, [module, _, uses]) => {
                let mut allowed = names(uses);
                for (word, members) in &groups {
                    if uses.split(", ").any(|part| part == *word) {
                        allowed.extend(members.iter().cloned());
                    }
                }
                modules.extend(names(module).into_iter().map(|module| (module, allowed.clone())));
            }
            (true, [all, homes]) => {
                let mut modules = names(homes);
                if *homes == "everywhere" {
                    modules.insert((*homes).to_owned());
                }
                crates.extend(names(all).into_iter().map(|name| (name, modules.clone())));
            }
            _ => {}
        }
    }
    (modules, crates)
}

/// What stands in backquotes.
fn names(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
