//! `help`, and the reference: each of its pages can be asked for, and each of its examples gives on every engine what the page shows.

use std::fs;

use insta::assert_snapshot;

use crate::support::Case;

pub(crate) const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
/// Pages whose examples need what no engine has here: they are refused where they stand.
pub(crate) const REFUSED: [&str; 1] = ["Source `extension`"];

fn help(topic: &str) -> String {
    Case::new(["help"]).args(topic.split_whitespace()).any_stdout().run().stdout.clone()
}

#[test]
fn the_reference_is_the_one_of_this_version() {
    let committed = fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(
        help("reference") == committed,
        "`docs/reference.md` is out of date; write it again with `cargo run -- help reference > docs/reference.md`"
    );
    let headings: Vec<String> = committed
        .lines()
        .filter_map(|line| line.strip_prefix("### ").or_else(|| line.strip_prefix("## ")))
        .map(|heading| heading.to_lowercase().replace('`', "").replace(' ', "-"))
        .collect();
    let contents = committed.split("\n## Contents\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let links: Vec<&str> =
        contents.lines().filter_map(|line| line.split_once("](#")?.1.split(')').next()).collect();
    assert!(links.len() > 30, "{contents}");
    for link in links {
        assert!(headings.iter().any(|heading| heading == link), "`#{link}` leads nowhere");
    }
}

#[test]
fn help_of_verbs_is_that_of_their_flag() {
    for verb in ["", "run", "engine", "engine install", "help"] {
        let words: Vec<&str> = verb.split_whitespace().collect();
        let flag = Case::new(words.iter().chain(&["--help"])).any_stdout().run().stdout.clone();
        // Each run has an environment of its own.
        let without =
            |text: &str| text.lines().filter(|line| !line.contains("[env:")).collect::<Vec<_>>().join("\n");
        assert_eq!(without(&help(verb)), without(&flag), "{verb}");
    }
    let completions = Case::new(["completions", "bash"]).any_stdout().run().stdout.clone();
    assert!(completions.contains("pipectl__subcmd__help"), "{completions}");
}

#[test]
fn help_of_steps_lists_all_kinds() {
    assert_snapshot!(help("transform"), @r#"
    Transforms:
      filter           Keeps the rows for which a condition is true; rows for which
                       it is false or NULL go
      select           Makes the columns of the result, in this order:
                       `[id, price * 2 AS double_price, "*"]`
      with_columns     Adds columns, or replaces those of the same name:
                       `name: expression`
      rename           Gives columns new names: `old: new`
      drop             Removes columns, by their plain names
      cast             Changes the types of columns: `column: type`, as in
                       `price: decimal(12,2)`
      join             Brings the rows of another step beside those of this one
      asof_join        Brings the nearest row of another step beside each row: to
                       each trade the last quote before it
      lateral_join     Brings rows that depend on a row beside it: the best ones of
                       another step, or what a function makes of it
      nearest_by_join  Brings the rows of another step for which an expression is
                       smallest beside each row: three nearest shops
      zip              Puts the columns of another step beside those of this one,
                       row by row; both have made them of the same rows
      union            Adds the rows of other steps; rows that occur several times
                       are kept
      intersect        Keeps the rows that other steps have too, each once
      except           Removes the rows that other steps have, and keeps the others,
                       each once
      aggregate        Makes one row for each group: its keys, then the aggregates
      pivot            Makes columns of a column's values: one row for each group,
                       and in it an aggregate for each value
      unpivot          Makes rows of columns: one for each row and column, with the
                       column's name and its value
      transpose        Makes rows of columns and columns of rows, for small tables
      window           Adds columns that are worked out over the rows around each
                       row: ranks, running totals, the row before
      sort             Puts all rows in order, by the first key, then by the next:
                       `[revenue DESC, name]`
      limit            Keeps this many rows: the first ones after a `sort`, any
                       without
      offset           Passes over this many rows and keeps all others: over the
                       first ones after a `sort`, over any without
      tail             Keeps this many rows: the last ones after a `sort`, any
                       without
      sample           Keeps a share of the rows, by chance
      sample_by        Keeps, by chance, another share of the rows for each value of
                       a column: a stratified sample
      repartition      Spreads rows over partitions, which engines work on side by
                       side
      coalesce         Brings rows into at most this many partitions, without
                       spreading them anew: `coalesce: 1`
      fill_nulls       Puts a value where there is none:
                       `fill_nulls: { column: value }`, or `0` for all columns that
                       it fits
      drop_nulls       Removes rows that have NULL in any column: `- drop_nulls`; or
                       in any of these: `drop_nulls: [a, b]`
      replace          Puts values for others, in the columns that are named, or in
                       all that the values fit
      distinct         Keeps one of rows that are equal in all columns
      alias            Gives the rows a name, by which expressions call their
                       columns from here on: `alias: o`, then `o.id`
      hint             Tells the engine how to go about its work; the rows stay as
                       they are
      to_schema        Brings the rows into a schema: these columns, in this order,
                       with these types; all others are gone
      to_df            Gives all columns new names, by their order:
                       `to_df: [id, name]`
      sql              Puts a query over the rows so far, which it calls `input`:
                       `sql: SELECT … FROM input`
      dedupe           Keeps one row of each group of rows that are equal in these
                       columns
      parse            Makes columns of texts that hold CSV or JSON
      describe         Makes five rows that say what columns hold: `count`, `mean`,
                       `stddev`, `min` and `max`, in this order
      summary          Makes a row for each statistic of columns:
                       `summary: [count, min, 25%, max]`
      corr             Makes one row with the correlation of two columns of numbers,
                       from -1 to 1
      cov              Makes one row with the covariance of two columns of numbers,
                       that of a sample
      crosstab         Counts how often each value of one column meets each value of
                       another
      freq_items       Makes one row with the values that columns have often, an
                       array for each: `town_freqItems` for `town`
      approx_quantile  Makes a row for each probability: the value of each column
                       below or at which that part of its rows lies
    "#);
    let all = help("step");
    let reference = help("reference");
    for heading in reference.lines().filter_map(|line| line.strip_prefix("### ")) {
        let Some((family, key)) = heading.split_once(" `") else { continue };
        let key = key.trim_end_matches('`');
        assert!(all.lines().any(|line| line.starts_with(&format!("  {key} "))), "`{key}` is not listed");
        let page = help(&format!("{family} {key}").to_lowercase());
        assert!(page.starts_with(&format!("{heading}\n")), "{page}");
        assert!(help(key).contains(&page) && help(&format!("step {key}")).contains(&page), "{key}");
        assert!(
            page.lines().filter(|line| !line.starts_with("    ")).all(|line| line.chars().count() <= 80),
            "{page}"
        );
    }
}

#[test]
fn a_page_tells_all_of_a_kind() {
    assert_snapshot!(help("step limit"), @r"
    Transform `limit`

    Keeps this many rows: the first ones after a `sort`, any without.

    Which rows an engine takes without a `sort` may differ from run to run.

    Value: whole number from 0 to 2147483647

    Example:

        version: 1
        steps:
          people:
            values:
              columns: { name: string, age: int }
              rows:
                - [Ann, 34]
                - [Bob, 12]
                - [Cem, null]
          oldest:
            from: people
            transform:
              - sort: [age DESC]
              - limit: 1
            write: stdout

    What it prints:

        name | age
        -----+----
        Ann  |  34
    ");
    assert_snapshot!(help("timeout"), @r"
    A step, key `timeout`

      timeout: length of time
          How long each action of the step may take, the engine's work and the
          writing: `90s`, `5m`, `1h30m`. After that it is interrupted, nothing of
          its output is left, and the step has failed.
    ");
}

#[test]
fn other_topics_have_pages() {
    for (topic, text) in [
        ("vars", "--var name=value"),
        ("variables", "--var name=value"),
        ("pipeline", "artifacts: list"),
        ("project", "targets.NAME.token: text"),
        ("write", "parquet"),
        ("write parquet", "row_group_size"),
        ("expect", "not_null"),
        ("source sql", "QUALIFY"),
    ] {
        assert!(help(topic).contains(text), "{topic}: {}", help(topic));
    }
}

#[test]
fn a_topic_that_is_none_is_2_with_what_is_near() {
    let said = |topic: &str| {
        let case = Case::new(["help"]).args(topic.split_whitespace()).code(2).any_stderr();
        format!("$ help {topic}\n{}", case.run().stderr)
    };
    let topics =
        ["fliter", "step agregate", "write parqet", "rnu", "where", "write filter", "run fast", "zzzzzz"];
    assert_snapshot!(topics.map(said).concat(), @r"
    $ help fliter
    error: there is no topic `fliter`
      help: did you mean `pipectl help filter`?
    $ help step agregate
    error: there is no topic `step agregate`
      help: did you mean `pipectl help aggregate`?
    $ help write parqet
    error: there is no topic `write parqet`
      help: did you mean `pipectl help parquet`?
    $ help rnu
    error: there is no topic `rnu`
      help: did you mean `pipectl help run`?
    $ help where
    error: there is no topic `where`
      help: here it is called `filter`: `pipectl help filter`
    $ help write filter
    error: there is no topic `write filter`
      help: did you mean `pipectl help filter`?
    $ help run fast
    error: there is no topic `run fast`
      help: did you mean `pipectl help run`?
    $ help zzzzzz
    error: there is no topic `zzzzzz`
      help: `pipectl help` lists the verbs, `pipectl help step` the kinds
    ");
}
