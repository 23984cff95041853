//! Owns the kinds of transform: what a step does to its rows, one after the other.
//!
//! A kind answers the questions of [`Kind`]. Everything that can be wrong is found by `check` and `gap`, so lowering returns
//! a relation and not a result.
//!
//! A new kind is a file here and its two lines below, a case in `tests/specs/kinds`, and the schema and the reference written anew.

mod aggregate;
mod alias;
mod approx_quantile;
mod asof_join;
mod cast;
mod corr;
mod cov;
mod crosstab;
mod dedupe;
mod describe;
mod distinct;
mod drop;
mod drop_nulls;
mod fill_nulls;
mod filter;
mod frame;
mod freq_items;
mod hint;
mod join;
mod lateral_join;
mod limit;
mod nearest_by_join;
mod order;
mod pair;
mod pairs;
mod parse;
mod pivot;
mod rename;
mod repartition;
mod replace;
mod sample;
mod sample_by;
mod select;
mod set;
mod sort;
mod sql;
mod summary;
mod to_df;
mod to_schema;
mod top;
mod transpose;
mod union;
mod unpivot;
mod variable_keys;
mod window;
mod with_columns;
mod zip;

use std::fmt::Debug;

use crate::dialect::Dialect;
use crate::expr::{Bindings, Constant, Expr, Template};
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
pub(crate) enum Names<'a> {
    /// They stay as they are.
    Kept,
    /// The input's columns are qualified by the step they come from, those of earlier joins by theirs.
    Wanted,
    /// All of the input's columns are qualified by the step they come from, those of earlier joins too.
    Renewed,
    /// All columns are qualified by this name, and so is what the step makes of them.
    Called(&'a str),
    /// New columns are made, which have no qualifier.
    Gone,
}

/// A value that goes into columns or is looked for in them. Engines pass over it in silence where their types are others.
#[derive(Debug)]
pub(crate) struct Placed<'a> {
    /// It must fit one of them.
    pub(crate) columns: Vec<&'a Spanned<String>>,
    pub(crate) value: &'a Constant,
    /// Whether the columns must be spelt as they are, capital letters too.
    pub(crate) is_exact: bool,
    /// Whether it takes the place of another one, of which it is told where its kind fits no column.
    pub(crate) is_second: bool,
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

    /// Its expressions, so that an engine's complaint can be narrowed down to one. Where they build on each other, `stages` is answered in
    /// place of it.
    fn expressions(&self) -> Vec<&Expr> {
        Vec::new()
    }

    /// Its expressions in groups: whether those of a group are right depends on the groups before it.
    fn stages(&self) -> Vec<Vec<&Expr>> {
        vec![self.expressions()]
    }

    /// Its query, where it is one over its input, which then has a name at the engine.
    fn query(&self) -> Option<&Template> {
        None
    }

    /// Settings besides its expressions that can be left out one by one, for the same purpose.
    fn parts(&self) -> Vec<Span> {
        Vec::new()
    }

    /// Whether it reads the steps beside it twice, so that their rows are better not worked out by each reading.
    fn reads_twice(&self) -> bool {
        false
    }

    /// How its columns are matched with those of the steps beside it, where all of them are.
    fn matching(&self) -> Option<Matching> {
        None
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

    /// Values, and the columns that they must fit.
    fn values(&self, _bindings: &Bindings) -> Vec<Placed<'_>> {
        Vec::new()
    }

    /// Columns that it makes, and that its expressions do not see.
    fn columns_beside(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether these must be spelt as the columns are, capital letters too, because an engine passes over others.
    fn spelt_exactly(&self) -> bool {
        false
    }

    /// Whether its result may have two columns of one name.
    fn may_repeat_columns(&self) -> bool {
        false
    }

    fn work(&self) -> Work {
        Work::Light
    }

    fn names(&self) -> Names<'_> {
        Names::Kept
    }

    /// What becomes of the order of rows.
    fn order(&self) -> Order<'_> {
        Order::Kept
    }

    /// How many relations it nests above its input, but for the outermost.
    fn depth(&self) -> usize {
        0
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
    "asof_join" => AsofJoin(asof_join::AsofJoin),
    "lateral_join" => LateralJoin(lateral_join::LateralJoin),
    "nearest_by_join" => NearestByJoin(nearest_by_join::NearestByJoin),
    "zip" => Zip(zip::Zip),
    "union" => Union(Union),
    "intersect" => Intersect(set::Intersect),
    "except" => Except(set::Except),
    "aggregate" => Aggregate(aggregate::Aggregate),
    "pivot" => Pivot(pivot::Pivot),
    "unpivot" => Unpivot(unpivot::Unpivot),
    "transpose" => Transpose(transpose::Transpose),
    "window" => Window(window::Window),
    "sort" => Sort(Sort),
    "limit" => Limit(limit::Limit),
    "offset" => Offset(limit::Offset),
    "tail" => Tail(limit::Tail),
    "sample" => Sample(sample::Sample),
    "sample_by" => SampleBy(sample_by::SampleBy),
    "repartition" => Repartition(repartition::Repartition),
    "coalesce" => Coalesce(repartition::Coalesce),
    "fill_nulls" => FillNulls(fill_nulls::FillNulls),
    "drop_nulls" => DropNulls(drop_nulls::DropNulls),
    "replace" => Replace(replace::Replace),
    "distinct" => Distinct(distinct::Distinct),
    "alias" => Alias(alias::Alias),
    "hint" => Hint(hint::Hint),
    "to_schema" => ToSchema(to_schema::ToSchema),
    "to_df" => ToDf(to_df::ToDf),
    "sql" => Sql(sql::Sql),
    "dedupe" => Dedupe(dedupe::Dedupe),
    "parse" => Parse(parse::Parse),
    "describe" => Describe(describe::Describe),
    "summary" => Summary(summary::Summary),
    "corr" => Corr(corr::Corr),
    "cov" => Cov(cov::Cov),
    "crosstab" => Crosstab(crosstab::Crosstab),
    "freq_items" => FreqItems(freq_items::FreqItems),
    "approx_quantile" => ApproxQuantile(approx_quantile::ApproxQuantile),
}

impl Transform {
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
            "orderby" | "order" | "sortwithinpartitions" => "sort",
            "unionall" | "concat" | "append" => "union",
            "joinasof" | "mergeasof" | "asof" => "asof_join",
            "lateral" | "lateralview" | "explode" => "lateral_join",
            "nearestby" | "nearest" => "nearest_by_join",
            "minus" | "subtract" | "exceptall" => "except",
            "intersectall" => "intersect",
            "subqueryalias" => "alias",
            "to" => "to_schema",
            "head" | "take" | "first" | "top" | "fetch" => "limit",
            "skip" => "offset",
            "fillna" | "nafill" | "fillnull" | "fill" | "coalescenulls" | "impute" => "fill_nulls",
            "dropna" | "nadrop" | "dropnull" | "filternulls" => "drop_nulls",
            "nareplace" | "replacevalues" | "recode" | "mapvalues" => "replace",
            "last" | "bottom" => "tail",
            "randomsplit" | "tablesample" | "split" => "sample",
            "sampleby" | "stratifiedsample" | "stratify" => "sample_by",
            "repartitionbyrange" | "distributeby" | "partitionby" | "shuffle" => "repartition",
            "fromjson" | "fromcsv" | "parsejson" | "parsecsv" => "parse",
            "correlation" | "pearson" => "corr",
            "covariance" | "covarsamp" => "cov",
            "contingency" | "contingencytable" | "crosstabulate" => "crosstab",
            "frequentitems" | "freqitem" | "frequent" | "topk" => "freq_items",
            "quantile" | "quantiles" | "percentile" | "percentiles" => "approx_quantile",
            "profile" | "statistics" | "stats" => "summary",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_is_called_otherwise() {
        for key in Transform::KEYS {
            let called = Transform::also_called(key);
            assert!(called.is_none_or(|called| called == *key), "{key}: {called:?}");
        }
    }
}
