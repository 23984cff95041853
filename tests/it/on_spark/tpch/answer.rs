//! The rows of a query as they were written, and how those of two runs differ.

use std::cmp::Reverse;
use std::fs::File;
use std::path::Path;

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// What a query has written: its columns, and the rows in their order, each value as text with all its digits.
pub(crate) struct Answer {
    /// Names and types.
    columns: Vec<(String, String)>,
    rows: Vec<Vec<String>>,
}

impl Answer {
    pub(crate) fn read(file: &Path) -> Self {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
        let fields = reader.schema().fields().iter();
        let columns = fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect();
        let mut rows = Vec::new();
        for batch in reader.build().unwrap().map(Result::unwrap) {
            let options = FormatOptions::default();
            let columns = batch.columns().iter();
            let columns: Vec<_> =
                columns.map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
            let texts = |row| columns.iter().map(|column| column.value(row).to_string()).collect();
            rows.extend((0..batch.num_rows()).map(texts));
        }
        Self { columns, rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How the other answer differs, if it does. Rows that are equal in the columns of `order`, by which they are sorted, come in any
    /// order. In the columns of `rounded` digits that the other one lacks are not compared.
    pub(crate) fn difference(&self, other: &Self, order: &[&str], rounded: &[&str]) -> Option<String> {
        let is_rounded = |name: &String| rounded.contains(&name.as_str());
        let exact = |answer: &Self| {
            let mut columns = answer.columns.clone();
            columns.iter_mut().filter(|(name, _)| is_rounded(name)).for_each(|(_, kind)| kind.clear());
            columns
        };
        if exact(self) != exact(other) {
            return Some(format!("the columns are\n{:?}\nand\n{:?}", self.columns, other.columns));
        }
        if self.len() != other.len() {
            return Some(format!("there are {} rows and {}", self.len(), other.len()));
        }
        let is_key: Vec<bool> = self.columns.iter().map(|(name, _)| order.contains(&name.as_str())).collect();
        assert_eq!(is_key.iter().filter(|is| **is).count(), order.len(), "{order:?} are no columns");
        for (row, (one, two)) in self.rows.iter().zip(&other.rows).enumerate() {
            if (0..one.len()).any(|column| is_key[column] && one[column] != two[column]) {
                return Some(format!("row {row} is\n{one:?}\nand\n{two:?}"));
            }
        }
        let close: Vec<bool> = self.columns.iter().map(|(name, _)| is_rounded(name)).collect();
        for (one, two) in self.sorted(&close).into_iter().zip(other.sorted(&close)) {
            let is_same = |column: usize| {
                if close[column] { are_close(&one[column], &two[column]) } else { one[column] == two[column] }
            };
            if !(0..one.len()).all(is_same) {
                return Some(format!("there are the rows\n{one:?}\nand\n{two:?}"));
            }
        }
        None
    }

    /// The rows in an order that depends on the exact columns first.
    fn sorted(&self, close: &[bool]) -> Vec<&Vec<String>> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_cached_key(|row| {
            let mut cells: Vec<_> = close.iter().zip(*row).collect();
            cells.sort_by_key(|(is_close, _)| Reverse(!**is_close));
            cells.into_iter().map(|(_, cell)| cell.clone()).collect::<Vec<_>>()
        });
        rows
    }
}

/// Whether two decimals are the same but for one in the last digit that both have: one engine rounds where the other one cuts off.
fn are_close(one: &str, two: &str) -> bool {
    let digits = |text: &str| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let shared = digits(one).min(digits(two));
    let cut = |text: &str| -> i128 {
        let surplus = digits(text) - shared;
        let kept = text.len() - surplus;
        let digits: String = text.chars().take(kept).filter(|it| *it != '.').collect();
        digits.parse().unwrap()
    };
    (cut(one) - cut(two)).abs() <= 1
}

#[test]
fn decimals_that_are_cut_off_are_close() {
    for (one, two, are) in [
        ("0.02864874", "0.028649", true),
        ("0.050144", "0.050145", true),
        ("0.050144", "0.050146", false),
        ("16.2838556890", "16.283856", true),
        ("16.2838556890", "16.283", true),
        ("-1.5", "1.5", false),
        ("3", "3.99", true),
        ("3", "5.01", false),
    ] {
        assert_eq!(are_close(one, two), are, "{one} {two}");
        assert_eq!(are_close(two, one), are, "{two} {one}");
    }
}
