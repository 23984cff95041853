//! `docs/diagnostics.md`: each code's example of the mistake gives that code alone, and its mend gives nothing.
//!
//! And what becomes of warnings, and of each mistake where a machine reads along.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Case;

const WARNED: &str = "\
version: 1
vars: { never: 1 }
steps:
  a:
    range: 30
    transform: [limit: 3]
    write: { csv: out/a.csv }
";

#[test]
fn warnings_may_be_denied_or_allowed() {
    let case = |arguments: &[&str]| {
        Case::new(["validate", "p.yaml"]).file("p.yaml", WARNED).args(arguments).any_stderr()
    };
    let outcome = case(&[]).run();
    assert!(outcome.stderr.contains("warning[W001]") && outcome.stderr.contains("warning[W003]"));
    let outcome = case(&["--deny-warnings"]).code(78).run();
    assert!(outcome.stderr.contains("2 warnings, and `--deny-warnings` takes them"), "{}", outcome.stderr);
    let outcome = case(&["--deny-warnings", "--allow", "W001"]).code(78).run();
    assert!(!outcome.stderr.contains("W001"), "{}", outcome.stderr);
    case(&["--deny-warnings", "--allow", "W001,w003"]).run();
    case(&["--deny-warnings"]).env("PIPECTL_ALLOW", "W001,W003").run();
    case(&[]).env("PIPECTL_DENY_WARNINGS", "1").code(78).run();
    case(&[]).env("PIPECTL_DENY_WARNINGS", "0").run();
    let outcome = case(&["--allow", "E003"]).code(2).run();
    assert!(outcome.stderr.contains("`E003` is a mistake"), "{}", outcome.stderr);
    let outcome = case(&["--allow", "W3"]).code(2).run();
    assert!(outcome.stderr.contains("the warnings are W001, W002, "), "{}", outcome.stderr);
    // With an engine at hand nothing of a run is begun either.
    let outcome =
        Case::new(["run", "p.yaml", "--deny-warnings"]).file("p.yaml", WARNED).any_stderr().code(78).run();
    assert!(!outcome.path("out/a.csv").exists());
}

#[test]
fn a_diagnostic_has_its_edits_in_json() {
    let text = "version: 1\nsteps:\n  a: { rnge: 3, output: stdout }\n";
    let outcome = Case::new(["validate", "p.yaml", "--log-format", "json"])
        .file("p.yaml", text)
        .any_stderr()
        .code(78)
        .run();
    let mut lines = outcome.stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut first = lines.next().unwrap();
    first.as_object_mut().unwrap().remove("time").unwrap();
    let place = |start: u64, end: u64| json!({ "file": "p.yaml", "line": 3, "column": start, "end_line": 3, "end_column": end });
    let with = |mut one: Value, rest: Value| {
        one.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        one
    };
    let edit = json!({ "replacement": "range", "applicability": "MaybeIncorrect" });
    let expected = json!({
        "level": "error", "event": "diagnostic", "code": "E003", "message": "unknown key `rnge`",
        "label": "not a key of a step", "notes": [], "help": ["did you mean `range`?"], "related": [], "class": null, "sql_state": null,
        "suggestions": [with(edit, place(8, 12))],
    });
    assert_eq!(first, with(expected, place(8, 12)));
    let edit = json!({ "replacement": "write", "applicability": "MachineApplicable" });
    assert_eq!(lines.next().unwrap()["suggestions"], json!([with(edit, place(17, 23))]));
}

/// Thirty steps with a warning each, and as many with an error where that is asked for.
fn many(error: &str) -> String {
    let step = |at| {
        format!("  s{at}: {{ range: 30, {error}transform: [limit: 3], write: {{ csv: out/{at}.csv }} }}\n")
    };
    format!("version: 1\nsteps:\n{}", (0..30).map(step).collect::<String>())
}

#[test]
fn of_many_diagnostics_ten_of_a_code_are_shown() {
    let case = |verb: &str, error: &str| Case::new([verb, "p.yaml"]).file("p.yaml", many(error)).any_stderr();
    let heads = |text: &str, head: &str| text.lines().filter(|line| line.starts_with(head)).count();
    let rest = "\n… and 20 more W003; `--all-diagnostics` shows all of them\n";

    let text = case("validate", "").run().stderr;
    assert_eq!(heads(&text, "warning[W003]"), 10, "{text}");
    assert!(text.contains(rest), "{text}");
    let text = case("validate", "").env("PIPECTL_ALL_DIAGNOSTICS", "1").run().stderr;
    assert_eq!((heads(&text, "warning[W003]"), text.contains("more")), (30, false), "{text}");

    let text = case("validate", "").args(["--log-format", "github"]).run().stderr;
    assert_eq!(heads(&text, "::warning "), 10, "{text}");
    let notice = "::notice title=pipectl::… and 20 more W003; `--all-diagnostics` shows all of them\n";
    assert!(text.contains(rest) && text.contains(notice), "{text}");

    let json = |case: Case| {
        let text = case.args(["--log-format", "json"]).run().stderr;
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let told = |lines: &[Value], event: &str| lines.iter().filter(|line| line["event"] == event).count();
    let lines = json(case("validate", "oops: 1, ").code(78));
    assert_eq!(told(&lines, "diagnostic"), 10);
    let omitted = lines.iter().find(|line| line["event"] == "diagnostics_omitted").unwrap();
    assert_eq!((&omitted["level"], &omitted["counts"]), (&json!("error"), &json!({ "E003": 20 })));
    assert_eq!(lines.last().unwrap()["message"], "the pipeline has 30 mistakes");
    let lines = json(case("validate", "").args(["--all-diagnostics"]));
    assert_eq!((told(&lines, "diagnostic"), told(&lines, "diagnostics_omitted")), (30, 0));

    let record = case("run", "oops: 1, ").args(["--all-diagnostics"]).code(78).run().record();
    assert_eq!(record["diagnostics"].as_array().unwrap().len(), 10);
    assert_eq!(record["diagnostics_omitted"], json!({ "E003": 20 }));
}

#[test]
fn github_is_told_where_each_mistake_is() {
    let outcome = Case::new(["validate", "pipelines/p.yaml", "--log-format", "github"])
        .file("pipelines/p.yaml", WARNED.replace("range", "rnge"))
        .any_stderr()
        .code(78)
        .run();
    let told: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(
        told,
        [
            "::warning file=pipelines/p.yaml,line=2,endLine=2,col=9,endColumn=14,title=pipectl W001::the variable `never` is never used",
            "::error file=pipelines/p.yaml,line=5,endLine=5,col=5,endColumn=9,title=pipectl E003::unknown key `rnge`%0Ahelp: did you mean `range`?",
            "::error title=pipectl::the pipeline has 1 mistake",
        ]
    );
    assert!(outcome.stderr.contains(" --> pipelines/p.yaml:5:5"), "people are told too: {}", outcome.stderr);
}

#[test]
fn an_input_that_is_replaced_is_seen_wherever_it_is() {
    let told = |read: &str, write: &str, after: &str| {
        let text = format!(
            "version: 1\nsteps:\n  a:\n    read: {{ format: csv, path: {read}, schema: id INT }}\n    {after}\n  b:\n    range: 3\n    \
             write: {write}\n  c: {{ from: a, write: stdout }}\n"
        );
        let outcome = Case::new(["validate", "p.yaml"]).file("p.yaml", text).any_stderr().run();
        outcome.stderr.matches("warning[W009]").count()
    };
    for (read, write, after, count) in [
        ("data/a.csv", "{ csv: data/a.csv }", "", 1),
        ("./data/../data/a.csv", "{ csv: data/a.csv }", "", 1),
        ("data", "{ csv: data/a.csv }", "", 1),
        ("data/part-00000.csv", "{ csv: { path: data/, max_rows_per_file: 9 } }", "", 1),
        ("[x.csv, data/a.csv]", "[csv: data/a.csv, csv: data/b.csv]", "", 1),
        // Whoever waits reads the new file.
        ("data/a.csv", "{ csv: data/a.csv }", "after: [b]", 0),
        ("data/a.csv", "{ csv: data/a.csv.gz }", "", 0),
        ("data/a.csv", "{ csv: other/a.csv }", "", 0),
        ("s3://lake/a.csv", "{ csv: s3://lake/b.csv }", "", 0),
    ] {
        assert_eq!(told(read, write, after), count, "{read} {write} {after}");
    }
    let text = "\
version: 1
steps:
  a: { read: { format: parquet, path: a.parquet } }
  b: { range: 3, write: { parquet: a.parquet } }
  c: { from: a, write: { parquet: b.parquet } }
  d: { read: { format: parquet, path: b.parquet }, write: stdout }
";
    let outcome = Case::new(["validate", "p.yaml"]).file("p.yaml", text).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    warning[W009]: `a` reads `a.parquet`, which this pipeline replaces
     --> p.yaml:3:39
      |
    3 |   a: { read: { format: parquet, path: a.parquet } }
      |                                       ^^^^^^^^^
      |
     ::: p.yaml:4:27
      |
    4 |   b: { range: 3, write: { parquet: a.parquet } }
      |                           ------- `b` writes it here
      |
      = help: the next run reads what this one has written: let the output go somewhere else
      = help: to read what this run writes, begin with that step: `from: b`

    warning[W009]: `d` reads `b.parquet`, which this pipeline replaces
     --> p.yaml:6:39
      |
    6 |   d: { read: { format: parquet, path: b.parquet }, write: stdout }
      |                                       ^^^^^^^^^
      |
     ::: p.yaml:5:26
      |
    5 |   c: { from: a, write: { parquet: b.parquet } }
      |                          ------- `c` writes it here
      |
      = help: the next run reads what this one has written: let the output go somewhere else
      = help: to read what this run writes, begin with that step: `from: c`

    `p.yaml` is valid: 4 steps
    ");
}
