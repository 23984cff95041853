//! Secrets without an engine: a canary is found nowhere, whatever is wrong.

use insta::assert_snapshot;
use tonic::Status;

use crate::proto::spark::FetchErrorDetailsResponse;
use crate::proto::spark::fetch_error_details_response::{
    self as details, QueryContext, SparkThrowable, StackTraceElement,
};
use crate::scripted::{Script, Step, complete, rows, spark_error};
use crate::support::Case;
use crate::support::Stage;
use crate::support::{Canary, base64};

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
