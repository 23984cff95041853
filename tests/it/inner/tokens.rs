//! Tokens: who gets one, over what, and what happens when a server no longer takes it.

use insta::assert_snapshot;
use tonic::Status;

use crate::scripted::{Script, Step, complete, rows};
use crate::support::Case;
use crate::support::Stage;

pub(crate) const NUMBERS: &str = "version: 1\nsteps: { n: { range: 2, write: { stdout: csv } } }\n";
const WRITES: &str = "version: 1\nsteps: { n: { range: 9, write: { parquet: out/n.parquet } } }\n";

pub(crate) fn run(url: &str) -> Case {
    Case::new(["run", "-q", "--retry-budget", "1", "p.yaml", "--remote", url]).file("p.yaml", NUMBERS)
}

#[test]
fn nothing_is_sent_in_the_clear_that_was_not_let() {
    let stage = Stage::play(Script::default());
    let url = format!("sc://0x7f000001:{}", stage.server.port);
    let outcome = run(&url).env("SPARK_CONNECT_AUTHENTICATE_TOKEN", "hunter2").code(69).any_stderr().run();
    assert_snapshot!(outcome.stderr.replace(&url, "URL"), @"
    error: URL can not be reached securely: it does not speak TLS
      help: reach a port that does; or let the token go in the clear by name: `--allow-plaintext 0x7f000001`
    ");
    for (url, arguments) in [
        (format!("{url}/;authorization=Bearer%20hunter2"), vec![]),
        (format!("{url}/;use_ssl=false;authorization=Bearer%20hunter2"), vec![]),
        (format!("{url}/;token=hunter2"), vec!["--allow-plaintext", "spark.example.com"]),
        (format!("{url}/;token=hunter2"), vec!["--allow-plaintext", ""]),
    ] {
        let outcome = run(&url).args(&arguments).code(2).any_stderr().run();
        assert!(!outcome.stderr.contains("hunter"), "{}", outcome.stderr);
        let ways = ["`use_ssl=true`", "`--allow-plaintext 0x7f000001`"];
        assert!(
            !arguments.is_empty() || ways.iter().all(|way| outcome.stderr.contains(way)),
            "{}",
            outcome.stderr
        );
    }
    // The environment lets other servers have it, and not this one.
    let case = run(&format!("{url}/;token=hunter2")).env("PIPECTL_ALLOW_PLAINTEXT", "spark.example.com");
    case.code(69).any_stderr().run();
    assert_eq!(stage.server.script.calls(), Vec::<String>::new());
}

#[test]
fn a_token_that_expires_on_the_way_ends_the_run_and_leaves_nothing() {
    let expired = || Status::unauthenticated("Token expired");
    let began = || Script::default();
    let scripts = [
        ("while it is set up", began().fail(Status::unavailable("later")).fail(expired())),
        ("before the first row", began().refuse(expired())),
        ("between rows", began().stream([rows("a", 0, 4), Step::Fail(expired())])),
        (
            "after a break",
            began().stream([rows("a", 0, 4), Step::Fail(Status::unavailable("gone"))]).refuse(expired()),
        ),
        (
            "by a proxy",
            began().stream([
                rows("a", 0, 4),
                Step::Fail(Status::permission_denied(
                    "grpc-status header missing, mapped from HTTP status code 403",
                )),
            ]),
        ),
    ];
    let mut told = String::new();
    for (title, script) in scripts {
        let stage = Stage::play(script.stream([rows("b", 4, 9), complete()]));
        let url = format!("sc://localhost:{}", stage.server.port);
        let case = run(&url).env("SPARK_CONNECT_AUTHENTICATE_TOKEN", "hunter2").file("p.yaml", WRITES);
        let outcome = case.code(69).any_stderr().run();
        assert_eq!(outcome.files(), Vec::<String>::new(), "{title}");
        assert_eq!(outcome.record()["exit_code"], 69);
        told.push_str(&format!("{title}\n{}\n", outcome.stderr));
    }
    assert_snapshot!(told);
}

#[test]
fn what_is_doubtful_about_a_connection_string_is_told() {
    let notes = |parameters: &str, named: &[&str]| {
        let stage = Stage::play(Script::default().stream([rows("a", 0, 1), complete()]));
        let url = format!("sc://localhost:{}/;{parameters}", stage.server.port);
        let case = Case::new(["run", "p.yaml"]).file("p.yaml", NUMBERS).stdout("n\n0\n").any_stderr();
        let case = match named {
            [] => case.args(["--remote", &url]),
            [name] => case.env(name, &url),
            _ => case
                .file("pipectl.yaml", format!("targets: {{ it: {{ remote: '{url}' }} }}\n"))
                .args(["-t", "it"]),
        };
        let outcome = case.run();
        assert!(!outcome.stderr.contains("hunter") && !outcome.record().to_string().contains("hunter"));
        outcome
            .stderr
            .lines()
            .filter(|line| line.contains(" note "))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let on_the_command_line = notes("token=hunter2", &[]);
    assert_snapshot!(on_the_command_line, @"note  the token of `--remote` is shown to every user of this machine by `ps`; put it into SPARK_CONNECT_AUTHENTICATE_TOKEN, or into a target: `token: ${secret:NAME}`");
    assert_eq!(notes("use_ssl=false;authorization=Bearer%20hunter2", &[]), on_the_command_line);
    for named in [&["PIPECTL_REMOTE"][..], &["SPARK_REMOTE"], &["a", "target"]] {
        assert_eq!(notes("token=hunter2", named), "", "{named:?}");
    }
    assert_eq!(notes("x-org-id=7;tenant=8", &[]), "");
    assert_snapshot!(notes("tokn=hunter2;use_sll=true;user-id=me", &["PIPECTL_REMOTE"]), @"
    note  `tokn` of the connection string is sent as a header; did you mean the parameter `token`?
    note  `use_sll` of the connection string is sent as a header; did you mean the parameter `use_ssl`?
    note  `user-id` of the connection string is sent as a header; did you mean the parameter `user_id`?
    ");
}
