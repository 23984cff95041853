//! Contracts of sources: what is compared before data is read, what is counted in rows, and `contract infer`.
//!
//! The tests that `tests/it/on_spark/spark.rs` names run on Spark too. They compare with plain assertions, since an inline snapshot is met once.

use std::fs;

use serde_json::Value;

use crate::support::{Case, Outcome};

/// What is told of each difference: line, column and code, message, then the notes.
fn told(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stderr.lines().filter(|line| line.starts_with('{'));
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut told = Vec::new();
    for it in lines.filter(|it| it["event"] == "diagnostic") {
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        told.push(format!("{}:{} {} {}", it["line"], it["column"], text("code"), text("message")));
        told.extend(
            it["notes"].as_array().unwrap().iter().map(|note| format!("- {}", note.as_str().unwrap())),
        );
    }
    told
}

fn check(text: &str) -> Case {
    Case::new(["check", "-q", "--log-format", "json", "p/p.yaml"])
        .file("p/p.yaml", text)
        .engine()
        .any_stderr()
}

const ORDERS: &str = "\
version: 1
columns:
  id: bigint
  price: decimal(12,2)
  tags: array<string>
  buyer: struct<name:string,home:struct<zip:string>>
  note: string
";

const DIFFERENT: &str = "
version: 1
steps:
  orders:
    sql: |
      SELECT 1 AS ID, CAST(1 AS DOUBLE) AS price, array(1L) AS tags, 'x' AS nte, 2 AS more,
        named_struct('home', named_struct('zip', 1, 'city', 'x'), 'Name', 'y') AS buyer
    contract: ../schemas/orders.yaml
    transform:
      - filter: price > 0 AND oops = note
    write: { parquet: out/orders.parquet }
  again:
    from: orders
    contract: { file: ../schemas/orders.yaml, extra: keep }
    write: stdout
";

#[test]
pub(crate) fn all_differences_are_told_before_data_is_read() {
    let outcome = check(DIFFERENT).file("schemas/orders.yaml", ORDERS).code(78).run();
    let differences = [
        "8:15 E031 the source of `orders` is not as its contract says: 8 differences",
        "- `id` is `bigint` in the contract, `int` in the data",
        "- `price` is `decimal(12,2)` in the contract, `double` in the data",
        "- `tags.element` is `string` in the contract, `bigint` in the data",
        "- `buyer.home.zip` is `string` in the contract, `int` in the data",
        "- `buyer.home.city`, `string`, is not in the contract",
        "- `note`, `string`, is missing in the data; is it `nte`?",
        "- `nte`, `string`, is not in the contract",
        "- `more`, `int`, is not in the contract",
        // By what is promised, the rest is looked at.
        "10:31 E024 there is no column `oops`",
    ];
    assert_eq!(told(&outcome), differences);
    let run =
        Case::new(["run", "-q", "--log-format", "json", "p/p.yaml"]).file("p/p.yaml", DIFFERENT).engine();
    let outcome = run.file("schemas/orders.yaml", ORDERS).any_stderr().code(78).run();
    assert_eq!(told(&outcome), differences);
    assert!(!outcome.path("p/out").exists());
}

#[test]
pub(crate) fn every_source_is_compared() {
    let contract = "version: 1\ncolumns: { id: int }\n";
    let lines = "
version: 1
steps:
  rows:
    values: { columns: { id: bigint }, rows: [[1]] }
    contract: ../c.yaml
    write: { csv: out/rows.csv }
  range:
    range: 3
    contract: ../c.yaml
    write: { csv: out/range.csv }
  from:
    from: range
    contract: ../c.yaml
    write: { csv: out/from.csv }
  sql:
    sql: SELECT id FROM rows
    contract: ../c.yaml
    write: { csv: out/sql.csv }
  read:
    read: { format: csv, path: in.csv, schema: id BIGINT }
    contract: ../c.yaml
    write: { csv: out/read.csv }
  text:
    read: { format: text, path: in.csv }
    contract: ../c.yaml
    write: { csv: out/text.csv }
  unused:
    range: 3
    contract: ../c.yaml
";
    let outcome = check(lines).file("c.yaml", contract).file("p/in.csv", "1\n").code(78).run();
    let difference = "- `id` is `int` in the contract, `bigint` in the data";
    // What begins with a step whose source is other than promised is compared with what was promised.
    let one = |line: u32, step: &str| {
        format!("{line}:15 E031 the source of `{step}` is not as its contract says: 1 difference")
    };
    let expected = [
        &one(6, "rows"),
        difference,
        &one(10, "range"),
        difference,
        &one(22, "read"),
        difference,
        "26:15 E031 the source of `text` is not as its contract says: 2 differences",
        "- `id`, `int`, is missing in the data",
        "- `value`, `string`, is not in the contract",
        &one(30, "unused"),
        difference,
    ];
    assert_eq!(told(&outcome), expected);
}

const FURTHER: &str = "
version: 1
steps:
  all:
    values: { columns: { ID: int, \"a b.c\": string, more: int }, rows: [[1, x, 3], [2, y, 2], [3, z, 1]] }
    transform: [sort: [more]]
  some:
    from: all
    contract: { file: ../c.yaml, extra: EXTRA }
    write: { stdout: csv }
  behind:
    from: all
    contract: { file: ../c.yaml, extra: EXTRA }
    transform:
      - join: { with: some, on: all.id = some.id }
      - select: [all.id, \"some.`a b.c` AS c\"]
      - sort: [id]
    write: { stdout: csv }
    after: some
";
const TWO: &str = "version: 1\ncolumns: { \"a b.c\": string, id: int }\n";

#[test]
pub(crate) fn further_columns_are_an_error_dropped_or_kept() {
    let case = |extra: &str| {
        Case::pipeline("")
            .file("p.yaml", FURTHER.replace("../c.yaml", "c.yaml").replace("EXTRA", extra))
            .file("c.yaml", TWO)
    };
    let joined = "id,c\n1,x\n2,y\n3,z\n";
    case("drop").stdout(&format!("a b.c,id\nz,3\ny,2\nx,1\n{joined}")).run();
    case("keep").stdout(&format!("ID,a b.c,more\n3,z,1\n2,y,2\n1,x,3\n{joined}")).run();
    let outcome = check(&FURTHER.replace("EXTRA", "error")).file("c.yaml", TWO).code(78).run();
    assert_eq!(
        told(&outcome),
        [
            "9:23 E031 the source of `some` is not as its contract says: 1 difference",
            "- `more`, `int`, is not in the contract",
            "13:23 E031 the source of `behind` is not as its contract says: 1 difference",
            "- `more`, `int`, is not in the contract",
        ]
    );
    // What is left out is not there behind the source.
    let misses = FURTHER.replace("EXTRA", "drop").replace("select: [all.id,", "select: [all.id, all.more,");
    let outcome = check(&misses).file("c.yaml", TWO).code(78).run();
    assert_eq!(told(&outcome), ["16:30 E024 there is no column `more`"]);
}

const ROWS: &str = "
version: 1
steps:
  rows:
    values: { columns: { Id: int, part: string, n: int }, rows: [[1, a, 1], [1, a, 2], [1, b, 3], [2, null, 4], [2, null, 5], [null, x, 6]] }
  plain:
    from: rows
    contract: c.yaml
    write: { csv: out/plain.csv }
  changed:
    from: rows
    contract: c.yaml
    transform: [drop: [part], rename: { id: key }]
    write: { csv: out/changed.csv }
  later:
    from: changed
    write: { csv: out/later.csv }
";

#[test]
pub(crate) fn rows_are_counted_before_anything_is_made_of_them() {
    let case = |contract: &str| {
        let text = ROWS
            .replace("[drop: [part], rename: { id: key }]", "[{ drop: [part] }, { rename: { Id: key } }]");
        let arguments = ["run", "-q", "-k", "p.yaml"];
        Case::new(arguments).file("p.yaml", text).file("c.yaml", contract).engine().any_stderr()
    };
    let columns = "columns:\n  id: int\n  part: string\n  n: { type: int, nullable: false }\n";
    let outcome = case(&format!("version: 1\n{columns}key: [ID, part]\n")).code(1).run();
    let said = |outcome: &Outcome, step: &str| -> Vec<String> {
        let mut lines: Vec<String> = outcome
            .stderr
            .lines()
            .filter(|line| line.contains(&format!("{step}: `contract")))
            .map(|line| line.trim().to_owned())
            .collect();
        lines.sort();
        lines
    };
    for step in ["plain", "changed"] {
        assert_eq!(
            said(&outcome, step),
            [
                format!("failed  {step}: `contract: key: id, part` does not hold for 1 of 6 rows"),
                format!("failed  {step}: `contract: not_null: id` does not hold for 1 of 6 rows"),
                format!("failed  {step}: `contract: not_null: part` does not hold for 2 of 6 rows"),
            ],
            "{}",
            outcome.stderr
        );
    }
    let made: Vec<String> = outcome.files().into_iter().filter(|file| file.starts_with("out/")).collect();
    assert_eq!(made, Vec::<String>::new(), "nothing is made of them");
    let outcome = case(&format!("version: 1\n{columns}key: id\n")).code(1).run();
    assert_eq!(
        said(&outcome, "plain")[0],
        "failed  plain: `contract: key: id` does not hold for 3 of 6 rows"
    );
    let outcome = case(&format!("version: 1\n{columns}key: n\n")).run();
    assert_eq!(
        fs::read_to_string(outcome.path("out/later.csv")).unwrap(),
        "key,n\n1,1\n1,2\n1,3\n2,4\n2,5\n,6\n"
    );
}

/// A step that reads CSV with a contract of `a`, `b` and `c`.
fn csv(header: bool, extra: &str, lines: &str) -> Case {
    let text = format!(
        "version: 1\nsteps:\n  it:\n    read: {{ format: csv, path: in/*.csv, options: {{ header: {header}, mode: PERMISSIVE }} }}\n    \
         contract: {{ file: ../c.yaml{extra} }}\n    write: {{ csv: out.csv }}\n"
    );
    let contract = "version: 1\ncolumns: { a: int, b: string, c: date }\n";
    check(&text).file("c.yaml", contract).file("p/in/it.csv", lines)
}

const CSV: &str = "5:23 E031 the source of `it` is not as its contract says:";

#[test]
pub(crate) fn csv_is_compared_by_its_first_line() {
    for (header, lines) in [
        (true, "a,b,c\n1,x,2026-01-31\n"),
        (true, "\u{feff}\"A\",B,c\n"),
        (true, ""),
        (false, "1,\"x,y\",2026-01-31\n"),
        (false, ""),
    ] {
        assert_eq!(told(&csv(header, "", lines).run()), Vec::<String>::new(), "{lines}");
    }
    for (header, extra, lines, count, notes) in [
        (true, "", "a,c,b\n", 1, vec!["the header has the columns in another order: `a`, `c`, `b`"]),
        (true, "", "a,b\n", 1, vec!["`c` is missing in the header"]),
        (
            true,
            "",
            "a,bb,c\n",
            2,
            vec![
                "`b` is missing in the header; is it `bb`?",
                "`bb`, column 2 of the header, is not in the contract, and stands before columns that are",
            ],
        ),
        (true, "", "a,b,c,d\n", 1, vec!["`d`, column 4 of the header, is not in the contract"]),
        (
            true,
            ", extra: drop",
            "a,x,b,c\n",
            1,
            vec!["`x`, column 2 of the header, is not in the contract, and stands before columns that are"],
        ),
        (
            true,
            "",
            "b,a,x\n",
            3,
            vec![
                "`c` is missing in the header; is it `x`?",
                "`x`, column 3 of the header, is not in the contract",
                "the header has the columns in another order: `b`, `a`",
            ],
        ),
        (false, "", "1,x\n", 1, vec!["the first line of the data has 2 columns, the contract 3"]),
        (false, "", "1,x,y,z\n", 1, vec!["the first line of the data has 4 columns, the contract 3"]),
    ] {
        let s = if count == 1 { "" } else { "s" };
        let mut expected = vec![format!("{CSV} {count} difference{s}")];
        expected.extend(notes.iter().map(|note| format!("- {note}")));
        assert_eq!(told(&csv(header, extra, lines).code(78).run()), expected, "{lines}");
    }
}

#[test]
fn sail_can_not_leave_out_columns_of_csv() {
    let outcome = csv(true, ", extra: drop", "a,b,c,d\n").code(78).run();
    assert_eq!(
        told(&outcome),
        [&format!("{CSV} 1 difference"), "- `d`, column 4 of the header, is not in the contract"]
    );
    assert!(outcome.stderr.contains("can't leave out columns of CSV; Spark can"), "{}", outcome.stderr);
}

pub(crate) fn spark_leaves_out_columns_of_csv() {
    for (header, lines) in [(true, "a,b,c,d\n1,x,2026-01-31,4\n"), (false, "1,x,2026-01-31,4\n")] {
        let text = format!(
            "version: 1\nsteps:\n  it:\n    read: {{ format: csv, path: in.csv, options: {{ header: {header}, mode: PERMISSIVE }} }}\n    \
             contract: {{ file: c.yaml, extra: drop }}\n    write: {{ stdout: csv }}\n"
        );
        let case =
            Case::pipeline(&text).file("c.yaml", "version: 1\ncolumns: { a: int, b: string, c: date }\n");
        case.file("in.csv", lines).stdout("a,b,c\n1,x,2026-01-31\n").run();
    }
}

#[test]
pub(crate) fn json_is_read_with_its_contract() {
    let text = "version: 1\nsteps:\n  it:\n    read: { format: json, path: in.json }\n    contract: c.yaml\n    write: { stdout: csv }\n";
    let contract = "version: 1\ncolumns:\n  more: string\n  a: decimal(5,2)\n  s: struct<y:array<int>,x:string>\nextra: drop\n";
    Case::pipeline(&text.replace(
        "write: { stdout: csv }",
        "transform: [select: [more, a, s.x, \"s.y[1] AS y\"]]\n    write: { stdout: csv }",
    ))
    .file("c.yaml", contract)
    .file("in.json", "{\"a\": 1.5, \"s\": {\"x\": \"t\", \"y\": [1, 2]}, \"further\": 1}\n")
    .stdout("more,a,x,y\n,1.50,t,2\n")
    .run();
}

/// Steps that have every sort of source; each is given a contract that is inferred.
const SOURCES: [(&str, &str); 6] = [
    ("csv", "read: { format: csv, path: in.csv, options: { header: true } }"),
    ("json", "read: { format: json, path: in.json }"),
    ("typed", "read: { format: csv, path: in.csv, schema: \"a INT, b STRING\", options: { header: true } }"),
    ("values", "values: { columns: { id: \"decimal(7,3)\", at: timestamp_ntz }, rows: [] }"),
    ("range", "range: 3"),
    (
        "sql",
        "sql: \"SELECT id, array(named_struct('Zip Code', 1, 'ü', map('k', DATE'2026-01-01'))) AS `a.b: c`, CAST('x' AS BINARY) AS yes, \
         INTERVAL '1' DAY AS `1st`, TIMESTAMP'2026-01-01 00:00:00' AS at, CAST(NULL AS SMALLINT) AS `quote\\\"d` FROM range\"",
    ),
];

fn sources(is_promised: bool) -> String {
    let mut text = "version: 1\nsteps:\n".to_owned();
    for (name, source) in SOURCES {
        let contract = if is_promised { format!("    contract: {name}.yaml\n") } else { String::new() };
        text.push_str(&format!(
            "  {name}:\n    {source}\n{contract}    write: {{ parquet: out/{name}.parquet }}\n"
        ));
    }
    text
}

fn with_data(case: Case) -> Case {
    case.file("in.csv", "a,b\n1,x\n2,y\n").file("in.json", "{\"b\": 1.5, \"a\": {\"x\": [true]}}\n").engine()
}

#[test]
pub(crate) fn what_is_inferred_is_kept() {
    let mut case = with_data(Case::new(["run", "-q", "p.yaml"]).file("p.yaml", sources(true)));
    for (name, _) in SOURCES {
        let infer =
            with_data(Case::new(["contract", "infer", "-q", "p.yaml", name]).file("p.yaml", sources(false)));
        let outcome = infer.any_stdout().run();
        assert!(
            outcome
                .stdout
                .starts_with("# yaml-language-server: $schema=contract.schema.json\nversion: 1\ncolumns:\n"),
            "{}",
            outcome.stdout
        );
        let columns = match name {
            "json" => "  a: struct<x:array<boolean>>\n",
            "typed" => "  a: int\n  b: string\n",
            "values" => "  id: decimal(7,3)\n  at: timestamp_ntz\n",
            "range" => "  id: bigint\n",
            "sql" => {
                "  \"a.b: c\": array<struct<`Zip Code`:int,`ü`:map<string,date>>>\n  \"yes\": binary\n  \"1st\": interval day"
            }
            _ => "  b: string\n",
        };
        assert!(outcome.stdout.contains(columns), "{}", outcome.stdout);
        case = case.file(&format!("{name}.yaml"), &outcome.stdout);
    }
    let outcome = case.run();
    assert_eq!(outcome.files().iter().filter(|file| file.starts_with("out/")).count(), SOURCES.len());
}

#[test]
fn what_is_inferred_goes_into_a_file() {
    let infer = |arguments: &[&str]| {
        let text = "version: 1\nsteps:\n  it:\n    range: 3\n    contract: old.yaml\n    transform: [select: [id AS other]]\n    write: stdout\n";
        let all = ["contract", "infer"].iter().chain(arguments);
        Case::new(all)
            .file("p.yaml", text)
            .file("old.yaml", "version: 1\ncolumns: { other: string }\n")
            .engine()
    };
    let columns = "version: 1\ncolumns:\n  id: bigint\n";
    let outcome = infer(&["p.yaml", "IT", "--output", "new.yaml"]).any_stderr().run();
    assert!(fs::read_to_string(outcome.path("new.yaml")).unwrap().ends_with(columns));
    assert!(
        outcome.stderr.contains("`new.yaml` has the 1 column of the source of `IT`"),
        "{}",
        outcome.stderr
    );
    let outcome = infer(&["p.yaml", "it", "-o", "old.yaml"]).any_stderr().code(2).run();
    assert!(outcome.stderr.contains("`old.yaml` exists already"), "{}", outcome.stderr);
    assert!(fs::read_to_string(outcome.path("old.yaml")).unwrap().contains("other"));
    let outcome = infer(&["-q", "p.yaml", "it", "-o", "old.yaml", "--force"]).run();
    assert!(fs::read_to_string(outcome.path("old.yaml")).unwrap().ends_with(columns));
    for (arguments, code, message) in [
        (["p.yaml", "its", "-q"].as_slice(), 2, "error: there is no step `its` in `p.yaml`"),
        (&["it", "p.yaml", "-q"], 2, "the file comes first: `pipectl contract infer p.yaml it`"),
        (&["-q", "p.yaml", "it", "-o", "no/new.yaml"], 1, "there is no such folder"),
        (&["-q", "p.yaml", "it", "-o", "."], 2, "`.` is a folder"),
        (&["-q", "p.yaml", "it", "--force"], 2, "--output <PATH>"),
    ] {
        let outcome = infer(arguments).any_stderr().code(code).run();
        assert!(outcome.stderr.contains(message), "{}", outcome.stderr);
    }
}

#[test]
fn what_can_not_be_inferred_is_told() {
    let text = "version: 1\nsteps:\n  none:\n    read: { format: csv, path: none.csv }\n    write: stdout\n  wrong:\n    sql: SELECT oops FROM none\n    write: { csv: out.csv }\n";
    let infer = |step: &str, data: &str| {
        Case::new(["contract", "infer", "-q", "p.yaml", step])
            .file("p.yaml", text)
            .file(data, "")
            .engine()
            .any_stderr()
    };
    let outcome = infer("none", "other.csv").code(1).run();
    assert!(outcome.stderr.starts_with("error[E026]: the input of `none` is missing"), "{}", outcome.stderr);
    let outcome = infer("none", "none.csv").code(1).run();
    assert!(
        outcome.stderr.starts_with("error[E026]: the source of `none` has no columns"),
        "{}",
        outcome.stderr
    );
}
