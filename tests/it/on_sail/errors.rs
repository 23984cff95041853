//! `run`: what is said when an engine fails at rows, to people and to machines.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Case;

/// What rows bring about: a name, and an expression that fails at a row of `id`.
const FAILING: [(&str, &str); 12] = [
    ("zero", "1 / (id - 1)"),
    ("remainder", "id % (id - id)"),
    ("text", "CAST(concat('a', id) AS int)"),
    ("truth", "CAST(concat('a', id) AS boolean)"),
    ("date", "CAST(concat('2024-13-0', id) AS date)"),
    ("overflow", "CAST(id + 3000000000 AS int)"),
    ("digits", "CAST(id + 3000 AS decimal(3,1))"),
    ("parsed", "to_date(concat('2024-13-0', id), 'yyyy-MM-dd')"),
    ("made", "make_date(2024, 13, CAST(id AS int))"),
    ("element", "element_at(array(1, 2), CAST(id + 5 AS int))"),
    ("raised", "raise_error('boom')"),
    ("pattern", "regexp_extract(concat('a', id), '(', 1)"),
];

/// What the analysis refuses, a mistake a step.
const REFUSED: &str = "\
version: 1
steps:
  people:
    values: { columns: { id: int, name: string, ok: boolean }, rows: [[1, Ann, true], [2, Bob, false]] }
  column: { from: people, transform: [filter: nope > 1], write: { parquet: out/1.parquet } }
  function: { from: people, transform: [with_columns: { x: nofn(id) }], write: { parquet: out/2.parquet } }
  arguments: { from: people, transform: [with_columns: { x: \"upper(name, 2, 3)\" }], write: { parquet: out/3.parquet } }
  table: { table: nowhere, write: { parquet: out/4.parquet } }
  types: { from: people, transform: [with_columns: { x: id + array(1) }], write: { parquet: out/5.parquet } }
  truth: { from: people, transform: [filter: id], write: { parquet: out/6.parquet } }
  syntax: { sql: SELEC id FROM people, write: { parquet: out/7.parquet } }
  type: { from: people, transform: [with_columns: { x: CAST(id AS nosuchtype) }], write: { parquet: out/9.parquet } }
  ambiguous: { sql: SELECT id FROM people a JOIN people b ON a.id = b.id, write: { parquet: out/10.parquet } }
  nested: { from: people, transform: [aggregate: { columns: { x: sum(sum(id)) } }], write: { parquet: out/11.parquet } }
  grouped: { sql: \"SELECT name, sum(id) AS s FROM people\", write: { parquet: out/12.parquet } }
  window: { from: people, transform: [with_columns: { x: row_number() }], write: { parquet: out/13.parquet } }
  union: { sql: \"SELECT id FROM people UNION SELECT 1, 2\", write: { parquet: out/14.parquet } }
  literal: { from: people, transform: [filter: \"date '2024-13-01' IS NULL\"], write: { parquet: out/15.parquet } }
  format: { read: { format: nofmt, path: p.yaml, schema: \"a int\" }, write: { parquet: out/16.parquet } }
  where: { sql: SELECT id FROM people WHERE sum(id) > 1, write: { parquet: out/17.parquet } }
  grouping: { from: people, transform: [with_columns: { x: grouping(id) }], write: { parquet: out/18.parquet } }
";

/// What is said of each mistake, without its place.
fn refused() -> String {
    let outcome = Case::pipeline(REFUSED).code(78).any_stderr().run();
    let told: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("error[")).collect();
    let record = outcome.record();
    let found = record["diagnostics"].as_array().unwrap();
    // Machines have class and state beside it.
    let find =
        |class: &str| found.iter().find(|one| one["class"].as_str().is_some_and(|it| it.starts_with(class)));
    assert_eq!(find("TABLE_OR_VIEW_NOT_FOUND").unwrap()["sql_state"], "42P01");
    assert_eq!(find("UNRESOLVED_COLUMN").unwrap()["sql_state"], "42703");
    told.join("\n")
}

#[test]
fn what_sail_says_of_plans() {
    assert_snapshot!(refused(), @"
    error[E024]: there is no column `nope`
    error[E023]: there is no function `nofn`
    error[E023]: a function takes one value, not 3 [WRONG_NUM_ARGS.WITHOUT_SUGGESTION]
    error[E023]: there is no table or view `nowhere`
    error[E023]: INT + ARRAY<INT> can not be worked out: cast one side
    error[E023]: the condition is neither true nor false: its type is INT
    error[E023]: a syntax error at or near `SELEC`
    error[E023]: there is no data type `nosuchtype`
    error[E023]: the column `id` is ambiguous: more than one input has it
    error[E023]: an aggregate function stands in the argument of another one [NESTED_AGGREGATE_FUNCTION]
    error[E023]: a column is used where there is none, perhaps one that is neither grouped by nor inside an aggregate function
    error[E023]: the window function `row_number` needs an OVER clause [WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE]
    error[E023]: a union of 1 and 2 columns [NUM_COLUMNS_MISMATCH]
    error[E023]: the date 2024-13-1 does not exist [INVALID_TYPED_LITERAL]
    error[E023]: the `read` of `format` is refused: the engine has no data source `nofmt` [DATA_SOURCE_NOT_FOUND]
    error[E023]: an aggregate function stands where none may, as in a filter
    error[E023]: an aggregate function stands where none may, as in a filter
    ");
}

/// Part of what runs on Spark.
pub(crate) fn what_spark_says_of_plans() {
    assert_snapshot!(refused(), @r#"
    error[E024]: there is no column `nope`
    error[E023]: there is no function `nofn`
    error[E023]: The `upper` requires 1 parameters but the actual number is 3. Please, refer to 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix. [WRONG_NUM_ARGS.WITHOUT_SUGGESTION]
    error[E023]: there is no table or view `nowhere`
    error[E023]: the types do not fit: the left and right operands of the binary operator have incompatible types ("INT" and "ARRAY<INT>").
    error[E023]: the condition is neither true nor false: its type is INT
    error[E023]: a syntax error at or near `SELEC`
    error[E023]: there is no data type `nosuchtype`
    error[E023]: the column `id` is ambiguous: more than one input has it
    error[E023]: It is not allowed to use an aggregate function in the argument of another aggregate function. Please use the inner aggregate function in a sub-query. [NESTED_AGGREGATE_FUNCTION]
    error[E023]: a column is used where there is none, perhaps one that is neither grouped by nor inside an aggregate function
    error[E023]: Window function "row_number()" requires an OVER clause. [WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE]
    error[E023]: UNION can only be performed on inputs with the same number of columns, but the first input has 1 columns and the second input has 2 columns. [NUM_COLUMNS_MISMATCH]
    error[E023]: The value of the typed literal "DATE" is invalid: '2024-13-01'. [INVALID_TYPED_LITERAL]
    error[E023]: the `read` of `format` is refused: Failed to find the data source: nofmt. Make sure the provider name is correct and the package is properly registered and compatible with your Spark version. [DATA_SOURCE_NOT_FOUND]
    error[E023]: The WHERE condition "(sum(id) > 1)" contains invalid expressions: sum(people.id). Rewrite the query to avoid window functions, aggregate functions, and generator functions in the WHERE clause. [INVALID_WHERE_CONDITION]
    error[E023]: grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup. [UNSUPPORTED_GROUPING_EXPRESSION]
    "#);
}

fn pipeline() -> String {
    let mut text = "version: 1\nsteps:\n".to_owned();
    for (name, expression) in FAILING {
        text.push_str(&format!(
            "  {name}:\n    range: {{ start: 0, end: 2, partitions: 1 }}\n    transform:\n      - with_columns:\n          x: {expression}\n    write: {{ parquet: out/{name}.parquet }}\n"
        ));
    }
    text.push_str(
        "  file:\n    read: { format: csv, path: bad.csv, schema: \"a int, b int\", options: { mode: FAILFAST } }\n    write: { parquet: out/file.parquet }\n",
    );
    text
}

/// All of them fail, one after the other.
fn failing() -> Case {
    Case::pipeline(&pipeline()).file("bad.csv", "1,2\n3\n").args(["-k", "-j", "1"]).code(1).any_stderr()
}

#[test]
fn what_sail_says_of_rows() {
    let outcome = failing().run();
    assert_snapshot!(outcome.stderr, @r#"
      failed  zero: Division by zero. Use `try_divide` to tolerate it and return NULL instead. [DIVIDE_BY_ZERO]
              SQL state: 22012
      failed  remainder: Remainder by zero. Use `try_mod` to tolerate it and return NULL instead. [REMAINDER_BY_ZERO]
              SQL state: 22012
      failed  text: The value 'a0' of the type "STRING" cannot be cast to "INT" because it is malformed. Use `try_cast` to tolerate it and return NULL instead. [CAST_INVALID_INPUT]
              SQL state: 22018
      failed  truth: The value 'a0' of the type "STRING" cannot be cast to "BOOLEAN" because it is malformed. Use `try_cast` to tolerate it and return NULL instead. [CAST_INVALID_INPUT]
              SQL state: 22018
      failed  date: The value '2024-13-00' of the type "STRING" cannot be cast to "DATE" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead. [CAST_INVALID_INPUT]
              SQL state: 22018
      failed  overflow: The value 3000000000 cannot be cast to "INT" due to an overflow. Use `try_cast` to tolerate it and return NULL instead. [CAST_OVERFLOW]
              SQL state: 22003
      failed  digits: 3000.0 does not fit into a DECIMAL of 3 digits. [NUMERIC_VALUE_OUT_OF_RANGE]
              SQL state: 22003
      failed  parsed: A text can not be parsed by its format: its month is out of range. [CANNOT_PARSE_TIMESTAMP]
              SQL state: 22007
      failed  made: 13 is no month of a date. [DATETIME_FIELD_OUT_OF_BOUNDS]
              SQL state: 22023
      failed  element: The index is out of bounds. Use `try_element_at` to tolerate it and return NULL instead. [INVALID_ARRAY_INDEX_IN_ELEMENT_AT]
              SQL state: 22003
      failed  raised: boom
      failed  pattern: The pattern of `regexp_extract` is no regular expression. [INVALID_PARAMETER_VALUE.PATTERN]
              SQL state: 22023
      failed  file: Csv error: incorrect number of fields for line 2, expected 2 got 1
    error: a step failed
    "#);
    let error = &outcome.record()["actions"][2]["error"]["engine"];
    assert_eq!(error["error_class"], "CAST_INVALID_INPUT");
    assert_eq!(error["parameters"]["targetType"], "\"INT\"");
    assert_eq!(error["original"], "Cast error: Cannot cast string 'a0' to value of Int32 type");
}

/// Part of what runs on Spark.
pub(crate) fn what_spark_says_of_rows() {
    let outcome = failing().run();
    assert_snapshot!(outcome.stderr, @r#"
      failed  zero: Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error. [DIVIDE_BY_ZERO]
              in: 1 / (id - 1)
              SQL state: 22012
      failed  remainder: Remainder by zero. Use `try_mod` to tolerate divisor being 0 and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error. [REMAINDER_BY_ZERO]
              in: id % (id - id)
              SQL state: 22012
      failed  text: The value 'a0' of the type "STRING" cannot be cast to "INT" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead. [CAST_INVALID_INPUT]
              in: CAST(concat('a', id) AS int)
              SQL state: 22018
      failed  truth: The value 'a0' of the type "STRING" cannot be cast to "BOOLEAN" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead. [CAST_INVALID_INPUT]
              in: CAST(concat('a', id) AS boolean)
              SQL state: 22018
      failed  date: The value '2024-13-00' of the type "STRING" cannot be cast to "DATE" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead. [CAST_INVALID_INPUT]
              in: CAST(concat('2024-13-0', id) AS date)
              SQL state: 22018
      failed  overflow: The value 3000000000L of the type "BIGINT" cannot be cast to "INT" due to an overflow. Use `try_cast` to tolerate overflow and return NULL instead. [CAST_OVERFLOW]
              SQL state: 22003
      failed  digits: 3000 cannot be represented as Decimal(3, 1). If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error, and return NULL instead. [NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]
              in: CAST(id + 3000 AS decimal(3,1))
              SQL state: 22003
      failed  parsed: Text '2024-13-00' could not be parsed: Invalid value for MonthOfYear (valid values 1 - 12): 13. Use `try_to_date` to tolerate invalid input string and return NULL instead. [CANNOT_PARSE_TIMESTAMP]
              SQL state: 22007
      failed  made: Invalid value for MonthOfYear (valid values 1 - 12): 13. [DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION]
              SQL state: 22023
      failed  element: The index 5 is out of bounds. The array has 2 elements. Use `try_element_at` to tolerate accessing element at invalid index and return NULL instead. [INVALID_ARRAY_INDEX_IN_ELEMENT_AT]
              in: element_at(array(1, 2), CAST(id + 5 AS int))
              SQL state: 22003
      failed  raised: boom [USER_RAISED_EXCEPTION]
              SQL state: P0001
      failed  pattern: The value of parameter(s) `regexp` in `regexp_extract` is invalid: '('. [INVALID_PARAMETER_VALUE.PATTERN]
              SQL state: 22023
      failed  file: Encountered error while reading file file://[folder]/bad.csv. [FAILED_READ_FILE.NO_HINT]
              because: Malformed CSV record: 3 [MALFORMED_CSV_RECORD]
              SQL state: KD001
    error: a step failed
    "#);
    let record = outcome.record();
    let error = &record["actions"][0]["error"]["engine"];
    assert_eq!((&error["error_class"], &error["sql_state"]), (&json!("DIVIDE_BY_ZERO"), &json!("22012")));
    let context = json!({
        "fragment": "1 / (id - 1)",
        "start": 0,
        "stop": 12,
        "summary": "== SQL (line 1, position 1) ==\n1 / (id - 1)\n^^^^^^^^^^^^\n",
    });
    assert_eq!(error["contexts"], json!([context]));
    assert!(error["trace"][0].as_str().unwrap().contains("divideByZeroError"), "{error}");
    assert_eq!(error["is_internal"], false);
    let causes = record["actions"][12]["error"]["engine"]["causes"].as_array().unwrap();
    let classes: Vec<&Value> = causes.iter().map(|cause| &cause["error_class"]).collect();
    assert_eq!(classes, ["MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "MALFORMED_CSV_RECORD"]);
}

/// Part of what runs on Spark: the trace comes at `-v` alone.
pub(crate) fn a_trace_is_told_where_more_is_asked_for() {
    const ZERO: &str = "version: 1\nsteps: { n: { range: 3, transform: [ { filter: 1 / (id - 1) > 0 } ], write: { parquet: out/n.parquet } } }\n";
    let run = |more: &[&str]| {
        let case = Case::new(["run", "p.yaml"]).file("p.yaml", ZERO).args(more);
        case.code(1).any_stderr().run().stderr
    };
    assert!(!run(&[]).contains("  at org.apache.spark"));
    let told = run(&["-v"]);
    assert!(told.contains("            at org.apache.spark.sql.errors.QueryExecutionErrors"), "{told}");
    assert!(told.contains("          the engine's own words:\n            [DIVIDE_BY_ZERO] "), "{told}");
    let of = |text: &str| {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.into_iter().find(|line| line["event"] == "action_finished").unwrap()["error"]["engine"].clone()
    };
    let short = of(&run(&["--log-format", "json"]));
    assert_eq!((&short["error_class"], &short["sql_state"]), (&json!("DIVIDE_BY_ZERO"), &json!("22012")));
    assert!(short.get("trace").is_none());
    let full = of(&run(&["--log-format", "json", "-v"]));
    assert!(full["trace"].as_array().unwrap().len() > 10);
}
