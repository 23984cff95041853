//! Secrets: a canary is put into every place that takes one, and found nowhere, whatever happens.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::Case;
use crate::support::{Canary, base64};

/// Looks at the command lines of all processes, again and again.
struct Watch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    fn begin() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !end.load(Ordering::Relaxed) {
                let all = fs::read_dir("/proc").unwrap().flatten();
                let lines = all.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
                seen.extend(lines.map(|line| String::from_utf8_lossy(&line).into_owned()));
                thread::sleep(Duration::from_millis(50));
            }
            seen
        });
        Self { is_over, thread }
    }

    /// All command lines that were there in the meantime.
    fn end(self) -> BTreeSet<String> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Asks for the secret in every place that takes one; what comes out is only how long it is, and its hash.
const EVERYWHERE: &str = "\
version: 1
vars:
  given: { type: string }
  many: { type: array<string> }
conf:
  spark.pipectl.canary: ${secret:CANARY}
steps:
  rows:
    values: { columns: { a: string, b: string }, rows: [[\"${secret:CANARY}\", \"${secret:file:private/canary.txt}\"]] }
  file:
    read: { format: csv, path: a.csv, schema: \"a string, b string\", options: { nullValue: \"${secret:CANARY}\" } }
  query:
    sql: { query: \"SELECT ${secret:CANARY} AS a, ${given} AS b\" }
  other:
    sql: { file: queries/q.sql }
  all:
    from: rows
    transform:
      - union: { with: [file, query, other] }
      - filter: a IS NULL OR a = ${secret:CANARY} AND a IN ${many}
      - with_columns: { c: \"coalesce(length(${secret:CANARY}), 0)\", d: \"sha2(coalesce(a, b), 256)\" }
      - select: [length(a) AS a, length(b) AS b, c, d]
      - sort: [a, b]
    expect:
      - that: c = length(${secret:CANARY})
      - that: c = length(${secret:CANARY}) + 1
        on_fail: warn
    write:
      - stdout: csv
      - parquet: out/all.parquet
";

/// A run of it at a target that has the secret in its own keys.
fn everywhere(canary: &Canary, arguments: &[&str]) -> Case {
    let target = "conf: { spark.pipectl.of_target: '${secret:CANARY}' }, vars: { given: '${secret:CANARY}', many: [x, '${secret:CANARY}'] }";
    Case::new(["run", "p.yaml", "-v", "-t", "it"])
        .args(arguments)
        .file("p.yaml", EVERYWHERE)
        .file("pipectl.yaml", format!("targets: {{ it: {{ engine: ENGINE, {target} }} }}\n"))
        .file("a.csv", "x,b\n")
        .file("private/canary.txt", format!("{}\n", canary.value))
        .file("queries/q.sql", "SELECT ${secret:file:../private/canary.txt} AS a, '' AS b")
        .env("CANARY", &canary.value)
        .any_stderr()
}

const HELD: [&str; 1] = ["private/canary.txt"];

fn result(canary: &Canary) -> String {
    let (length, hash) = (canary.characters(), canary.sha256());
    format!(
        "a,b,c,d\n{length},0,{length},{hash}\n{length},{length},{length},{hash}\n{length},{length},{length},{hash}\n"
    )
}

pub(crate) fn arrives(engine: &str, format: &str) {
    let canary = Canary::new();
    // Spark puts variables of its own environment into queries: one that is a secret is not there, another one is.
    let environment = "
  environment:
    sql: SELECT '$${env:CANARY}' AS secret, '$${env:SEEN}' AS other
    write: { parquet: out/environment.parquet }
";
    let case = everywhere(&canary, &["--log-format", format]);
    let project = fs::read_to_string(case.path("pipectl.yaml")).unwrap().replace("ENGINE", engine);
    let text = EVERYWHERE.trim_end().to_owned() + environment;
    let case = case
        .file("p.yaml", text)
        .env("SEEN", "seen")
        .file("pipectl.yaml", project)
        .stdout(&result(&canary))
        .at_most(Duration::from_secs(400));
    let watch = Watch::begin();
    let running = case.start();
    // What SQL could read there.
    let environment = fs::read(format!("/proc/{}/environ", running.engine())).unwrap();
    let outcome = running.end();
    canary.assert_absent("the engine's environment", &environment);
    assert!(environment.windows(5).any(|part| part == b"PATH="), "that is no environment");
    let lines = watch.end();
    let is_seen = lines.iter().any(|line| line.contains(&format!("/pipectl-{engine}-")));
    assert!(is_seen, "the engine's is among {} command lines", lines.len());
    for line in &lines {
        canary.assert_absent("a command line", line.as_bytes());
    }
    assert!(outcome.stderr.contains("${secret:CANARY}"), "the expectation is told: {}", outcome.stderr);
    let other = if engine == "spark" { "seen" } else { "${env:SEEN}" };
    assert_eq!(
        outcome.parquet("out/environment.parquet"),
        format!("secret,other\n${{env:CANARY}},{other}\n")
    );
    canary.assert_unsaid(&outcome, &HELD);
}

#[test]
fn a_secret_arrives_at_sail_and_nowhere_else() {
    drop(Case::new(["engine", "status"]).engine());
    arrives("sail", "text");
    arrives("sail", "json");
}

/// What can fail with the secret in it: at rows, and in the analysis.
const FAILING: [&str; 9] = [
    "range: 1, transform: [with_columns: { x: \"raise_error(${secret:CANARY})\" }]",
    "range: 1, transform: [with_columns: { x: \"raise_error(concat('<', ${secret:CANARY}, '>', repeat('x', 500), ${secret:CANARY}))\" }]",
    "range: 1, transform: [with_columns: { x: \"CAST(concat(${secret:CANARY}, CAST(id AS string)) AS int)\" }]",
    "range: 1, transform: [with_columns: { x: \"to_date(concat(${secret:CANARY}, CAST(id AS string)), 'yyyy-MM-dd')\" }]",
    "range: 1, transform: [with_columns: { x: \"nosuch(${secret:CANARY})\" }]",
    "range: 1, transform: [filter: \"${secret:CANARY} + array(1)\"]",
    "range: 1, transform: [filter: \"${secret:CANARY} SELEC id\"]",
    "sql: \"SELEC ${secret:CANARY} FROM\"",
    "values: { columns: { a: int }, rows: [[\"${secret:CANARY}\"]] }",
];

/// Each of them fails, by `run` and in both forms of the log, and nothing quotes the secret.
pub(crate) fn failures_are_told_without() {
    let canary = Canary::new();
    let mut told = 0;
    for (at, step) in FAILING.iter().enumerate() {
        let format = ["text", "json"][at % 2];
        let text = format!("version: 1\nsteps: {{ s: {{ {step}, write: {{ parquet: out/s.parquet }} }} }}\n");
        let outcome = Case::new(["run", "p.yaml", "-v", "--log-format", format])
            .file("p.yaml", text)
            .env("CANARY", &canary.value)
            .engine()
            .any_code()
            .any_stderr()
            .run();
        assert_ne!(outcome.record()["exit_code"], 0, "{step}");
        told += usize::from(outcome.stderr.contains("***"));
        canary.assert_nowhere(&outcome, &[]);
    }
    // The engine does quote it, or this test would show nothing.
    assert!(told >= 3, "{told}");
}

#[test]
fn what_fails_on_sail_is_told_without_the_secret() {
    failures_are_told_without();
}

#[test]
fn verbs_without_an_engine_tell_no_secret() {
    let canary = Canary::new();
    let wrong = "\
version: 1
name: ${secret:CANARY}
steps:
  a:
    description: ${secret:CANARY}
    read: { format: csv, path: \"data/${secret:CANARY}.csv\", schema: \"${secret:CANARY}\" }
    transform:
      - filter: \"id = ${secret:CANARY} oops\"
      - select: [\"'${secret:CANARY}' AS x\"]
      - limit: ${secret:CANARY}
      - join: { with: \"${secret:CANARY}\", using: [\"${secret:CANARY}\"], how: \"${secret:CANARY}\" }
    write: [stdout: \"${secret:CANARY}\", parquet: \"out/${secret:CANARY}.parquet\"]
  b: { table: \"${secret:CANARY}\", write: { parquet: { path: out/b.parquet, metadata: { a: \"${secret:CANARY}\" } } } }
";
    for format in ["text", "json"] {
        let case = |verb: &str| {
            Case::new([verb, "p.yaml", "-v", "--log-format", format]).env("CANARY", &canary.value)
        };
        let outcome = case("validate").file("p.yaml", wrong).code(78).any_stderr().run();
        assert!(outcome.stderr.matches("E029").count() > 8, "{}", outcome.stderr);
        canary.assert_nowhere(&outcome, &[]);
        let known = "version: 1\nsteps: { s: { sql: \"SELECT ${secret:CANARY} AS x\", write: stdout } }\n";
        for (verb, code) in [("validate", 0), ("plan", 0), ("doctor", 0)] {
            let outcome =
                case(verb).file("p.yaml", known).engine().code(code).any_stdout().any_stderr().run();
            canary.assert_nowhere(&outcome, &[]);
        }
    }
}

#[test]
fn the_search_finds_what_is_there() {
    let canary = Canary::new();
    let secret = &canary.value;
    let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let part: String = secret.chars().skip(8).take(12).collect();
    for (name, text) in [
        ("as it is", format!("<{secret}>")),
        ("as it is", format!("…{part}…")),
        ("hexadecimal", format!("X'{hexadecimal}'")),
        ("hexadecimal", hexadecimal.to_uppercase()),
        ("percent", format!("?a={percent}")),
        ("base64", base64(secret.as_bytes(), *b"+/")),
        ("base64", base64(format!("user:{secret}").as_bytes(), *b"-_")),
        ("numbers", format!("{:?}", secret.as_bytes())),
    ] {
        assert!(canary.found(text.as_bytes()).contains(name), "{name}: {text}");
    }
    assert!(canary.found(b"nothing of it").is_empty());
    // And what a run writes on purpose is found where it is looked for.
    let text = "version: 1\nsteps: { s: { values: { columns: { a: string }, rows: [[\"${secret:CANARY}\"]] }, write: [stdout: csv, csv: out/s.csv] } }\n";
    let case = Case::pipeline(text).env("CANARY", secret).any_stdout();
    let outcome = case.run();
    assert!(canary.found(outcome.stdout.as_bytes()).contains("as it is"), "{}", outcome.stdout);
    assert!(canary.found(&fs::read(outcome.path("out/s.csv")).unwrap()).contains("as it is"));
    canary.assert_unsaid(&outcome, &["out/s.csv"]);
}

#[test]
fn the_files_of_secrets_are_read_with_care() {
    let run = |file: &[u8]| {
        let text = "version: 1\nsteps: { s: { sql: \"SELECT length(${secret:file:s.txt}) AS n\", write: { stdout: csv } } }\n";
        Case::new(["run", "-q", "p.yaml"]).file("p.yaml", text).file("s.txt", file).engine()
    };
    for (file, length) in [(&b"one\n"[..], 3), (b"one\r\n", 3), (b"one\n\n", 4), (b" one ", 5), (b"a\nb", 3)]
    {
        run(file).stdout(&format!("n\n{length}\n")).run();
    }
    for (file, told) in [
        (&b""[..], "it is empty"),
        (b"\n", "it is empty"),
        (b"a\0b", "it is not text"),
        (b"\xff\xfe", "it is not text"),
        (&vec![b'x'; 70_000], "it is larger than 64 KiB"),
    ] {
        let outcome = run(file).code(78).any_stderr().run();
        assert!(outcome.stderr.contains(told) && outcome.stderr.contains("E015"), "{}", outcome.stderr);
    }
}
