//! First rows, last rows and subtotals, written to files: rows that plans for files once lost or put in the wrong order.

use crate::support::Case;

/// Runs a pipeline; each of these CSV files must hold these lines, in this order.
fn holds(pipeline: &str, files: &[(&str, &str)]) {
    let outcome = Case::pipeline(pipeline).run();
    let mut wrong = Vec::new();
    for (name, lines) in files {
        let text = std::fs::read_to_string(outcome.path(&format!("out/{name}.csv"))).unwrap();
        let found: Vec<&str> = text.lines().skip(1).collect();
        if found != lines.split_whitespace().collect::<Vec<_>>() {
            wrong.push(format!("{name} holds {found:?} and not {lines:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
pub(crate) fn unions_of_constants_have_their_first_rows() {
    holds(
        "
version: 1
steps:
  s: { values: { columns: { price: int }, rows: [[1], [2], [3], [9], [4]] } }
  few: { values: { columns: { price: int }, rows: [[1], [2], [3]] } }
  web: { from: s, transform: [with_columns: { channel: \"'web'\", year: '2025' }] }
  shop: { from: s, transform: [with_columns: { channel: \"'shop'\", year: '2026' }] }
  all: { from: web, transform: [union: shop, select: [channel, year, price]] }
  odd: { from: s, transform: [with_columns: { k: price % 2 }, filter: k = 1] }
  even: { from: s, transform: [with_columns: { k: price % 2 }, filter: k = 0] }
  top: { from: all, transform: [select: [channel, price], sort: [channel, price], limit: 3], write: { csv: out/top.csv } }
  latest:
    from: all
    transform: [select: [year, price], sort: [year DESC, price DESC], limit: 3]
    write: { csv: out/latest.csv }
  filtered:
    from: all
    transform: [filter: price < 4, select: [channel, price], sort: [channel, price], limit: 4]
    write: { csv: out/filtered.csv }
  computed:
    from: all
    transform: [with_columns: { double: price * 2 }, select: [channel, double], sort: [channel, double DESC], limit: 3]
    write: { csv: out/computed.csv }
  joined:
    from: all
    transform: [join: { with: few, using: [price] }, select: [channel, price], sort: [channel, price], limit: 4]
    write: { csv: out/joined.csv }
  kept:
    from: all
    transform:
      - join: { with: few, using: [price], how: semi }
      - select: [channel, price]
      - sort: [channel, price]
      - limit: 4
    write: { csv: out/kept.csv }
  page:
    from: all
    transform: [select: [channel, price], sort: [channel, price], offset: 2, limit: 4]
    write: { csv: out/page.csv }
  last: { from: all, transform: [select: [channel, price], sort: [channel, price], tail: 6], write: { csv: out/last.csv } }
  unsorted:
    from: all
    transform: [sort: [channel, price], limit: 3, aggregate: { columns: { rows: count(*), total: sum(price) } }]
    write: { csv: out/unsorted.csv }
  keys_gone:
    from: all
    transform: [select: [channel, price], sort: [channel, price DESC], drop: [channel], limit: 3]
    write: { csv: out/keys_gone.csv }
  halves:
    from: even
    transform: [union: odd, select: [k, price], sort: [k, price], limit: 3]
    write: { csv: out/halves.csv }
  queried:
    sql: SELECT channel, price FROM all ORDER BY channel, price LIMIT 3
    write: { csv: out/queried.csv }
  queried_inside:
    from: web
    transform:
      - union: shop
      - sql: SELECT channel, price FROM input ORDER BY channel, price DESC LIMIT 2
    write: { csv: out/queried_inside.csv }
  of_all_partitions:
    from: all
    transform: [coalesce: 1, select: [channel, price], sort: [channel, price], limit: 3]
    write: { csv: out/of_all_partitions.csv }
",
        &[
            ("top", "shop,1 shop,2 shop,3"),
            ("latest", "2026,9 2026,4 2026,3"),
            ("filtered", "shop,1 shop,2 shop,3 web,1"),
            ("computed", "shop,18 shop,8 shop,6"),
            ("joined", "shop,1 shop,2 shop,3 web,1"),
            ("kept", "shop,1 shop,2 shop,3 web,1"),
            ("page", "shop,3 shop,4 shop,9 web,1"),
            ("last", "shop,9 web,1 web,2 web,3 web,4 web,9"),
            ("unsorted", "3,6"),
            ("keys_gone", "9 4 3"),
            ("halves", "0,2 0,4 1,1"),
            ("queried", "shop,1 shop,2 shop,3"),
            ("queried_inside", "shop,9 shop,4"),
            ("of_all_partitions", "shop,1 shop,2 shop,3"),
        ],
    );
}

#[test]
pub(crate) fn many_rows_of_unions_have_their_first_rows() {
    holds(
        "
version: 1
steps:
  d: { range: 50000, transform: [select: ['4 AS k', 'id * 7919 % 50021 AS v']] }
  c: { range: 50000, transform: [select: ['3 AS k', 'id * 7919 % 50021 AS v']] }
  b: { range: 50000, transform: [select: ['2 AS k', 'id * 7919 % 50021 + 9 AS v']] }
  a: { range: 50000, transform: [select: ['1 AS k', 'id * 7919 % 50021 + 99999 AS v']] }
  all: { from: d, transform: [union: [c, b, a]] }
  first: { from: all, transform: [sort: [k, v], limit: 2], write: { csv: out/first.csv } }
  last: { from: all, transform: [sort: [k, v DESC], tail: 2], write: { csv: out/last.csv } }
  behind:
    from: all
    transform: [sort: [k, v], offset: 199998, aggregate: { columns: { rows: count(*), k: max(k), v: min(v) } }]
    write: { csv: out/behind.csv }
",
        // Residues below 50021, each at most once.
        &[("first", "1,99999 1,100000"), ("last", "4,1 4,0"), ("behind", "2,4,50019")],
    );
}

/// Subtotals over a key that a filter or a literal has pinned to one value, and what else reads them.
const SUBTOTALS: &str = "
version: 1
steps:
  sales: { values: { columns: { state: string, item: int, price: int }, rows: [[TN, 1, 10], [TN, 2, 20], [KY, 1, 5]] } }
  names: { values: { columns: { state: string, name: string }, rows: [[TN, Tennessee]] } }
  tn: { from: sales, transform: [filter: state = 'TN'] }
  literal: { from: tn, transform: [with_columns: { state: \"'TN'\" }] }
  totals:
    from: tn
    transform: [aggregate: { rollup: [state], columns: { total: sum(price) } }, sort: [state DESC]]
    write: { csv: out/totals.csv }
  first:
    from: literal
    transform: [aggregate: { rollup: [state], columns: { total: sum(price) } }, sort: [state DESC], limit: 1]
    write: { csv: out/first.csv }
  numbered:
    from: tn
    transform:
      - aggregate: { cube: [state, item], columns: { total: sum(price) } }
      - window: { order: [state DESC, item DESC], columns: { n: row_number() } }
      - select: [n, state, item]
      - sort: [n]
    write: { csv: out/numbered.csv }
  in_parts:
    from: literal
    transform:
      - aggregate: { cube: [state, item], columns: { total: sum(price) } }
      - window: { by: [state], order: [item DESC], columns: { n: row_number() } }
      - select: [state, n, item]
      - sort: [state DESC, n]
    write: { csv: out/in_parts.csv }
  by_item:
    from: tn
    transform:
      - aggregate: { cube: [state, item], columns: { total: sum(price) } }
      - window: { by: [item], order: [state DESC], columns: { n: rank() } }
      - select: [item, n, state]
      - sort: [item, n]
    write: { csv: out/by_item.csv }
  chosen:
    from: tn
    transform:
      - aggregate: { by: [state, item], grouping_sets: [[item], [state], []], columns: { total: sum(price) } }
      - sort: [state DESC, item]
    write: { csv: out/chosen.csv }
  computed:
    from: tn
    transform:
      - aggregate: { rollup: [lower(state) AS state, item], columns: { total: sum(price), set: grouping_id() } }
      - sort: [state DESC, item DESC]
    write: { csv: out/computed.csv }
  of_a_path:
    from: tn
    transform:
      - join: { with: names, on: tn.state = names.state }
      - aggregate:
          rollup: [names.name, tn.state]
          columns: { total: sum(price), all: grouping(names.name), label: \"coalesce(names.name, 'all')\" }
          having: grouping(tn.state) = 1
      - sort: [name DESC]
    write: { csv: out/of_a_path.csv }
  missing:
    from: tn
    transform:
      - aggregate: { cube: [state, item], columns: { total: sum(price) } }
      - filter: state IS NULL AND item IS NOT NULL
      - sort: [item]
    write: { csv: out/missing.csv }
  joined:
    from: tn
    transform:
      - aggregate: { cube: [state, item], columns: { total: sum(price) } }
      - join: { with: names, using: [state], how: left }
      - select: [name, item, total]
      - sort: [name, item]
    write: { csv: out/joined.csv }
  again:
    from: tn
    transform:
      - aggregate: { cube: [state, item], columns: { total: sum(price) } }
      - aggregate: { by: [state], columns: { groups: count(*) } }
      - sort: [state DESC]
    write: { csv: out/again.csv }
  different:
    from: literal
    transform:
      - aggregate: { cube: [state, item], columns: { total: sum(price) } }
      - select: [state]
      - distinct
      - select: [\"coalesce(state, 'none') AS state\"]
      - sort: [state]
    write: { csv: out/different.csv }
  kept:
    from: literal
    transform:
      - aggregate: { rollup: [state, item], columns: { total: sum(price) } }
      - dedupe: { by: [item], order: [state] }
      - select: [item, \"coalesce(state, 'all') AS state\"]
      - sort: [item]
    write: { csv: out/kept.csv }
";

#[test]
pub(crate) fn subtotals_of_constant_keys_are_sorted_and_ranked() {
    holds(
        SUBTOTALS,
        &[
            ("totals", "TN,30 ,30"),
            ("first", "TN,30"),
            ("numbered", "1,TN,2 2,TN,1 3,TN, 4,,2 5,,1 6,,"),
            ("in_parts", "TN,1,2 TN,2,1 TN,3, ,1,2 ,2,1 ,3,"),
            ("by_item", ",1,TN ,2, 1,1,TN 1,2, 2,1,TN 2,2,"),
            ("chosen", "TN,,30 ,,30 ,1,10 ,2,20"),
            ("computed", "tn,2,20,0 tn,1,10,0 tn,,30,1 ,,30,3"),
            ("of_a_path", "Tennessee,,30,0,Tennessee ,,30,1,all"),
            ("missing", ",1,10 ,2,20"),
            ("joined", ",,30 ,1,10 ,2,20 Tennessee,,30 Tennessee,1,10 Tennessee,2,20"),
            ("again", "TN,3 ,3"),
            ("different", "TN none"),
            ("kept", ",all 1,TN 2,TN"),
        ],
    );
}

#[test]
pub(crate) fn many_groups_of_a_constant_key_come_once() {
    holds(
        "
version: 1
steps:
  many: { range: { end: 200000, partitions: 8 }, transform: [select: [\"'TN' AS state\", 'id % 50000 AS item']] }
  cubed:
    from: many
    transform:
      - aggregate: { cube: [state, item], columns: { rows: count(*) } }
      - aggregate: { columns: { groups: count(*), rows: sum(rows) } }
    write: { csv: out/cubed.csv }
  rolled:
    from: many
    transform:
      - aggregate: { rollup: [upper(state) AS state, item], columns: { rows: count(*) } }
      - aggregate: { columns: { groups: count(*), rows: sum(rows) } }
    write: { csv: out/rolled.csv }
",
        // Each item with and without the state, the state, and all; each row in each set.
        &[("cubed", "100002,800000"), ("rolled", "50002,600000")],
    );
}

#[test]
pub(crate) fn rows_behind_an_offset_are_those_of_its_sort() {
    holds(
        "
version: 1
steps:
  left: { values: { columns: { k: int }, rows: [[3]] } }
  t: { values: { columns: { k: int, d: int }, rows: [[1, 5], [3, 6], [2, 4]] } }
  rest: { from: t, transform: [sort: [d], offset: 2] }
  kept: { from: left, transform: [join: { with: rest, using: [k], how: semi }], write: { csv: out/kept.csv } }
  ranked:
    from: t
    transform: [sort: [k DESC], offset: 2, window: { order: [d], columns: { n: rank() } }]
    write: { csv: out/ranked.csv }
  many: { range: { end: 2000, partitions: 4 }, transform: [select: [id AS k, id * 7919 % 2003 AS d]] }
  sorted_again: { from: many, transform: [sort: [d], offset: 1998, sort: [k]], write: { csv: out/sorted_again.csv } }
  least: { from: many, transform: [sort: [d], offset: 1990, sort: [k], limit: 1], write: { csv: out/least.csv } }
  summed:
    from: many
    transform: [sort: [d], offset: 1998, aggregate: { columns: { rows: count(*), total: sum(d) } }]
    write: { csv: out/summed.csv }
  united:
    from: many
    transform: [sort: [d], offset: 1998, select: [d], union: left_d, distinct, sort: [d]]
    write: { csv: out/united.csv }
  left_d: { values: { columns: { d: bigint }, rows: [[3]] } }
  two_offsets:
    from: many
    transform: [sort: [d], offset: 1000, sort: [d DESC], offset: 998, select: [d], sort: [d]]
    write: { csv: out/two_offsets.csv }
  limit_first:
    from: many
    transform: [sort: [d], limit: 5, offset: 3, window: { order: [d DESC], columns: { n: row_number() } }, select: [d, n], sort: [n]]
    write: { csv: out/limit_first.csv }
  limit_last:
    from: many
    transform: [sort: [d], offset: 3, limit: 2, window: { order: [d DESC], columns: { n: row_number() } }, select: [d, n], sort: [n]]
    write: { csv: out/limit_last.csv }
  limited: { from: many, transform: [sort: [d DESC], limit: 3, sort: [k], limit: 2, select: [d], sort: [d]], write: { csv: out/limited.csv } }
  keys_gone:
    from: many
    transform: [sort: [d], drop: [d], offset: 1998, aggregate: { columns: { least: min(k), rows: count(*) } }]
    write: { csv: out/keys_gone.csv }
  one_by_one:
    from: t
    transform: [sort: [k], offset: 1, offset: 1, join: { with: left, using: [k] }]
    write: { csv: out/one_by_one.csv }
",
        // Each residue below 2003 occurs once, but for those of 2000, 2001 and 2002, which are 279, 186 and 93.
        &[
            ("kept", "3"),
            ("ranked", "1,5,1"),
            ("sorted_again", "280,2002 560,2001"),
            ("least", "237,1995"),
            ("summed", "2,4003"),
            ("united", "3 2001 2002"),
            ("two_offsets", "1003 1004"),
            ("limit_first", "4,1 3,2"),
            ("limit_last", "4,1 3,2"),
            ("limited", "2001 2002"),
            ("keys_gone", "280,2"),
            ("one_by_one", "3,6"),
        ],
    );
}

#[test]
pub(crate) fn a_second_limit_behind_another_sort_holds() {
    holds(
        "
version: 1
steps:
  s: { range: { end: 1000, partitions: 4 }, transform: [with_columns: { a: id % 7, c: id % 13 }] }
  again:
    from: s
    transform: [sort: [c, id], limit: 20, sort: [a], select: [c, id], sort: [c, id], limit: 3]
    write: { csv: out/again.csv }
  read:
    from: s
    transform: [sort: [c, id], limit: 20, sort: [a], drop: [a]]
  of_a_step:
    from: read
    transform: [sort: [c, id], limit: 2]
    write: { csv: out/of_a_step.csv }
  last:
    from: s
    transform: [sort: [c, id], tail: 20, sort: [a], drop: [a], sort: [c, id], tail: 3]
    write: { csv: out/last.csv }
",
        &[("again", "0,0 0,13 0,26"), ("of_a_step", "0,0 13,0"), ("last", "961,12 974,12 987,12")],
    );
}

#[test]
pub(crate) fn last_rows_are_last_in_every_output() {
    holds(
        "
version: 1
steps:
  people: { values: { columns: { name: string, age: int }, rows: [[Ann, 34], [Bob, 12], [Cem, null], [Dan, 7]] } }
  last_two: { from: people, transform: [sort: [name], tail: 2], write: { csv: out/last_two.csv } }
  nulls_last: { from: people, transform: [sort: [age DESC], tail: 2], write: { csv: out/nulls_last.csv } }
  nulls_first: { from: people, transform: [sort: [age], tail: 3], write: { csv: out/nulls_first.csv } }
  nulls_asked: { from: people, transform: [sort: [age NULLS LAST], tail: 2], write: { csv: out/nulls_asked.csv } }
  ten: { range: 10 }
  last_ten: { from: ten, transform: [sort: [id], tail: 2], write: { csv: out/last_ten.csv } }
  many: { range: { end: 100000, partitions: 8 }, transform: [with_columns: { v: id * 7919 % 100003 }] }
  last_many: { from: many, transform: [select: [v], sort: [v], tail: 3], write: { csv: out/last_many.csv } }
  counted: { from: many, transform: [tail: 70001, aggregate: { columns: { rows: count(*) } }], write: { csv: out/counted.csv } }
  input:
    from: people
    transform: [join: { with: last_people, using: [name] }, select: [name, age], sort: [name]]
    write: { csv: out/input.csv }
  last_people: { from: people, transform: [sort: [name], tail: 2, select: [name]] }
  united:
    from: people
    transform: [union: older, sort: [name, age], tail: 3]
    write: { csv: out/united.csv }
  older: { from: people, transform: [with_columns: { age: age + 50 }] }
  twice: { from: many, transform: [select: [v], sort: [v], tail: 5, sort: [v DESC], tail: 2], write: { csv: out/twice.csv } }
  more_than_all: { from: people, transform: [sort: [name], tail: 9, limit: 1], write: { csv: out/more_than_all.csv } }
  keys_gone: { from: many, transform: [sort: [v], drop: [v], tail: 1], write: { csv: out/keys_gone.csv } }
  none: { from: people, transform: [sort: [name], tail: 0], write: { csv: out/none.csv } }
",
        &[
            ("last_two", "Cem, Dan,7"),
            ("nulls_last", "Dan,7 Cem,"),
            ("nulls_first", "Dan,7 Bob,12 Ann,34"),
            ("nulls_asked", "Ann,34 Cem,"),
            ("last_ten", "8 9"),
            ("last_many", "100000 100001 100002"),
            ("counted", "70001"),
            ("input", "Cem, Dan,7"),
            ("united", "Cem, Dan,7 Dan,57"),
            ("twice", "99999 99998"),
            ("more_than_all", "Ann,34"),
            ("keys_gone", "52685"),
            ("none", ""),
        ],
    );
}
