//! What tests may ask for in their tier: none of the inner loop an engine, and those of the engines' tiers a place to work.

use std::cell::OnceCell;
use std::fs::File;
use std::panic::Location;
use std::thread;

use super::lock::place;

/// How many tests have engines work for them, whatever number of tests runs. Those of networks and faults do too, but most of
/// them wait most of the time, so that they run beside these.
const PLACES: usize = 3;

thread_local! {
    /// It is let go with the thread of the test.
    static PLACE: OnceCell<File> = const { OnceCell::new() };
}

/// Waits for a place, where the test of this thread is of the tier of an engine and has none.
pub(super) fn take_place() {
    // Threads that a test starts have no name, and it has a place.
    let current = thread::current();
    let is_working = |name: &str| ["on_sail::", "on_spark::"].iter().any(|tier| name.starts_with(tier));
    if current.name().is_some_and(is_working) {
        PLACE.with(|held| {
            held.get_or_init(|| place("work", PLACES));
        });
    }
}

/// Fails where a file of the inner loop asks for this: nothing that takes long to have is there.
#[track_caller]
pub(super) fn assert_is_not_inner(what: &str) {
    let caller = Location::caller().file();
    assert!(!caller.contains("/inner/"), "`{caller}` asks for {what}: its test belongs to another tier");
}
