//! ISO 8601 text of dates, instants and intervals, exact for every value that Arrow can hold.
//!
//! chrono covers about 262,000 years around the epoch and Spark's microseconds 292,000, so the calendar is
//! computed here; chrono answers for the time zones only.

use std::io::{self, Write};

use arrow_array::timezone::Tz;
use chrono::{DateTime, Offset as _, TimeZone as _};

const DAY: i64 = 86_400;
const SECOND: i128 = 1_000_000_000;

/// Writes the date that lies `days` after 1970-01-01.
pub(crate) fn date(out: &mut dyn Write, days: i64) -> io::Result<()> {
    let (year, month, day) = civil(days);
    if (0..=9999).contains(&year) {
        write!(out, "{year:04}-{month:02}-{day:02}")
    } else {
        write!(out, "{year:+05}-{month:02}-{day:02}")
    }
}

/// Writes the date and time `nanos` after the epoch, as a wall clock without a zone shows it.
pub(crate) fn local(out: &mut dyn Write, nanos: i128) -> io::Result<()> {
    let (seconds, fraction) = split(nanos);
    date(out, seconds.div_euclid(DAY))?;
    let second = seconds.rem_euclid(DAY);
    write!(out, "T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
    match fraction {
        0 => Ok(()),
        it if it % 1_000_000 == 0 => write!(out, ".{:03}", it / 1_000_000),
        it if it % 1_000 == 0 => write!(out, ".{:06}", it / 1_000),
        it => write!(out, ".{it:09}"),
    }
}

/// Writes the instant `nanos` after the epoch with the offset that `zone` has then.
///
/// An offset of odd seconds (before about 1940) has no ISO text, so such an instant is written in UTC.
pub(crate) fn instant(out: &mut dyn Write, nanos: i128, zone: Tz) -> io::Result<()> {
    let offset = DateTime::from_timestamp(split(nanos).0, 0)
        .map_or(0, |utc| zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc());
    if offset == 0 || offset % 60 != 0 {
        local(out, nanos)?;
        return out.write_all(b"Z");
    }
    local(out, nanos + i128::from(offset) * SECOND)?;
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Writes a year-month interval: `P1Y2M`, `-P2M`.
pub(crate) fn months(out: &mut dyn Write, months: i32) -> io::Result<()> {
    let sign = if months < 0 { "-" } else { "" };
    let (years, rest) = (months.unsigned_abs() / 12, months.unsigned_abs() % 12);
    match (years, rest) {
        (0, rest) => write!(out, "{sign}P{rest}M"),
        (years, 0) => write!(out, "{sign}P{years}Y"),
        (years, rest) => write!(out, "{sign}P{years}Y{rest}M"),
    }
}

/// Writes a day-time interval: `P1DT2H3M4.5S`, `-PT1S`. A day has 24 hours.
pub(crate) fn duration(out: &mut dyn Write, nanos: i128) -> io::Result<()> {
    if nanos == 0 {
        return out.write_all(b"PT0S");
    }
    if nanos < 0 {
        out.write_all(b"-")?;
    }
    let (seconds, fraction) = split(nanos.abs());
    out.write_all(b"P")?;
    if seconds >= DAY {
        write!(out, "{}D", seconds / DAY)?;
    }
    clock(out, seconds % DAY, fraction, "")
}

/// Writes a calendar interval, each of its three parts with its own sign: `P1Y2M-3DT4H`.
pub(crate) fn calendar(out: &mut dyn Write, months: i32, days: i32, nanos: i64) -> io::Result<()> {
    if (months, days, nanos) == (0, 0, 0) {
        return out.write_all(b"PT0S");
    }
    out.write_all(b"P")?;
    for (amount, unit) in [(months / 12, 'Y'), (months % 12, 'M'), (days, 'D')] {
        if amount != 0 {
            write!(out, "{amount}{unit}")?;
        }
    }
    let (seconds, fraction) = split(i128::from(nanos).abs());
    clock(out, seconds, fraction, if nanos < 0 { "-" } else { "" })
}

/// Writes the time part of an interval, if there is one.
fn clock(out: &mut dyn Write, seconds: i64, fraction: u32, sign: &str) -> io::Result<()> {
    if seconds == 0 && fraction == 0 {
        return Ok(());
    }
    out.write_all(b"T")?;
    for (amount, unit) in [(seconds / 3600, 'H'), (seconds / 60 % 60, 'M')] {
        if amount != 0 {
            write!(out, "{sign}{amount}{unit}")?;
        }
    }
    match (seconds % 60, fraction) {
        (0, 0) => Ok(()),
        (second, 0) => write!(out, "{sign}{second}S"),
        (second, fraction) => {
            let digits = format!("{fraction:09}");
            write!(out, "{sign}{second}.{}S", digits.trim_end_matches('0'))
        }
    }
}

/// Whole seconds and the nanoseconds after them.
fn split(nanos: i128) -> (i64, u32) {
    let seconds = i64::try_from(nanos.div_euclid(SECOND)).expect("Arrow counts seconds in 64 bits");
    let fraction = u32::try_from(nanos.rem_euclid(SECOND)).expect("a remainder is less than its divisor");
    (seconds, fraction)
}

/// Year, month and day of the proleptic Gregorian calendar
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike as _, NaiveDate};

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dates_agree_with_chrono() {
        for days in (-90_000_000..90_000_000).step_by(9_973) {
            let Some(expected) = NaiveDate::from_epoch_days(days) else { continue };
            let expected =
                (i64::from(expected.year()), i64::from(expected.month()), i64::from(expected.day()));
            assert_eq!(civil(i64::from(days)), expected);
        }
    }

    #[test]
    fn years_beyond_four_digits_carry_a_sign() {
        assert_eq!(text(|out| date(out, 0)), "1970-01-01");
        assert_eq!(text(|out| date(out, 2_932_896)), "9999-12-31");
        assert_eq!(text(|out| date(out, 2_932_897)), "+10000-01-01");
        assert_eq!(text(|out| date(out, -719_528)), "0000-01-01");
        assert_eq!(text(|out| date(out, -719_529)), "-0001-12-31");
        assert_eq!(text(|out| date(out, i64::from(i32::MAX))), "+5881580-07-11");
    }

    #[test]
    fn times_show_as_many_digits_as_they_need() {
        for (nanos, expected) in [
            (0, "1970-01-01T00:00:00"),
            (1_500_000_000, "1970-01-01T00:00:01.500"),
            (1_000_001_000, "1970-01-01T00:00:01.000001"),
            (-1, "1969-12-31T23:59:59.999999999"),
            (i128::from(i64::MAX) * 1_000, "+294247-01-10T04:00:54.775807"),
            (i128::from(i64::MIN) * 1_000, "-290308-12-21T19:59:05.224192"),
        ] {
            assert_eq!(text(|out| local(out, nanos)), expected);
        }
    }

    #[test]
    fn instants_carry_the_offset_of_their_zone() {
        let summer = 1_751_371_200 * SECOND;
        let before_standard_time = -2_500_000_000 * SECOND;
        for (zone, nanos, expected) in [
            ("UTC", summer, "2025-07-01T12:00:00Z"),
            ("Europe/Berlin", summer, "2025-07-01T14:00:00+02:00"),
            ("America/St_Johns", summer, "2025-07-01T09:30:00-02:30"),
            ("+05:30", summer, "2025-07-01T17:30:00+05:30"),
            ("Europe/Berlin", before_standard_time, "1890-10-11T19:33:20Z"),
            ("Europe/Berlin", i128::from(i64::MAX) * 1_000, "+294247-01-10T04:00:54.775807Z"),
        ] {
            assert_eq!(text(|out| instant(out, nanos, zone.parse().unwrap())), expected);
        }
    }

    #[test]
    fn intervals_are_iso_durations() {
        for (count, expected) in
            [(0, "P0M"), (14, "P1Y2M"), (24, "P2Y"), (-1, "-P1M"), (i32::MIN, "-P178956970Y8M")]
        {
            assert_eq!(text(|out| months(out, count)), expected);
        }
        for (nanos, expected) in [
            (0, "PT0S"),
            (93_784_567_000_000, "P1DT2H3M4.567S"),
            (-86_400 * SECOND, "-P1D"),
            (60 * SECOND, "PT1M"),
            (1_000, "PT0.000001S"),
        ] {
            assert_eq!(text(|out| duration(out, nanos)), expected);
        }
        for ((count, days, nanos), expected) in [
            ((0, 0, 0), "PT0S"),
            ((14, -3, 14_400_000_000_000), "P1Y2M-3DT4H"),
            ((-14, 0, -1_500_000_000), "P-1Y-2MT-1.5S"),
            ((0, 0, 90_000_000_000_000), "PT25H"),
        ] {
            assert_eq!(text(|out| calendar(out, count, days, nanos)), expected);
        }
    }
}
