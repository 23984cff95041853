//! Where a pipeline runs: targets of a project file, flags and variables of the environment, and what each decides.

use insta::assert_snapshot;

use crate::support::Case;

pub(crate) const NUMBERS: &str = "version: 1\nsteps: { n: { range: 2, write: { stdout: csv } } }\n";

/// A run of a pipeline below a project file.
pub(crate) fn below(project: &str, pipeline: &str, arguments: &[&str]) -> Case {
    Case::new(["run", "--retry-budget", "0", "pipelines/p.yaml"])
        .args(arguments)
        .file("pipectl.yaml", project)
        .file("pipelines/p.yaml", pipeline)
        .any_stderr()
}

#[test]
fn without_any_of_them_a_private_sail_runs_it() {
    let outcome = below("targets: { first: { remote: sc://127.0.0.1:1 } }", NUMBERS, &[])
        .engine()
        .stdout("id\n0\n1\n")
        .run();
    assert!(outcome.stderr.contains("engine  Sail"), "{}", outcome.stderr);
    below("default_target: mine\ntargets:\n  mine:\n", NUMBERS, &["-q"]).engine().stdout("id\n0\n1\n").run();
}

#[test]
fn a_target_gives_values_to_variables() {
    let pipeline = "
version: 1
vars:
  n: { type: int, default: 1 }
  names: { type: array<string>, default: [a] }
steps:
  a:
    sql: SELECT ${n} AS n, 'c' IN ${names} AS listed
    write: { stdout: ndjson }
";
    let project = "
default_target: local
targets:
  local:
    vars: { n: 2, names: [b, '${env:LETTER}'], unknown: 5 }
";
    let case =
        |arguments: &[&str]| below(project, pipeline, arguments).args(["-q"]).env("LETTER", "c").engine();
    case(&[]).stdout("{\"n\":2,\"listed\":true}\n").run();
    case(&[]).env("PIPECTL_VAR_N", "3").stdout("{\"n\":3,\"listed\":true}\n").run();
    case(&["--var", "n=4"]).env("PIPECTL_VAR_N", "3").stdout("{\"n\":4,\"listed\":true}\n").run();
    let wrong = project.replace("n: 2", "n: two");
    let outcome = below(&wrong, pipeline, &[]).env("LETTER", "c").code(78).run();
    assert_snapshot!(outcome.stderr);
}

#[test]
fn settings_of_a_target_go_before_the_pipelines() {
    let pipeline = "
version: 1
conf: { spark.sql.session.timeZone: Europe/Berlin, spark.sql.shuffle.partitions: 3 }
steps:
  a:
    sql: SELECT date_format(TIMESTAMP '2026-01-01T00:00:00Z', 'HH') AS hour
    write: { stdout: csv }
";
    let project = "
default_target: local
targets: { local: { conf: { spark.sql.session.timeZone: Asia/Tokyo } } }
";
    below(project, pipeline, &["-q"]).engine().stdout("hour\n09\n").run();
}

#[test]
fn relative_paths_start_at_the_targets_root() {
    let pipeline = "
version: 1
steps: { a: { read: { format: csv, path: a.csv, options: { header: true } }, write: { stdout: csv } } }
";
    let project = |target: &str| format!("default_target: it\ntargets: {{ it: {{ {target} }} }}\n");
    let case = |target: &str, arguments: &[&str]| {
        below(&project(target), pipeline, arguments).file("data/a.csv", "x\n1\n").args(["-q"])
    };
    case("root: data", &[]).engine().stdout("x\n1\n").run();
    case("", &["--root", "data"]).engine().stdout("x\n1\n").run();
    case("", &[]).env("PIPECTL_ROOT", "data").engine().stdout("x\n1\n").run();
    case("root: data", &["-t", "it"]).env("PIPECTL_ROOT", "/nowhere").engine().stdout("x\n1\n").run();
    case("root: data", &[]).env("PIPECTL_ROOT", "").engine().stdout("x\n1\n").run();
    // The nearer input is missing: a root replaces the pipeline's folder.
    let outcome = case("", &[]).engine().code(1).run();
    assert!(outcome.stderr.contains("pipelines/a.csv"), "{}", outcome.stderr);

    let remote = "remote: 'sc://127.0.0.1:1'";
    for (target, arguments, code) in [
        (remote.to_owned(), vec![], 78),
        (format!("{remote}, root: data"), vec![], 78),
        (remote.to_owned(), vec!["--root", "data"], 2),
        (format!("{remote}, root: 's3://lake/prod'"), vec![], 69),
        (format!("{remote}, root: /data"), vec![], 69),
        (remote.to_owned(), vec!["--root", "/data"], 69),
    ] {
        let outcome = case(&target, &arguments).code(code).run();
        let is_about_paths =
            outcome.stderr.contains("has no meaning") || outcome.stderr.contains("means nothing");
        assert_eq!(is_about_paths, code != 69, "{target} {arguments:?}: {}", outcome.stderr);
    }
    // Files that are shared are looked for before the engine is asked.
    case(&format!("{remote}, shared_files: true"), &[]).code(1).run();
    case(&format!("{remote}, shared_files: true, root: data"), &[]).code(69).run();
}

#[test]
fn the_nearest_project_file_applies_and_none_beyond_the_repository() {
    let shared = "default_target: far\ntargets: { far: { remote: sc://127.0.0.1:1 } }";
    let nearer = "default_target: near\ntargets: { near: { remote: sc://127.0.0.1:2 } }";
    let case = || below(shared, NUMBERS, &[]);
    let told = |case: Case, port: u16| {
        let stderr = case.code(69).run().stderr;
        assert!(stderr.contains(&format!("127.0.0.1:{port}")), "{stderr}");
    };
    told(case(), 1);
    told(case().file("pipelines/pipectl.yaml", nearer), 2);
    let outcome = case().file("pipelines/.git/HEAD", "").engine().stdout("id\n0\n1\n").run();
    assert!(!outcome.stderr.contains("target"), "{}", outcome.stderr);
    let home = case();
    let folder = home.path("pipelines");
    home.env("HOME", folder).engine().stdout("id\n0\n1\n").run();
}

#[test]
fn records_of_runs_are_beside_the_project_file() {
    let outcome = below("targets: {}", NUMBERS, &["-q"])
        .without_env("PIPECTL_STATE_DIR")
        .engine()
        .stdout("id\n0\n1\n")
        .run();
    assert!(outcome.path(".pipectl/runs").is_dir());
    assert!(!outcome.path("pipelines/.pipectl").exists());
}

#[test]
fn everything_wrong_with_a_project_file_is_said_at_once() {
    let project = "
default_target: prdo
owner: me
targets:
  prod:
    remote: ${env:NOT_ASKED_FOR}
    engine: sail
    shared_files: perhaps
    conf: { spark.sql.session.timeZone: Mars/Olympus }
    tokn: x
  bad name: { engine: flink }
  staging:
    token: ${secret:NOWHERE}
    shared_files: false
    vars: { 1x: 2, day: '${run.date}', pass: '${secret:PASS}' }
  staging: {}
";
    let outcome = below(project, NUMBERS, &[]).code(78).run();
    assert_snapshot!("project_diagnostics", outcome.stderr);
    // What applies is asked for more.
    let outcome = below(project, NUMBERS, &["-t", "staging"]).code(78).run();
    assert_snapshot!("project_diagnostics_of_a_target_that_applies", outcome.stderr);
    for (project, code) in [("[]", 78), ("targets: 3", 78), ("a: [", 78), ("", 0), ("targets:", 0)] {
        below(project, NUMBERS, &["-q"]).engine().any_stdout().code(code).run();
    }
}

#[test]
fn a_missing_secret_matters_where_its_target_applies() {
    let project = "
targets:
  prod: { remote: 'sc://127.0.0.1:1/;use_ssl=false', token: '${secret:TOKEN_OF_PROD}' }
  file: { remote: 'sc://127.0.0.1:1/;use_ssl=false', token: '${secret:file:token.txt}' }
";
    below(project, NUMBERS, &["-q"]).engine().stdout("id\n0\n1\n").run();
    let outcome = below(project, NUMBERS, &["-t", "prod"]).code(78).run();
    assert!(outcome.stderr.contains("the secret `TOKEN_OF_PROD` is missing"), "{}", outcome.stderr);
    // Another server does not get it, and needs none.
    below(project, NUMBERS, &["-t", "prod", "--remote", "sc://127.0.0.1:1"]).code(69).run();
    for case in [
        below(project, NUMBERS, &["-v", "-t", "prod"]).env("TOKEN_OF_PROD", "hunter2"),
        below(project, NUMBERS, &["-v", "-t", "file"]).file("token.txt", "hunter2\n"),
    ] {
        let outcome = case.code(69).run();
        assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
        assert!(!outcome.record().to_string().contains("hunter2"));
    }
    let outcome = below(project, NUMBERS, &["-t", "prod"]).env("TOKEN_OF_PROD", "a\nb").code(78).run();
    assert!(outcome.stderr.contains("no header may have"), "{}", outcome.stderr);
}
