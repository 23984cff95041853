//! `doctor`: says what applies, and what is missing.

use crate::support::Case;

const NUMBERS: &str = "version: 1\nsteps: { n: { range: 2, write: { stdout: csv } } }\n";

pub(crate) fn doctor(arguments: &[&str]) -> Case {
    Case::new(["doctor"]).args(arguments).file("p.yaml", NUMBERS).any_stdout().any_stderr()
}

#[test]
fn a_healthy_machine_has_no_problem() {
    let outcome = doctor(&["p.yaml"]).engine().run();
    for subject in ["pipectl", "project", "target", "pipeline", "temporary", "python", "engine", "rows"] {
        let is_told = |line: &str| line.trim_start().starts_with(&format!("ok  {subject}"));
        assert!(outcome.stdout.lines().any(is_told), "{subject}: {}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("problem"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn what_is_missing_decides_the_code() {
    for (arguments, code, told) in [
        (vec!["--remote", "sc://127.0.0.1:9", "--retry-budget", "0"], 69, "nothing listens"),
        (vec!["--target", "prod"], 2, "there is no target `prod`"),
        (vec!["wrong.yaml"], 78, "the pipeline has 1 mistake"),
        (vec!["nowhere.yaml"], 2, "there is no such file"),
        (vec!["hungry.yaml"], 1, "an input is missing"),
    ] {
        let case = doctor(&arguments).engine().code(code);
        let case = case.file("wrong.yaml", NUMBERS.replace("range", "rang"));
        let hungry = NUMBERS.replace("range: 2", "read: { format: csv, path: gone.csv }");
        let outcome = case.file("hungry.yaml", hungry).run();
        let problem = outcome.stdout.lines().find(|line| line.contains("problem")).unwrap_or_default();
        assert!(problem.contains(told), "{arguments:?}: {}{}", outcome.stdout, outcome.stderr);
    }
}

#[test]
fn folders_of_outputs_are_looked_at() {
    let text = |path: &str| NUMBERS.replace("stdout: csv", &format!("parquet: {path}"));
    let run = |path: &str, code: i32| {
        let case = Case::new(["doctor", "out.yaml"]).file("out.yaml", text(path)).any_stdout().any_stderr();
        case.file("there/file", "").engine().code(code).run()
    };
    let outcome = run("there/n.parquet", 0);
    assert!(outcome.stdout.contains("/there` can be written\n"), "{}", outcome.stdout);
    let outcome = run("new/deep/n.parquet", 0);
    assert!(
        outcome.stdout.contains("/new/deep` does not exist yet and can be made in `"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.path("new").exists());
    let outcome = run("there/file/n.parquet", 1);
    let problem = outcome.stdout.lines().find(|line| line.contains("problem  output")).unwrap_or_default();
    assert!(problem.contains("/there/file`: Not a directory"), "{}", outcome.stdout);
}
