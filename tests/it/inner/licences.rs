//! The dependencies of this platform: each has a licence that `deny.toml` allows, and builds with our oldest Rust.
//!
//! `cargo deny check` does the same on all platforms, and looks for advisories, for which it needs a network.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

/// What cargo knows of the locked packages that are built here. It has downloaded them, to build this test.
fn packages() -> Vec<Value> {
    let version = output(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = output(
        Command::new(env!("CARGO"))
            .args(["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", host])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    );
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let resolved = metadata["resolve"]["nodes"].as_array().unwrap();
    let built: BTreeSet<&str> = resolved.iter().map(|node| node["id"].as_str().unwrap()).collect();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| built.contains(package["id"].as_str().unwrap())).cloned().collect()
}

/// What a program writes that must succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The licences that `deny.toml` allows.
fn allowed() -> Vec<String> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
    let (_, list) = text.split_once("\nallow = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether a licence expression can be met with these licences. `/` is what crates wrote for `OR` before there were expressions.
fn may_be_used(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = any(&mut rest, allowed);
    assert!(rest.is_empty(), "`{expression}` is no licence expression");
    met
}

/// `a OR b`: one of them has to be allowed. `AND` binds tighter.
fn any(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = all(words, allowed);
    while take(words, "OR") {
        met |= all(words, allowed);
    }
    met
}

/// `a AND b`: both have to be.
fn all(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while take(words, "AND") {
        met &= one(words, allowed);
    }
    met
}

/// A licence, also with an exception to it, which is a licence of its own; or an expression in parentheses.
fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    if take(words, "(") {
        let met = any(words, allowed);
        assert!(take(words, ")"), "a parenthesis is open");
        return met;
    }
    let mut name = next(words).to_owned();
    if take(words, "WITH") {
        name = format!("{name} WITH {}", next(words));
    }
    allowed.contains(&name)
}

fn next<'t>(words: &mut &[&'t str]) -> &'t str {
    let (first, rest) = words.split_first().unwrap();
    *words = rest;
    first
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let found = words.first() == Some(&word);
    if found {
        *words = &words[1..];
    }
    found
}

/// A version of Rust, of which crates may write two numbers: `1.89`.
fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|number| number.parse().unwrap()).chain([0]).take(3).collect()
}

#[test]
fn every_dependency_may_be_passed_on() {
    let allowed = allowed();
    let packages = packages();
    assert!(packages.len() > 200, "{}", packages.len());
    let told =
        |package: &Value| format!("{} {}: {}", package["name"], package["version"], package["license"]);
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|licence| may_be_used(licence, &allowed)))
        .map(told)
        .collect();
    assert!(refused.is_empty(), "`deny.toml` allows no licence of these: {refused:#?}");
    // A list that nobody needs would allow what nobody has looked at.
    for licence in &allowed {
        let used =
            packages.iter().any(|package| package["license"].as_str().unwrap().contains(licence.as_str()));
        assert!(used, "no dependency has the licence {licence}");
    }
}

#[test]
fn no_dependency_needs_a_newer_rust_than_ours() {
    let packages = packages();
    let ours = packages.iter().find(|package| package["name"] == "pipectl").unwrap();
    let ours = numbers(ours["rust_version"].as_str().unwrap());
    let newer: Vec<String> = packages
        .iter()
        .filter(|package| package["rust_version"].as_str().is_some_and(|version| numbers(version) > ours))
        .map(|package| format!("{} {}", package["name"], package["rust_version"]))
        .collect();
    assert!(newer.is_empty(), "{newer:?}");
}

#[test]
fn licence_expressions_are_read_as_spdx_says() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for expression in [
        "MIT",
        "MIT/GPL-3.0",
        "GPL-3.0 OR MIT AND ISC",
        "(GPL-3.0 OR MIT) AND ISC",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(may_be_used(expression, &allowed), "{expression}");
    }
    for expression in
        ["GPL-3.0", "MIT AND GPL-3.0", "ISC AND (GPL-3.0 OR Apache-2.0)", "MIT WITH Some-exception"]
    {
        assert!(!may_be_used(expression, &allowed), "{expression}");
    }
}
