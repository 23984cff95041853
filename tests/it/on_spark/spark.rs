//! The same tests on Spark: whatever a pipeline says means the same there.
//!
//! They run on the newest version; `PIPECTL_TEST_SPARK=spark-4.0 cargo test --test it on_spark::spark::` takes another.

use crate::faults::timeouts;
use crate::on_sail::{
    chains, check, contracts, errors, expectations, files, first_rows, fitting, otherwise, outputs,
    pipelines, semantics, show,
};
use crate::support::{Case, Warm, elsewhere, version};

/// Those that ask for nothing that Sail alone has or says.
pub(crate) const SAME: [(&str, fn()); 55] = [
    ("daily", pipelines::daily),
    ("pricing_summary", pipelines::pricing_summary),
    ("late_shipments", pipelines::late_shipments),
    ("top_customers", pipelines::top_customers),
    ("waiting_suppliers", pipelines::waiting_suppliers),
    ("quiet_customers", pipelines::quiet_customers),
    ("quotes", semantics::a_doubled_quote_is_a_quote),
    ("sorts", semantics::sorting_downwards_puts_nothing_last),
    ("joins", semantics::joins_keep_the_rows_that_they_say),
    ("unions", semantics::unions_match_columns_as_they_say),
    ("values", semantics::values_have_every_type),
    ("ranges", semantics::ranges_begin_and_end_where_they_say),
    ("queries", semantics::queries_name_steps_and_take_variables),
    ("new columns", semantics::new_columns_see_the_input_alone),
    ("variables", semantics::variables_are_values_in_expressions),
    ("csv", semantics::csv_is_read_with_its_quotes_and_its_contract),
    ("transforms", semantics::the_other_transforms_do_as_they_say),
    ("no rows", semantics::no_rows_still_have_columns),
    ("expectations that fail", expectations::what_fails_holds_the_rows_back),
    ("expectations that warn", expectations::what_warns_lets_them_through),
    ("old files", outputs::a_run_that_fails_keeps_the_old_file),
    ("diamonds", chains::thirty_diamonds_of_unions),
    ("types", files::every_type_comes_back_from_every_kind_of_output),
    ("timeouts of steps", timeouts::a_step_is_stopped_and_the_rest_goes_on),
    ("timeouts of runs", timeouts::a_run_is_stopped),
    ("checks", check::what_is_right_is_said_to_be),
    ("places", check::a_name_is_found_in_every_style),
    ("mistakes of expressions", check::every_mistake_of_an_expression_is_told),
    ("mistakes of regrouped rows", check::what_regroups_rows_is_searched_everywhere),
    ("mistakes of queries", check::every_mistake_of_a_query_is_told),
    ("rows", check::rows_of_the_file_are_tried_out),
    ("mistakes of steps", check::every_mistake_of_a_step_is_told),
    ("mistakes of values", fitting::a_value_that_fits_no_column_is_told),
    ("mistakes of columns of values", fitting::a_column_of_values_that_is_not_there_is_told),
    ("columns of statistics", check::columns_of_statistics_are_found_at_their_places),
    ("differences of contracts", contracts::all_differences_are_told_before_data_is_read),
    ("sources with contracts", contracts::every_source_is_compared),
    ("further columns", contracts::further_columns_are_an_error_dropped_or_kept),
    ("rows of contracts", contracts::rows_are_counted_before_anything_is_made_of_them),
    ("first lines", contracts::csv_is_compared_by_its_first_line),
    ("json", contracts::json_is_read_with_its_contract),
    ("inferred contracts", contracts::what_is_inferred_is_kept),
    ("columns of outputs", check::columns_that_outputs_name_are_looked_for),
    ("first rows of unions", first_rows::unions_of_constants_have_their_first_rows),
    ("first rows of large unions", first_rows::many_rows_of_unions_have_their_first_rows),
    ("subtotals", first_rows::subtotals_of_constant_keys_are_sorted_and_ranked),
    ("groups of subtotals", first_rows::many_groups_of_a_constant_key_come_once),
    ("offsets", first_rows::rows_behind_an_offset_are_those_of_its_sort),
    ("second limits", first_rows::a_second_limit_behind_another_sort_holds),
    ("tails", first_rows::last_rows_are_last_in_every_output),
    ("shown rows", show::rows_come_in_the_order_of_their_sort),
    ("shown inside", show::a_step_is_looked_at_inside),
    ("shown quickly", show::no_more_is_worked_out_than_is_shown),
    ("shown columns", show::columns_have_their_types),
    ("shown mistakes", show::mistakes_of_the_step_are_told_where_they_stand),
];

/// What Sail has no name for, and Spark only of late.
const NEW: [(&str, fn()); 6] = [
    ("columns of CSV that are left out", contracts::spark_leaves_out_columns_of_csv),
    ("functions", otherwise::on_spark),
    ("types of its own", types_that_spark_alone_has),
    ("errors of rows", errors::what_spark_says_of_rows),
    ("errors of plans", errors::what_spark_says_of_plans),
    ("traces", errors::a_trace_is_told_where_more_is_asked_for),
];

#[test]
fn everything_means_the_same() {
    let warm = Warm::start(&version());
    let mut tests = SAME.to_vec();
    if ["spark", "spark-4.3"].contains(&warm.kind.as_str()) {
        tests.extend(NEW);
    }
    let failed = elsewhere(&format!("engine: {}", warm.kind), warm.runtime(), &tests);
    assert!(failed.is_empty(), "on {}: {failed:?}", warm.kind);
    timeouts::has_nothing_to_do(&warm);
}

fn types_that_spark_alone_has() {
    let pipeline = "
version: 1
conf: { spark.sql.timeType.enabled: true }
steps:
  types:
    sql: |
      SELECT INTERVAL '1-2' YEAR TO MONTH AS months, TIME'12:34:56.123456' AS time, CAST(NULL AS INTERVAL YEAR) AS none
    write:
      - stdout: ndjson
      - parquet: out/types.parquet
      - csv: out/types.csv
  variant:
    sql: SELECT parse_json('{\"a\":1}') AS v
    write: { parquet: out/variant.parquet }
";
    let outcome = Case::pipeline(pipeline)
        .stdout("{\"months\":\"P1Y2M\",\"time\":\"12:34:56.123456\",\"none\":null}\n")
        .run();
    assert_eq!(outcome.parquet("out/types.parquet"), "months,time,none\n14,12:34:56.123456,\n");
    let text = std::fs::read_to_string(outcome.path("out/types.csv")).unwrap();
    assert_eq!(text, "months,time,none\nP1Y2M,12:34:56.123456,\n");
    let refused = pipeline.replace("{ parquet: out/variant.parquet }", "{ csv: out/variant.csv }");
    let outcome = Case::pipeline(&refused).any_stdout().any_stderr().code(1).run();
    assert!(outcome.stderr.contains("column `v` has type variant"), "{}", outcome.stderr);
}
