//! Variables: who goes before whom; what is refused.

use insta::assert_snapshot;

use crate::support::Case;

const NAMED: &str = "version: 1
vars: { who: { type: string, default: default } }
steps:
  a:
    values: { columns: { who: string }, rows: [[\"${who}\"]] }
    write: { ndjson: \"out/${who}.ndjson\" }
";

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_target() {
    let case = || {
        Case::new(["plan", "p.yaml"])
            .file("p.yaml", NAMED)
            .file("given.yaml", "who: file\n")
            .file("later.yaml", "{ who: later }")
            .file("pipectl.yaml", "targets: { t: { engine: sail, vars: { who: target } } }\n")
            .any_stdout()
    };
    let plan = |case: Case, who: &str| {
        let stdout = case.run().stdout;
        assert!(stdout.contains(&format!("out/{who}.ndjson")), "{who}: {stdout}");
    };
    plan(case(), "default");
    plan(case().args(["-t", "t"]), "target");
    plan(case().args(["-t", "t"]).env("PIPECTL_VARS", "given.yaml"), "file");
    plan(case().env("PIPECTL_VARS", "{who: yaml}").env("PIPECTL_VAR_WHO", "variable"), "variable");
    plan(case().env("PIPECTL_VAR_WHO", "variable").args(["--vars", "given.yaml"]), "file");
    plan(case().args(["--vars", "given.yaml", "--vars", "later.yaml"]), "later");
    plan(case().args(["--vars", "who: yaml", "--vars", "{}"]), "yaml");
    plan(case().args(["--var", "who=first", "--var", "who=flag", "--vars", "{who: yaml}"]), "flag");
    let outcome = case().args(["--vars", "missing.yaml"]).any_stderr().code(2).run();
    assert_snapshot!(outcome.stderr, @r#"
    error: `missing.yaml` can't be read: there is no such file; `--vars` takes a file, or YAML as in `{n: 3}`
    "#);
    #[cfg(target_os = "linux")]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let outcome = case().env("PIPECTL_VAR_WHO", OsStr::from_bytes(b"a\xff")).any_stderr().code(2).run();
        assert_snapshot!(outcome.stderr, @r#"
    error: the value of `PIPECTL_VAR_WHO` in the environment is not UTF-8, and is no value
    "#);
    }
}

#[test]
fn a_spark_without_times_says_so() {
    let pipeline = "version: 1
vars: { at: { type: time, default: \"12:00\" } }
steps:
  a:
    range: 1
    transform: [ filter: \"${at} IS NOT NULL\" ]
    write: stdout
";
    let outcome = Case::new(["plan", "p.yaml", "--engine", "spark-4.0"])
        .file("p.yaml", pipeline)
        .any_stderr()
        .code(78)
        .run();
    assert_snapshot!(outcome.stderr, @r#"
    error[E022]: Spark 4.0.5 has no type `time`; Spark 4.1 has it, and so has Sail
     --> p.yaml:6:27
      |
    6 |     transform: [ filter: "${at} IS NOT NULL" ]
      |                           ^^^^^

    error: the pipeline has 1 mistake
    "#);
    let outcome = Case::new(["plan", "p.yaml", "--engine", "spark"])
        .file("p.yaml", pipeline)
        .any_stderr()
        .code(78)
        .run();
    assert_snapshot!(outcome.stderr, @r#"
    error[E022]: Spark 4.3.0 has the type `time` only where `conf` says `spark.sql.timeType.enabled: true`
     --> p.yaml:6:27
      |
    6 |     transform: [ filter: "${at} IS NOT NULL" ]
      |                           ^^^^^

    error: the pipeline has 1 mistake
    "#);
}
