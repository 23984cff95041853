//! Owns what stands between `${` and `}`: `NAME [+|- COUNT UNIT]… [:FORMAT]`, and what shifts and formats do to a value.

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{Days, Months, NaiveDateTime, TimeDelta};

use crate::expr::Value;

/// `NAME [+|- COUNT UNIT]… [:FORMAT]`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    pub(super) name: &'t str,
    pub(super) shifts: Vec<(i64, Unit)>,
    pub(super) format: Option<&'t str>,
}

impl<'t> Reference<'t> {
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let text = text.trim();
        if let Some((place, name)) = text.split_once(':')
            && ["env", "secret"].contains(&place)
        {
            return (!name.is_empty()).then_some(Self { name: text, shifts: Vec::new(), format: None });
        }
        let (moved, format) = match text.split_once(':') {
            Some((moved, format)) => (moved.trim(), Some(format)),
            None => (text, None),
        };
        let end =
            moved.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(moved.len());
        let (name, mut rest) = moved.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        let mut shifts = Vec::new();
        loop {
            rest = rest.trim_start();
            let sign = match rest.chars().next() {
                None => return Some(Self { name, shifts, format }),
                Some('+') => 1,
                Some('-') => -1,
                Some(_) => return None,
            };
            rest = rest.get(1..)?.trim_start();
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let count: i64 = rest.get(..digits)?.parse().ok()?;
            rest = rest.get(digits..)?;
            let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let unit = rest.get(..letters)?;
            shifts.push((sign * count, Unit::ALL.into_iter().find(|known| known.name() == unit)?));
            rest = rest.get(letters..)?;
        }
    }
}

/// Steps of a date or timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

impl Unit {
    const ALL: [Self; 7] =
        [Self::Seconds, Self::Minutes, Self::Hours, Self::Days, Self::Weeks, Self::Months, Self::Years];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Minutes => "min",
            Self::Hours => "h",
            Self::Days => "d",
            Self::Weeks => "w",
            Self::Months => "mo",
            Self::Years => "y",
        }
    }
}

/// A date or timestamp, moved; nothing where its type can't be moved so, or the calendar ends.
pub(super) fn shifted(value: &Value, count: i64, unit: Unit) -> Option<Value> {
    let moved = |at: NaiveDateTime| -> Option<NaiveDateTime> {
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
    };
    match value {
        Value::Date(_) if matches!(unit, Unit::Seconds | Unit::Minutes | Unit::Hours) => None,
        Value::Date(date) => moved(date.and_hms_opt(0, 0, 0)?).map(|at| Value::Date(at.date())),
        Value::Timestamp(at) => moved(*at).map(Value::Timestamp),
        _ => None,
    }
}

/// A date or timestamp as text; nothing for other types and for what is no format.
pub(super) fn formatted(value: &Value, format: &str) -> Option<Value> {
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    if format.is_empty() || items.iter().any(|item| matches!(item, Item::Error)) {
        return None;
    }
    let mut text = String::new();
    match value {
        Value::Date(date) => write!(text, "{}", date.format_with_items(items.iter())).ok()?,
        Value::Timestamp(at) => write!(text, "{}", at.format_with_items(items.iter())).ok()?,
        _ => return None,
    }
    Some(Value::Text(text))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn references_have_shifts_and_formats() {
        for (text, name, shifts, format) in [
            ("date", "date", vec![], None),
            (" date ", "date", vec![], None),
            ("date - 1d", "date", vec![(-1, Unit::Days)], None),
            ("date-1d+2mo", "date", vec![(-1, Unit::Days), (2, Unit::Months)], None),
            ("date:%Y%m%d", "date", vec![], Some("%Y%m%d")),
            ("at - 90min:%H:%M", "at", vec![(-90, Unit::Minutes)], Some("%H:%M")),
            ("run.date", "run.date", vec![], None),
            ("env:A:B", "env:A:B", vec![], None),
        ] {
            assert_eq!(Reference::parse(text), Some(Reference { name, shifts, format }), "{text}");
        }
        for text in ["", "a b", "date - d", "date - 1", "date - 1x", "-1d", "a/b", "env:"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates_move_over_the_ends_of_months() {
        let date = |text: &str| Value::Date(NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap());
        for (from, count, unit, to) in [
            ("2026-03-01", -1, Unit::Days, "2026-02-28"),
            ("2024-03-31", -1, Unit::Months, "2024-02-29"),
            ("2024-02-29", 1, Unit::Years, "2025-02-28"),
            ("2026-01-01", 2, Unit::Weeks, "2026-01-15"),
        ] {
            assert_eq!(shifted(&date(from), count, unit), Some(date(to)), "{from} {count}");
        }
        assert_eq!(shifted(&date("2026-01-01"), 1, Unit::Hours), None);
        assert_eq!(shifted(&Value::Integer(1), 1, Unit::Days), None);
        assert_eq!(shifted(&date("2026-01-01"), i64::MAX, Unit::Days), None);
    }
}
