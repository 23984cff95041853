//! `run`: engines that are named, and engines that can't be had.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{Case, ENDLESS, installed, signal};

const NUMBERS: &str = "version: 1\nsteps: { numbers: { range: 3, write: { stdout: csv } } }\n";
const READS: &str = "\
version: 1
steps:
  people:
    read: { format: csv, path: in/people.csv, options: { header: true } }
    write: { stdout: csv }
";

fn run(text: &str) -> Case {
    Case::new(["run", "-q", "p.yaml"]).file("p.yaml", text)
}

/// A Sail server that was started by hand, and ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With Sail's settings, as variables of its environment.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let (python, site) = installed();
        let mut child = Command::new(python)
            .args(["-m", "pysail", "spark", "server", "--port", "0"])
            .env("PYTHONPATH", site)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("127.0.0.1:")?;
            Some(port.chars().take_while(char::is_ascii_digit).collect::<String>())
        });
        // Whoever writes into a pipe that nobody reads is ended by it.
        thread::spawn(move || lines.for_each(drop));
        let port = port.unwrap();
        Self { child, address: format!("sc://127.0.0.1:{port}"), port: port.parse().unwrap() }
    }

    /// Ends it as nothing can be done against.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
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

/// Starts a long query at a server, then sends that a signal and, where this is told, pipectl one too.
fn lose(server_gets: &str, interrupted: bool) {
    let server = Server::start();
    let (budget, code) = if interrupted { ("120", 130) } else { ("1", 69) };
    let arguments = ["run", "p.yaml", "--remote", &server.address, "--retry-budget", budget];
    let mut running = Case::new(arguments).file("p.yaml", ENDLESS).code(code).any_stderr().start();
    running.wait_for("checked");
    let since = Instant::now();
    signal(server.child.id(), server_gets);
    if interrupted {
        running.signal("INT");
    }
    let outcome = running.end();
    assert!(since.elapsed() < Duration::from_secs(12), "{:?}", since.elapsed());
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert_eq!(outcome.record()["exit_code"], code);
}

#[test]
fn a_server_that_is_lost_ends_the_run() {
    lose("KILL", false);
}

#[test]
fn a_server_that_is_gone_holds_up_no_interruption() {
    lose("KILL", true);
}

#[test]
fn a_server_that_is_silent_holds_up_no_interruption() {
    lose("STOP", true);
}

#[test]
fn a_connection_string_that_is_none_is_2() {
    let outcome = run(NUMBERS).args(["--remote", "http://localhost:15002"]).code(2).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error: the connection string of `--remote` is wrong: a Spark Connect address begins with `sc://`, as in `sc://localhost:15002`
      help: write `sc://host:15002`, parameters after `/;`: `sc://host:443/;use_ssl=true`
    ");
}

#[test]
fn who_is_no_spark_connect_server_is_told() {
    // One answers as a web server does, the other one never.
    for is_silent in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("sc://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if is_silent {
                    silent.push(stream);
                } else {
                    let _asked = stream.read(&mut [0; 100]);
                    let _gone = stream.write_all(
                        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    );
                }
            }
        });
        let case = run(NUMBERS).args(["--remote", &address, "--retry-budget", "1"]).code(69).any_stderr();
        let outcome = case.run();
        assert_eq!(outcome.record()["exit_code"], 69);
        if is_silent {
            assert_snapshot!(outcome.stderr, @"
            error: sc://127.0.0.1:[port] is not a Spark Connect server: it accepts connections and says nothing
              help: look for a slip in the port, and whether the server is well; if it is a port for TLS, write `use_ssl=true`
            ");
        } else {
            assert_snapshot!(outcome.stderr, @"
            error: sc://127.0.0.1:[port] is not a Spark Connect server: it answers in HTTP/1
              help: reach the port for gRPC, which is 15002 where nobody has said otherwise; if it is a port for TLS, write `use_ssl=true`
            ");
        }
    }
}

#[test]
fn an_engine_that_is_not_there_is_69() {
    let outcome =
        run(NUMBERS).args(["--offline"]).env("PIPECTL_CACHE_DIR", "none").code(69).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error: Sail 0.7.2 is not installed and downloads are off
      help: run `pipectl engine install`
    ");
    assert_eq!(outcome.record()["exit_code"], 69);
}

#[test]
fn a_machine_without_python_is_69() {
    let case = run(NUMBERS).env("PIPECTL_CACHE_DIR", "none").env("PATH", "").without_env("PIPECTL_PYTHON");
    let outcome = case.code(69).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error: no Python 3 is found (looked for `python3`, `python`)
      help: install Python 3.10 or newer, or name one: `PIPECTL_PYTHON=/path/to/python3`
    ");
    let case = run(NUMBERS).env("PIPECTL_CACHE_DIR", "none").env("PIPECTL_PYTHON", "/nowhere/python3");
    let outcome = case.code(69).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error: no Python 3 is found (looked for `/nowhere/python3`)
      help: install Python 3.10 or newer, or name one: `PIPECTL_PYTHON=/path/to/python3`
    ");
}
