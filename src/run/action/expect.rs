//! Reads the one row that says for how many rows of a step each expectation does not hold.

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, RecordBatch};
use arrow_cast::cast::cast;
use arrow_schema::DataType;

use crate::plan::Expected;
use crate::record::{ActionRef, ExpectationResult};

/// Returns the expectations that rows violate, of an action that evaluated them.
pub(super) fn violated(
    action: &ActionRef,
    row: &RecordBatch,
    violations: &[Expected],
) -> Vec<ExpectationResult> {
    let count = |column: usize| -> i64 {
        let numbers = row.columns().get(column).and_then(|column| cast(column, &DataType::Int64).ok());
        let numbers = numbers.filter(|numbers| !numbers.is_empty() && numbers.is_valid(0));
        numbers.map_or(0, |numbers| numbers.as_primitive::<Int64Type>().value(0))
    };
    let rows = count(0);
    let result = |(at, violation): (usize, &Expected)| ExpectationResult {
        action: action.clone(),
        expectation: violation.text.clone(),
        violations: count(at + 1),
        rows,
        on_fail: violation.on_fail,
    };
    violations.iter().enumerate().map(result).filter(|result| result.violations > 0).collect()
}
