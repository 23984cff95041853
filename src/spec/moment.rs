//! Owns what shifts and formats do to dates, timestamps and times.

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike as _, Days, FixedOffset, Months, NaiveDateTime, NaiveTime, TimeDelta};

use super::reference::Unit;
use crate::expr::{Value, is_known};

/// Why a value is not moved.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Still {
    /// Its type does not move, or not by such a unit.
    Type,
    /// It would be before the year 1 or after the year 9999.
    Calendar,
}

/// A date or timestamp, moved. From the end of a month, months lead to the end of a shorter one.
pub(super) fn shifted(value: &Value, count: i64, unit: Unit) -> Result<Value, Still> {
    let moved =
        |at: NaiveDateTime| moved(at, count, unit).filter(|at| is_known(at.year())).ok_or(Still::Calendar);
    match value {
        Value::Date(_) if unit.is_of_clock() => Err(Still::Type),
        Value::Date(date) => Ok(Value::Date(moved(date.and_time(NaiveTime::MIN))?.date())),
        Value::Timestamp(at) => Ok(Value::Timestamp(moved(*at)?)),
        Value::Instant(at) => {
            let local = moved(at.naive_local())?;
            let at =
                local.and_local_timezone(*at.offset()).single().filter(|at| is_known(at.to_utc().year()));
            Ok(Value::Instant(at.ok_or(Still::Calendar)?))
        }
        _ => Err(Still::Type),
    }
}

fn moved(at: NaiveDateTime, count: i64, unit: Unit) -> Option<NaiveDateTime> {
    let seconds = |each: i64| at.checked_add_signed(TimeDelta::try_seconds(count.checked_mul(each)?)?);
    let whole = count.unsigned_abs();
    let months = |each: u64| Some(Months::new(u32::try_from(whole.checked_mul(each)?).ok()?));
    let days = |each: u64| Some(Days::new(whole.checked_mul(each)?));
    match unit {
        Unit::Seconds => seconds(1),
        Unit::Minutes => seconds(60),
        Unit::Hours => seconds(3_600),
        Unit::Days if count < 0 => at.checked_sub_days(days(1)?),
        Unit::Days => at.checked_add_days(days(1)?),
        Unit::Weeks if count < 0 => at.checked_sub_days(days(7)?),
        Unit::Weeks => at.checked_add_days(days(7)?),
        Unit::Months if count < 0 => at.checked_sub_months(months(1)?),
        Unit::Months => at.checked_add_months(months(1)?),
        Unit::Years if count < 0 => at.checked_sub_months(months(12)?),
        Unit::Years => at.checked_add_months(months(12)?),
    }
}

/// Why a value is not formatted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unformatted {
    /// Its type has no formats.
    Type,
    /// This part of the format is none.
    Unknown(String),
    /// This part asks for what the value does not have: the hour of a date.
    Lacking(String),
}

/// A date, a timestamp or a time as text.
pub(super) fn formatted(value: &Value, format: &str) -> Result<Value, Unformatted> {
    if !matches!(value, Value::Date(_) | Value::Time(_) | Value::Timestamp(_) | Value::Instant(_)) {
        return Err(Unformatted::Type);
    }
    let mut text = String::new();
    for specifier in specifiers(format) {
        let items: Vec<Item<'_>> = StrftimeItems::new(specifier).collect();
        if items.iter().any(|item| matches!(item, Item::Error)) {
            return Err(Unformatted::Unknown(specifier.to_owned()));
        }
        let items = items.iter();
        let written = match value {
            Value::Date(date) => write!(text, "{}", date.format_with_items(items)),
            Value::Time(time) => write!(text, "{}", time.format_with_items(items)),
            Value::Timestamp(at) => write!(text, "{}", at.format_with_items(items)),
            Value::Instant(at) => write!(text, "{}", DateTime::<FixedOffset>::format_with_items(at, items)),
            _ => Err(std::fmt::Error),
        };
        written.map_err(|_| Unformatted::Lacking(specifier.to_owned()))?;
    }
    Ok(Value::Text(text))
}

/// The parts of a format: each specifier with its flags, and the text between them.
fn specifiers(format: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = format;
    while !rest.is_empty() {
        let end = match rest.strip_prefix('%') {
            // Flags, a point and digits stand before the letter.
            Some(inner) => inner
                .char_indices()
                .find(|(_, c)| !matches!(c, '-' | '_' | '0'..='9' | '.' | ':' | '#'))
                .map_or(rest.len(), |(at, c)| 1 + at + c.len_utf8()),
            None => rest.find('%').unwrap_or(rest.len()),
        };
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use crate::expr::Type;

    use super::*;

    fn value(data_type: &str, text: &str) -> Value {
        Type::parse(data_type).unwrap().value(text).unwrap()
    }

    #[test]
    fn dates_move_over_the_ends_of_months() {
        for (from, count, unit, to) in [
            ("2026-03-01", -1, Unit::Days, "2026-02-28"),
            ("2024-03-31", -1, Unit::Months, "2024-02-29"),
            ("2026-01-31", 1, Unit::Months, "2026-02-28"),
            ("2026-01-31", 2, Unit::Months, "2026-03-31"),
            ("2026-08-31", 13, Unit::Months, "2027-09-30"),
            ("2024-02-29", 1, Unit::Years, "2025-02-28"),
            ("2026-01-01", 2, Unit::Weeks, "2026-01-15"),
            ("9999-12-30", 1, Unit::Days, "9999-12-31"),
        ] {
            assert_eq!(shifted(&value("date", from), count, unit), Ok(value("date", to)), "{from} {count}");
        }
        let at = value("timestamp", "2026-03-29T00:30:00+02:00");
        assert_eq!(shifted(&at, -45, Unit::Minutes), Ok(value("timestamp", "2026-03-28T23:45:00+02:00")));
        let date = value("date", "2026-01-01");
        assert_eq!(shifted(&date, 1, Unit::Hours), Err(Still::Type));
        assert_eq!(shifted(&Value::Integer(1), 1, Unit::Days), Err(Still::Type));
        assert_eq!(shifted(&date, i64::MAX, Unit::Days), Err(Still::Calendar));
        assert_eq!(shifted(&date, 7974, Unit::Years), Err(Still::Calendar));
        assert_eq!(shifted(&date, -2026, Unit::Years), Err(Still::Calendar));
    }

    #[test]
    fn formats_say_what_they_lack() {
        let date = value("date", "2026-01-31");
        let at = value("timestamp", "2026-01-31T09:05:00+02:00");
        for (value, format, text) in [
            (&date, "%Y/%m/%d", "2026/01/31"),
            (&date, "%-d. %B %y, %j, %G-W%V", "31. January 26, 031, 2026-W05"),
            (&date, "100%%", "100%"),
            (&at, "%H:%M %z", "09:05 +0200"),
            (&at, "%.3f", ".000"),
        ] {
            assert_eq!(formatted(value, format), Ok(Value::Text(text.to_owned())), "{format}");
        }
        for (format, why) in [
            ("%Y-%Q", Unformatted::Unknown("%Q".to_owned())),
            ("%Y%", Unformatted::Unknown("%".to_owned())),
            ("%Y %H", Unformatted::Lacking("%H".to_owned())),
            ("%z", Unformatted::Lacking("%z".to_owned())),
        ] {
            assert_eq!(formatted(&date, format), Err(why), "{format}");
        }
        assert_eq!(formatted(&Value::Integer(1), "%Y"), Err(Unformatted::Type));
    }
}
