//! `check`: what an engine's analysis finds, all of it at its place, and the same whichever engine it is.
//!
//! The tests that `tests/it/on_spark/spark.rs` names run on Spark too. They compare with plain assertions, since an inline snapshot is met once.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Case, Outcome};

const STEPS: &str = "\
version: 1
vars: { day: { type: date, default: 2026-01-31 }, who: { type: string, default: \"o'x\" } }
steps:
  people:
    values: { columns: { id: int, name: string, born: date }, rows: [[1, Ann, 2020-01-01]] }
  visits:
    values: { columns: { id: int, person: int, at: timestamp }, rows: [] }
";

fn case(text: &str) -> Case {
    Case::new(["check", "-q", "--log-format", "json", "p.yaml"]).file("p.yaml", text).engine()
}

/// What is told of a pipeline: line, column, code and message of each mistake.
pub(crate) fn mistakes(case: Case) -> Vec<String> {
    let outcome = case.code(78).any_stderr().run();
    assert_nothing_is_left(&outcome);
    told(&outcome)
}

pub(crate) fn told(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let shown = |it: Value| {
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        format!("{}:{} {} {}", it["line"], it["column"], text("code"), text("message"))
    };
    lines.filter(|line| line["event"] == "diagnostic").map(shown).collect()
}

/// Nothing is written, and there is no record of a run.
pub(crate) fn assert_nothing_is_left(outcome: &Outcome) {
    let left: Vec<String> = outcome.files().into_iter().filter(|file| file != "q.sql").collect();
    assert_eq!(left, Vec::<String>::new());
    assert!(!outcome.path("state").exists(), "a check leaves no record");
}

#[test]
pub(crate) fn what_is_right_is_said_to_be() {
    let text = format!(
        "{STEPS}
  both:
    from: people
    transform:
      - join: {{ with: visits, on: people.id = visits.person }}
      - select: [people.id, at]
      - filter: at > ${{day}}
    expect: [not_null: [id]]
    write: {{ parquet: out/both.parquet }}
  asked:
    sql: SELECT name, count(*) AS n FROM people WHERE name <> ${{who}} GROUP BY name
    write: [{{ csv: out/asked.csv }}, stdout]
"
    );
    let outcome = Case::new(["check", "p.yaml"]).file("p.yaml", &text).engine().any_stderr().run();
    let last = outcome.stderr.lines().last().unwrap();
    assert!(last.starts_with("`p.yaml` is right for S"), "{last}");
    assert!(last.contains(": 4 steps and 3 outputs, checked in "), "{last}");
    assert_nothing_is_left(&outcome);
    let outcome = Case::new(["dry-run", "-q", "p.yaml"]).file("p.yaml", &text).engine().run();
    assert_nothing_is_left(&outcome);
}

/// A transform in each style of scalar, and a query; `¶` stands before the word that is wrong in it.
const STYLES: [&str; 15] = [
    "    from: people\n    transform: [filter: \"concat('ü😀', ¶oops) = ${who}\"]",
    "    from: people\n    transform:\n      - filter: born > ${day} AND name = ${who} AND ¶oops = 'oops'",
    "    from: people\n    transform:\n      - filter: name = 'ü😀' AND\n          ¶oops = 1",
    "    from: people\n    transform:\n      - filter: 'name = ''it''''s'' AND ¶oops = 1'",
    "    from: people\n    transform:\n      - filter: \"name = 'x\\u00fc\\t\\\"' AND \\\n          ¶oops = 1\"",
    "    from: people\n    transform:\n      - filter: |\n          name = 'ü'\n            AND -- oops\n          ¶oops = 'oops'",
    "    from: people\n    transform:\n      - filter: >-\n          name = 'ü😀'\n          AND ${day} < born\n\n          AND ¶oops = 1",
    "    from: people\n    transform:\n      - filter: \"¶`oops` = 'oops'\"",
    "    from: people\n    transform:\n      - select: [id, \"concat(name, ¶oops) AS oops\"]",
    "    from: people\n    expect:\n      - that: 'name = ${who} OR ''ü'' = ¶oops'",
    "    sql: SELECT 'ü😀' AS u, ¶oops FROM people",
    "    sql: |-\n      SELECT 'oops' AS o, -- oops\n        ${who} AS w, people.¶oops\n      FROM people",
    "    sql: >-\n      SELECT ${day} AS d,\n      'it''s ü😀' AS u,\n      ¶oops FROM people;",
    "    sql: \"SELECT 'a\\\"ü' AS `oops `, ¶oops FROM people\"",
    "    sql: 'SELECT ''😀'' AS x, p.¶oops FROM people p'",
];

#[test]
pub(crate) fn a_name_is_found_in_every_style() {
    for style in STYLES {
        let marked = format!("{STEPS}\n  wrong:\n{style}\n    write: stdout\n");
        let (text, place) = marked_place(&marked);
        assert_eq!(mistakes(case(&text)), [place], "{style}");
    }
    let (query, place) =
        marked_place("-- ü oops\nSELECT 'oops' AS a,\n  ${who} AS w, ¶oops\nFROM people\n;\n");
    let text =
        format!("{STEPS}\n  wrong:\n    sql: {{ file: q.sql, inputs: [people] }}\n    write: stdout\n");
    assert_eq!(mistakes(case(&text).file("q.sql", query)), [place]);
}

/// The text without the mark, and what is told of the word behind it.
fn marked_place(marked: &str) -> (String, String) {
    let (before, behind) = marked.split_once('¶').unwrap();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    (format!("{before}{behind}"), format!("{line}:{column} E024 there is no column `oops`"))
}

#[test]
pub(crate) fn every_mistake_of_an_expression_is_told() {
    let text = format!(
        "{STEPS}
  nested:
    sql: \"SELECT named_struct('a', named_struct('b', 1)) AS s, id FROM people\"
  wrong:
    from: nested
    transform:
      - with_columns:
          one: oops1 + OOPS2 + oops1
          two: upperr(nofn(nme), s.a.c)
          three: CAST(id AS nosuch)
          four: s.q.b + 1
          five: sum(oops3) + sum(oops4)
          fine: id + 1
      - filter: one > 1 AND idd = 2
      - aggregate:
          by: [id % 2 AS k, oops5]
          columns:
            n: count(*)
            m: max(oops6) + noaggregate(id)
    write: stdout
  grouped:
    from: people
    transform:
      - aggregate:
          by: [name]
          columns:
            a: sum(id)
            b: id
            c: coalesce(id, 0) + datediff(max(born), born)
            d: upper(name)
      - filter: a
      - sort: [b DESC, nope]
    expect:
      - that: a > x AND y
      - not_null: [z]
    write: stdout
"
    );
    assert_eq!(
        mistakes(case(&text)),
        [
            "15:16 E024 there is no column `oops1`",
            "15:24 E024 there is no column `OOPS2`",
            "16:16 E023 there is no function `upperr`",
            "16:23 E023 there is no function `nofn`",
            "16:28 E024 there is no column `nme`",
            "16:38 E024 there is no field `c` in `s.a`",
            "17:29 E023 there is no data type `nosuch`",
            "18:19 E024 there is no field `q` in `s`",
            "19:21 E024 there is no column `oops3`",
            "19:34 E024 there is no column `oops4`",
            "21:29 E024 there is no column `idd`",
            "23:29 E024 there is no column `oops5`",
            "26:20 E024 there is no column `oops6`",
            "26:29 E023 there is no function `noaggregate`",
            "35:16 E023 `id` is neither grouped by nor inside an aggregate function",
            "36:25 E023 `id` is neither grouped by nor inside an aggregate function",
            "36:54 E023 `born` is neither grouped by nor inside an aggregate function",
            "38:17 E023 the condition is neither true nor false: its type is BIGINT",
            "39:24 E024 there is no column `nope`",
            "41:19 E024 there is no column `x`",
            "41:25 E024 there is no column `y`",
            "42:20 E024 there is no column `z`",
        ]
    );
}

#[test]
pub(crate) fn every_mistake_of_a_query_is_told() {
    let text = format!(
        "{STEPS}
  several:
    sql: |
      SELECT p.id, 'ü😀' AS u, p.nme, v.att, upperr(p.name), ${{day}} AS d, CAST(p.id AS nosuch)
      FROM people p JOIN visits v ON p.id = v.id JOIN nowhere n ON n.id = p.idd, nowheretoo
      WHERE n.x = 1
  ambiguous:
    sql: SELECT id FROM people JOIN visits ON people.id = visits.person
  broken:
    sql: SELECT 'ü😀', id FRM people
  near:
    sql: SELECT * FROM peple
  listed:
    table: nowhere.peoplex
    write: stdout
"
    );
    assert_eq!(
        mistakes(case(&text)),
        [
            "11:33 E024 there is no column `nme`",
            "11:40 E024 there is no column `att`",
            "11:45 E023 there is no function `upperr`",
            "11:87 E023 there is no data type `nosuch`",
            "12:55 E023 there is no table or view `nowhere`",
            "12:77 E024 there is no column `idd`",
            "12:82 E023 there is no table or view `nowheretoo`",
            "15:17 E023 the column `id` is ambiguous: more than one input has it",
            "17:30 E023 a syntax error at or near `people`",
            "19:24 E023 there is no table or view `peple`",
            "21:12 E023 there is no table or view `nowhere.peoplex`",
        ]
    );
}

#[test]
pub(crate) fn every_mistake_of_a_step_is_told() {
    let text = format!(
        "{STEPS}
  joined:
    from: people
    transform:
      - join: {{ with: visits, on: people.idd = visits.persn AND peple.id = id }}
      - select: [people.id, visits.nope]
  shared:
    from: people
    transform:
      - join: {{ with: visits, using: [id, nope, born] }}
      - filter: name
  united:
    from: people
    transform:
      - union: [visits, people]
      - cast: {{ id: nosuch, name: notype, nme: string }}
      - drop: [nothere]
  renamed:
    from: people
    transform:
      - rename: {{ nam: x }}
      - filter: x = 1
      - sort: [naame DESC]
  reader:
    from: renamed
    transform: [filter: x > 1 AND idd = 2]
  counted:
    from: people
    transform: [union: {{ with: [visits, joined], by: position }}]
  absent:
    read: {{ format: parquet, path: /nowhere/x.parquet }}
    transform: [filter: x > 1]
  listed:
    values: {{ columns: {{ a: int, b: nosuch }}, rows: [[1, 2]] }}
    write: stdout
"
    );
    assert_eq!(
        mistakes(case(&text)),
        [
            "12:42 E024 there is no column `idd`",
            "12:55 E024 there is no column `persn`",
            "12:65 E024 `peple` is neither a column nor a step that has columns here",
            "12:76 E023 the column `id` is ambiguous: more than one input has it",
            "13:36 E024 there is no column `nope`",
            "17:43 E024 there is no column `nope` in `people`, nor in `visits`",
            "17:49 E024 there is no column `born` in `visits`",
            "18:17 E023 the condition is neither true nor false: its type is STRING",
            "22:17 E023 `visits` has no columns `name`, `born` for this union, and columns `person`, `at` too much",
            "23:21 E023 there is no data type `nosuch`",
            "23:35 E023 there is no data type `notype`",
            "23:43 E024 there is no column `nme`",
            "24:16 E024 there is no column `nothere`",
            "28:19 E024 there is no column `nam`",
            "30:16 E024 there is no column `naame`",
            "33:35 E024 there is no column `idd`",
            "38:36 E026 the input of `absent` is missing: `/nowhere/x.parquet` does not exist",
            "41:37 E023 there is no data type `nosuch`",
        ]
    );
}

/// Transforms that regroup rows; `¶` stands before each word that means no column, and `§` before what is refused otherwise.
const REGROUPED: &str = "
  windows:
    from: people
    transform:
      - window:
          by: [¶idd, upper(¶nam)]
          order: [¶bron DESC, id]
          columns: { a: sum(¶prce), b: rank() }
      - with_columns: { c: ¶nowhere }
    write: stdout
  framed:
    from: people
    transform:
      - window: { order: [name], frame: §range between 1 preceding and current row, columns: { a: count(*) } }
    write: stdout
  alone:
    from: people
    transform:
      - dedupe: { by: [¶idd, upper(¶nam)], order: [¶bron, id], keep: last }
      - dedupe: [¶nme, name]
    write: stdout
  rolled:
    from: people
    transform:
      - aggregate: { rollup: [¶idd, name], columns: { a: sum(¶prce) }, having: ¶aa > 1 }
    write: stdout
  chosen:
    from: people
    transform:
      - aggregate: { by: [id, name], grouping_sets: [[id], [name]], columns: { a: count(*) }, having: sum(¶idd) > 1 }
    write: stdout
  conditions:
    from: people
    transform:
      - aggregate: { by: [id], columns: { total: count(*) }, having: §total }
    write: stdout
  pivoted:
    from: people
    transform:
      - pivot: { by: [¶idd], column: ¶nme, values: [Ann], columns: { a: sum(¶prce) } }
    write: stdout
  valued:
    from: people
    transform:
      - pivot: { by: [id], column: born, values: [2026-01-01, §zzz, §12], columns: { a: count(*) } }
    write: stdout
  unknown:
    from: people
    transform:
      - pivot: { by: [id], column: name, columns: { a: sum(¶idd) } }
      - select: [Ann, whatever]
    write: stdout
  beyond:
    from: unknown
    transform:
      - filter: Ann > 1
    write: stdout
  melted:
    from: people
    transform:
      - unpivot: { ids: [¶idd], columns: [id, ¶nme] }
    write: stdout
  mixed:
    from: people
    transform:
      - §unpivot: { columns: [id, born] }
    write: stdout
";

#[test]
pub(crate) fn what_regroups_rows_is_searched_everywhere() {
    let marked = format!("{STEPS}{REGROUPED}");
    let mut places = Vec::new();
    for (line, text) in marked.lines().enumerate() {
        let mut column = 1;
        for letter in text.chars() {
            match letter {
                '¶' => places.push(format!("{}:{column} E024", line + 1)),
                '§' => places.push(format!("{}:{column} E023", line + 1)),
                _ => column += 1,
            }
        }
    }
    let found = mistakes(case(&marked.replace(['¶', '§'], "")));
    let found: Vec<String> =
        found.iter().map(|told| told.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(found, places);
}

#[test]
pub(crate) fn columns_of_statistics_are_found_at_their_places() {
    let text = "\
version: 1
steps:
  people:
    values: { columns: { id: int, name: string, born: date }, rows: [[1, Ann, 2020-01-01]] }
  a:
    from: people
    transform: [corr: [idd, nope], filter: corr > nix]
    write: stdout
  b:
    from: people
    transform: [cov: [id, nope], filter: cov > nix]
    write: stdout
    after: a
  c:
    from: people
    transform: [crosstab: { rows: nme, columns: born }, filter: nme_born > nix]
    write: stdout
    after: b
  d:
    from: people
    transform: [describe: [id, nope], filter: summary > nix]
    write: stdout
    after: c
  e:
    from: people
    transform: [summary: { columns: [nme] }, filter: summary > nix]
    write: stdout
    after: d
  f:
    from: people
    transform: [approx_quantile: { columns: [id, idd], probabilities: 0.5 }, filter: id > nix]
    write: stdout
    after: e
  g:
    from: people
    transform: [freq_items: [id, idd], filter: size(id_freqItems) > nix]
    write: stdout
    after: f
  i:
    from: people
    transform: [parse: { column: name, format: json, schema: \"a INTT\" }, filter: idd > 1]
    write: stdout
    after: g
";
    assert_eq!(
        mistakes(case(text)),
        [
            "7:24 E024 there is no column `idd`",
            "7:29 E024 there is no column `nope`",
            "7:51 E024 there is no column `nix`",
            "11:27 E024 there is no column `nope`",
            "11:48 E024 there is no column `nix`",
            // What is behind it is unknown, since its columns come from the rows.
            "16:35 E024 there is no column `nme`",
            "21:32 E024 there is no column `nope`",
            "21:57 E024 there is no column `nix`",
            "26:38 E024 there is no column `nme`",
            "26:64 E024 there is no column `nix`",
            "31:50 E024 there is no column `idd`",
            "31:91 E024 there is no column `nix`",
            "36:34 E024 there is no column `idd`",
            "36:69 E024 there is no column `nix`",
            "41:62 E023 there is no data type `a INTT`",
            "41:82 E024 there is no column `idd`",
        ]
    );
}

#[test]
pub(crate) fn columns_that_outputs_name_are_looked_for() {
    let text = |step: &str| {
        format!(
            "{STEPS}{step}
  written:
    from: people
    write:
      - parquet: {{ path: out/people/, partition_by: [born, Name], bloom_filters: [nme] }}
      - csv: {{ path: out/csv/, partition_by: [born] }}
"
        )
    };
    let told = ["12:60 E024 there is no column `Name`", "12:83 E024 there is no column `nme`"];
    assert_eq!(mistakes(case(&text(""))), told);
    // Before any row is worked out, and in a run too.
    let outcome = Case::pipeline(&text("")).args(["--log-format", "json"]).code(78).any_stderr().run();
    assert_eq!(self::told(&outcome), told);
    assert_eq!(outcome.files(), Vec::<String>::new());
    // Beside a mistake that the engine finds.
    let both = mistakes(case(&text("\n  wrong: { from: people, transform: [filter: idd > 1] }")));
    assert_eq!(both.len(), 3, "{both:?}");
}

#[test]
fn a_name_that_is_nearly_one_is_proposed_as_an_edit() {
    let text = format!(
        "{STEPS}
  wrong:
    from: people
    transform:
      - filter: nam = 'x' AND iid > 1
      - rename: {{ bron: day }}
    write: stdout
"
    );
    let outcome = case(&text).code(78).any_stderr().run();
    let lines = outcome.stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let edits = lines.flat_map(|line| line["suggestions"].as_array().cloned().unwrap_or_default());
    let shown = |edit: Value| {
        let text = |key: &str| edit[key].as_str().unwrap().to_owned();
        let (from, to) = (&edit["column"], &edit["end_column"]);
        format!("{}:{from}-{to} {} {}", edit["line"], text("replacement"), text("applicability"))
    };
    assert_eq!(
        edits.map(shown).collect::<Vec<_>>(),
        ["12:17-20 name MaybeIncorrect", "12:31-34 id MaybeIncorrect", "13:19-23 born MaybeIncorrect",]
    );
}

#[test]
fn what_sail_finds_only_when_it_plans_is_found() {
    let text = format!(
        "{STEPS}
  wrong:
    from: people
    transform:
      - filter: id AND name
  summed:
    from: people
    transform:
      - filter: sum(id) > 1
    write: stdout
"
    );
    assert_eq!(
        mistakes(case(&text)),
        [
            "12:17 E023 Cannot infer common argument type for logical boolean operation Int32 AND Utf8",
            "16:17 E023 an aggregate function stands where none may, as in a filter",
        ]
    );
}

#[test]
fn a_mistake_is_shown_with_what_was_perhaps_meant() {
    let text = format!(
        "{STEPS}
  wrong:
    from: people
    transform: [join: {{ with: visits, on: people.id = visits.persn AND id = 1 }}]
    write: stdout
  queried: {{ sql: SELECT * FROM peopl, write: {{ parquet: out/x.parquet }} }}
"
    );
    let outcome =
        Case::new(["check", "-q", "p.yaml"]).file("p.yaml", text).engine().code(78).any_stderr().run();
    assert_snapshot!(outcome.stderr, @r"
    error[E025]: `wrong` would have several columns of the name `id`
      --> p.yaml:11:17
       |
    11 |     transform: [join: { with: visits, on: people.id = visits.persn AND id = 1 }]
       |                 ^^^^
       |
       = help: `rename` one of them before; what both sides of a join have, `using: [column]` has once

    error[E024]: there is no column `persn`
      --> p.yaml:11:62
       |
    11 |     transform: [join: { with: visits, on: people.id = visits.persn AND id = 1 }]
       |                                                              ^^^^^ not found in `visits`
       |
       = help: did you mean `person`?

    error[E023]: the column `id` is ambiguous: more than one input has it
      --> p.yaml:11:72
       |
    11 |     transform: [join: { with: visits, on: people.id = visits.persn AND id = 1 }]
       |                                                                        ^^
       |
       = help: say which one: `people.id` or `visits.id`

    error[E023]: there is no table or view `peopl`
      --> p.yaml:13:33
       |
    13 |   queried: { sql: SELECT * FROM peopl, write: { parquet: out/x.parquet } }
       |                                 ^^^^^
       |
       = help: did you mean the step `people`?

    error: the pipeline has 4 mistakes
    ");
}

#[test]
pub(crate) fn rows_of_the_file_are_tried_out() {
    let text = "\
version: 1
steps:
  rows:
    values:
      columns: { a: int, b: date, c: string, d: boolean }
      rows:
        - [1, 2026-01-31, x, yes]
        - [1.5, 2026-02-30, ~, maybe]
        - [~, ~, ~, ~]
        - [99999999999, 2026-01-01, '', no]
    write: { parquet: out/x.parquet }
";
    assert_eq!(
        mistakes(case(text)),
        [
            "8:12 E023 `1.5` is no value of the type `int`",
            "8:17 E023 `2026-02-30` is no value of the type `date`",
            "8:32 E023 `maybe` is no value of the type `boolean`",
            "10:12 E023 `99999999999` is no value of the type `int`",
        ]
    );
}

#[test]
fn a_type_that_sail_can_not_read_values_of_is_told() {
    let values = "values: { columns: { a: interval year, b: int }, rows: [[1 year, 1], [x, y]] }";
    let text = format!("version: 1\nsteps: {{ a: {{ {values}, write: stdout }} }}\n");
    let found = mistakes(case(&text));
    assert_eq!(found.len(), 2, "{found:?}");
    let expected = [
        "2:39 E023 values of the type `interval year` are refused: ",
        "2:88 E023 `y` is no value of the type `int`",
    ];
    assert!(found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected)), "{found:?}");
}

#[test]
fn only_an_input_that_is_missing_is_no_mistake_of_the_file() {
    let text = "version: 1\nsteps: { a: { read: { format: parquet, path: x.parquet }, write: stdout } }\n";
    let outcome = case(text).code(1).any_stderr().run();
    assert_eq!(told(&outcome).len(), 1);
    assert_nothing_is_left(&outcome);
}

#[test]
fn an_engine_that_is_not_there_is_no_mistake_of_the_file() {
    let text = "version: 1\nsteps: { a: { range: 3, write: stdout } }\n";
    let outcome = case(text).args(["--remote", "sc://127.0.0.1:1"]).code(69).any_stderr().run();
    assert!(outcome.stderr.contains("nothing listens at this port"), "{}", outcome.stderr);
}

/// A pipeline of so many steps, of most kinds.
fn large(steps: usize) -> String {
    let mut text = "version: 1\nsteps:\n  s0: { range: 1000 }\n".to_owned();
    for at in 1..steps {
        let before = at - 1;
        let body = match at % 5 {
            0 => format!(
                "from: s{before}\n    transform: [aggregate: {{ by: [id], columns: {{ n: count(*) }} }}]"
            ),
            1 => format!(
                "from: s{before}\n    transform: [with_columns: {{ v{at}: id * {at} }}, filter: v{at} > 1]"
            ),
            2 => format!("from: s{before}\n    transform: [select: [id], distinct]"),
            3 => format!(
                "from: s{before}\n    transform: [join: {{ with: s{}, using: [id], how: semi }}]",
                at / 2
            ),
            _ => format!("sql: SELECT id, id + 1 AS next FROM s{before} WHERE id > {at}"),
        };
        let is_output = at % 10 == 9 || at + 1 == steps;
        let output =
            if is_output { format!("    write: {{ parquet: out/s{at}.parquet }}\n") } else { String::new() };
        let _ = write!(text, "  s{at}:\n    {body}\n{output}");
    }
    text
}

#[test]
fn a_hundred_steps_are_checked() {
    let outcome = case(&large(100)).run();
    assert_nothing_is_left(&outcome);
    let wrong = large(100).replace("FROM s3 WHERE id", "FROM s3 WHERE nope").replace("v96: id", "v96: idd");
    let found = mistakes(case(&wrong));
    let messages: Vec<&str> = found.iter().filter_map(|it| it.split_once(' ')).map(|it| it.1).collect();
    assert_eq!(messages, ["E024 there is no column `nope`"], "what reads a query that is wrong is not known");
}

#[test]
fn an_expression_reads_no_steps() {
    let pipeline = "\
version: 1
steps:
  t: { range: 3, write: { csv: t.csv } }
  a:
    values: { columns: { x: int }, rows: [[1]] }
    transform:
      - filter: x IN (SELECT id FROM t)
    write: stdout
";
    let outcome =
        Case::new(["check", "p.yaml"]).file("p.yaml", pipeline).engine().any_stderr().code(78).run();
    assert_eq!(outcome.stderr.matches("error[").count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("there is no table or view `t`"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("an expression can't read steps"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("pipectl_check"), "{}", outcome.stderr);
}

#[test]
fn entries_of_one_item_are_told_not_to_see_each_other() {
    let pipeline = "\
version: 1
steps:
  a:
    values: { columns: { price: int }, rows: [[1]] }
    transform:
      - with_columns: { gross: price * 2, taxed: GROSS + 1 }
    write: stdout
";
    let outcome =
        Case::new(["check", "p.yaml"]).file("p.yaml", pipeline).engine().any_stderr().code(78).run();
    assert!(outcome.stderr.contains("there is no column `GROSS`"), "{}", outcome.stderr);
    let help = "entries of one item do not see each other: make `GROSS` in an item above this one";
    assert!(outcome.stderr.contains(help), "{}", outcome.stderr);
}

#[test]
fn mistakes_of_all_sorts_of_joins_stand_at_their_places() {
    let text = "\
version: 1
steps:
  trades:
    values: { columns: { id: int, stock: string, at: timestamp }, rows: [] }
  quotes:
    values: { columns: { symbol: string, time: timestamp, price: int }, rows: [] }
  nearest:
    from: trades
    transform:
      - asof_join: { with: quotes, left_on: trades.att, right_on: quotes.tme, by: [stok], tolerance: INTERVAL 1 SECOND + oops }
    write: stdout
  lateral:
    from: trades
    transform:
      - lateral_join: { with: quotes, on: quotes.symbl = trades.stock, sort: [quotes.prce DESC], limit: 1 }
    write: { parquet: out/lateral.parquet }
  exploded:
    from: trades
    transform:
      - lateral_join: { call: 'explode(array(stok))', columns: [x] }
    write: { parquet: out/exploded.parquet }
  ranked:
    from: trades
    transform:
      - nearest_by_join: { with: quotes, rank: abs(trades.id - quotes.prise) }
    write: { parquet: out/ranked.parquet }
  common:
    from: trades
    transform:
      - intersect: quotes
    write: { parquet: out/common.parquet }
  called:
    from: trades
    transform:
      - alias: t
      - filter: trades.id = 1
      - to_schema: { idd: bigint, at: dat }
    write: { parquet: out/called.parquet }
  queried:
    from: trades
    transform:
      - sql: SELECT idd, t.att FROM input JOIN trades t ON oops = 1
    write: { parquet: out/queried.parquet }
";
    assert_eq!(
        mistakes(case(text)),
        [
            "10:52 E024 there is no column `att`",
            "10:74 E024 there is no column `tme`",
            "10:84 E024 there is no column `stok` in `trades`, nor in `quotes`",
            "10:122 E024 there is no column `oops`",
            "15:50 E024 there is no column `symbl`",
            "15:86 E024 there is no column `prce`",
            "20:46 E024 there is no column `stok`",
            "25:71 E024 there is no column `prise`",
            "30:20 E023 `quotes` has no columns `id`, `stock`, `at` for this intersect, and columns `symbol`, `time`, `price` too much",
            "36:17 E024 `trades` is neither a column nor a step that has columns here",
            "37:22 E024 there is no column `idd`",
            "37:39 E023 there is no data type `dat`",
            "42:21 E024 there is no column `idd`",
            "42:28 E024 there is no column `att`",
            "42:60 E024 there is no column `oops`",
        ]
    );
}
