//! Secrets: a canary is put into every place that takes one, and found nowhere, whatever happens.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use insta::assert_snapshot;
use ring::digest::{SHA256, digest};
use tonic::Status;

use crate::conversations::Stage;
use crate::proto::spark::FetchErrorDetailsResponse;
use crate::proto::spark::fetch_error_details_response::{
    self as details, QueryContext, SparkThrowable, StackTraceElement,
};
use crate::scripted::{Script, Step, complete, rows, spark_error};
use crate::spark::Warm;
use crate::support::{Case, Outcome, elsewhere, files, processes};

/// A secret that is like no other text, with all that languages escape.
struct Canary {
    value: String,
}

impl Canary {
    fn new() -> Self {
        Self { value: format!("it's/\"{}\\+ü", uuid::Uuid::new_v4().simple()) }
    }

    /// One that a header may carry.
    fn plain() -> Self {
        Self { value: format!("canary-{}", uuid::Uuid::new_v4().simple()) }
    }

    /// Where a text has it, or a telling part of it, in one of its forms.
    fn found(&self, text: &[u8]) -> BTreeSet<&'static str> {
        /// Bytes of it that are met nowhere by chance.
        const TELLING: usize = 10;
        let bytes = self.value.as_bytes();
        let mut found = BTreeSet::new();
        let has = |part: &str| text.windows(part.len()).any(|window| window == part.as_bytes());
        for part in bytes.windows(TELLING).filter(|part| part.is_ascii()) {
            let part = String::from_utf8(part.to_vec()).unwrap();
            let hexadecimal: String = part.bytes().map(|byte| format!("{byte:02X}")).collect();
            let percent: String = part.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let numbers: Vec<String> = part.bytes().map(|byte| byte.to_string()).collect();
            let forms = [
                ("as it is", part.clone()),
                ("hexadecimal", hexadecimal.clone()),
                ("hexadecimal", hexadecimal.to_lowercase()),
                ("percent", percent.clone()),
                ("percent", percent.to_lowercase()),
                ("numbers", numbers.join(", ")),
                ("JSON", serde_json::to_string(&part).unwrap().trim_matches('"').to_owned()),
            ];
            found.extend(forms.into_iter().filter(|(_, form)| has(form)).map(|(name, _)| name));
        }
        for before in 0..3 {
            let padded: Vec<u8> = std::iter::repeat_n(b' ', before).chain(bytes.iter().copied()).collect();
            for alphabet in [b"+/", b"-_"] {
                let encoded = base64(&padded, *alphabet);
                let parts = encoded.as_bytes()[4..encoded.len() - 4].windows(TELLING + 2);
                found.extend(
                    parts
                        .filter(|part| text.windows(part.len()).any(|window| window == *part))
                        .map(|_| "base64"),
                );
            }
        }
        found
    }

    fn assert_absent(&self, place: &str, text: &[u8]) {
        let found = self.found(text);
        assert!(found.is_empty(), "{place} has the secret, {found:?}:\n{}", String::from_utf8_lossy(text));
    }

    /// Looks through all that a run has said and written, but for what is named.
    fn assert_nowhere(&self, outcome: &Outcome, but: &[&str]) {
        self.assert_absent("stdout", outcome.stdout.as_bytes());
        self.assert_unsaid(outcome, but);
    }

    /// The same where stdout has data.
    fn assert_unsaid(&self, outcome: &Outcome, but: &[&str]) {
        self.assert_absent("stderr", outcome.stderr.as_bytes());
        let folder = outcome.path("");
        for name in files(&folder).iter().filter(|name| !but.contains(&name.as_str())) {
            self.assert_absent(name, name.as_bytes());
            self.assert_absent(name, &fs::read(folder.join(name)).unwrap());
        }
    }

    fn sha256(&self) -> String {
        digest(&SHA256, self.value.as_bytes()).as_ref().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    fn characters(&self) -> usize {
        self.value.chars().count()
    }
}

fn base64(bytes: &[u8], last: [u8; 2]) -> String {
    let mut alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').collect();
    alphabet.extend(last);
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4_usize {
            let known = place <= three.len();
            text.push(if known {
                char::from(alphabet[(bits >> (18 - 6 * place)) as usize & 63])
            } else {
                '='
            });
        }
    }
    text
}

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

fn arrives(engine: &str, format: &str) {
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

#[test]
fn a_secret_arrives_at_spark_and_nowhere_else() {
    drop(Case::new(["engine", "status"]).spark());
    arrives("spark", "text");
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
fn failures_are_told_without() {
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
fn what_fails_on_spark_is_told_without_the_secret() {
    let warm = Warm::start("spark".to_owned());
    let tests = [("failures", failures_are_told_without as fn())];
    assert!(elsewhere("engine: spark", warm.runtime(), &tests).is_empty());
}

#[test]
fn what_a_server_echoes_is_told_without_the_secret() {
    let (canary, token) = (Canary::new(), Canary::plain());
    let hexadecimal: String = canary.value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let echo = format!(
        "Bearer {} {} CAST(X'{hexadecimal}' AS STRING) {} {}",
        token.value,
        canary.value,
        base64(format!("user:{}", canary.value).as_bytes(), *b"+/"),
        canary.value.replace('\'', "''"),
    );
    let error = |cause: Option<i32>| details::Error {
        error_type_hierarchy: vec![echo.clone()],
        message: format!("{echo} and {}", "x".repeat(900)) + &echo,
        cause_idx: cause,
        stack_trace: vec![StackTraceElement {
            declaring_class: echo.clone(),
            method_name: echo.clone(),
            ..StackTraceElement::default()
        }],
        spark_throwable: Some(SparkThrowable {
            error_class: Some("A_B".to_owned()),
            message_parameters: [("a".to_owned(), echo.clone())].into(),
            query_contexts: vec![QueryContext {
                fragment: format!("{} {echo}", "y".repeat(90)),
                summary: echo.clone(),
                ..QueryContext::default()
            }],
            ..SparkThrowable::default()
        }),
    };
    let details = || FetchErrorDetailsResponse {
        root_error_idx: Some(0),
        errors: vec![error(Some(1)), error(None)],
        ..FetchErrorDetailsResponse::default()
    };
    let text = "\
version: 1
conf: { spark.pipectl.canary: '${secret:CANARY}' }
steps:
  t: { read: { format: jdbc, options: { password: '${secret:CANARY}' } } }
  n: { sql: \"SELECT ${secret:CANARY} AS n FROM t\", write: { parquet: out/n.parquet } }
";
    let failures: [(&str, &dyn Fn() -> Script); 6] = [
        ("of rows", &|| {
            let error = spark_error(&format!("[A_B] {echo}"), &[("errorId", "7")]);
            Script::default().stream([Step::Fail(error)])
        }),
        ("between rows", &|| {
            let error = spark_error(&echo, &[("errorClass", &echo), ("stackTrace", &echo)]);
            Script::default().stream([rows("a", 0, 4), Step::Fail(error)])
        }),
        ("of the first call", &|| Script::default().fail(Status::internal(echo.clone()))),
        ("of who asks", &|| Script::default().fail(Status::unauthenticated(echo.clone()))),
        ("of what may be done", &|| Script::default().fail(Status::permission_denied(echo.clone()))),
        ("of an argument", &|| Script::default().fail(Status::invalid_argument(echo.clone()))),
    ];
    for (name, script) in failures {
        for (format, more) in [("text", "-v"), ("json", "-v"), ("text", "-q")] {
            let stage = Stage::play(script().details(details()).stream([rows("b", 0, 4), complete()]));
            let url = format!("sc://localhost:{}", stage.server.port);
            let case =
                Case::new(["run", "p.yaml", "--retry-budget", "1", "--log-format", format, more, "-t", "it"])
                    .file("p.yaml", text)
                    .file(
                        "pipectl.yaml",
                        format!("targets: {{ it: {{ remote: '{url}', token: '${{secret:TOKEN}}' }} }}\n"),
                    )
                    .env("CANARY", &canary.value)
                    .env("TOKEN", &token.value);
            let outcome = case.any_code().any_stderr().run();
            canary.assert_nowhere(&outcome, &[]);
            token.assert_nowhere(&outcome, &[]);
            assert!(outcome.stderr.contains("***"), "an error {name} is told: {}", outcome.stderr);
            if name == "of rows" {
                // The value itself did arrive, as an option, an argument and a setting.
                let plans = format!("{:?}", stage.server.script.executed());
                for form in ["options: {\"password\": VALUE}", "literal_type: Some(String(VALUE))"] {
                    let form = form.replace("VALUE", &format!("{:?}", canary.value));
                    assert!(plans.contains(&form), "{form}: {plans}");
                }
                let setting = stage.server.script.value("spark.pipectl.canary");
                assert_eq!(setting.as_deref(), Some(canary.value.as_str()));
            }
        }
    }
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
fn a_connection_string_takes_no_secret() {
    let canary = Canary::plain();
    let project = "
targets:
  one: { remote: 'sc://${secret:CANARY}:15002', root: '${secret:CANARY}' }
  two: { remote: 'sc://h:15002/;token=${secret:CANARY}' }
  three: { remote: 'sc://h:15002', token: '${secret:CANARY}', conf: { a: '${secret:CANARY}' }, vars: { n: '${secret:CANARY}' } }
";
    let case = |target: &str| {
        Case::new(["validate", "p.yaml", "-t", target])
            .file("p.yaml", "version: 1\nvars: { n: { type: int, default: 1 } }\nsteps: { s: { range: \"${n}\", write: stdout } }\n")
            .env("CANARY", &canary.value)
            .code(78)
            .any_stderr()
    };
    let outcome = case("one").file("pipectl.yaml", project).run();
    canary.assert_nowhere(&outcome, &[]);
    assert_snapshot!(outcome.stderr, @r"
    error[E029]: a secret would be seen here: messages show the address of the server
     --> pipectl.yaml:3:18
      |
    3 |   one: { remote: 'sc://${secret:CANARY}:15002', root: '${secret:CANARY}' }
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write the address itself; a token goes beside it: `token: ${secret:NAME}`

    error[E029]: a secret would be seen here: messages, files or processes show this text
     --> pipectl.yaml:3:55
      |
    3 |   one: { remote: 'sc://${secret:CANARY}:15002', root: '${secret:CANARY}' }
      |                                                       ^^^^^^^^^^^^^^^^^^
      |
      = help: secrets stand in expressions, queries, rows of `values`, options and `conf`; in a target in `token`, `conf` and `vars`

    error[E029]: a secret would be seen here: messages show the address of the server
     --> pipectl.yaml:4:18
      |
    4 |   two: { remote: 'sc://h:15002/;token=${secret:CANARY}' }
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: take `token=…` out of it, and write `token: ${secret:NAME}` beside `remote`

    error: the project file has 3 mistakes
    ");
    let project =
        project.replace("'sc://${secret:CANARY}:15002', root: '${secret:CANARY}'", "'sc://h:15002'");
    let project = project.replace("/;token=${secret:CANARY}", "");
    let outcome = case("three").file("pipectl.yaml", project).run();
    canary.assert_nowhere(&outcome, &[]);
    let told = "a secret is a string, and no value of type int";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
}

#[test]
fn a_secret_that_stands_in_a_file_is_not_shown_with_its_line() {
    let canary = Canary::plain();
    let text = format!(
        "version: 1\nconf: {{ spark.hadoop.fs.s3a.secret.key: {0} }}\nsteps:\n  s: {{ rnage: 3, password: {0}, write: stdout }}\n",
        canary.value
    );
    for format in ["text", "json"] {
        let outcome = Case::new(["run", "p.yaml", "-v", "--log-format", format])
            .file("p.yaml", &text)
            .code(78)
            .any_stderr()
            .run();
        assert!(outcome.stderr.contains("rnage"), "{}", outcome.stderr);
        canary.assert_nowhere(&outcome, &["p.yaml"]);
    }
}

#[test]
fn a_wrong_command_line_is_told_without_its_secrets() {
    let canary = Canary::plain();
    let url = format!("sc://spark.example.com/;token={}", canary.value);
    let variable = format!("password={}", canary.value);
    for arguments in [
        vec!["run", "p.yaml", &url],
        vec!["run", "p.yaml", "--var", &variable, "--tokn"],
        vec!["run", "p.yaml", "--vra", &variable],
        vec!["run", "p.yaml", "--engine", &url],
        vec!["run", "p.yaml", "--threads", &variable],
        vec![&url],
        vec!["run", "p.yaml", "--token", &canary.value, &canary.value],
        vec!["run", "--remote", &url, "p.yaml", "--timeout", &variable],
    ] {
        let case = Case::new(&arguments).file("p.yaml", "version: 1\n").code(2);
        canary.assert_nowhere(&case.any_stderr().run(), &[]);
    }
    // Variables that are given so, and then quoted by a diagnostic.
    let text = "version: 1\nvars: { password: { type: int } }\nsteps: { s: { range: 1, write: stdout } }\n";
    let case = Case::new(["validate", "p.yaml", "--var", &variable]).file("p.yaml", text).code(78);
    canary.assert_nowhere(&case.any_stderr().run(), &[]);
    for name in ["PIPECTL_REMOTE", "SPARK_REMOTE"] {
        let case = Case::new(["run", "--help"]).env(name, &url).any_stdout();
        canary.assert_nowhere(&case.run(), &[]);
        let case = Case::new(["validate", "p.yaml", "--var", "password=1"])
            .file("p.yaml", text.replace("range", &canary.value));
        canary.assert_nowhere(&case.env(name, &url).code(78).any_stderr().run(), &["p.yaml"]);
    }
}

#[test]
fn what_is_stopped_tells_no_secret() {
    let canary = Canary::new();
    let text = "\
version: 1
steps:
  s:
    range: 100000000000
    transform: [aggregate: { columns: { s: \"sum(id % length(${secret:CANARY}))\" } }]
    write: { parquet: out/s.parquet }
";
    let case = || {
        Case::new(["run", "p.yaml", "-v"])
            .file("p.yaml", text)
            .env("CANARY", &canary.value)
            .engine()
            .any_stderr()
    };
    let mut running = case().code(130).start();
    running.wait_for("checked");
    let engines = processes(&running.path(""));
    assert!(!engines.is_empty());
    for (_, line) in &engines {
        canary.assert_absent("a command line", line.as_bytes());
    }
    running.signal("INT");
    canary.assert_nowhere(&running.end(), &[]);
    let outcome = case().args(["--timeout", "3s", "--log-format", "json"]).code(1).run();
    canary.assert_nowhere(&outcome, &[]);
    // And where the engine is killed, whose last lines are told.
    let mut running = case().code(69).start();
    running.wait_for("checked");
    crate::support::signal(running.engine(), "KILL");
    canary.assert_nowhere(&running.end(), &[]);
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
