//! `run`: engines that can't be had, and servers that are none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use insta::assert_snapshot;

use crate::on_sail::engines::{NUMBERS, run};

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
