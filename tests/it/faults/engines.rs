//! `run`: a server that is lost, or silent.

use std::time::{Duration, Instant};

use crate::support::sail::Server;
use crate::support::{Case, ENDLESS, signal};

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
