//! Keeps the order that a `sort` makes on engines that lose it.
//!
//! Sail gives up an order behind computed columns, and sorts that come after stored rows that were sorted do nothing there. So
//! a sort is put off until it matters: at a limit, and at the end, where rows are written. In between it costs nothing.

use std::collections::HashSet;

use crate::expr::{SortKey, TokenKind};
use crate::lowering::{Branches, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::proto::spark::expression::SortOrder;
use crate::text::Span;
use crate::transform::{RowOrder, sort_orders};

/// The order that a step's rows should have.
#[derive(Debug, Clone, Default)]
pub(super) enum Sorted {
    /// None.
    #[default]
    Not,
    /// By these keys, as soon as it matters.
    Pending { keys: Vec<SortOrder>, words: HashSet<String>, by: By },
    /// It was made, because its keys were about to go; it must not be disturbed any more.
    Made { by: Span },
    /// It was made and then lost: who relies on it is refused.
    Lost { by: Span },
}

/// Who wants an order.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    /// A `sort`, which stands here.
    Sort(Span),
    /// A transform whose result has an order of its own; nobody has asked for it, so it may be lost.
    Itself,
}

impl Sorted {
    /// What a transform, which stands at `span`, means for the order; the relation it is to be applied to comes back, or
    /// nothing where the transform is a sort, which was taken note of.
    pub(super) fn before(
        &mut self,
        order: &RowOrder<'_>,
        span: Span,
        input: Relation,
        lowering: &Lowering<'_>,
    ) -> Result<Relation, Relation> {
        match (order, &*self) {
            (RowOrder::Made(by), before) => {
                let input = if before.is_within() { lowering.branches.behind_sort(input) } else { input };
                *self =
                    Self::Pending { keys: sort_orders(by, lowering), words: words(by), by: By::Sort(span) };
                Err(input)
            }
            (RowOrder::Own { keys, columns }, _) => {
                let words = columns.iter().map(|column| column.to_lowercase()).collect();
                *self = Self::Pending { keys: keys.clone(), words, by: By::Itself };
                Ok(input)
            }
            (RowOrder::Gone, _) => {
                *self = Self::Not;
                Ok(input)
            }
            (RowOrder::Changed(columns), Self::Pending { words, by, .. })
                if touches(columns.as_deref(), words) =>
            {
                let By::Sort(by) = *by else {
                    *self = Self::Not;
                    return Ok(input);
                };
                let input = self.first(input, lowering.branches);
                // Behind a plain choice of columns the order holds, behind computed ones it may not.
                *self = if columns.is_some() { Self::Made { by } } else { Self::Lost { by } };
                Ok(input)
            }
            (RowOrder::Renamed, _) => Ok(self.before_choice(input, lowering.branches)),
            (RowOrder::Changed(_), Self::Made { by }) => {
                *self = Self::Lost { by: *by };
                Ok(input)
            }
            // What is decisive sorts by the keys itself.
            (RowOrder::Changed(_) | RowOrder::Kept | RowOrder::Decisive, _) => Ok(input),
        }
    }

    /// What a plain choice of columns means for the order, among which its keys may not be; the relation it is to be applied to comes
    /// back.
    pub(super) fn before_choice(&mut self, input: Relation, branches: &Branches) -> Relation {
        let Self::Pending { by, .. } = self else { return input };
        let By::Sort(by) = *by else {
            *self = Self::Not;
            return input;
        };
        let input = self.first(input, branches);
        *self = Self::Made { by };
        input
    }

    /// The keys by which the relation is still to be sorted.
    pub(super) fn keys(&self) -> &[SortOrder] {
        match self {
            Self::Pending { keys, .. } => keys,
            Self::Not | Self::Made { .. } | Self::Lost { .. } => &[],
        }
    }

    /// The relation in its order, where a limit may follow.
    pub(super) fn first(&self, input: Relation, branches: &Branches) -> Relation {
        branches.sort(input, self.keys())
    }

    /// The relation in its order, where all of its rows are taken.
    pub(super) fn sort(&self, input: Relation) -> Relation {
        match self.keys() {
            [] => input,
            keys => relation::sort(input, keys.to_vec()),
        }
    }

    /// The sort whose order was lost.
    pub(super) fn lost(&self) -> Option<Span> {
        match self {
            Self::Lost { by } => Some(*by),
            Self::Not | Self::Pending { .. } | Self::Made { .. } => None,
        }
    }

    /// Whether the relation holds a sort already.
    pub(super) fn is_within(&self) -> bool {
        matches!(self, Self::Made { .. } | Self::Lost { .. })
    }
}

/// The names that the keys are made of.
fn words(keys: &[SortKey]) -> HashSet<String> {
    let mut words = HashSet::new();
    for expr in keys.iter().map(SortKey::expr) {
        let text = expr.template().scanned();
        for token in expr.template().tokens() {
            if matches!(token.kind, TokenKind::Word | TokenKind::QuotedName) {
                words.extend(token.name(&text).map(|name| name.to_lowercase()));
            }
        }
    }
    words
}

fn touches(columns: Option<&[&str]>, words: &HashSet<String>) -> bool {
    columns.is_none_or(|columns| columns.iter().any(|column| words.contains(&column.to_lowercase())))
}
