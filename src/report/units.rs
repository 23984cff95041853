//! Numbers for people.

use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount};

/// Returns a length of time, exact to hundredths of a second below a minute.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{} min {:.0} s", Duration::from_secs_f64(seconds).as_secs() / 60, seconds % 60.0)
    }
}

/// Returns a number of bytes in the largest unit that fits, which is a power of 1000.
pub(super) fn size(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

pub(super) fn rows(rows: u64) -> String {
    format!("{} {}", HumanCount(rows), if rows == 1 { "row" } else { "rows" })
}

pub(super) fn number(number: usize) -> String {
    HumanCount(number as u64).to_string()
}

/// Returns a number of things, of which this is one.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", HumanCount(number as u64), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(rows(1), "1 row");
        assert_eq!(rows(1_234_567), "1,234,567 rows");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_500), "1.50 kB");
        assert_eq!(seconds(1.234), "1.23 s");
        assert_eq!(seconds(61.0), "1 min 1 s");
        assert_eq!((count(1, "step"), count(2, "step")), ("1 step".to_owned(), "2 steps".to_owned()));
    }
}
