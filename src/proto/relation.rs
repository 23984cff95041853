//! Relations, as one writes a query: the input first, then what is done with it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::proto::expression;
use crate::proto::spark::aggregate::GroupType;
use crate::proto::spark::expression::{Literal, SortOrder};
use crate::proto::spark::join::JoinType;
use crate::proto::spark::na_replace::Replacement;
use crate::proto::spark::read::{NamedTable, ReadType};
use crate::proto::spark::relation::RelType;
use crate::proto::spark::set_operation::SetOpType;
use crate::proto::spark::with_columns_renamed::Rename;
use crate::proto::spark::{
    Aggregate, CachedLocalRelation, CachedRemoteRelation, ChunkedCachedLocalRelation, Deduplicate, Drop,
    Expression, Filter, Join, Limit, LocalRelation, NaDrop, NaFill, NaReplace, Offset, Plan, Project, Range,
    Read, Relation, Repartition, RepartitionByExpression, Sample, SetOperation, Sort, Sql, SubqueryAlias,
    ToDf, WithColumns, WithColumnsRenamed, plan,
};

/// What the rows of two sides are joined on.
pub(crate) enum JoinOn {
    /// Every row with every row.
    Nothing,
    Condition(Expression),
    /// Columns that both sides have and the result has once.
    Using(Vec<String>),
}

impl From<Relation> for Plan {
    fn from(root: Relation) -> Self {
        Self { op_type: Some(plan::OpType::Root(root)) }
    }
}

/// Any relation, for those without a function here.
pub(crate) fn of(rel_type: RelType) -> Relation {
    Relation { common: None, rel_type: Some(rel_type) }
}

pub(crate) fn named_table(identifier: impl Into<String>) -> Relation {
    let table = NamedTable { unparsed_identifier: identifier.into(), options: BTreeMap::new() };
    of(RelType::Read(Read { is_streaming: false, read_type: Some(ReadType::NamedTable(table)) }))
}

/// The numbers from `start` up to, and without, `end`, in the column `id`.
pub(crate) fn range(start: i64, end: i64, step: i64, num_partitions: Option<i32>) -> Relation {
    of(RelType::Range(Range { start: Some(start), end, step, num_partitions }))
}

/// Rows that travel with the plan: an Arrow IPC stream, and the schema they shall have.
pub(crate) fn local_relation(data: Bytes, schema: impl Into<String>) -> Relation {
    of(RelType::LocalRelation(LocalRelation { data: Some(data), schema: Some(schema.into()) }))
}

/// Rows that were sent before: a [`LocalRelation`] as bytes, called by its checksum.
pub(crate) fn cached_local_relation(hash: impl Into<String>) -> Relation {
    of(RelType::CachedLocalRelation(CachedLocalRelation { hash: hash.into() }))
}

/// Rows that were sent before: Arrow IPC streams and the schema they shall have, all called by their checksums.
pub(crate) fn chunked_cached_local_relation(data_hashes: Vec<String>, schema_hash: String) -> Relation {
    let schema_hash = Some(schema_hash);
    of(RelType::ChunkedCachedLocalRelation(ChunkedCachedLocalRelation { data_hashes, schema_hash }))
}

/// No rows, in the columns of this DDL.
pub(crate) fn empty(schema: impl Into<String>) -> Relation {
    of(RelType::LocalRelation(LocalRelation { data: None, schema: Some(schema.into()) }))
}

/// What a checkpoint of this session has kept.
pub(crate) fn cached_remote_relation(id: impl Into<String>) -> Relation {
    of(RelType::CachedRemoteRelation(CachedRemoteRelation { relation_id: id.into() }))
}

/// A query, with values for its `:name`s.
pub(crate) fn sql(query: impl Into<String>, arguments: BTreeMap<String, Expression>) -> Relation {
    of(RelType::Sql(Sql { query: query.into(), named_arguments: arguments, ..Sql::default() }))
}

pub(crate) fn project(input: Relation, expressions: Vec<Expression>) -> Relation {
    of(RelType::Project(Box::new(Project { input: boxed(input), expressions })))
}

pub(crate) fn filter(input: Relation, condition: Expression) -> Relation {
    of(RelType::Filter(Box::new(Filter { input: boxed(input), condition: Some(condition) })))
}

/// Adds columns, or replaces those of the same name. Every expression sees the input as it is.
pub(crate) fn with_columns(
    input: Relation,
    columns: impl IntoIterator<Item = (String, Expression)>,
) -> Relation {
    let aliases = columns.into_iter().map(|(name, value)| expression::aliased(value, name)).collect();
    of(RelType::WithColumns(Box::new(WithColumns { input: boxed(input), aliases })))
}

/// Renames columns. The server passes over a name that does not exist.
pub(crate) fn renamed(input: Relation, names: impl IntoIterator<Item = (String, String)>) -> Relation {
    let renames =
        names.into_iter().map(|(col_name, new_col_name)| Rename { col_name, new_col_name }).collect();
    let renamed = WithColumnsRenamed { input: boxed(input), renames, ..WithColumnsRenamed::default() };
    of(RelType::WithColumnsRenamed(Box::new(renamed)))
}

/// Gives all columns new names, by their order.
pub(crate) fn to_df(input: Relation, column_names: Vec<String>) -> Relation {
    of(RelType::ToDf(Box::new(ToDf { input: boxed(input), column_names })))
}

/// Drops columns by their plain names. The server passes over a name that does not exist.
pub(crate) fn drop(input: Relation, column_names: Vec<String>) -> Relation {
    of(RelType::Drop(Box::new(Drop { input: boxed(input), columns: Vec::new(), column_names })))
}

/// Drops columns that are meant by expressions, such as qualified names. Sail drops nothing then.
pub(crate) fn drop_expressions(input: Relation, columns: Vec<Expression>) -> Relation {
    of(RelType::Drop(Box::new(Drop { input: boxed(input), columns, column_names: Vec::new() })))
}

pub(crate) fn join(left: Relation, right: Relation, how: JoinType, on: JoinOn) -> Relation {
    let (join_condition, using_columns) = match on {
        JoinOn::Nothing => (None, Vec::new()),
        JoinOn::Condition(condition) => (Some(condition), Vec::new()),
        JoinOn::Using(columns) => (None, columns),
    };
    of(RelType::Join(Box::new(Join {
        left: boxed(left),
        right: boxed(right),
        join_condition,
        join_type: how.into(),
        using_columns,
        join_data_type: None,
    })))
}

/// Union, intersect or except; `settings` says which, and its inputs are filled in here.
pub(crate) fn set_operation(left: Relation, right: Relation, settings: SetOperation) -> Relation {
    let mut operation = settings;
    operation.left_input = boxed(left);
    operation.right_input = boxed(right);
    of(RelType::SetOp(Box::new(operation)))
}

/// The rows of both sides, their columns matched by name; all must be on both.
pub(crate) fn union_by_name(left: Relation, right: Relation) -> Relation {
    set_operation(left, right, union(Some(true), Some(false)))
}

/// The rows of both sides, their columns matched by name; what one side lacks is NULL there.
pub(crate) fn union_or_null(left: Relation, right: Relation) -> Relation {
    set_operation(left, right, union(Some(true), Some(true)))
}

/// The rows of both sides, their columns matched by their order.
pub(crate) fn union_by_position(left: Relation, right: Relation) -> Relation {
    set_operation(left, right, union(Some(false), Some(false)))
}

fn union(by_name: Option<bool>, allow_missing_columns: Option<bool>) -> SetOperation {
    let set_op_type = SetOpType::Union.into();
    SetOperation {
        set_op_type,
        is_all: Some(true),
        by_name,
        allow_missing_columns,
        ..SetOperation::default()
    }
}

/// One row for each group: the columns of `by`, then `columns`.
pub(crate) fn aggregate(input: Relation, by: Vec<Expression>, columns: Vec<Expression>) -> Relation {
    of(RelType::Aggregate(Box::new(Aggregate {
        input: boxed(input),
        group_type: GroupType::Groupby.into(),
        grouping_expressions: by,
        aggregate_expressions: columns,
        pivot: None,
        grouping_sets: Vec::new(),
    })))
}

/// Sorts all rows, and not each partition's.
pub(crate) fn sort(input: Relation, order: Vec<SortOrder>) -> Relation {
    of(RelType::Sort(Box::new(Sort { input: boxed(input), order, is_global: Some(true) })))
}

/// Sorts each partition's rows, and not all.
pub(crate) fn sort_within_partitions(input: Relation, order: Vec<SortOrder>) -> Relation {
    of(RelType::Sort(Box::new(Sort { input: boxed(input), order, is_global: Some(false) })))
}

/// So many partitions, the rows spread over them evenly.
pub(crate) fn repartition(input: Relation, partitions: i32) -> Relation {
    of(RelType::Repartition(Box::new(Repartition {
        input: boxed(input),
        num_partitions: partitions,
        shuffle: Some(true),
    })))
}

/// Partitions by the values of expressions, or, where these are sort keys, by ranges of them.
pub(crate) fn repartition_by(input: Relation, by: Vec<Expression>, partitions: Option<i32>) -> Relation {
    of(RelType::RepartitionByExpression(Box::new(RepartitionByExpression {
        input: boxed(input),
        partition_exprs: by,
        num_partitions: partitions,
    })))
}

/// Rows by chance; `settings` says how, and its input is filled in here.
pub(crate) fn sample(input: Relation, settings: Sample) -> Relation {
    let mut sample = settings;
    sample.input = boxed(input);
    of(RelType::Sample(Box::new(sample)))
}

/// Puts a value for NULLs and for what is not a number: in all columns that it fits, or the first in the first of `columns`, and so on.
pub(crate) fn fill_nulls(input: Relation, columns: Vec<String>, values: Vec<Literal>) -> Relation {
    of(RelType::FillNa(Box::new(NaFill { input: boxed(input), cols: columns, values })))
}

/// Keeps rows without NULLs, or with so many values, in all columns or in these.
pub(crate) fn drop_nulls(input: Relation, columns: Vec<String>, values: Option<i32>) -> Relation {
    of(RelType::DropNa(Box::new(NaDrop { input: boxed(input), cols: columns, min_non_nulls: values })))
}

/// Puts values for others, in all columns that they fit, or in these.
pub(crate) fn replace(input: Relation, columns: Vec<String>, replacements: Vec<Replacement>) -> Relation {
    of(RelType::Replace(Box::new(NaReplace { input: boxed(input), cols: columns, replacements })))
}

/// At most so many partitions, without moving rows between those that stay.
pub(crate) fn coalesce(input: Relation, partitions: i32) -> Relation {
    of(RelType::Repartition(Box::new(Repartition {
        input: boxed(input),
        num_partitions: partitions,
        shuffle: Some(false),
    })))
}

pub(crate) fn limit(input: Relation, rows: i32) -> Relation {
    of(RelType::Limit(Box::new(Limit { input: boxed(input), limit: rows })))
}

pub(crate) fn offset(input: Relation, rows: i32) -> Relation {
    of(RelType::Offset(Box::new(Offset { input: boxed(input), offset: rows })))
}

/// One row for each value of `columns`, or of the whole row where there are none.
pub(crate) fn deduplicate(input: Relation, columns: Vec<String>) -> Relation {
    of(RelType::Deduplicate(Box::new(Deduplicate {
        input: boxed(input),
        all_columns_as_keys: Some(columns.is_empty()),
        column_names: columns,
        within_watermark: Some(false),
    })))
}

/// Gives the input a name, by which its columns can be qualified.
pub(crate) fn subquery_alias(input: Relation, alias: impl Into<String>) -> Relation {
    of(RelType::SubqueryAlias(Box::new(SubqueryAlias {
        input: boxed(input),
        alias: alias.into(),
        qualifier: Vec::new(),
    })))
}

#[expect(clippy::unnecessary_wraps, reason = "every message holds its input like this")]
fn boxed(input: Relation) -> Option<Box<Relation>> {
    Some(Box::new(input))
}
