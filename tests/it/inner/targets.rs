//! Where a pipeline runs: what is decided before an engine is reached.

use std::fs;

use insta::assert_snapshot;

use crate::on_sail::targets::{NUMBERS, below};
use crate::support::Case;

const TARGETS: &str = "
default_target: first
targets:
  first: { remote: sc://127.0.0.1:1 }
  second: { remote: sc://127.0.0.1:2 }
";

#[test]
fn who_is_named_first_goes_before() {
    let environment = |names: &[(&'static str, &'static str)]| names.to_vec();
    for (arguments, variables, port) in [
        (vec![], environment(&[]), 1),
        (vec![], environment(&[("PIPECTL_TARGET", "second")]), 2),
        (vec![], environment(&[("PIPECTL_TARGET", "second"), ("SPARK_REMOTE", "sc://127.0.0.1:3")]), 3),
        (
            vec![],
            environment(&[("PIPECTL_REMOTE", "sc://127.0.0.1:4"), ("SPARK_REMOTE", "sc://127.0.0.1:3")]),
            4,
        ),
        (vec!["-t", "first"], environment(&[("PIPECTL_REMOTE", "sc://127.0.0.1:4")]), 1),
        (vec!["--remote", "sc://127.0.0.1:5"], environment(&[("PIPECTL_REMOTE", "sc://127.0.0.1:4")]), 5),
        (vec!["--remote", "sc://127.0.0.1:5", "--target", "second"], environment(&[]), 5),
    ] {
        let case = below(TARGETS, NUMBERS, &arguments).code(69);
        let case = variables.iter().fold(case, |case, (name, value)| case.env(name, value));
        let stderr = case.run().stderr;
        assert!(stderr.contains(&format!("sc://127.0.0.1:{port}")), "{arguments:?} {variables:?}: {stderr}");
    }
}

#[test]
fn which_target_applies_is_told() {
    let outcome = below(TARGETS, NUMBERS, &["-t", "second"]).code(69).run();
    assert!(outcome.stderr.contains("target  `second` of `pipectl.yaml`, by --target"), "{}", outcome.stderr);
    let outcome = below(TARGETS, NUMBERS, &["--log-format", "json"]).code(69).run();
    let told = r#""target":"`first` of `pipectl.yaml`, by its `default_target`""#;
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    assert_eq!(outcome.record()["target"], "`first` of `pipectl.yaml`, by its `default_target`");
}

#[test]
fn a_project_file_that_is_wrong_has_no_records() {
    for (project, arguments, code) in [("targets: 3", &[][..], 78), ("targets: { a: {} }", &["-t", "b"], 2)] {
        let run = || below(project, NUMBERS, arguments).code(code);
        let outcome = run().without_env("PIPECTL_STATE_DIR").run();
        assert!(!outcome.path(".pipectl").exists() && !outcome.path("pipelines/.pipectl").exists());
        // Where it is said where they belong, there is one.
        assert_eq!(run().run().record()["exit_code"], code);
    }
}

#[test]
fn a_target_that_does_not_exist_is_a_mistake_of_the_command_line() {
    let hint = |project: &str, target: &str| below(project, NUMBERS, &["-t", target]).code(2).run().stderr;
    assert_snapshot!(hint(TARGETS, "secnd"), @r"
    error: there is no target `secnd`, given by --target, in `pipectl.yaml`
      help: did you mean `second`?
    ");
    assert_snapshot!(hint(TARGETS, "prod"), @r"
    error: there is no target `prod`, given by --target, in `pipectl.yaml`
      help: its targets are `first`, `second`
    ");
    let outcome =
        Case::new(["validate", "p.yaml", "-t", "prod"]).file("p.yaml", NUMBERS).file(".git/HEAD", "");
    assert_snapshot!(outcome.any_stderr().code(2).run().stderr, @r"
    error: there is no target `prod`: there is no `pipectl.yaml` in `.` or above it
      help: write one: `targets: { prod: { remote: sc://host:15002 } }`
    ");
}

#[test]
fn plans_are_those_of_the_targets_engine() {
    let pipeline = "
version: 1
steps:
  a: { range: 3, transform: [ { filter: \"'O''Brien' = 'x'\" } ], write: { stdout: csv } }
";
    let project = "targets: { cluster: { remote: sc://127.0.0.1:1 } }";
    let plan = |arguments: &[&str]| {
        let case = Case::new(["plan", "p.yaml"]).args(arguments);
        case.file("pipectl.yaml", project).file("p.yaml", pipeline).any_stdout().run().stdout
    };
    assert_ne!(plan(&[]), plan(&["-t", "cluster"]));
}

#[test]
fn the_schema_of_project_files_is_the_one_of_this_version() {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/project.schema.json");
    let printed = Case::new(["schema", "project"]).any_stdout().run().stdout;
    assert!(
        printed == fs::read_to_string(committed).unwrap_or_default(),
        "write it again with `cargo run -- schema project > schemas/project.schema.json`"
    );
}
