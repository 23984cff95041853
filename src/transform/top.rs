//! The best rows of another step for each row of this one, on engines that have no relation for it: pairs are joined, those of each left
//! row are numbered in their order, and the first are kept.

use crate::proto::expression::{attribute, expression_string, upwards, window};
use crate::proto::relation::{self, JoinOn};
use crate::proto::spark::expression::SortOrder;
use crate::proto::spark::join::JoinType;
use crate::proto::spark::{Expression, Relation};

/// Which left row it is: equal ones are rows of their own.
const LEFT: &str = "__pipectl_left";
const NUMBER: &str = "__pipectl_number";

/// Which pairs are kept.
pub(super) struct Top {
    pub(super) how: JoinType,
    /// Which pairs there are; all where nothing is said.
    pub(super) on: Option<Expression>,
    pub(super) order: Vec<SortOrder>,
    /// How many for each left row.
    pub(super) rows: u64,
}

impl Top {
    pub(super) fn lower(self, left: Relation, right: Relation) -> Relation {
        let id = expression_string("monotonically_increasing_id()");
        let left = relation::with_columns(left, [(LEFT.to_owned(), id)]);
        let on = self.on.unwrap_or_else(|| expression_string("true"));
        let pairs = relation::join(left, right, self.how, JoinOn::Condition(on));
        let mut order = self.order;
        if order.is_empty() {
            order.push(upwards(attribute(LEFT)));
        }
        let number = window(expression_string("row_number()"), vec![attribute(LEFT)], order, None);
        let numbered = relation::with_columns(pairs, [(NUMBER.to_owned(), number)]);
        let kept = relation::filter(numbered, expression_string(format!("{NUMBER} <= {}", self.rows)));
        relation::drop(kept, [LEFT, NUMBER].map(str::to_owned).to_vec())
    }
}
