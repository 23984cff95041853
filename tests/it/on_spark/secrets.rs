//! Secrets on Spark: a canary is put into every place that takes one, and found nowhere.

use crate::on_sail::secrets::{arrives, failures_are_told_without};
use crate::support::{Case, Warm, elsewhere};

#[test]
fn a_secret_arrives_at_spark_and_nowhere_else() {
    drop(Case::new(["engine", "status"]).spark());
    arrives("spark", "text");
}

#[test]
fn what_fails_on_spark_is_told_without_the_secret() {
    let warm = Warm::shared("spark");
    let tests = [("failures", failures_are_told_without as fn())];
    assert!(elsewhere("engine: spark", warm.runtime(), &tests).is_empty());
}
