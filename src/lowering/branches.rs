//! Finds the rows that come from several branches, and sorts them so that the first of them are right.
//!
//! Sail sorts each branch of a union by the keys that are not constant in it. All branches share the bound that says which rows can
//! still be among the first, and so drop rows of each other by keys that are no longer the same. Where a `coalesce` lies between union
//! and sort, every branch sorts by all keys; into more partitions than there are it moves nothing.

use std::collections::HashSet;

use crate::dialect::Dialect;
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::proto::spark::expression::SortOrder;
use crate::proto::spark::read::ReadType;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::set_operation::SetOpType;

/// More partitions than a union has.
const MANY: i32 = 1 << 20;

/// The views over unions, and whether the engine needs its branches apart.
#[derive(Debug, Default)]
pub(crate) struct Branches {
    are_kept_apart: bool,
    are_sorts_kept_apart: bool,
    views: HashSet<String>,
}

impl Branches {
    pub(crate) fn new(dialect: &Dialect) -> Self {
        Self {
            are_kept_apart: dialect.shares_bound_of_branches(),
            are_sorts_kept_apart: dialect.loses_limits_behind_sorts(),
            views: HashSet::new(),
        }
    }

    /// Remembers what a view is made of.
    pub(crate) fn view(&mut self, name: &str, relation: &Relation) {
        if self.are_kept_apart && self.are_in(relation) {
            self.views.insert(name.to_owned());
        }
    }

    /// Sorts rows of which the first may be taken; without keys they stay as they are.
    pub(crate) fn sort(&self, input: Relation, keys: &[SortOrder]) -> Relation {
        match keys {
            [] => input,
            // With one key a branch has either the same key as the others or nothing to sort.
            [_] => relation::sort(input, keys.to_vec()),
            _ => relation::sort(self.apart(input), keys.to_vec()),
        }
    }

    /// The same rows, whose branches the engine optimizes without what follows.
    pub(crate) fn apart(&self, input: Relation) -> Relation {
        if self.are_kept_apart && self.are_in(&input) { relation::coalesce(input, MANY) } else { input }
    }

    /// The same rows, which hold a sort that the engine optimizes without the next one.
    pub(crate) fn behind_sort(&self, input: Relation) -> Relation {
        if self.are_sorts_kept_apart { relation::coalesce(input, MANY) } else { input }
    }

    /// Whether rows of several branches pass through to the top. Whatever brings rows together by itself ends the branches: groups,
    /// limits, shuffles.
    fn are_in(&self, relation: &Relation) -> bool {
        let mut further = vec![relation];
        while let Some(relation) = further.pop() {
            let Some(rel_type) = &relation.rel_type else { continue };
            if self.unites(rel_type) {
                return true;
            }
            further.extend(inputs(rel_type).into_iter().flatten());
        }
        false
    }

    fn unites(&self, rel_type: &RelType) -> bool {
        match rel_type {
            RelType::SetOp(operation) => operation.set_op_type() == SetOpType::Union,
            RelType::Read(read) => match &read.read_type {
                Some(ReadType::NamedTable(table)) => self.views.contains(&table.unparsed_identifier),
                _ => false,
            },
            RelType::Sql(sql) => {
                let query = sql.query.to_lowercase();
                query.contains("union") || self.views.iter().any(|view| query.contains(view))
            }
            _ => false,
        }
    }
}

/// The inputs whose rows a relation passes on, each row in the partition in which it is.
fn inputs(rel_type: &RelType) -> [Option<&Relation>; 2] {
    let (input, other) = match rel_type {
        RelType::Project(it) => (&it.input, &None),
        RelType::Filter(it) => (&it.input, &None),
        RelType::WithColumns(it) => (&it.input, &None),
        RelType::WithColumnsRenamed(it) => (&it.input, &None),
        RelType::Drop(it) => (&it.input, &None),
        RelType::ToDf(it) => (&it.input, &None),
        RelType::ToSchema(it) => (&it.input, &None),
        RelType::SubqueryAlias(it) => (&it.input, &None),
        RelType::Hint(it) => (&it.input, &None),
        RelType::Sample(it) => (&it.input, &None),
        RelType::Sort(it) => (&it.input, &None),
        RelType::Unpivot(it) => (&it.input, &None),
        RelType::Parse(it) => (&it.input, &None),
        RelType::FillNa(it) => (&it.input, &None),
        RelType::DropNa(it) => (&it.input, &None),
        RelType::Replace(it) => (&it.input, &None),
        RelType::Repartition(it) if !it.shuffle() && it.num_partitions < MANY => (&it.input, &None),
        RelType::Join(it) => (&it.left, &it.right),
        RelType::SetOp(it) => (&it.left_input, &it.right_input),
        RelType::LateralJoin(it) => (&it.left, &it.right),
        _ => (&None, &None),
    };
    [input.as_deref(), other.as_deref()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::expression::{attribute, expression_string, upwards};
    use crate::proto::relation::{aggregate, filter, limit, named_table, repartition, sort, union_by_name};

    fn keys(names: &[&str]) -> Vec<SortOrder> {
        names.iter().map(|name| upwards(attribute(*name))).collect()
    }

    fn both() -> Relation {
        union_by_name(named_table("a"), named_table("b"))
    }

    #[test]
    fn branches_are_kept_apart_where_they_reach_a_sort_by_several_keys() {
        let mut branches = Branches::new(&Dialect::sail());
        branches.view("both", &filter(both(), expression_string("x > 1")));
        branches.view("one", &limit(both(), 9));
        let query = |text: &str| relation::sql(text, std::collections::BTreeMap::new());
        for (input, are_apart) in [
            (both(), true),
            (filter(sort(both(), keys(&["x"])), expression_string("x > 1")), true),
            (relation::coalesce(both(), 2), true),
            (named_table("both"), true),
            (query("SELECT * FROM both"), true),
            (query("SELECT 1 UNION ALL SELECT 2"), true),
            (named_table("one"), false),
            (named_table("a"), false),
            (repartition(both(), 2), false),
            (relation::coalesce(both(), MANY), false),
            (aggregate(both(), vec![attribute("x")], Vec::new()), false),
        ] {
            let expected = if are_apart { relation::coalesce(input.clone(), MANY) } else { input.clone() };
            let keys = keys(&["x", "y"]);
            assert_eq!(branches.sort(input.clone(), &keys), sort(expected, keys), "{input:?}");
        }
        assert_eq!(branches.sort(both(), &keys(&["x"])), sort(both(), keys(&["x"])));
        assert_eq!(branches.sort(both(), &[]), both());
    }

    #[test]
    fn other_engines_sort_unions_as_they_are() {
        let keys = keys(&["x", "y"]);
        let sorted = Branches::new(&Dialect::spark()).sort(both(), &keys);
        assert_eq!(sorted, sort(both(), keys));
    }
}
