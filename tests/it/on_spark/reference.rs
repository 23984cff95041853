//! The examples of the reference, run on Spark.

use crate::on_sail::reference::hold_on;

#[test]
fn every_example_gives_on_spark_what_its_page_shows() {
    hold_on("spark");
}
