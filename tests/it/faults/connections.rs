//! The way to a server: TLS, certificates, who else may answer at a port; each failure is a line with a hint, soon.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use tonic::{Code, Status};

use crate::scripted::{Script, Step, rows};
use crate::support::Case;
use crate::support::Stage;
use crate::support::fronts::{self, Authority, Front, Tls};
use crate::support::sail;

const NUMBERS: &str = "version: 1\nsteps: { n: { range: 3, write: { stdout: csv } } }\n";
const ROWS: &str = "id\n0\n1\n2\n";
/// Nobody waits longer for a server that is none.
const LONGEST: Duration = Duration::from_secs(12);
/// A port for proxies that nobody gets through.
const NOWHERE: u16 = 9;

fn run(url: &str) -> Case {
    Case::new(["run", "-q", "--retry-budget", "1", "p.yaml", "--remote", url]).file("p.yaml", NUMBERS)
}

/// With the authority's certificate in `ca.pem`.
fn trusting(url: &str, authority: &Authority) -> Case {
    run(url).file("ca.pem", &authority.pem).args(["--tls-ca", "ca.pem"])
}

/// Runs it, and gives what it says of a server that is not had.
fn refusal(case: Case, port: u16) -> String {
    let since = Instant::now();
    let outcome = case.code(69).any_stderr().run();
    assert!(since.elapsed() < LONGEST, "{:?}: {}", since.elapsed(), outcome.stderr);
    assert_eq!(outcome.record()["exit_code"], 69);
    outcome.stderr.replace(&format!(":{port}"), ":PORT")
}

/// What each says, under its title.
fn told(cases: impl IntoIterator<Item = (&'static str, String)>) -> String {
    cases.into_iter().map(|(title, text)| format!("{title}\n{text}\n")).collect()
}

fn port_of(server: &sail::Server) -> u16 {
    server.address.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn a_run_goes_through_tls() {
    let server = sail::Server::start();
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let tls = Tls::of(authority.sign(&["localhost", "127.0.0.1"]));
    let front = Front::tls(tls, port_of(&server));
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("sc://{host}:{}/;use_ssl=true", front.port);
        trusting(&url, &authority).stdout(ROWS).run();
    }
    let url = format!("sc://localhost:{}/;use_ssl=true", front.port);
    let case = || run(&url).file("ca.pem", &authority.pem).file("other.pem", &other.pem);
    // Several in one file, the right one last.
    case()
        .file("all.pem", other.pem.clone() + &authority.pem)
        .args(["--tls-ca", "all.pem"])
        .stdout(ROWS)
        .run();
    case().env("PIPECTL_TLS_CA", "ca.pem").stdout(ROWS).run();
    // The system's own, wherever that is said to be.
    case().env("SSL_CERT_FILE", "ca.pem").stdout(ROWS).run();
    // A file stands in their place.
    let file = case().env("SSL_CERT_FILE", "ca.pem").args(["--tls-ca", "other.pem"]);
    assert!(refusal(file, front.port).contains("signed by nobody"));
    let flag = case().env("PIPECTL_TLS_CA", "ca.pem").args(["--tls-ca", "other.pem"]);
    assert!(refusal(flag, front.port).contains("signed by nobody"));
    let doctor = Case::new(["doctor", "--remote", &url, "--tls-ca", "ca.pem"]).file("ca.pem", &authority.pem);
    let outcome = doctor.any_stdout().run();
    assert!(outcome.stdout.contains("ok  rows"), "{}", outcome.stdout);
}

#[test]
fn a_certificate_may_stand_for_itself() {
    let server = sail::Server::start();
    let other = Authority::new("theirs");
    let clients = Authority::new("clients");
    let me = clients.sign_with(&["me"], fronts::for_clients);
    let names = ["localhost", "127.0.0.1"];
    // What `openssl req -x509` makes by itself may sign others as well.
    for kind in [|_: &mut rcgen::CertificateParams| {}, fronts::for_signing] {
        let it = fronts::signed_by_itself(&names, kind);
        let tls = || Tls::of(it.clone());
        let trusting = |front: &Front, host: &str| {
            run(&format!("sc://{host}:{}/;use_ssl=true", front.port))
                .file("it.pem", other.pem.clone() + &it.certificate)
                .args(["--tls-ca", "it.pem"])
        };
        let front = Front::tls(tls(), port_of(&server));
        for host in names {
            trusting(&front, host).stdout(ROWS).run();
        }
        let old = Front::tls(tls().of_version_12(), port_of(&server));
        trusting(&old, "localhost").stdout(ROWS).run();
        let strict = Front::tls(tls().for_clients_of(&clients), port_of(&server));
        trusting(&strict, "localhost")
            .file("me.pem", &me.certificate)
            .file("me.key", &me.key)
            .args(["--tls-cert", "me.pem", "--tls-key", "me.key"])
            .stdout(ROWS)
            .run();
        assert!(refusal(trusting(&strict, "localhost"), strict.port).contains("wants a certificate"));
    }
}

#[test]
fn what_is_wrong_with_a_certificate_that_stands_for_itself_is_said() {
    let of = |names: &[&str], change: fn(&mut rcgen::CertificateParams)| {
        fronts::signed_by_itself(names, |params| {
            fronts::for_signing(params);
            change(params);
        })
    };
    let at = |front: &Front| run(&format!("sc://localhost:{}/;use_ssl=true", front.port));
    let refused = |certificate: fronts::Certificate| {
        let front = Front::tls(Tls::of(certificate.clone()), NOWHERE);
        let case = at(&front).file("it.pem", certificate.certificate).args(["--tls-ca", "it.pem"]);
        refusal(case, front.port)
    };
    let good = of(&["localhost"], |_| {});
    let anew = of(&["localhost"], |_| {});
    let front = Front::tls(Tls::of(good.clone()), NOWHERE);
    let not_named = refusal(at(&front), front.port);
    // What the system believes signs others, and is no server.
    let system =
        refusal(at(&front).file("it.pem", &good.certificate).env("SSL_CERT_FILE", "it.pem"), front.port);
    let other = refusal(at(&front).file("it.pem", anew.certificate).args(["--tls-ca", "it.pem"]), front.port);
    let cases = [
        ("not named", not_named),
        ("the system's", system),
        ("another of that name", other),
        ("another name", refused(of(&["spark.example.com"], |_| {}))),
        ("expired", refused(of(&["localhost"], fronts::expired))),
        ("for later", refused(of(&["localhost"], fronts::for_later))),
        ("for clients", refused(of(&["localhost"], fronts::for_clients))),
    ];
    assert_snapshot!(told(cases));
}

#[test]
fn a_targets_certificates_are_for_its_server_alone() {
    let server = sail::Server::start();
    let (authority, clients) = (Authority::new("ours"), Authority::new("clients"));
    let client = clients.sign_with(&["me"], fronts::for_clients);
    let tls = || Tls::of(authority.sign(&["localhost"])).for_clients_of(&clients);
    let fronts = [Front::tls(tls(), port_of(&server)), Front::tls(tls().of_version_12(), port_of(&server))];
    let url = |front: &Front| format!("sc://localhost:{}/;use_ssl=true", front.port);
    let project = format!(
        "targets: {{ it: {{ remote: '{}', tls: {{ ca: tls/ca.pem, cert: tls/me.pem, key: tls/me.key }} }} }}\n",
        url(&fronts[0])
    );
    let case = |arguments: &[&str]| {
        Case::new(["run", "-q", "--retry-budget", "1", "pipelines/p.yaml"])
            .args(arguments)
            .file("pipelines/p.yaml", NUMBERS)
            .file("pipectl.yaml", &project)
            .file("tls/ca.pem", &authority.pem)
            .file("tls/me.pem", &client.certificate)
            .file("tls/me.key", &client.key)
    };
    case(&["-t", "it"]).stdout(ROWS).run();
    let files = ["--tls-ca", "tls/ca.pem", "--tls-cert", "tls/me.pem", "--tls-key", "tls/me.key"];
    for front in &fronts {
        case(&["--remote", &url(front)]).args(files).stdout(ROWS).run();
    }
    case(&["--remote", &url(&fronts[0])])
        .env("PIPECTL_TLS_CA", "tls/ca.pem")
        .env("PIPECTL_TLS_CERT", "tls/me.pem")
        .env("PIPECTL_TLS_KEY", "tls/me.key")
        .stdout(ROWS)
        .run();
    // The same server under its own address is another one: the target's settings apply, and its files do not.
    let port = fronts[0].port;
    let named = case(&["-t", "it", "--remote", &url(&fronts[0])]);
    assert!(refusal(named, port).contains("signed by nobody"));
    let named = case(&["-t", "it", "--remote", &url(&fronts[0]), "--tls-ca", "tls/ca.pem"]);
    assert!(refusal(named, port).contains("wants a certificate of the client"));
    // A flag goes before the target's key.
    let flagged =
        case(&["-t", "it", "--tls-ca", "other.pem"]).file("other.pem", Authority::new("theirs").pem);
    assert!(refusal(flagged, port).contains("signed by nobody"));
}

#[test]
fn what_is_wrong_with_a_servers_certificate_is_said() {
    let authority = Authority::new("ours");
    let (other, anew) = (Authority::new("theirs"), Authority::new("ours"));
    let signed = |names: &[&str]| authority.sign(names);
    let with = |change: fn(&mut rcgen::CertificateParams)| authority.sign_with(&["localhost"], change);
    let refused = |host: &str, certificate: fronts::Certificate| {
        let front = Front::tls(Tls::of(certificate), NOWHERE);
        refusal(trusting(&format!("sc://{host}:{}/;use_ssl=true", front.port), &authority), front.port)
    };
    let unknown = || {
        let front = Front::tls(Tls::of(signed(&["localhost"])), NOWHERE);
        refusal(run(&format!("sc://localhost:{}/;use_ssl=true", front.port)), front.port)
    };
    let cases = [
        ("an authority that the system does not know", unknown()),
        ("an authority that is not in the file", refused("localhost", other.sign(&["localhost"]))),
        ("one that was made anew", refused("localhost", anew.sign(&["localhost"]))),
        ("another name", refused("localhost", signed(&["spark.example.com", "*.data.example.com"]))),
        ("another address", refused("127.0.0.1", signed(&["10.0.0.1"]))),
        ("a name for an address", refused("127.0.0.1", signed(&["localhost"]))),
        ("no name", refused("localhost", signed(&[]))),
        ("expired", refused("localhost", with(fronts::expired))),
        ("for later", refused("localhost", with(fronts::for_later))),
        ("for clients", refused("localhost", with(fronts::for_clients))),
        ("for signing", refused("localhost", with(fronts::for_signing))),
    ];
    assert_snapshot!(told(cases));
}

#[test]
fn what_is_wrong_with_a_clients_certificate_is_said() {
    let (authority, clients) = (Authority::new("ours"), Authority::new("clients"));
    let refused = |certificate: Option<fronts::Certificate>, old: bool| {
        let tls = Tls::of(authority.sign(&["localhost"])).for_clients_of(&clients);
        let front = Front::tls(if old { tls.of_version_12() } else { tls }, NOWHERE);
        let mut case = trusting(&format!("sc://localhost:{}/;use_ssl=true", front.port), &authority);
        if let Some(mine) = certificate {
            case = case.file("me.pem", mine.certificate).file("me.key", mine.key);
            case = case.args(["--tls-cert", "me.pem", "--tls-key", "me.key"]);
        }
        refusal(case, front.port)
    };
    let expired = |params: &mut rcgen::CertificateParams| {
        fronts::for_clients(params);
        fronts::expired(params);
    };
    let cases = [
        ("none", refused(None, false)),
        ("none, TLS 1.2", refused(None, true)),
        ("another authority's", refused(Some(authority.sign_with(&["me"], fronts::for_clients)), false)),
        ("another authority's, TLS 1.2", refused(Some(authority.sign(&["me"])), true)),
        ("for servers", refused(Some(clients.sign_with(&["me"], fronts::for_servers)), false)),
        ("expired", refused(Some(clients.sign_with(&["me"], expired)), false)),
    ];
    assert_snapshot!(told(cases));
}

#[test]
fn who_does_not_speak_tls_is_told() {
    let sail = sail::Server::start();
    let port = port_of(&sail);
    let authority = Authority::new("ours");
    let at =
        |port: u16, parameters: &str| refusal(run(&format!("sc://127.0.0.1:{port}/;{parameters}")), port);
    let over_tls = |front: &Front| at(front.port, "use_ssl=true");
    let protocol = |protocols: &[&str]| {
        let tls = Tls::of(authority.sign(&["localhost"])).protocols(protocols);
        let front = Front::tls(tls, NOWHERE);
        refusal(trusting(&format!("sc://localhost:{}/;use_ssl=true", front.port), &authority), front.port)
    };
    let silent = Front::silent();
    let behind = |port: u16| {
        let front = Front::tls(Tls::of(authority.sign(&["localhost"])), port);
        let url = format!("sc://localhost:{}/;use_ssl=true", front.port);
        refusal(trusting(&url, &authority), front.port)
    };
    let elsewhere = |url: &str| refusal(run(&url.replace("PORT", &port.to_string())), port);
    let cases = [
        ("an engine without TLS", at(port, "use_ssl=true")),
        ("an engine without TLS, and a token", elsewhere("sc://0x7f000001:PORT/;token=t")),
        ("the same, and TLS is asked for", elsewhere("sc://0x7f000001:PORT/;token=t;use_ssl=true")),
        ("the same, under a name that is none", elsewhere("sc://127.1:PORT/;token=t")),
        ("the same, on this machine", elsewhere("sc://127.0.0.1:PORT/;token=t")),
        ("a web server", over_tls(&Front::answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"))),
        ("a shell", over_tls(&Front::answers(b"SSH-2.0-OpenSSH_9.6\r\n"))),
        ("a server that hangs up", over_tls(&Front::answers(b""))),
        ("a server that is silent", over_tls(&Front::silent())),
        ("a web server over TLS", protocol(&["http/1.1"])),
        ("a server that does not say what it speaks", protocol(&[])),
        ("a proxy whose server is down", behind(NOWHERE)),
        ("a proxy whose server is silent", behind(silent.port)),
    ];
    assert_snapshot!(told(cases));
}

#[test]
fn a_certificate_that_expires_on_the_way_ends_the_run() {
    let authority = Authority::new("ours");
    let stage = Stage::play(Script::default().stream([rows("a", 0, 4), Step::Hang]));
    let first = Tls::of(authority.sign(&["localhost"]));
    let then = Tls::of(authority.sign_with(&["localhost"], fronts::expired));
    // The greeting, and the run's own connection.
    let life = (2, Duration::from_secs(1));
    let front = Front::turning(first, life, then, stage.server.port);
    let writes = "version: 1\nsteps: { n: { range: 9, write: { parquet: out/n.parquet } } }\n";
    let case = trusting(&format!("sc://localhost:{}/;use_ssl=true", front.port), &authority);
    let outcome = case.file("p.yaml", writes).code(69).any_stderr().run();
    assert_eq!(outcome.files(), ["ca.pem"]);
    assert_snapshot!(outcome.stderr.replace(&front.port.to_string(), "PORT"), @"
      failed  n: sc://localhost:PORT can not be reached securely: its certificate has expired
              help: let whoever runs the server renew it; or this machine's clock is wrong
    error: the engine was lost
    ");
}

#[test]
fn who_is_no_spark_connect_server_is_told() {
    let authority = Authority::new("ours");
    let at = |port: u16| refusal(run(&format!("sc://127.0.0.1:{port}")), port);
    let tls = Front::tls(Tls::of(authority.sign(&["localhost"])), NOWHERE);
    let grpc = Stage::play(Script::default().fail(Status::new(Code::Unimplemented, "no such service")));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cases = [
        ("nobody", at(free)),
        ("a port for TLS", at(tls.port)),
        ("a web server", at(Front::answers(b"HTTP/1.1 400 Bad Request\r\n\r\n").port)),
        ("a shell", at(Front::answers(b"SSH-2.0-OpenSSH_9.6\r\n").port)),
        ("a server that hangs up", at(Front::answers(b"").port)),
        ("a server that is silent", at(Front::silent().port)),
        ("a server of gRPC", at(grpc.server.port)),
        ("a proxy that finds nothing", at(Front::web("404").port)),
        ("a proxy whose server is down", at(Front::web("502").port)),
        ("a proxy that lets nobody in", at(Front::web("401").port)),
        ("a web site", at(Front::web("200").port)),
    ];
    assert_snapshot!(told(cases));
    let outcome = run("sc://no-such-host.invalid/;use_ssl=true").code(69).any_stderr().run();
    let told = "error: sc://no-such-host.invalid:15002 can not be reached: `no-such-host.invalid` can not be looked up (";
    assert!(outcome.stderr.starts_with(told), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("help: look for a slip in the name"), "{}", outcome.stderr);
}

#[test]
fn files_that_are_no_certificates_are_told_before_anything_is_sent() {
    let (authority, mine) = (Authority::new("ours"), Authority::new("theirs").sign(&["me"]));
    let stranger = Authority::new("theirs").sign(&["me"]);
    let wrong = |arguments: &[&str], url: &str| {
        let case = run(url)
            .args(arguments)
            .file("ca.pem", &authority.pem)
            .file("me.pem", &mine.certificate)
            .file("me.key", &mine.key)
            .file("other.key", &stranger.key)
            .file("locked.key", mine.key.replace("PRIVATE", "ENCRYPTED PRIVATE"))
            .file("torn.key", mine.key.replace("MIG", "AAA"))
            .file("torn.pem", authority.pem.replacen("MII", "AAA", 1))
            .file("text.pem", "hello\n");
        case.code(2).any_stderr().run().stderr
    };
    let url = "sc://127.0.0.1:9/;use_ssl=true";
    let identity = |certificate, key| wrong(&["--tls-cert", certificate, "--tls-key", key], url);
    let cases = [
        ("not there", wrong(&["--tls-ca", "nowhere.pem"], url)),
        ("a folder", wrong(&["--tls-ca", "tmp"], url)),
        ("text", wrong(&["--tls-ca", "text.pem"], url)),
        ("torn", wrong(&["--tls-ca", "torn.pem"], url)),
        ("a key", wrong(&["--tls-ca", "me.key"], url)),
        ("text for a certificate", identity("text.pem", "me.key")),
        ("text for a key", identity("me.pem", "text.pem")),
        ("a certificate for a key", identity("me.pem", "me.pem")),
        ("another's key", identity("me.pem", "other.key")),
        ("a key under a passphrase", identity("me.pem", "locked.key")),
        ("a torn key", identity("me.pem", "torn.key")),
        ("no TLS", wrong(&["--tls-ca", "ca.pem"], "sc://127.0.0.1:9")),
        ("no TLS for a client", wrong(&["--tls-cert", "me.pem", "--tls-key", "me.key"], "sc://127.0.0.1:9")),
    ];
    assert_snapshot!(told(cases));
    // One without the other, said by flags, by the environment, and in a target.
    let outcome = run(url).args(["--tls-cert", "me.pem"]).code(2).any_stderr().run();
    assert!(outcome.stderr.contains("--tls-key <FILE>"), "{}", outcome.stderr);
    let outcome = run(url).env("PIPECTL_TLS_KEY", "me.key").code(2).any_stderr().run();
    assert!(outcome.stderr.contains("`PIPECTL_TLS_KEY` is given without `PIPECTL_TLS_CERT`"));
    // What the environment says for all servers is no mistake where it means nothing.
    let case = Case::new(["run", "p.yaml", "--remote", "sc://127.0.0.1:9"]).file("p.yaml", NUMBERS);
    let outcome = case.env("PIPECTL_TLS_CA", "nowhere.pem").code(69).any_stderr().run();
    assert!(outcome.stderr.contains("`PIPECTL_TLS_CA` has no effect"), "{}", outcome.stderr);
    // Nor is there a server at all.
    let case =
        Case::new(["plan", "p.yaml", "--engine", "sail", "--tls-ca", "ca.pem"]).file("p.yaml", NUMBERS);
    let outcome = case.code(2).any_stderr().run();
    assert!(outcome.stderr.contains("none is named"), "{}", outcome.stderr);
}

#[test]
fn what_is_wrong_with_a_targets_certificates_is_shown_where_it_stands() {
    let target = |keys: &str| {
        let case = Case::new(["run", "-q", "p.yaml", "--retry-budget", "0"]).file("p.yaml", NUMBERS);
        let project = format!("default_target: it\ntargets:\n  it: {{ {keys} }}\n");
        case.file("pipectl.yaml", project).code(78).any_stderr().run().stderr
    };
    let remote = "remote: 'sc://127.0.0.1:9/;use_ssl=true'";
    let cases = [
        ("without a server", target("engine: sail, tls: { ca: ca.pem }, allow_plaintext: h")),
        ("one without the other", target(&format!("{remote}, tls: {{ cert: me.pem }}"))),
        ("an unknown key", target(&format!("{remote}, tls: {{ cacert: ca.pem }}"))),
        ("not there", target(&format!("{remote}, tls: {{ ca: ca.pem }}"))),
        ("no TLS", target("remote: 'sc://127.0.0.1:9', tls: { ca: ca.pem }")),
        ("another host", target("remote: 'sc://127.0.0.1:9', allow_plaintext: spark.example.com")),
        ("in the clear", target("remote: 'sc://spark.example.com/;authorization=Bearer%20x'")),
    ];
    assert_snapshot!(told(cases));
}
