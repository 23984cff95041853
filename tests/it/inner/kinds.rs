//! Every kind's case has its result beside it.

use crate::on_sail::kinds::cases;

#[test]
fn every_case_says_what_it_prints() {
    for case in cases() {
        assert!(case.with_extension("txt").is_file(), "{} has no text file beside it", case.display());
    }
}
