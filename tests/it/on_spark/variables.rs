//! Variables: every type comes back from Spark with exactly that type and value.

use crate::on_sail::variables::every_type_comes_back;
use crate::support::Warm;

#[test]
fn spark_has_every_type() {
    every_type_comes_back(&Warm::shared("spark"), "spark");
}
