//! The example pipelines at servers that somebody else started: one by itself, and one with a master and workers.

use std::path::Path;

use crate::on_spark::spark::SAME;
use crate::support::daemon::{Cluster, Server};
use crate::support::{Case, elsewhere};

/// As few tasks as an administrator of so small a server would set.
const SETTINGS: [(&str, &str); 1] = [("spark.sql.shuffle.partitions", "8")];

/// The example pipelines, at the server of this port.
fn run_pipelines(port: &str) {
    let target = format!("remote: 'sc://127.0.0.1:{port}', shared_files: true");
    let failed = elsewhere(&target, Path::new("/nowhere"), &SAME[..4]);
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn the_pipelines_run_on_a_standalone_cluster() {
    let cluster = Cluster::start();
    let server = Server::start(&cluster.master, &SETTINGS);
    run_pipelines(&server.port);
}

#[test]
fn the_pipelines_run_at_a_server_started_by_hand() {
    let server = Server::start("local[2]", &SETTINGS);
    run_pipelines(&server.port);
}

#[test]
fn a_target_sends_its_token() {
    let server = Server::start("local[1]", &[("spark.connect.authenticate.token", "hunter2")]);
    let url = format!("sc://127.0.0.1:{}/;use_ssl=false", server.port);
    let project = format!("targets: {{ it: {{ remote: '{url}', token: '${{secret:TOKEN}}' }} }}\n");
    let run = |token: &str, arguments: &[&str]| {
        Case::new(["run", "-q", "p.yaml", "--retry-budget", "1"])
            .args(arguments)
            .file("pipectl.yaml", &project)
            .file("p.yaml", "version: 1\nsteps: { n: { range: 2, write: { stdout: csv } } }\n")
            .env("TOKEN", token)
    };
    run("hunter2", &["-t", "it"]).stdout("id\n0\n1\n").run();
    for case in [run("hunter3", &["-t", "it"]), run("hunter2", &["-t", "it", "--remote", &url])] {
        let outcome = case.code(69).any_stderr().run();
        assert!(outcome.stderr.contains("refuses this user"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("hunter"), "{}", outcome.stderr);
    }
}
