//! `run`: what the engine's analysis finds wrong, all of it at its place, before anything is written.

use insta::assert_snapshot;

use crate::support::{Case, Outcome};

const PEOPLE: &str = "\
version: 1
steps:
  people:
    values: { columns: { id: int, name: string }, rows: [[1, Ann], [2, Bob]] }
";

/// Runs steps that are wrong; nothing is written.
fn refused(steps: &str) -> Outcome {
    let outcome = Case::pipeline(&format!("{PEOPLE}{steps}")).code(78).any_stderr().run();
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert_eq!(outcome.record()["exit_code"], 78);
    outcome
}

#[test]
fn every_step_of_a_chain_is_searched() {
    let outcome = refused(
        "
  grown:
    from: people
    transform: [filter: idd > 1]
  named:
    from: grown
    transform: [select: [id, upperr(name) AS n]]
  counted:
    from: named
    transform:
      - filter: n IS NOT NULL
      - aggregate: { by: [id], columns: { c: sum(nope) } }
    write: { parquet: out/counted.parquet }
",
    );
    assert_snapshot!(outcome.stderr, @"
    error[E024]: there is no column `idd`
     --> p.yaml:8:25
      |
    8 |     transform: [filter: idd > 1]
      |                         ^^^ not found in `people`
      |
      = help: did you mean `id`?

    error[E023]: there is no function `upperr`
      --> p.yaml:11:30
       |
    11 |     transform: [select: [id, upperr(name) AS n]]
       |                              ^^^^^^

    error[E024]: there is no column `nope`
      --> p.yaml:16:50
       |
    16 |       - aggregate: { by: [id], columns: { c: sum(nope) } }
       |                                                  ^^^^
       |
       = help: the columns are `id`, `n`

    error: the pipeline has 3 mistakes
    ");
    let record = outcome.record();
    let columns: Vec<_> = (0..3).map(|at| record["diagnostics"][at]["column"].as_u64()).collect();
    assert_eq!(columns, [Some(25), Some(30), Some(50)]);
}

#[test]
fn a_column_that_is_missing_is_told_wherever_it_stands() {
    let outcome = refused(
        "
  sorted:
    from: people
    transform: [sort: [nam DESC, id]]
    write: { parquet: out/1.parquet }
  joined:
    from: people
    transform:
      - join: { with: people, as: other, on: people.id = other.idx, how: semi }
    write: { parquet: out/2.parquet }
  queried:
    sql: |
      SELECT id, nme   -- the name
      FROM people;
      -- that is all
    write: { parquet: out/3.parquet }
  dropped:
    from: people
    transform:
      - drop: [idd]
      - rename: { nam: x }
      - filter: x > 1
    write: { parquet: out/4.parquet }
  recast:
    from: people
    transform: [cast: { iid: string }]
    write: { parquet: out/5.parquet }
  expected:
    from: people
    expect:
      - not_null: [nname]
      - that: idx > 3
    write: { parquet: out/6.parquet }
",
    );
    assert_snapshot!(outcome.stderr, @"
    error[E024]: there is no column `nam`
     --> p.yaml:8:24
      |
    8 |     transform: [sort: [nam DESC, id]]
      |                        ^^^ not found in `people`
      |
      = help: did you mean `name`?

    error[E024]: there is no column `idx`
      --> p.yaml:13:64
       |
    13 |       - join: { with: people, as: other, on: people.id = other.idx, how: semi }
       |                                                                ^^^ not found in `other`
       |
       = help: did you mean `id`?

    error[E024]: there is no column `nme`
      --> p.yaml:17:18
       |
    17 |       SELECT id, nme   -- the name
       |                  ^^^ not found in `people`
       |
       = help: did you mean `name`?

    error[E024]: there is no column `idd`
      --> p.yaml:24:16
       |
    24 |       - drop: [idd]
       |                ^^^
       |
       = help: did you mean `id`?

    error[E024]: there is no column `nam`
      --> p.yaml:25:19
       |
    25 |       - rename: { nam: x }
       |                   ^^^
       |
       = help: did you mean `name`?

    error[E024]: there is no column `iid`
      --> p.yaml:30:25
       |
    30 |     transform: [cast: { iid: string }]
       |                         ^^^
       |
       = help: did you mean `id`?

    error[E024]: there is no column `nname`
      --> p.yaml:35:20
       |
    35 |       - not_null: [nname]
       |                    ^^^^^
       |
       = help: did you mean `name`?

    error[E024]: there is no column `idx`
      --> p.yaml:36:15
       |
    36 |       - that: idx > 3
       |               ^^^ not found in `expected`
       |
       = help: did you mean `id`?

    error: the pipeline has 8 mistakes
    ");
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let outcome = refused(
        "
  joined:
    from: people
    transform: [join: { with: people, as: other, on: people.id = other.id }]
    write: { parquet: out/joined.parquet }
",
    );
    assert_snapshot!(outcome.stderr, @"
    error[E025]: `joined` would have several columns of the name `id`, `name`
     --> p.yaml:8:17
      |
    8 |     transform: [join: { with: people, as: other, on: people.id = other.id }]
      |                 ^^^^
      |
      = help: `rename` one of them before; what both sides of a join have, `using: [column]` has once

    error: the pipeline has 1 mistake
    ");
}

#[test]
fn a_union_of_other_columns_is_refused() {
    let outcome = refused(
        "
  others:
    values: { columns: { id: int, other: string }, rows: [[1, x]] }
  all:
    from: people
    transform: [union: others]
    write: { parquet: out/all.parquet }
",
    );
    assert_snapshot!(outcome.stderr, @"
    error[E023]: `others` has no column `name` for this union, and column `other` too much
      --> p.yaml:10:24
       |
    10 |     transform: [union: others]
       |                        ^^^^^^
       |
       = help: with `missing: null`, what one side lacks is NULL there

    error: the pipeline has 1 mistake
    ");
}

#[test]
fn a_table_that_is_unknown_is_refused() {
    let outcome = refused(
        "
  listed:
    table: nowhere.orders
    write: { parquet: out/1.parquet }
  queried:
    sql: SELECT * FROM ordersx WHERE not a or b
    write: { parquet: out/2.parquet }
",
    );
    assert_snapshot!(outcome.stderr, @"
    error[E023]: there is no table or view `nowhere.orders`
     --> p.yaml:7:12
      |
    7 |     table: nowhere.orders
      |            ^^^^^^^^^^^^^^

    error[E023]: there is no table or view `ordersx`
      --> p.yaml:10:24
       |
    10 |     sql: SELECT * FROM ordersx WHERE not a or b
       |                        ^^^^^^^

    error: the pipeline has 2 mistakes
    ");
}

#[test]
fn a_name_behind_a_condition_is_refused_without_an_engine() {
    let outcome = refused(
        "
  odd:
    from: people
    transform: [filter: id > 1 oops]
    write: stdout
",
    );
    assert_snapshot!(outcome.stderr, @"
    error[E017]: `oops` after a complete expression would be read as a name for it and dropped
     --> p.yaml:8:32
      |
    8 |     transform: [filter: id > 1 oops]
      |                                ^^^^ an operator is missing, or this is too much
      |
      = help: columns get names in `select`, and by the keys of `with_columns` and `aggregate`

    error: the pipeline has 1 mistake
    ");
}
