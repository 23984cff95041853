//! `show`: the first rows of any step, and nothing but these.

use std::time::{Duration, Instant};

use insta::{allow_duplicates, assert_snapshot};
use serde_json::Value;

use crate::support::{Case, ENDLESS, Outcome, signal};

/// A pipeline in the making: nothing goes anywhere yet.
const MAKING: &str = "\
version: 1
vars: { later: { type: int, default: 1 } }
steps:
  people:
    values:
      columns: { name: string, age: int, city: string }
      rows: [[Ann, 34, Ulm], [Bob, 12, Bonn], [Cem, null, Ulm], [Dora, 51, Ulm]]
  oldest:
    from: people
    transform:
      - sort: [age DESC]
      - filter: age > 20
      - drop: [city]
  cities:
    from: people
    transform:
      - join: { with: mayors, using: [city], how: left }
      - aggregate: { by: [city], columns: { n: count(*), mayor: max(mayor) } }
      - sort: [city]
  mayors:
    values: { columns: { city: string, mayor: string }, rows: [[Ulm, Eva]] }
  numbers:
    range: 100000000000
    transform: [with_columns: { x: id * 2 }]
";

/// Shows something of a pipeline.
fn show<'a>(text: &str, arguments: impl IntoIterator<Item = &'a str>) -> Case {
    Case::new(["show", "p.yaml"]).args(arguments).file("p.yaml", text).engine()
}

/// Nothing was written, and no record either.
fn assert_nothing_is_left(outcome: &Outcome) {
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert!(!outcome.path("state").exists());
}

/// Part of what runs on every engine.
pub(crate) fn rows_come_in_the_order_of_their_sort() {
    let outcome =
        show(MAKING, ["-q", "oldest"]).stdout("name | age\n-----+----\nDora |  51\nAnn  |  34\n").run();
    assert_nothing_is_left(&outcome);
    show(MAKING, ["-q", "cities", "--format", "csv"]).stdout("city,n,mayor\nBonn,1,\nUlm,3,Eva\n").run();
    let one = "{\"name\":\"Dora\",\"age\":51}\n";
    show(MAKING, ["-q", "--select", "oldest", "--limit", "1", "--format", "ndjson"]).stdout(one).run();
    show(MAKING, ["-q", "oldest", "--limit", "0", "--format", "csv"]).stdout("name,age\n").run();
}

/// Part of what runs on every engine.
pub(crate) fn a_step_is_looked_at_inside() {
    let upto = |count| show(MAKING, ["-q", "oldest", "--format", "csv", "--upto", count]);
    let people = "name,age,city\nAnn,34,Ulm\nBob,12,Bonn\nCem,,Ulm\nDora,51,Ulm\n";
    upto("0").stdout(people).run();
    upto("1").stdout("name,age,city\nDora,51,Ulm\nAnn,34,Ulm\nBob,12,Bonn\nCem,,Ulm\n").run();
    upto("2").stdout("name,age,city\nDora,51,Ulm\nAnn,34,Ulm\n").run();
    upto("3").stdout("name,age\nDora,51\nAnn,34\n").run();
    // A join that reads its right side twice.
    let text = "\
version: 1
steps:
  quotes: { range: 3, transform: [rename: { id: q }] }
  trades: { range: 1, transform: [asof_join: { with: quotes, left_on: id + 1, right_on: q }, drop: [q]] }
";
    show(text, ["-q", "trades", "--format", "csv", "--upto", "1"]).stdout("id,q\n0,1\n").run();
}

/// Part of what runs on every engine.
pub(crate) fn no_more_is_worked_out_than_is_shown() {
    // The step has a hundred thousand million rows.
    show(MAKING, ["-q", "numbers", "--limit", "2", "--format", "csv"]).stdout("id,x\n0,0\n1,2\n").run();
    // One that others share would be stored by a run.
    let shared = MAKING.replace("    range", "    cache: true\n    range")
        + "  few: { from: numbers, transform: [filter: x % 3 = 0] }\n";
    show(&shared, ["-q", "few", "--limit", "2", "--format", "csv"]).stdout("id,x\n0,0\n3,6\n").run();
}

/// Part of what runs on every engine.
pub(crate) fn columns_have_their_types() {
    let text = "\
version: 1
steps:
  step:
    values:
      columns: { id: bigint, price: \"decimal(12,2)\", day: date }
      rows: [[1, 2.5, 2026-01-31]]
    transform:
      - with_columns: { tags: array('a'), late: day > DATE'2026-01-01', m: \"map('a', id)\" }
      - rename: { id: the id }
";
    let outcome = show(text, ["-q", "step", "--schema", "--format", "csv"]).any_stdout().run();
    assert_nothing_is_left(&outcome);
    // Which of them may be NULL engines know more or less exactly.
    let lines: Vec<&str> = outcome.stdout.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(
        lines,
        [
            "column,type",
            "the id,BIGINT",
            "price,\"DECIMAL(12,2)\"",
            "day,DATE",
            "tags,ARRAY<STRING>",
            "late,BOOLEAN",
            "m,\"MAP<STRING, BIGINT>\"",
        ],
    );
    let outcome =
        show(text, ["-q", "step", "--schema", "--upto", "0", "--format", "ndjson"]).any_stdout().run();
    let first: Value = serde_json::from_str(outcome.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["column"], "id");
    assert!(first["nullable"].is_boolean());
}

/// Part of what runs on every engine.
pub(crate) fn mistakes_of_the_step_are_told_where_they_stand() {
    let text = "\
version: 1
steps:
  numbers: { range: 3 }
  wrong: { from: numbers, transform: [filter: idd > 1, limit: 1] }
  reader: { from: wrong }
  right: { from: numbers, transform: [filter: id > 0, drop: [x]] }
";
    let outcome = show(text, ["-q", "reader"]).code(78).any_stderr().run();
    allow_duplicates! {
        assert_snapshot!(outcome.stderr, @"
        error[E024]: there is no column `idd`
         --> p.yaml:4:47
          |
        4 |   wrong: { from: numbers, transform: [filter: idd > 1, limit: 1] }
          |                                               ^^^ not found in `numbers`
          |
          = help: did you mean `id`?

        error: the pipeline has 1 mistake
        ");
    }
    // Steps that it does not read may still be wrong, and so may what comes behind the rows that are shown.
    show(text, ["-q", "numbers", "--format", "csv"]).stdout("id\n0\n1\n2\n").run();
    show(text, ["-q", "right", "--upto", "1", "--format", "csv"]).stdout("id\n1\n2\n").run();
    let outcome = show(text, ["-q", "right"]).code(78).any_stderr().run();
    assert!(outcome.stderr.contains("there is no column `x`"), "{}", outcome.stderr);
}

#[test]
fn it_means_what_it_says() {
    rows_come_in_the_order_of_their_sort();
    a_step_is_looked_at_inside();
    no_more_is_worked_out_than_is_shown();
    columns_have_their_types();
    mistakes_of_the_step_are_told_where_they_stand();
}

#[test]
fn the_rest_of_the_pipeline_is_left_alone() {
    let text = "\
version: 1
steps:
  rows:
    range: 3
    expect: [that: id > 5]
    write: { csv: out/rows.csv }
  shown:
    from: rows
    after: [slow]
    transform:
      - with_columns: { x: id + 1 }
      - join: { with: missing, using: [id] }
    write: [stdout: csv, csv: out/shown.csv]
  slow:
    range: 100000000000
    transform: [aggregate: { columns: { s: sum(id % 7) } }]
    write: { csv: out/slow.csv }
  missing:
    read: { format: csv, path: data/missing.csv, schema: id BIGINT }
  other:
    read: { format: orc, path: data/missing.orc }
    transform: [filter: nonsense]
";
    let outcome =
        show(text, ["-q", "shown", "--upto", "1", "--format", "csv"]).stdout("id,x\n0,1\n1,2\n2,3\n").run();
    assert_nothing_is_left(&outcome);
    // Of what it needs, a file has to be there.
    let outcome = show(text, ["-q", "shown"]).code(1).any_stderr().run();
    assert!(outcome.stderr.contains("the input of `missing` is missing"), "{}", outcome.stderr);
    let outcome = show(text, ["-q", "other"]).code(1).any_stderr().run();
    assert!(outcome.stderr.contains("the input of `other` is missing"), "{}", outcome.stderr);
}

#[test]
fn what_is_done_is_told() {
    let outcome = show(MAKING, ["oldest", "--limit", "1", "--upto", "2"]).any_stdout().any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
       note  oldest: the rows behind 2 of its 3 transforms, `filter`
     engine  Sail 0.7.2, private to this run, ready in [time]
    checked  by the engine in [time]
       note  oldest: only the first row is shown
       done  oldest (preview): 1 row, 53 B → stdout, [time]
    ");
    // Sail gives an order up behind a computed column; whoever only looks is told, where a run with an output is refused.
    let lost = "version: 1\nsteps:\n  a:\n    range: 3\n    transform:\n      - sort: [id DESC]\n      - select: [id * 2 AS x]\n";
    let outcome = show(lost, ["a"]).any_stdout().any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
     engine  Sail 0.7.2, private to this run, ready in [time]
    checked  by the engine in [time]
       note  Sail 0.7.2 loses the order of the `sort` in line 6 behind what comes after it: the rows stand in any order
       done  a (preview): 3 rows, 10 B → stdout, [time]
    ");
    // It is worked out once for both sides, as a run does it.
    let diamond = "\
version: 1
steps:
  numbers: { range: 6 }
  heavy: { from: numbers, transform: [aggregate: { by: [id], columns: { n: count(*) } }] }
  both:
    from: heavy
    transform:
      - join: { with: heavy, as: other, on: heavy.id = other.id }
      - select: [heavy.id AS id, other.n AS n]
      - sort: [id]
";
    let outcome = show(diamond, ["both", "--limit", "2"]).any_stdout().any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
     engine  Sail 0.7.2, private to this run, ready in [time]
    checked  by the engine in [time]
       done  heavy (materialize), [time]
       note  both: only the first 2 rows are shown
       done  both (preview): 2 rows, 28 B → stdout, [time]
    ");
    let outcome = show(MAKING, ["oldest", "--log-format", "json"]).any_stdout().any_stderr().run();
    let events: Vec<Value> = outcome.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["engine_ready", "check_passed", "run_started", "action_started", "action_finished"]);
    let ended = &events[4];
    assert_eq!([&ended["step"], &ended["action"], &ended["status"]], ["oldest", "preview", "succeeded"]);
    assert_eq!(ended["outputs"][0]["rows"], 2);
}

#[test]
fn warnings_are_about_the_rows() {
    let text = MAKING
        .replace("      - filter", "      - limit: 3\n      - filter")
        .replace("      - sort: [age DESC]\n", "");
    let outcome = show(&text, ["oldest"]).any_stdout().any_stderr().run();
    assert!(outcome.stderr.contains("warning[W003]"), "{}", outcome.stderr);
    // A variable that nothing uses yet and a step that nothing reads yet belong to what is being written.
    assert!(!outcome.stderr.contains("W001") && !outcome.stderr.contains("W002"), "{}", outcome.stderr);
}

#[test]
fn a_step_that_is_not_there_is_told() {
    let told = |arguments: &[&str]| show(MAKING, arguments.iter().copied()).code(2).any_stderr().run().stderr;
    assert_snapshot!(told(&["oldst"]), @"
    error: there is no step `oldst` in `p.yaml`
      help: did you mean `oldest`?
    ");
    assert_snapshot!(told(&["zebra"]), @"
    error: there is no step `zebra` in `p.yaml`
      help: its steps are `people`, `oldest`, `cities`, `mayors`, `numbers`
    ");
    assert_snapshot!(told(&[]), @"
    error: no step is named: `pipectl show p.yaml STEP`
      help: its steps are `people`, `oldest`, `cities`, `mayors`, `numbers`
    ");
    assert_snapshot!(told(&["oldest", "--upto", "4"]), @"error: the step `oldest` has 3 transforms, and `--upto` is 4");
    assert_snapshot!(told(&["oldest", "--limit", "-1"]), @"
    error: invalid value '-1' for '--limit <N>': a number, or `all`

    For more information, try '--help'.
    ");
    let many: String = (0..20).map(|at| format!("  step{at}: {{ range: 1 }}\n")).collect();
    let outcome = show(&format!("version: 1\nsteps:\n{many}"), ["zebra"]).code(2).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error: there is no step `zebra` in `p.yaml`
      help: `pipectl ls p.yaml` lists its steps
    ");
    let outcome = Case::new(["show", "oldest"]).code(2).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"
    error: `oldest` can't be read: there is no such file
      help: the pipeline file comes before the step: `pipectl show FILE oldest`
    ");
}

#[test]
fn who_writes_the_step_first_is_understood() {
    let swapped = ["show", "-q", "oldest", "p.yaml", "--format", "csv"];
    Case::new(swapped).file("p.yaml", MAKING).engine().stdout("name,age\nDora,51\nAnn,34\n").run();
}

#[test]
fn a_reader_that_goes_away_has_what_it_wants() {
    let script = "{ \"$@\"; echo $? > code; } | head -n 2";
    let since = Instant::now();
    let outcome = show(MAKING, ["-q", "numbers", "--limit", "all", "--format", "csv"])
        .stdout("id,x\n0,0\n")
        .run_in_shell(script);
    assert_eq!(std::fs::read_to_string(outcome.path("code")).unwrap(), "0\n");
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
}

#[test]
fn it_is_stopped_as_a_run_is() {
    let look = || show(ENDLESS, ["sum"]).any_stderr();
    let mut running = look().code(130).start();
    running.wait_for("checked");
    let since = Instant::now();
    running.signal("INT");
    let outcome = running.end();
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    assert_snapshot!(outcome.stderr, @"
      engine  Sail 0.7.2, private to this run, ready in [time]
     checked  by the engine in [time]
     stopped  sum (preview)
    error: interrupted
    ");
    assert_nothing_is_left(&outcome);

    let mut running = look().code(69).start();
    running.wait_for("checked");
    signal(running.engine(), "KILL");
    let outcome = running.end();
    assert!(outcome.stderr.contains("error: the engine ended unexpectedly"), "{}", outcome.stderr);

    let outcome = look().args(["--timeout", "2s"]).code(1).run();
    assert!(outcome.stderr.contains("took longer than its `--timeout` of 2 s"), "{}", outcome.stderr);
}

#[test]
fn a_secret_is_not_in_its_messages() {
    let text = "\
version: 1
steps:
  rows:
    range: 2
    transform:
      - with_columns:
          broken: CAST(${secret:PIPECTL_TEST_SECRET} AS INT)
";
    for arguments in [&["-v", "rows"][..], &["-v", "rows", "--log-format", "json"]] {
        let outcome = show(text, arguments.iter().copied())
            .env("PIPECTL_TEST_SECRET", "xyzzy-plugh-4711")
            .code(78)
            .any_stdout()
            .any_stderr()
            .run();
        assert!(outcome.stderr.contains("'***'"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("plugh"), "{}", outcome.stderr);
        assert!(!outcome.stdout.contains("plugh"), "{}", outcome.stdout);
    }
}
