//! `docs/diagnostics.md`: each code's example of the mistake gives that code alone, and its mend gives nothing. And steps that fail, as
//! GitHub is told of them.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Case, Outcome};

/// Files by name: the pipeline, and those that it needs.
type Files<'t> = Vec<(&'t str, &'t str)>;

/// What is found by an engine alone, and on which ones.
const BY_ENGINES: [(&str, &[&str]); 6] = [
    ("E022", &[]),
    ("E023", &[]),
    ("E024", &[]),
    ("E025", &[]),
    ("E031", &[]),
    ("W007", &["--also", "spark"]),
];

#[test]
fn each_page_shows_its_mistake_and_its_mend() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnostics.md")).unwrap();
    let sections = text.split("\n## ").skip(1);
    for section in sections {
        let code = section.split_whitespace().next().unwrap();
        let (wrong, right) = section.split_once("\nRight:\n").unwrap();
        for (files, expected) in [(files(wrong), BTreeSet::from([code])), (files(right), BTreeSet::new())] {
            let outcome = outcome(code, &files, expected.first().copied());
            let told: BTreeSet<&str> = outcome
                .stderr
                .lines()
                .filter_map(|line| line.strip_prefix("error[").or(line.strip_prefix("warning[")))
                .filter_map(|line| line.split(']').next())
                .collect();
            assert_eq!(told, expected, "{code}:\n{files:?}\n{}", outcome.stderr);
        }
    }
}

pub(crate) fn outcome(code: &str, files: &Files<'_>, expected: Option<&str>) -> Outcome {
    let engines = BY_ENGINES.iter().find(|(known, _)| *known == code);
    let mut case = Case::new([if engines.is_some() { "check" } else { "validate" }, "p.yaml"]);
    if let Some((_, arguments)) = engines {
        case = case.engine().args(*arguments);
    }
    if code == "E026" {
        // A run looks for its files before it starts an engine.
        case = Case::new(["run", "p.yaml"]).engine().any_stdout();
    }
    for (name, text) in files {
        case = case.file(name, text);
    }
    let exit_code = match expected {
        None => 0,
        Some("E026") => 1,
        Some(code) if code.starts_with('W') => 0,
        Some(_) => 78,
    };
    case.any_stderr().code(exit_code).run()
}

/// The blocks of a text: the first is the pipeline, the others say in a comment what they are.
fn files(text: &str) -> Files<'_> {
    let blocks = text.split("```").skip(1).step_by(2);
    let files = blocks.enumerate().map(|(at, block)| {
        let (_, text) = block.split_once('\n').unwrap();
        let name = text.lines().next().unwrap().trim_start_matches(['#', '-', ' ']);
        (if at == 0 { "p.yaml" } else { name }, text)
    });
    files.collect()
}

#[test]
fn github_is_told_of_steps_that_fail() {
    let pipeline = "\
version: 1
steps:
  a:
    range: 3
    expect: [{ that: id < 2 }]
    write: { csv: out/a.csv }
";
    let outcome = Case::new(["run", "p.yaml", "--log-format", "github"])
        .file("p.yaml", pipeline)
        .engine()
        .any_stderr()
        .code(1)
        .run();
    let told: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(
        told,
        [
            "::error title=pipectl a::`that: id < 2` does not hold for 1 of 3 rows",
            "::error title=pipectl::a step failed",
        ],
        "{}",
        outcome.stderr
    );
}
