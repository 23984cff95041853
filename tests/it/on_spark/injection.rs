//! Values of variables as data on Spark.

use crate::on_sail::injection::{values_are_found, values_are_parts_of_paths, values_arrive};
use crate::support::Warm;

#[test]
fn spark_gets_values() {
    let warm = Warm::shared("spark");
    values_arrive(&warm, "spark");
    values_are_found(&warm, "spark");
}

#[test]
fn spark_reads_what_paths_say() {
    values_are_parts_of_paths(&Warm::shared("spark"), "spark");
}
