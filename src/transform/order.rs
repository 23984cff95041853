//! What a transform does to the order of rows.

use crate::expr::SortKey;
use crate::proto::spark::expression::SortOrder;

/// What becomes of the order that a `sort` has made.
#[derive(Debug)]
pub(crate) enum RowOrder<'a> {
    /// It stays.
    Kept,
    /// Rows are put in order by these keys.
    Made(&'a [SortKey]),
    /// The result has an order of its own, by these keys, which are made of these columns.
    Own { keys: Vec<SortOrder>, columns: Vec<String> },
    /// It decides which rows there are, and puts them in [`Lowering::order`](crate::lowering::Lowering::order) itself.
    Decisive,
    /// Nobody may rely on it any more.
    Gone,
    /// It stays, and all columns are called otherwise now.
    Renamed,
    /// It stays, and these columns are gone or others now; nothing where all may be.
    Changed(Option<Vec<&'a str>>),
}
