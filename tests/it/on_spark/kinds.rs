//! Every kind on Spark.

use crate::on_sail::kinds::hold_on;

#[test]
fn every_case_prints_on_spark_what_it_should() {
    hold_on("spark");
}
