//! Names of time zones as readers of files know them.
//!
//! Spark labels a TIMESTAMP with the session's time zone just as that was set, and accepts more forms than
//! Arrow's readers do (`GMT+8`, `UTC+1:30`). The label changes no instant, only how it is shown.

use arrow_array::timezone::Tz;

/// The name of the same zone that every reader knows; UTC for one that nobody does.
pub(crate) fn known(name: &str) -> String {
    if name.parse::<Tz>().is_ok() {
        return name.to_owned();
    }
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    offset_of(offset).unwrap_or_else(|| "UTC".to_owned())
}

/// The zone of that name, or UTC.
pub(crate) fn named(name: &str) -> Tz {
    known(name).parse().unwrap_or_else(|_| "+00:00".parse().expect("an offset is a time zone"))
}

/// Reads `+8`, `-8:30` and the like.
fn offset_of(text: &str) -> Option<String> {
    let (sign @ ("+" | "-"), digits) = text.split_at_checked(1)? else { return None };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    (hours <= 18 && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_get_a_name_that_every_reader_knows() {
        for (name, expected) in [
            ("UTC", "UTC"),
            ("Europe/Berlin", "Europe/Berlin"),
            ("+05:30", "+05:30"),
            ("GMT+8", "+08:00"),
            ("UTC-1:30", "-01:30"),
            ("UT+10", "+10:00"),
            ("+8", "+08:00"),
            ("-08:30", "-08:30"),
            ("Mars/Olympus", "UTC"),
            ("GMT+99", "UTC"),
            ("", "UTC"),
            ("é", "UTC"),
        ] {
            assert_eq!(known(name), expected, "{name}");
            known(name).parse::<Tz>().unwrap();
            named(name);
        }
    }
}
