//! `run`: engines that are named, and engines that can't be had.

use insta::assert_snapshot;

use crate::support::Case;
use crate::support::sail::Server;

pub(crate) const NUMBERS: &str = "version: 1\nsteps: { numbers: { range: 3, write: { stdout: csv } } }\n";
const READS: &str = "\
version: 1
steps:
  people:
    read: { format: csv, path: in/people.csv, options: { header: true } }
    write: { stdout: csv }
";

pub(crate) fn run(text: &str) -> Case {
    Case::new(["run", "-q", "p.yaml"]).file("p.yaml", text)
}

#[test]
fn a_relative_path_means_nothing_elsewhere() {
    let server = Server::start();
    let case = || run(READS).file("in/people.csv", "id,name\n1,Ann\n").args(["--remote", &server.address]);
    let outcome = case().code(78).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error[E019]: the relative path `in/people.csv` has no meaning at this engine
     --> p.yaml:4:32
      |
    4 |     read: { format: csv, path: in/people.csv, options: { header: true } }
      |                                ^^^^^^^^^^^^^
      |
      = help: say where relative paths start there: `--root s3://bucket/prod`
      = help: or write the whole path

    error: the pipeline has 1 mistake
    ");
    let case = case();
    let root = case.path("");
    case.args(["--root".as_ref(), root.as_os_str()]).stdout("id,name\n1,Ann\n").run();
    // What nobody could look for before is missing all the same.
    let case = run(READS).args(["--remote", &server.address, "--root", "/nowhere"]).code(1).any_stderr();
    let outcome = case.run();
    assert_snapshot!(outcome.stderr, @"
    error[E026]: the source of `people` has no columns: is there any data?
     --> p.yaml:4:5
      |
    4 |     read: { format: csv, path: in/people.csv, options: { header: true } }
      |     ^^^^

    error: an input is missing
    ");
}

#[test]
fn runs_at_one_server_do_not_meet() {
    let server = Server::start();
    let text = |from: u64| {
        format!(
            "version: 1\nsteps:\n  a:\n    range: {{ start: {from}, end: {} }}\n    transform: [sort: id]\n  b:\n    from: a\n    transform: [aggregate: {{ columns: {{ s: sum(id) }} }}]\n    write: {{ stdout: csv }}\n  c:\n    sql: SELECT count(*) AS n, min(id) AS m FROM a\n    write: {{ stdout: csv }}\n",
            from + 1_000_000
        )
    };
    let cases = (0..4_u64).map(|run| {
        let from = run * 1_000_000;
        let sum = (from..from + 1_000_000).sum::<u64>();
        let case = self::run(&text(from)).args(["--remote", &server.address]);
        // Sail keeps no rows where nobody has said where, and pipectl says so.
        case.stdout(&format!("s\n{sum}\nn,m\n1000000,{from}\n")).any_stderr().start()
    });
    for running in cases.collect::<Vec<_>>() {
        running.end();
    }
}

#[test]
fn the_nearest_setting_names_the_engine() {
    let server = Server::start();
    let dead = "sc://127.0.0.1:9";
    let address = server.address.as_str();
    for (argument, ours, sparks, code) in [
        (Some(address), dead, dead, 0),
        (None, address, dead, 0),
        (None, "", address, 0),
        (Some(dead), address, address, 69),
        (None, dead, address, 69),
    ] {
        let mut case = run(NUMBERS).env("PIPECTL_REMOTE", ours).env("SPARK_REMOTE", sparks).code(code);
        if let Some(argument) = argument {
            case = case.args(["--remote", argument]);
        }
        let outcome = case.any_stdout().any_stderr().run();
        assert_eq!(outcome.stdout == "id\n0\n1\n2\n", code == 0, "{}", outcome.stderr);
        assert_eq!(outcome.record()["exit_code"], code);
    }
}
