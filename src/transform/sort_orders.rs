//! Owns sort keys as the protocol writes them.

use crate::expr::{Direction, Nulls, SortKey};
use crate::lowering::Lowering;
use crate::proto::expression;
use crate::proto::spark::expression::SortOrder;
use crate::proto::spark::expression::sort_order::{NullOrdering, SortDirection};

/// Sort keys as the protocol writes them.
pub(crate) fn sort_orders(keys: &[SortKey], lowering: &Lowering<'_>) -> Vec<SortOrder> {
    let order = keys.iter().map(|key| {
        let direction = match key.direction() {
            Direction::Ascending => SortDirection::Ascending,
            Direction::Descending => SortDirection::Descending,
        };
        let nulls = match key.nulls() {
            Nulls::First => NullOrdering::SortNullsFirst,
            Nulls::Last => NullOrdering::SortNullsLast,
        };
        expression::sort_order(lowering.expr(key.expr()), direction, nulls)
    });
    order.collect()
}

/// The same key in the other direction.
pub(super) fn turn(order: &mut SortOrder) {
    order.direction = match order.direction() {
        SortDirection::Descending => SortDirection::Ascending,
        SortDirection::Ascending | SortDirection::Unspecified => SortDirection::Descending,
    }
    .into();
    order.null_ordering = match order.null_ordering() {
        NullOrdering::SortNullsLast => NullOrdering::SortNullsFirst,
        NullOrdering::SortNullsFirst | NullOrdering::SortNullsUnspecified => NullOrdering::SortNullsLast,
    }
    .into();
}
