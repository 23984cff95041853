//! `check` with Spark: what another engine says, and a check that is stopped.

use crate::on_sail::check::{assert_nothing_is_left, told};
use crate::support::Case;
use crate::support::Warm;

#[test]
fn what_another_engine_says_is_told_as_its() {
    let warm = Warm::shared("spark");
    let text = "\
version: 1
steps:
  people:
    values: { columns: { id: int, born: date }, rows: [[1, 2020-01-01]] }
  aged:
    from: people
    transform: [with_columns: { age: date '2026-01-01' - born }]
  older:
    from: aged
    transform: [select: [id, age], filter: oops = 1]
  checked:
    from: people
    transform: [with_columns: { n: 'if(id, 1, 2)' }]
    write: stdout
";
    let check = |text: &str| {
        Case::new(["check", "-q", "--log-format", "json", "--also", "spark", "p.yaml"])
            .file("p.yaml", text)
            .env("XDG_RUNTIME_DIR", warm.runtime())
            .engine()
            .any_stderr()
    };
    let outcome = check(text).code(78).run();
    assert_nothing_is_left(&outcome);
    assert_eq!(
        told(&outcome),
        [
            "10:44 E024 there is no column `oops`",
            "13:37 E023 on Spark 4.3.0: the types do not fit: the first parameter requires the \"BOOLEAN\" type, however \"id\" has the type \"INT\".",
        ]
    );
    let right = text.replace(", filter: oops = 1", "").replace("if(id, 1, 2)", "id");
    let outcome = check(&right).run();
    assert_eq!(told(&outcome), Vec::<String>::new(), "warnings are quiet");
    let outcome = Case::new(["check", "--log-format", "json", "--also", "spark", "p.yaml"])
        .file("p.yaml", &right)
        .env("XDG_RUNTIME_DIR", warm.runtime())
        .engine()
        .any_stderr()
        .run();
    let differs = |it: &String| it.contains(" W007 ");
    assert_eq!(
        told(&outcome).into_iter().filter(differs).collect::<Vec<_>>(),
        [
            "5:3 W007 the columns of `aged` are others on Spark 4.3.0: `age` is INTERVAL DAY there, and BIGINT on Sail 0.7.2",
            "8:3 W007 the columns of `older` are others on Spark 4.3.0: `age` is INTERVAL DAY there, and BIGINT on Sail 0.7.2, as in `aged`",
        ]
    );
}

#[test]
fn a_check_is_stopped() {
    let text = "version: 1\nsteps: { a: { range: 3, write: stdout } }\n";
    let check = |arguments: &[&str]| {
        Case::new(["check", "p.yaml", "--engine", "spark"])
            .args(arguments)
            .file("p.yaml", text)
            .spark()
            .any_stderr()
    };
    let running = check(&[]).code(130).start();
    running.engine();
    running.signal("INT");
    assert!(running.end().stderr.contains("interrupted"));
    let outcome = check(&["--timeout", "1s"]).code(1).run();
    assert!(outcome.stderr.contains("`--timeout` of 1 s"), "{}", outcome.stderr);
}
