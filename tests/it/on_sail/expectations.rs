//! `run`: expectations hold back what depends on them, or warn.

use insta::{allow_duplicates, assert_snapshot};

use crate::support::Case;

const STEPS: &str = "\
version: 1
steps:
  numbers:
    values: { columns: { id: int, name: string }, rows: [[1, a], [2, null], [null, c]] }
    expect:
      - not_null: [id, name]
        on_fail: ON_FAIL
      - that: id < 2
        on_fail: ON_FAIL
      - that: id < 100
    write: { parquet: out/numbers.parquet }
  later:
    from: numbers
    write: { stdout: csv }
";

#[test]
pub(crate) fn what_fails_holds_the_rows_back() {
    let outcome = Case::pipeline(&STEPS.replace("ON_FAIL", "fail"))
        .file("out/numbers.parquet", "the old one")
        .code(1)
        .any_stderr()
        .run();
    assert_eq!(std::fs::read_to_string(outcome.path("out/numbers.parquet")).unwrap(), "the old one");
    // Each engine is asked.
    allow_duplicates! {
        assert_snapshot!(outcome.stderr, @"
      failed  numbers: `not_null: id` does not hold for 1 of 3 rows
      failed  numbers: `not_null: name` does not hold for 1 of 3 rows
      failed  numbers: `that: id < 2` does not hold for 1 of 3 rows
     skipped  numbers: `numbers` does not meet its expectations
     skipped  later: `numbers` does not meet its expectations
    error: a step failed
    ");
    }
    let record = outcome.record();
    assert_eq!(record["exit_code"], 1);
    assert_eq!(record["expectations"].as_array().unwrap().len(), 3);
    assert_eq!(record["expectations"][0]["violations"], 1);
    let ended: Vec<_> = record["actions"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(ended, ["succeeded", "failed", "skipped", "skipped"]);
}

#[test]
pub(crate) fn what_warns_lets_them_through() {
    let outcome =
        Case::pipeline(&STEPS.replace("ON_FAIL", "warn")).stdout("id,name\n1,a\n2,\n,c\n").any_stderr().run();
    assert_eq!(outcome.parquet("out/numbers.parquet"), "id,name\n1,a\n2,\n,c\n");
    // Each engine is asked.
    allow_duplicates! {
        assert_snapshot!(outcome.stderr, @"
    warning  numbers: `not_null: id` does not hold for 1 of 3 rows
    warning  numbers: `not_null: name` does not hold for 1 of 3 rows
    warning  numbers: `that: id < 2` does not hold for 1 of 3 rows
    ");
    }
    assert_eq!(outcome.record()["expectations"][0]["on_fail"], "warn");
}

#[test]
fn what_can_not_be_evaluated_is_not_said_to_be_violated() {
    let text = "\
version: 1
steps:
  numbers:
    range: 3
    expect: [{ that: 1 / (id - 1) > 0 }]
    write: { parquet: out/numbers.parquet }
  later: { from: numbers, write: { stdout: csv } }
";
    let outcome = Case::pipeline(text).code(1).any_stderr().run();
    let record = outcome.record();
    assert_eq!(record["expectations"], serde_json::json!([]));
    let reason = serde_json::json!({ "reason": "expectation_not_evaluated", "step": "numbers" });
    let skipped: Vec<_> =
        record["actions"].as_array().unwrap().iter().filter(|it| it["status"] == "skipped").collect();
    assert_eq!(skipped.len(), 2);
    assert!(skipped.iter().all(|it| it["skipped"] == reason), "{skipped:?}");
    let told = "the expectations of `numbers` could not be evaluated";
    assert_eq!(outcome.stderr.matches(told).count(), 2, "{}", outcome.stderr);
    assert_eq!(record["summary"]["failed"], 1);
    assert_eq!(record["summary"]["skipped"], 1);
}
