//! README, "Troubleshooting": what it says that the terminal shows, it shows.

use std::fs;
use std::path::Path;

use crate::support::{Case, bare};

/// The part of the README below a heading, up to the next one of its level.
pub(crate) fn section(heading: &str) -> String {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap().to_owned()
}

#[test]
fn each_trouble_is_told_as_the_readme_says() {
    let section = section("Troubleshooting");
    // Installs the engine.
    let version = Case::new(["--version"]).engine().any_stdout().run();
    assert!(version.stdout.starts_with("pipectl "));
    let mut shown = 0;
    for trouble in section.split("\n### ").skip(1) {
        let folder = tempfile::TempDir::new().unwrap();
        // The root of a repository, so that no project file applies that lies above.
        fs::create_dir(folder.path().join(".git")).unwrap();
        let mut blocks = trouble.split("\n```").skip(1).step_by(2);
        let console = blocks.find_map(|block| {
            let (kind, text) = block.split_once('\n').unwrap();
            if kind == "console" {
                return Some(text);
            }
            let name = text.lines().next().unwrap().trim_start_matches("# ");
            fs::write(folder.path().join(name), format!("{text}\n")).unwrap();
            None
        });
        let console = console.unwrap_or_else(|| panic!("nothing is run: {trouble}"));
        let said = run(console, folder.path());
        assert_eq!(without_seconds(&said), without_seconds(console.trim_end()), "\n{said}");
        shown += 1;
    }
    assert!(shown >= 12, "the section is gone");
}

#[test]
fn steps_are_looked_at_as_the_readme_says() {
    let section = section("Looking at steps");
    let folder = Case::new(["ls", "pipelines/daily.yaml"]).examples().engine().any_stdout().run();
    let (_, console) = section.split_once("```console\n").unwrap();
    let (console, _) = console.split_once("\n```").unwrap();
    let said = run(console, &folder.path(""));
    assert_eq!(said, console, "\n{said}");
    assert!(said.matches("$ pipectl").count() >= 3, "the section is gone");
    // Every key of the JSON is told, and every one that is told is there.
    let list =
        Case::new(["ls", "pipelines/daily.yaml", "--format", "json"]).examples().any_stdout().run().stdout;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let table = section.rsplit_once("| Key | |").unwrap().1;
    let keys =
        table.lines().filter(|line| line.starts_with("| `")).map(|line| line.split(" | ").next().unwrap());
    let mut told: Vec<&str> = keys.flat_map(|keys| keys.split('`').skip(1).step_by(2)).collect();
    told.sort_unstable();
    let step = list["steps"][0].as_object().unwrap();
    let mut keys: Vec<&str> = step.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(told, keys);
}

/// What a terminal shows, the commands among it.
fn run(console: &str, folder: &Path) -> String {
    let mut shown = Vec::new();
    let mut code: Option<i32> = None;
    for command in console.lines().filter_map(|line| line.strip_prefix("$ ")) {
        shown.push(format!("$ {command}"));
        if command == "echo $?" {
            shown.push(code.unwrap_or_default().to_string());
            continue;
        }
        let words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words[0], "pipectl");
        let output = bare().args(&words[1..]).current_dir(folder).output().unwrap();
        code = output.status.code();
        let said = [output.stderr, output.stdout].concat();
        let said = String::from_utf8(said).unwrap();
        let folder = fs::canonicalize(folder).unwrap();
        let said = said.replace(&format!("{}/", folder.display()), "/home/you/");
        shown.extend(said.trim_end().lines().map(|line| line.trim_end().to_owned()));
    }
    shown.join("\n")
}

/// Text whose durations say nothing: `0.52 s` and `12 s` become `- s`.
fn without_seconds(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| word.parse::<f64>().is_ok();
        let shown = words.iter().enumerate().map(|(at, word)| {
            let is_unit = |next: &&str| next.trim_end_matches([',', '.', ';']) == "s";
            if number(word) && words.get(at + 1).is_some_and(is_unit) { "-" } else { word }
        });
        shown.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
