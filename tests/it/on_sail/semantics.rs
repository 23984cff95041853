//! `run`: each kind of source and transform gives on Sail what its documentation says.

use crate::support::{Case, Outcome};

/// A few people, one of them hard to write.
const PEOPLE: &str = "\
version: 1
vars:
  who: { type: string, default: \"O'Brien\" }
  ids: { type: array<int>, default: [1, 3] }
  least: { type: int, default: 2 }
  column: { type: identifier, default: name }
  day: { type: date, default: 2026-01-31 }
  used: { type: string, default: x }
steps:
  people:
    description: in ${used}, ${who}, ${ids}, ${least}, ${column} and ${day}
    values:
      columns: { id: int, name: string, score: \"decimal(5,2)\", boss: int }
      rows:
        - [1, \"O'Brien\", 1.50, null]
        - [2, 'x\"y', null, 1]
        - [3, null, 9.99, 1]
        - [4, 'b\\s', 2.25, 2]
";

/// What steps print.
fn printed(steps: &str) -> String {
    let text = format!("{PEOPLE}{steps}");
    let outcome: Outcome = Case::pipeline(&text).any_stdout().run();
    outcome.stdout.clone()
}

/// What one step over the people prints, given its transforms.
fn people(transforms: &str) -> String {
    printed(&format!(
        "  shown:\n    from: people\n    transform:\n{transforms}\n    write: {{ stdout: csv }}\n"
    ))
}

#[test]
pub(crate) fn a_doubled_quote_is_a_quote() {
    assert_eq!(people("      - filter: \"name = 'O''Brien'\"\n      - select: id"), "id\n1\n");
}

#[test]
pub(crate) fn sorting_downwards_puts_nothing_last() {
    for (keys, ids) in [
        ("score DESC", [3, 4, 1, 2]),
        ("score DESC NULLS FIRST", [2, 3, 4, 1]),
        ("score", [2, 1, 4, 3]),
        ("boss, id DESC", [1, 3, 2, 4]),
    ] {
        let rows = people(&format!("      - select: [id, score, boss]\n      - sort: [{keys}]"));
        let found: Vec<i32> =
            rows.lines().skip(1).map(|row| row.split(',').next().unwrap().parse().unwrap()).collect();
        assert_eq!(found, ids, "{keys}");
    }
}

#[test]
pub(crate) fn joins_keep_the_rows_that_they_say() {
    let join = |settings: &str, rest: &str| {
        people(&format!("      - join: {{ with: people, as: other, {settings} }}\n{rest}      - sort: id"))
    };
    let own = "      - select: [people.id, other.name]\n";
    let on = "on: people.boss = other.id";
    assert_eq!(join(on, own), "id,name\n2,O'Brien\n3,O'Brien\n4,\"x\"\"y\"\n");
    assert_eq!(join(&format!("{on}, how: left"), own), "id,name\n1,\n2,O'Brien\n3,O'Brien\n4,\"x\"\"y\"\n");
    let of_both = "      - select: [\"coalesce(people.id, 100 + other.id) AS id\", other.name]\n";
    assert_eq!(
        join(&format!("{on}, how: full"), of_both),
        "id,name\n1,\n2,O'Brien\n3,O'Brien\n4,\"x\"\"y\"\n103,\n104,b\\s\n"
    );
    let ids = "      - select: id\n";
    assert_eq!(join("on: people.id = other.boss, how: semi", ids), "id\n1\n2\n");
    assert_eq!(join("on: people.id = other.boss, how: anti", ids), "id\n3\n4\n");
    assert_eq!(
        people(
            "      - join: { with: people, as: other, how: cross }\n      - aggregate: { columns: { n: count(*) } }"
        ),
        "n\n16\n"
    );
    let using =
        "      - select: [id, name]\n      - join: { with: more, using: id, how: full }\n      - sort: id";
    assert_eq!(
        printed(&format!(
            "  more: {{ range: {{ start: 3, end: 6 }} }}\n  shown:\n    from: people\n    transform:\n{using}\n    write: {{ stdout: csv }}\n"
        )),
        "id,name\n1,O'Brien\n2,\"x\"\"y\"\n3,\n4,b\\s\n5,\n"
    );
}

#[test]
pub(crate) fn unions_match_columns_as_they_say() {
    let rows = printed(
        "
  one:
    values: { columns: { id: int, name: string }, rows: [[1, a]] }
  turned:
    values: { columns: { name: string, id: int }, rows: [[b, 2]] }
  other:
    values: { columns: { id: int, more: string }, rows: [[3, c]] }
  by_name:
    from: one
    transform: [union: turned, sort: id]
    write: { stdout: csv }
  by_position:
    from: one
    transform: [union: { with: other, by: position }, sort: id]
    write: { stdout: csv }
  filled:
    from: one
    transform: [union: { with: [turned, other], missing: null }, sort: id]
    write: { stdout: csv }
  doubled:
    from: one
    transform: [union: one]
    write: { stdout: csv }
",
    );
    let by_name = "id,name\n1,a\n2,b\n";
    let by_position = "id,name\n1,a\n3,c\n";
    let filled = "id,name,more\n1,a,\n2,b,\n3,,c\n";
    assert_eq!(rows, format!("{by_name}{by_position}{filled}id,name\n1,a\n1,a\n"));
}

#[test]
pub(crate) fn values_have_every_type() {
    let outcome = Case::pipeline(
        "\
version: 1
steps:
  all:
    values:
      columns:
        b: boolean
        i8: tinyint
        i16: smallint
        i32: int
        i64: bigint
        f: float
        d: double
        dec: decimal(38,6)
        s: string
        bin: binary
        day: date
        ts: timestamp
        tn: timestamp_ntz
      rows:
        - [true, -128, 32767, 1, 9223372036854775807, 1.5, NaN, 12345678901234567890123456789012.123456, \"\", abc,
           0001-01-01, \"2026-03-29T02:30:00+02:00\", 9999-12-31 23:59:59.999999]
        - [null, null, null, null, null, null, null, null, null, null, null, null, null]
    write: [stdout: ndjson, stdout: csv]
",
    )
    .stdout(concat!(
        r#"{"b":true,"i8":-128,"i16":32767,"i32":1,"i64":9223372036854775807,"f":1.5,"d":"NaN","#,
        r#""dec":12345678901234567890123456789012.123456,"s":"","bin":"616263","day":"0001-01-01","#,
        r#""ts":"2026-03-29T00:30:00Z","tn":"9999-12-31T23:59:59.999999"}"#,
        "\n",
        r#"{"b":null,"i8":null,"i16":null,"i32":null,"i64":null,"f":null,"d":null,"dec":null,"s":null,"#,
        r#""bin":null,"day":null,"ts":null,"tn":null}"#,
        "\n",
        "b,i8,i16,i32,i64,f,d,dec,s,bin,day,ts,tn\n",
        "true,-128,32767,1,9223372036854775807,1.5,NaN,12345678901234567890123456789012.123456,\"\",616263,",
        "0001-01-01,2026-03-29T00:30:00Z,9999-12-31T23:59:59.999999\n",
        ",,,,,,,,,,,,\n",
    ));
    outcome.run();
}

#[test]
pub(crate) fn ranges_begin_and_end_where_they_say() {
    for (range, ids) in [
        ("3", "0\n1\n2\n"),
        ("{ end: 3, partitions: 2 }", "0\n1\n2\n"),
        ("{ start: 2, end: 4 }", "2\n3\n"),
        ("{ start: 10, end: 4, step: -3 }", "10\n7\n"),
        ("{ start: 5, end: 5 }", ""),
    ] {
        let rows = printed(&format!("  shown: {{ range: {range}, write: {{ stdout: csv }} }}\n"));
        // Partitions have no order among them.
        let mut rows: Vec<&str> = rows.lines().skip(1).collect();
        let mut ids: Vec<&str> = ids.lines().collect();
        rows.sort_unstable();
        ids.sort_unstable();
        assert_eq!(rows, ids, "{range}");
    }
}

#[test]
pub(crate) fn queries_name_steps_and_take_variables() {
    let rows = printed(
        "
  bound:
    sql: |
      -- FROM nothing; neither FROM people
      SELECT ${column} AS n, id FROM people /* JOIN nobody */
      WHERE id IN ${ids} AND id < ${least} + 10 AND name <=> ${who}
      ORDER BY id DESC; -- the end;
  joined:
    sql: \"SELECT b.n, p.id FROM bound AS b JOIN people p ON p.boss = b.id WHERE 'FROM x' <> '' ORDER BY 2 DESC ;\"
    write: { stdout: csv }
  from_a_file:
    sql: { file: query.sql, inputs: [people] }
    write: { stdout: csv }
"
        .replace("file: query.sql, inputs: [people]", "query: SELECT max(id) AS m FROM people, inputs: [people]")
        .as_str(),
    );
    assert_eq!(rows, "n,id\nO'Brien,3\nO'Brien,2\nm\n4\n");
}

#[test]
pub(crate) fn new_columns_see_the_input_alone() {
    let rows = people(
        "      - with_columns: { id: id + 100, plus: id + 1 }\n      - select: [id, plus]\n      - sort: id",
    );
    assert_eq!(rows, "id,plus\n101,2\n102,3\n103,4\n104,5\n");
}

#[test]
pub(crate) fn variables_are_values_in_expressions() {
    let rows = people(
        "      - filter: id >= ${least} AND id NOT IN ${ids} OR name = ${who}\n      - select: [id, \"date_add(${day}, 1) AS next\", \"${column}\"]\n      - sort: id",
    );
    assert_eq!(rows, "id,next,name\n1,2026-02-01,O'Brien\n2,2026-02-01,\"x\"\"y\"\n4,2026-02-01,b\\s\n");
}

#[test]
pub(crate) fn csv_is_read_with_its_quotes_and_its_contract() {
    let case = Case::pipeline(
        "\
version: 1
steps:
  people:
    read: { format: csv, path: \"in/*.csv\", options: { header: true } }
    contract: people.yaml
    transform:
      - with_columns: { next: id + 1 }
      - sort: id
    write: { stdout: ndjson }
",
    )
    .file("people.yaml", "version: 1\ncolumns: { id: int, said: string, due: date }\n")
    .file("in/a.csv", "id,said,due\n1,\"a \"\"q\"\", b\",2026-01-31\n")
    .file("in/b.csv", "id,said,due\n2,\"back\\slash\",\n");
    case.stdout(concat!(
        r#"{"id":1,"said":"a \"q\", b","due":"2026-01-31","next":2}"#,
        "\n",
        r#"{"id":2,"said":"back\\slash","due":null,"next":3}"#,
        "\n"
    ))
    .run();
}

#[test]
pub(crate) fn the_other_transforms_do_as_they_say() {
    for (transforms, rows) in [
        (
            "      - select: [boss IS NULL AS none]\n      - distinct\n      - sort: none",
            "none\nfalse\ntrue\n",
        ),
        (
            "      - cast: { id: string, score: double }\n      - select: [typeof(id) AS a, typeof(score) AS b]\n      - limit: 1",
            "a,b\nstring,double\n",
        ),
        ("      - aggregate: { columns: { n: count(*), s: sum(score) } }", "n,s\n4,13.74\n"),
        (
            "      - aggregate: { by: [boss], columns: { n: count(*) } }\n      - sort: [boss NULLS FIRST]",
            "boss,n\n,1\n1,2\n2,1\n",
        ),
        (
            "      - aggregate: { by: [id % 2 AS odd], columns: { n: count(*) } }\n      - sort: odd",
            "odd,n\n0,2\n1,2\n",
        ),
        (
            "      - rename: { id: key, name: id }\n      - drop: [score, boss]\n      - sort: key\n      - limit: 1",
            "key,id\n1,O'Brien\n",
        ),
    ] {
        assert_eq!(people(transforms), rows, "{transforms}");
    }
}

#[test]
pub(crate) fn no_rows_still_have_columns() {
    let steps = "  none:\n    from: people\n    transform: [filter: id > 100]\n    write: [stdout: csv, parquet: out/none.parquet]\n";
    let outcome = Case::pipeline(&format!("{PEOPLE}{steps}")).stdout("id,name,score,boss\n").run();
    assert_eq!(outcome.parquet("out/none.parquet"), "id,name,score,boss\n");
}
