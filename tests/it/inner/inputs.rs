//! `run`: files that can't be read, or have nothing in them.

use std::fmt::Write as _;
use std::fs;

use insta::assert_snapshot;

use crate::support::{Case, Outcome};

/// A run that would need an engine and has none: it must not come so far.
fn refused(text: impl AsRef<[u8]>, code: i32) -> Outcome {
    Case::new(["run", "p.yaml"])
        .file("p.yaml", text)
        .env("PIPECTL_OFFLINE", "1")
        .env("PIPECTL_CACHE_DIR", "none")
        .code(code)
        .any_stderr()
        .run()
}

fn reads(path: &str) -> String {
    format!(
        "version: 1\nsteps:\n  a:\n    read: {{ format: parquet, path: \"{path}\" }}\n    write: stdout\n"
    )
}

#[test]
fn what_a_run_reads_must_be_there() {
    let outcome = refused(reads("in/*.parquet"), 1);
    assert_snapshot!(outcome.stderr, @r#"
    error[E026]: the input of `a` is missing: `[folder]/in/*.parquet` matches no file
     --> p.yaml:4:36
      |
    4 |     read: { format: parquet, path: "in/*.parquet" }
      |                                    ^^^^^^^^^^^^^^

    error: an input is missing
    "#);
    assert_eq!(outcome.record()["exit_code"], 1);
    assert_eq!(outcome.record()["diagnostics"][0]["line"], 4);

    let case = Case::new(["run", "p.yaml"])
        .file("p.yaml", reads("in"))
        .env("PIPECTL_OFFLINE", "1")
        .env("PIPECTL_CACHE_DIR", "none");
    fs::create_dir_all(case.path("in/deep")).unwrap();
    let outcome =
        case.file("in/_SUCCESS", "").file("in/deep/.hidden", "").any_leftovers().code(1).any_stderr().run();
    assert_snapshot!(outcome.stderr, @r#"
    error[E026]: the input of `a` is missing: `[folder]/in` is a folder without data
     --> p.yaml:4:36
      |
    4 |     read: { format: parquet, path: "in" }
      |                                    ^^^^

    error: an input is missing
    "#);
}

#[test]
fn what_is_not_yaml_is_shown() {
    assert_snapshot!(refused("version: 1\nsteps: [a\n  b: {\n", 78).stderr, @"
    error[E001]: this is not YAML: a `:` can't stand here
     --> p.yaml:3:4
      |
    3 |   b: {
      |    ^
      |
     ::: p.yaml:2:8
      |
    2 | steps: [a
      |        - this `[` is not closed

    error: the pipeline has 1 mistake
    ");
}

#[test]
fn the_line_is_named_that_is_not_utf_8() {
    assert_snapshot!(refused(b"version: 1\nname: \xff\xfe\n", 78).stderr, @"
    error[E002]: the file is not UTF-8: the next byte begins none of its characters; save it as UTF-8
     --> p.yaml:2:7
      |
    2 | name: 
      |       ^

    error: the pipeline has 1 mistake
    ");
}

#[test]
fn an_empty_file_is_refused() {
    assert_snapshot!(refused("# nothing\n", 78).stderr, @"
    error[E006]: the file is empty: the key `steps` is missing
     --> p.yaml:1:1
      |
    1 | # nothing
      | ^

    error: the pipeline has 1 mistake
    ");
}

#[test]
fn a_file_without_end_is_not_read() {
    let case = Case::new(["validate", "p.yaml"]).file("p.yaml", "version: 1\n");
    fs::File::options().write(true).open(case.path("p.yaml")).unwrap().set_len(100_000_000).unwrap();
    assert_snapshot!(case.code(78).any_stderr().run().stderr, @"
    error[E002]: the file is larger than 32 MB
     --> p.yaml:1:1
      |
    1 |
      | ^

    error: the pipeline has 1 mistake
    ");
}

#[test]
fn aliases_that_would_fill_the_memory_are_refused() {
    let mut text = "version: 1\nx0: &x0 [a, a, a, a, a, a, a, a, a, a]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*x{}", level - 1);
        let _ = writeln!(text, "x{level}: &x{level} [{}]", vec![alias; 10].join(", "));
    }
    let outcome = refused(&text, 78);
    assert!(outcome.stderr.contains("with its aliases written out, has more than"), "{}", outcome.stderr);
}

#[test]
fn a_file_that_is_none_is_a_wrong_command_line() {
    for (path, says) in [
        (".", "error: `.` can't be read: it is a folder; name a file in it\n"),
        ("nowhere.yaml", "error: `nowhere.yaml` can't be read: there is no such file\n"),
    ] {
        let outcome = Case::new(["run", path]).code(2).any_stderr().run();
        assert_eq!(outcome.stderr, says);
        assert_eq!(outcome.files(), Vec::<String>::new());
    }
}
