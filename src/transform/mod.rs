//! Owns the kinds of transform: what a step does to its rows, one after the other.
//!
//! A kind answers the questions of [`TransformKind`]. Everything that can be wrong is found by `check` and `gap`, so lowering returns
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
mod kind;
mod lateral_join;
mod limit;
mod matching;
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
mod sort_orders;
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

use crate::shape::kinds;

pub(crate) use kind::{Names, Placed, TransformKind, Work};
pub(crate) use matching::Matching;
pub(crate) use order::RowOrder;
pub(crate) use sort::Sort;
pub(crate) use sort_orders::sort_orders;
pub(crate) use union::Union;

kinds! {
    /// What a step does to its rows.
    Transform of TransformKind:
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
