//! The Python package: what it names is what the program uses.

use std::fs;

/// A file of the repository.
fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The versions to which a text pins a Python package: `name==1.2.3`.
fn pinned<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let pin = format!("{name}==");
    let version = |rest: &'t str| rest.split(|end: char| !(end.is_ascii_alphanumeric() || end == '.')).next();
    text.split(pin.as_str()).skip(1).filter_map(version).collect()
}

#[test]
fn the_extra_brings_the_version_of_a_managed_engine() {
    let package = file("pyproject.toml");
    let engine = file("src/engine/sail.rs");
    let version = pinned(&engine, "pysail");
    assert_eq!(version.len(), 1, "the engine's requirement");
    assert!(engine.contains(&format!("version: \"{}\"", version[0])), "{version:?}");
    assert_eq!(pinned(&package, "pysail"), version);
}

#[test]
fn packages_are_made_by_one_maturin() {
    let wanted = pinned(&file("pyproject.toml"), "maturin").join("");
    assert!(!wanted.is_empty());
    for list in [".ci/tools.txt", ".ci/release-tools.txt"] {
        assert_eq!(pinned(&file(list), "maturin"), [wanted.as_str()], "{list}");
    }
}

#[test]
fn every_tool_is_pinned_by_hash() {
    for list in [".ci/tools.txt", ".ci/release-tools.txt"] {
        let text = file(list).replace("\\\n", " ");
        let tools: Vec<&str> =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(tools.len() >= 3, "{list}");
        for tool in tools {
            assert!(tool.contains("==") && tool.contains("--hash=sha256:"), "{list}: {tool}");
        }
    }
}
