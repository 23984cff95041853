//! Tokens at a Spark server that wants one.

use insta::assert_snapshot;

use crate::inner::tokens::{NUMBERS, run};
use crate::support::Case;
use crate::support::daemon;
use crate::support::fronts::{Authority, Front, Tls};

const ROWS: &str = "id\n0\n1\n";

/// A run at the only target of a project file.
fn at_target(keys: &str) -> Case {
    Case::new(["run", "-q", "--retry-budget", "1", "p.yaml", "-t", "it"])
        .file("p.yaml", NUMBERS)
        .file("pipectl.yaml", format!("targets: {{ it: {{ {keys} }} }}\n"))
}

#[test]
fn a_server_that_wants_a_token_gets_it_over_tls_or_where_it_is_let() {
    let server = daemon::Server::start("local[1]", &[("spark.connect.authenticate.token", "hunter2")]);
    let authority = Authority::new("ours");
    let port = server.port.parse().unwrap();
    let front = Front::tls(Tls::of(authority.sign(&["localhost", "127.0.0.1"])), port);
    let secure = |parameters: &str| {
        let url = format!("sc://127.0.0.1:{}/;{parameters}", front.port);
        run(&url).file("ca.pem", &authority.pem).args(["--tls-ca", "ca.pem"])
    };
    let token = "SPARK_CONNECT_AUTHENTICATE_TOKEN";
    // A token turns TLS on by itself, but for the name `localhost`.
    secure("").env(token, "hunter2").stdout(ROWS).run();
    secure("use_ssl=true;authorization=Bearer%20hunter2").stdout(ROWS).any_stderr().run();
    run(&format!("sc://localhost:{port}")).env(token, "hunter2").stdout(ROWS).run();
    // Another host: whoever looks this up finds this machine, and pipectl does not know.
    let url = format!("sc://0x7f000001:{port}");
    run(&url).env(token, "hunter2").args(["--allow-plaintext", "0x7f000001"]).stdout(ROWS).run();
    run(&url).env(token, "hunter2").env("PIPECTL_ALLOW_PLAINTEXT", "0x7f000001").stdout(ROWS).run();
    let keys = format!("remote: '{url}', token: '${{secret:TOKEN}}', allow_plaintext: '0x7f000001'");
    at_target(&keys).env("TOKEN", "hunter2").stdout(ROWS).run();
    // A target's own token goes before the environment's, and that is for targets that have none.
    let keys = format!("remote: 'sc://localhost:{port}'");
    at_target(&keys).env(token, "hunter2").stdout(ROWS).run();
    let own = format!("{keys}, token: '${{secret:TOKEN}}'");
    let mut told = String::new();
    for (title, case) in [
        ("none", secure("use_ssl=true")),
        ("over TLS, to a port without", run(&format!("sc://127.0.0.1:{port}")).env(token, "hunter2")),
        ("a wrong one", secure("").env(token, "hunter3")),
        ("a wrong one of the target's own", at_target(&own).env("TOKEN", "hunter3").env(token, "hunter2")),
    ] {
        let outcome = case.code(69).any_stderr().run();
        assert!(!outcome.stderr.contains("hunter"), "{}", outcome.stderr);
        assert!(!outcome.record().to_string().contains("hunter"));
        let stderr = outcome.stderr.replace(&format!(":{port}"), ":PORT");
        told.push_str(&format!("{title}\n{stderr}\n"));
    }
    assert_snapshot!(told);
}
