//! What the modules of `src` use of each other, and the cycles in that.
//!
//! Files are read as tokens, not compiled: `use` declarations and paths in code. A name that a module imports or re-exports leads to
//! the module that defines it. What a folder's `mod.rs` defines itself counts as a module of the folder, called `mod`; it uses those
//! children that its code names, not those that it only declares and re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fmt, fs};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::tokens::tokens;

/// Modules of one folder that use each other, directly or through others of them.
pub(super) struct Cycle {
    /// Below `src`, with slashes; `src` itself is empty.
    pub(super) folder: String,
    pub(super) modules: BTreeSet<String>,
    /// Which of them uses what of which, a line each.
    pub(super) uses: Vec<String>,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules: Vec<&str> = self.modules.iter().map(String::as_str).collect();
        write!(f, "{}: {}\n  {}", self.folder, modules.join(" "), self.uses.join("\n  "))
    }
}

/// The names that lead to a module or an item from the root of the crate.
type Names = Vec<String>;

/// What the first module of a pair uses of the second.
type Uses = BTreeMap<(String, String), BTreeSet<String>>;

/// What one module imports and names.
#[derive(Debug, Default)]
struct Module {
    /// What names stand for that were imported or re-exported.
    imports: BTreeMap<String, Names>,
    /// Paths in its own code, and imports that its own code names.
    paths: BTreeSet<Names>,
}

/// Returns the cycles between the modules of each folder.
pub(super) fn cycles(src: &Path) -> Vec<Cycle> {
    let mut files = BTreeMap::new();
    read(src, &mut Vec::new(), &mut files);
    let known: BTreeSet<Names> = files.keys().cloned().collect();
    let modules: BTreeMap<Names, Module> =
        files.into_iter().map(|(names, tokens)| (names.clone(), module(&names, &tokens, &known))).collect();
    let mut folders: BTreeMap<Names, Uses> = BTreeMap::new();
    for (user, module) in &modules {
        for path in &module.paths {
            let Some(used) = owner(path, &modules) else { continue };
            let shared = user.iter().zip(&used).take_while(|(one, other)| one == other).count();
            let node = |names: &Names| names.get(shared).map_or("mod", String::as_str).to_owned();
            if *user != used {
                let uses = folders.entry(user.iter().take(shared).cloned().collect()).or_default();
                uses.entry((node(user), node(&used))).or_default().insert(path.join("::"));
            }
        }
    }
    folders.iter().flat_map(|(folder, uses)| cycles_of(&folder.join("/"), uses)).collect()
}

fn cycles_of(folder: &str, uses: &Uses) -> Vec<Cycle> {
    let mut graph = DiGraph::new();
    let nodes: BTreeSet<&String> = uses.keys().flat_map(|(user, used)| [user, used]).collect();
    let nodes: BTreeMap<&String, _> = nodes.into_iter().map(|name| (name, graph.add_node(name))).collect();
    for (user, used) in uses.keys() {
        graph.add_edge(nodes[user], nodes[used], ());
    }
    let of = |modules: BTreeSet<String>| {
        let inside = uses.iter().filter(|((user, used), _)| modules.contains(user) && modules.contains(used));
        let line = |((user, used), paths): (&(String, String), &BTreeSet<String>)| {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            format!("`{user}` uses `{used}`: {}", paths.join(", "))
        };
        let uses = inside.map(line).collect();
        Cycle { folder: folder.to_owned(), modules, uses }
    };
    let found = tarjan_scc(&graph).into_iter().filter(|found| found.len() > 1);
    found.map(|found| of(found.into_iter().map(|node| graph[node].clone()).collect())).collect()
}

/// Reads the tokens of each module below a folder, but for those that are generated or compiled for tests alone.
fn read(folder: &Path, names: &mut Names, files: &mut BTreeMap<Names, Vec<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_file = path.extension().is_some_and(|extension| extension == "rs");
        if name == "tests" || name == "generated" || (names.is_empty() && name == "main") {
            continue;
        }
        let is_own = ["mod", "lib"].contains(&name.as_str());
        if !is_own {
            names.push(name);
        }
        if is_file {
            files.insert(names.clone(), tokens(&fs::read_to_string(&path).unwrap()));
        } else if path.is_dir() {
            read(&path, names, files);
        }
        if !is_own {
            names.pop();
        }
    }
}

fn module(names: &Names, tokens: &[String], known: &BTreeSet<Names>) -> Module {
    let (mut module, mut code) = (Module::default(), Vec::new());
    let mut imports = Vec::new();
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        let end = rest.iter().position(|token| token == ";").unwrap_or(rest.len());
        let (declaration, after) = rest.split_at(end);
        match first.as_str() {
            // Not the `use<'a>` of a type.
            "use" if rest.get(1).is_some_and(|next| next != "<") => {
                tree(&mut declaration.get(1..).unwrap_or_default(), &[], &mut imports);
                rest = after;
            }
            "mod" if declaration.len() == 2 => rest = after,
            _ => {
                code.push(first.as_str());
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    // Not the names of fields.
    let is_field = |at: usize| code.get(at + 1) == Some(&":") || (at > 0 && code.get(at - 1) == Some(&"."));
    let named = code.iter().enumerate().filter(|(at, _)| !is_field(*at)).map(|(_, token)| *token);
    let named: BTreeSet<&str> = named.collect();
    for (name, path) in imports {
        let Some(path) = absolute(names, &path, &module, known) else { continue };
        let is_named = named.contains(name.as_str()) || ["_", "*"].contains(&name.as_str());
        if is_named {
            module.paths.insert(path.clone());
        }
        module.imports.insert(name, path);
    }
    for (at, _) in code.iter().enumerate() {
        let before = |distance: usize| at.checked_sub(distance).and_then(|at| code.get(at)).copied();
        // `pub(in path)` uses nothing.
        if before(1) == Some("::") || (before(1) == Some("in") && before(2) == Some("(")) {
            continue;
        }
        let mut path = vec![code[at].to_owned()];
        let after = code.get(at + 1..).unwrap_or_default();
        for pair in after.chunks_exact(2).take_while(|pair| pair[0] == "::" && is_name(pair[1])) {
            path.push(pair[1].to_owned());
        }
        if path.len() > 1 {
            module.paths.extend(absolute(names, &path, &module, known));
        }
    }
    module
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads a tree of imports: names, and the paths for which they stand.
fn tree(tokens: &mut &[String], prefix: &[String], imports: &mut Vec<(String, Names)>) {
    let mut path = prefix.to_vec();
    let mut name = None;
    while let Some((first, after)) = tokens.split_first() {
        match first.as_str() {
            "," | "}" => break,
            "{" => {
                *tokens = after;
                while tokens.first().is_some_and(|token| token != "}") {
                    tree(tokens, &path, imports);
                    if tokens.first().is_some_and(|token| token == ",") {
                        *tokens = tokens.get(1..).unwrap_or_default();
                    }
                }
                *tokens = tokens.get(1..).unwrap_or_default();
                return;
            }
            "as" => {
                name = after.first().cloned();
                *tokens = after.get(1..).unwrap_or_default();
                continue;
            }
            "::" => {}
            "self" if !path.is_empty() => {}
            part => path.push(part.to_owned()),
        }
        *tokens = after;
    }
    let name = name.or_else(|| path.last().cloned());
    imports.extend(name.map(|name| (name, path)));
}

/// The path from the root of the crate; nothing for what is no path to a module of it.
fn absolute(module: &Names, path: &[String], known: &Module, modules: &BTreeSet<Names>) -> Option<Names> {
    let (first, rest) = path.split_first()?;
    let child = || module.iter().chain([first]).cloned().collect::<Names>();
    let mut base = match first.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.clone(),
        name if known.imports.contains_key(name) => known.imports.get(name)?.clone(),
        _ if modules.contains(&child()) => child(),
        _ => return None,
    };
    if first == "super" {
        base.pop();
    }
    for part in rest {
        if part == "super" {
            base.pop();
        } else {
            base.push(part.clone());
        }
    }
    Some(base)
}

/// The module that defines what a path leads to.
fn owner(path: &Names, modules: &BTreeMap<Names, Module>) -> Option<Names> {
    let mut path = path.clone();
    // Each turn follows one re-export; no chain of them is longer.
    for _ in 0..8 {
        let length = (0..=path.len())
            .rev()
            .find(|length| path.get(..*length).is_some_and(|names| modules.contains_key(names)))?;
        let (names, rest) = path.split_at(length);
        let Some((item, rest)) = rest.split_first() else { return Some(path) };
        match modules.get(names)?.imports.get(item) {
            Some(import) => path = import.iter().chain(rest).cloned().collect(),
            None => return Some(names.to_vec()),
        }
    }
    None
}
