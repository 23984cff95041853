//! Rows as results have them, made without a server: always the same, and not all alike.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_schema::ArrowError;
use clap::ValueEnum;

/// Columns of the shape `wide`.
const WIDE: i64 = 200;
/// Days from 1970 to 2020.
const DAY_ONE: i64 = 18_262;

/// Which columns there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Two bigints, a double, a short string, a date, a decimal.
    Narrow,
    /// Two hundred columns: bigints, doubles, short strings, dates.
    Wide,
    /// A bigint and three strings of some hundred bytes.
    Strings,
}

impl Shape {
    /// So many rows, the first of which is row `from` of the result.
    pub(crate) fn batch(self, from: i64, rows: i64) -> Result<RecordBatch, ArrowError> {
        let ids = from..from + rows;
        match self {
            Self::Narrow => RecordBatch::try_from_iter([
                ("id", integers(ids.clone().collect())),
                ("customer", integers(ids.clone().map(|id| id * 7_919 % 1_000_003).collect())),
                ("amount", doubles(ids.clone().map(|id| decimal(id % 100_000) / 7.0).collect())),
                ("label", strings(ids.clone().map(|id| format!("order {}", id % 50_000)))),
                ("day", days(ids.clone().map(|id| id % 1_500))),
                ("price", prices(ids.map(|id| id * 37 % 1_000_000))?),
            ]),
            Self::Wide => RecordBatch::try_from_iter((0..WIDE).map(|at| {
                let ids = ids.clone();
                let column = match at % 4 {
                    0 => integers(ids.map(|id| id * (at + 1) % 1_000_003).collect()),
                    1 => doubles(ids.map(|id| decimal((id + at) % 100_000) / 7.0).collect()),
                    2 => strings(ids.map(|id| format!("value {}", (id + at) % 997))),
                    _ => days(ids.map(|id| (id + at) % 1_500)),
                };
                (format!("c{at:03}"), column)
            })),
            Self::Strings => RecordBatch::try_from_iter([
                ("id", integers(ids.clone().collect())),
                ("url", strings(ids.clone().map(|id| format!("https://example.com/{}", digits(id, 4))))),
                ("body", strings(ids.clone().map(|id| digits(id, 3).repeat(8)))),
                ("note", strings(ids.map(|id| digits(id / 3, 12)))),
            ]),
        }
    }
}

fn integers(values: Vec<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

fn doubles(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

fn strings(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn days(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(values.map(|day| i32::try_from(DAY_ONE + day).ok()).collect::<Date32Array>())
}

fn prices(cents: impl Iterator<Item = i64>) -> Result<ArrayRef, ArrowError> {
    let prices = cents.map(|cents| Some(i128::from(cents))).collect::<Decimal128Array>();
    Ok(Arc::new(prices.with_precision_and_scale(12, 2)?))
}

/// A small number as a double, exactly.
fn decimal(value: i64) -> f64 {
    f64::from(i32::try_from(value).unwrap_or(i32::MAX))
}

/// Hexadecimal digits that no compressor foresees: so many words of sixteen.
fn digits(seed: i64, words: i64) -> String {
    (0..words).map(|word| format!("{:016x}", mixed(seed.wrapping_mul(64).wrapping_add(word)))).collect()
}

/// Another number for each number.
fn mixed(value: i64) -> u64 {
    let mut state = value.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^ (state >> 29)
}
