//! `ls`: the steps of a pipeline, for people and for programs.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::Case;

const PIPELINE: &str = "\
version: 1
description: All that a list has to say.
vars: { day: { type: date, default: 2026-01-31 } }
steps:
  report:
    description: |
      What goes to the
      sales team.
    tags: [daily, sales]
    from: joined
    after: [log]
    transform:
      - sort: [id]
      - limit: 10
    expect: [not_null: [id], { that: id > 0, on_fail: warn }]
    write:
      - parquet: { path: \"out/${day:%Y}/\", max_rows_per_file: 10 }
      - csv: s3://lake/report.csv
      - stdout: ndjson
  orders:
    read: { format: parquet, path: [data/a.parquet, /data/b.parquet] }
  joined:
    from: orders
    transform:
      - join: { with: rates, using: [id] }
      - union: [orders, orders]
      - distinct
  rates:
    sql: SELECT * FROM orders
  log:
    table: audit.log
    write: { ndjson: out/log.ndjson }
  idle:
    range: 3
";

fn ls<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Case {
    Case::new(["ls", "p.yaml"]).args(arguments).file("p.yaml", PIPELINE)
}

#[test]
fn each_step_has_a_line() {
    let outcome = ls([]).any_stdout().run();
    assert_snapshot!(outcome.stdout, @"
    step   | source                                       | transforms                                | after | expects        | outputs                                             | tags         | description
    -------+----------------------------------------------+-------------------------------------------+-------+----------------+-----------------------------------------------------+--------------+-----------------------------
    orders | read parquet data/a.parquet, /data/b.parquet |                                           |       |                |                                                     |              |
    rates  | sql orders                                   |                                           |       |                |                                                     |              |
    joined | from orders                                  | join rates, union orders orders, distinct |       |                |                                                     |              |
    log    | table audit.log                              |                                           |       |                | ndjson out/log.ndjson                               |              |
    report | from joined                                  | sort, limit                               | log   | not_null, that | parquet out/2026/, csv s3://lake/report.csv, stdout | daily, sales | What goes to the sales team.
    idle   | range                                        |                                           |       |                |                                                     |              |
    ");
    // What no step has is left out.
    let outcome = Case::new(["ls", "p.yaml"])
        .file("p.yaml", "version: 1\nsteps: { a: { range: 3 } }\n")
        .any_stdout()
        .run();
    assert_snapshot!(outcome.stdout, @"
    step | source
    -----+-------
    a    | range
    ");
}

#[test]
fn names_are_for_loops() {
    let names = "orders\nrates\njoined\nlog\nreport\nidle\n";
    ls(["--format", "name"]).stdout(names).run();
    ls(["--format", "names"]).stdout(names).run();
}

#[test]
#[expect(clippy::too_many_lines, reason = "what it prints is held as it is")]
fn programs_are_told_all_of_it() {
    let outcome = ls(["--format", "json"]).any_stdout().run();
    let list: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(list["pipeline"], "p");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let steps = list["steps"].as_array().unwrap();
    for step in steps {
        assert_eq!(keys(step), keys(&steps[0]), "every step has every key");
    }
    assert_snapshot!(outcome.stdout, @r#"
    {
      "pipeline": "p",
      "description": "All that a list has to say.",
      "file": "p.yaml",
      "steps": [
        {
          "name": "orders",
          "description": null,
          "tags": [],
          "file": "p.yaml",
          "line": 20,
          "source": {
            "kind": "read",
            "format": "parquet",
            "paths": [
              "[folder]/data/a.parquet",
              "/data/b.parquet"
            ],
            "table": null
          },
          "transforms": [],
          "inputs": [],
          "after": [],
          "expectations": [],
          "outputs": [],
          "runs": true
        },
        {
          "name": "rates",
          "description": null,
          "tags": [],
          "file": "p.yaml",
          "line": 28,
          "source": {
            "kind": "sql",
            "format": null,
            "paths": [],
            "table": null
          },
          "transforms": [],
          "inputs": [
            "orders"
          ],
          "after": [],
          "expectations": [],
          "outputs": [],
          "runs": true
        },
        {
          "name": "joined",
          "description": null,
          "tags": [],
          "file": "p.yaml",
          "line": 22,
          "source": {
            "kind": "from",
            "format": null,
            "paths": [],
            "table": null
          },
          "transforms": [
            "join",
            "union",
            "distinct"
          ],
          "inputs": [
            "orders",
            "rates"
          ],
          "after": [],
          "expectations": [],
          "outputs": [],
          "runs": true
        },
        {
          "name": "log",
          "description": null,
          "tags": [],
          "file": "p.yaml",
          "line": 30,
          "source": {
            "kind": "table",
            "format": null,
            "paths": [],
            "table": "audit.log"
          },
          "transforms": [],
          "inputs": [],
          "after": [],
          "expectations": [],
          "outputs": [
            {
              "kind": "ndjson",
              "path": "[folder]/out/log.ndjson",
              "folder": false
            }
          ],
          "runs": true
        },
        {
          "name": "report",
          "description": "What goes to the\nsales team.\n",
          "tags": [
            "daily",
            "sales"
          ],
          "file": "p.yaml",
          "line": 5,
          "source": {
            "kind": "from",
            "format": null,
            "paths": [],
            "table": null
          },
          "transforms": [
            "sort",
            "limit"
          ],
          "inputs": [
            "joined"
          ],
          "after": [
            "log"
          ],
          "expectations": [
            "not_null",
            "that"
          ],
          "outputs": [
            {
              "kind": "parquet",
              "path": "[folder]/out/2026/",
              "folder": true
            },
            {
              "kind": "csv",
              "path": "s3://lake/report.csv",
              "folder": false
            },
            {
              "kind": "stdout",
              "path": null,
              "folder": false
            }
          ],
          "runs": true
        },
        {
          "name": "idle",
          "description": null,
          "tags": [],
          "file": "p.yaml",
          "line": 33,
          "source": {
            "kind": "range",
            "format": null,
            "paths": [],
            "table": null
          },
          "transforms": [],
          "inputs": [],
          "after": [],
          "expectations": [],
          "outputs": [],
          "runs": false
        }
      ]
    }
    "#);
}

#[test]
fn what_is_wrong_is_told_as_validate_does() {
    let wrong = PIPELINE.replace("from: joined", "from: joind").replace("range: 3", "range: x");
    let case = |verb| Case::new([verb, "p.yaml"]).file("p.yaml", &wrong).code(78).any_stderr().run().stderr;
    let told = case("ls");
    assert_eq!(told.matches("error[").count(), 2, "{told}");
    assert_eq!(told, case("validate"));
    let outcome = Case::new(["ls", "q.yaml"]).code(2).any_stderr().run();
    assert_snapshot!(outcome.stderr, @"error: `q.yaml` can't be read: there is no such file");
}
