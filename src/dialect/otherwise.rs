//! What Sail and Spark work out differently without a word, function by function.
//!
//! Only what common input brings out is here: a pipeline whose result depends on it is right on one engine and wrong on the
//! other. What one of them refuses is found by its analysis. Each row is held to both engines by a test.

/// A function whose results differ.
#[derive(Debug)]
pub(crate) struct Otherwise {
    /// Its name; `extract(dow` is that function with that word as its first one.
    pub(crate) function: &'static str,
    /// What each engine makes of it, for a sentence.
    pub(crate) sail: &'static str,
    pub(crate) spark: &'static str,
    /// What means the same on both.
    pub(crate) instead: Option<&'static str>,
}

const fn row(
    function: &'static str,
    sail: &'static str,
    spark: &'static str,
    instead: Option<&'static str>,
) -> Otherwise {
    Otherwise { function, sail, spark, instead }
}

const PERCENTILE: Option<&str> = Some("`percentile(column, fraction)` is exact and the same on both");
const HALVES: Option<&str> = Some("`round` is the same on both: away from zero");
const DAY_OF_WEEK: Option<&str> = Some("`dayofweek(date)` is the same on both: 1 is Sunday");

/// By name.
pub(crate) const OTHERWISE: &[Otherwise] = &[
    row("approx_percentile", "interpolates between values", "gives one of the values", PERCENTILE),
    row("array_contains", "is false where NULLs may hide the value", "is NULL there", None),
    row("base64", "gives one line", "breaks lines after 76 characters", None),
    row("bround", "rounds halves away from zero, to a double", "rounds halves to the even digit", HALVES),
    row("date_part(dow", "counts Sunday as 0", "counts Sunday as 1", DAY_OF_WEEK),
    row("extract(dow", "counts Sunday as 0", "counts Sunday as 1", DAY_OF_WEEK),
    row(
        "get_json_object",
        "knows no `[*]`, and gives values as they are written",
        "knows it, and writes values anew",
        Some("`from_json` with the columns' types is the same on both"),
    ),
    row("initcap", "begins a word after each mark", "begins a word after white space alone", None),
    row("percentile_approx", "interpolates between values", "gives one of the values", PERCENTILE),
    row("rint", "rounds halves away from zero", "rounds halves to the even number", HALVES),
    row(
        "timestamp_seconds",
        "drops fractions of a second",
        "keeps them",
        Some("`timestamp_micros` of whole numbers is the same on both"),
    ),
    row("to_csv", "quotes NULL", "leaves NULL empty", None),
    row(
        "to_json",
        "writes timestamps with six decimals, and decimals and doubles without further zeros",
        "writes timestamps with three, decimals with their scale, and large doubles as `1.0E10`",
        Some("cast such fields to strings of your own form before"),
    ),
    row(
        "weekday",
        "counts Sunday as -1",
        "counts Sunday as 6",
        Some("`dayofweek(date)` is the same on both: 1 is Sunday"),
    ),
];
