//! `include`: a pipeline of several files, on an engine and off it.

use std::os::unix::fs::symlink;

use crate::support::Case;

/// Reads, a query in a file, an output and a variable of its own.
const SOURCES: &str = "\
include: ../vars.yaml
steps:
  people:
    read: { format: csv, path: data/people.csv, options: { header: true } }
    contract: people.yaml
  adults:
    sql: { file: adults.sql }
    write: { csv: out/adults.csv }
";

const CONTRACT: &str = "version: 1\ncolumns: { name: string, age: int }\n";
const QUERY: &str = "SELECT name FROM people WHERE age >= ${least} ORDER BY name\n";

const MAIN: &str = "\
version: 1
include: [../common/sources.yaml, ../vars.yaml]
steps:
  shown:
    from: adults
    transform:
      - filter: name <> ${without}
      - sort: name
    write: { stdout: csv }
";

pub(crate) fn case(verb: &str) -> Case {
    Case::new([verb, "pipelines/main.yaml"])
        .file("pipelines/main.yaml", MAIN)
        .file("common/sources.yaml", SOURCES)
        .file("vars.yaml", "vars: { least: 18, without: Cid, unused: 1 }\n")
        .file("common/people.yaml", CONTRACT)
        .file("common/adults.sql", QUERY)
        .file("common/data/people.csv", "name,age\nAnn,20\nBob,17\nCid,40\nDan,19\n")
}

#[test]
fn the_record_names_all_files_of_a_pipeline_that_is_wrong() {
    let outcome = case("run")
        .file("vars.yaml", "vars: { least: 18, without: Cid }\nsteps: { a: { rang: 3 } }\n")
        .code(78)
        .any_stderr()
        .run();
    assert!(outcome.stderr.contains("--> vars.yaml:2:15"), "{}", outcome.stderr);
    assert_eq!(outcome.record()["files"].as_array().unwrap().len(), 5);
}

#[test]
fn a_file_is_one_however_it_is_named() {
    let case = case("validate").file(
        "pipelines/main.yaml",
        MAIN.replace("../vars.yaml", "./../pipelines/../vars.yaml, link.yaml, ../common/sources.yaml"),
    );
    symlink("../vars.yaml", case.path("pipelines/link.yaml")).unwrap();
    let outcome = case.any_stderr().run();
    assert_eq!(outcome.stderr, "`pipelines/main.yaml` is valid: 3 steps\n");
}

#[test]
fn a_circle_through_a_link_is_one() {
    let case = case("validate").file("vars.yaml", "include: again.yaml\nvars: { least: 1, without: x }\n");
    symlink("vars.yaml", case.path("again.yaml")).unwrap();
    let outcome = case.code(78).any_stderr().run();
    assert!(outcome.stderr.contains("error[E028]: `vars.yaml` includes itself"), "{}", outcome.stderr);
}

#[test]
fn there_are_limits() {
    let many: Vec<String> = (0..300).map(|n| format!("f{n}.yaml")).collect();
    let main = format!(
        "version: 1\ninclude: [{}]\nsteps: {{ a: {{ range: 1, write: stdout }} }}\n",
        many.join(", ")
    );
    let case = Case::new(["validate", "p.yaml"]).file("p.yaml", main);
    let case = many.iter().fold(case, |case, name| {
        case.file(name, format!("steps: {{ {}: {{ range: 1 }} }}", name.replace(".yaml", "")))
    });
    let outcome = case.code(78).any_stderr().run();
    assert!(outcome.stderr.contains("consists of more than 256 files"), "{}", outcome.stderr);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let outcome = Case::new(["validate", "p.yaml"])
        .file("p.yaml", "version: 1\ninclude: [/dev/zero, pipe]\nsteps: { a: { range: 1, write: stdout } }\n")
        .code(78)
        .any_stderr()
        .run_in_shell("mkfifo pipe && exec \"$@\"");
    assert_eq!(outcome.stderr.matches("can't be read: it is not a file").count(), 2, "{}", outcome.stderr);
}
