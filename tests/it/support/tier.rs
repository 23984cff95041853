//! Holds the tests of the inner loop to what they may ask for.

use std::panic::Location;

/// Fails where a file of the inner loop asks for this: nothing that takes long to have is there.
#[track_caller]
pub(super) fn assert_is_not_inner(what: &str) {
    let caller = Location::caller().file();
    assert!(!caller.contains("/inner/"), "`{caller}` asks for {what}: its test belongs to another tier");
}
