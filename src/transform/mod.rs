//! Owns the kinds of transform: what a step does to its rows, one after the other.
//!
//! A kind answers the questions of [`Kind`]. Everything that can be wrong is found by `check` and `gap`, so lowering returns
//! a relation and not a result.

mod aggregate;
mod cast;
mod dedupe;
mod distinct;
mod drop;
mod filter;
mod frame;
mod join;
mod limit;
mod order;
mod pivot;
mod rename;
mod select;
mod sort;
mod transpose;
mod union;
mod unpivot;
mod window;
mod with_columns;

use std::fmt::Debug;

use crate::dialect::Dialect;
use crate::expr::Expr;
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::spark::Relation;
use crate::shape::kinds;
use crate::text::{Span, Spanned};

pub(crate) use order::Order;
pub(crate) use sort::Sort;
pub(crate) use union::{Matching, Union};

/// What doing a step's work again for another reader would mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// Little: it passes rows on.
    Light,
    /// Much: rows are brought together.
    Heavy,
    /// Another result: which rows there are is not determined.
    Undetermined,
}

/// What becomes of the names by which a join has qualified columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// They stay as they are.
    Kept,
    /// The input's columns are qualified by the step they come from.
    Wanted,
    /// New columns are made, which have no qualifier.
    Gone,
}

/// The questions that every kind of transform answers.
pub(crate) trait Kind: Debug {
    /// Which steps it reads, besides its own input.
    fn inputs(&self) -> Vec<&StepRef> {
        Vec::new()
    }

    /// What is wrong with its settings.
    fn check(&self, checking: &mut Checking<'_>);

    /// What this engine lacks for it: the missing thing, and the engines that have it.
    fn gap(&self, _dialect: &Dialect) -> Option<String> {
        None
    }

    /// Its expressions, so that an engine's complaint can be narrowed down to one.
    fn expressions(&self) -> Vec<&Expr> {
        Vec::new()
    }

    /// The same in groups: whether those of a group are right depends on the groups before it.
    fn stages(&self) -> Vec<Vec<&Expr>> {
        vec![self.expressions()]
    }

    /// Settings besides its expressions that can be left out one by one, for the same purpose.
    fn parts(&self) -> Vec<Span> {
        Vec::new()
    }

    /// Columns that its input and the step beside it must both have.
    fn columns_shared(&self) -> Vec<&Spanned<String>> {
        Vec::new()
    }

    /// Columns that the last of its stages may name, besides those of its input.
    fn columns_made(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether its columns are known only when its rows are.
    fn columns_come_from_rows(&self) -> bool {
        false
    }

    /// Columns that its input must have, and whose absence engines pass over in silence.
    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        Vec::new()
    }

    /// Columns that it makes, and that its expressions do not see.
    fn columns_beside(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether its result may have two columns of one name.
    fn may_repeat_columns(&self) -> bool {
        false
    }

    fn work(&self) -> Work {
        Work::Light
    }

    fn names(&self) -> Names {
        Names::Kept
    }

    /// What becomes of the order of rows.
    fn order(&self) -> Order<'_> {
        Order::Kept
    }

    /// The name by which its further columns are qualified, and where it stands.
    fn new_name(&self) -> Option<(&str, Span)> {
        None
    }

    /// The relation it is, given its input.
    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation;
}

kinds! {
    /// What a step does to its rows.
    Transform of Kind:
    "filter" => Filter(filter::Filter),
    "select" => Select(select::Select),
    "with_columns" => WithColumns(with_columns::WithColumns),
    "rename" => Rename(rename::Rename),
    "drop" => Drop(drop::Drop),
    "cast" => Cast(cast::Cast),
    "join" => Join(join::Join),
    "union" => Union(Union),
    "aggregate" => Aggregate(aggregate::Aggregate),
    "pivot" => Pivot(pivot::Pivot),
    "unpivot" => Unpivot(unpivot::Unpivot),
    "transpose" => Transpose(transpose::Transpose),
    "window" => Window(window::Window),
    "sort" => Sort(Sort),
    "limit" => Limit(limit::Limit),
    "distinct" => Distinct(distinct::Distinct),
    "dedupe" => Dedupe(dedupe::Dedupe),
}

impl Transform {
    /// Kinds of the format that this version does not carry out.
    pub(crate) const PLANNED: &[&str] = &[
        "asof_join",
        "lateral_join",
        "intersect",
        "except",
        "offset",
        "tail",
        "sample",
        "sample_by",
        "repartition",
        "coalesce",
        "hint",
        "alias",
        "fill_nulls",
        "drop_nulls",
        "replace",
        "describe",
        "summary",
        "crosstab",
        "freq_items",
        "cov",
        "corr",
        "approx_quantile",
        "parse",
        "to_schema",
        "sql",
    ];

    /// The kind that is called so elsewhere.
    pub(crate) fn also_called(key: &str) -> Option<&'static str> {
        let plain = key.to_lowercase().replace(['_', '-', ' '], "");
        Some(match plain.as_str() {
            "where" | "having" => "filter",
            "project" | "selectexpr" | "columns" => "select",
            "withcolumn" | "derive" | "mutate" | "assign" => "with_columns",
            "withcolumnrenamed" => "rename",
            "dropcolumns" | "dropcolumn" => "drop",
            "unique" => "distinct",
            "dropduplicates" | "deduplicate" | "distinctby" | "distincton" | "uniqueby" => "dedupe",
            "groupby" | "agg" | "group" | "rollup" | "cube" | "groupingsets" => "aggregate",
            "pivottable" | "pivotwider" => "pivot",
            "melt" | "stack" | "pivotlonger" => "unpivot",
            "over" | "windowfunction" | "withwindow" => "window",
            "orderby" | "order" => "sort",
            "unionall" | "concat" | "append" => "union",
            "head" | "take" | "first" | "top" => "limit",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_both_there_and_planned() {
        for key in Transform::KEYS {
            assert!(!Transform::PLANNED.contains(key), "{key}");
            assert_eq!(Transform::also_called(key), None, "{key}");
        }
    }
}
