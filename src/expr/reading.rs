//! Owns the way from the text that the user gave to a value of a type, or to what is wrong with it.
//!
//! What can't be carried as it was written is refused: no number is rounded away, no digit is dropped.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};

use super::data_type::Type;
use super::interval;
use super::value::Value;

impl Type {
    /// A single value of this type from the text that the user gave, or what is wrong with it. Lists are read item by item.
    pub(crate) fn value(&self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        let wrong = || format!("`{text}` is not a value of type {self}");
        let as_in = |example: &str| format!("{}; write it as {example}", wrong());
        let integer = |least: i64, most: i64| {
            let number: i64 = trimmed.parse().map_err(|_| wrong())?;
            if (least..=most).contains(&number) { Ok(Value::Integer(number)) } else { Err(wrong()) }
        };
        match self {
            Self::String => Ok(Value::Text(text.to_owned())),
            Self::Binary => binary(trimmed).ok_or_else(|| as_in("hexadecimal digits, `0x00FF` or `X'00FF'`")),
            Self::Boolean => match trimmed.to_lowercase().as_str() {
                "true" => Ok(Value::Boolean(true)),
                "false" => Ok(Value::Boolean(false)),
                _ => Err(as_in("`true` or `false`")),
            },
            Self::TinyInt => integer(i8::MIN.into(), i8::MAX.into()),
            Self::SmallInt => integer(i16::MIN.into(), i16::MAX.into()),
            Self::Int => integer(i32::MIN.into(), i32::MAX.into()),
            Self::BigInt => integer(i64::MIN, i64::MAX),
            Self::Float => number(trimmed, |number: f32| number.is_infinite(), |number| number == 0.0)
                .map(Value::Float)
                .ok_or_else(wrong),
            Self::Double => number(trimmed, |number: f64| number.is_infinite(), |number| number == 0.0)
                .map(Value::Double)
                .ok_or_else(wrong),
            Self::Decimal { precision, scale } => decimal(trimmed, *precision, *scale).ok_or_else(wrong),
            Self::Date => date(trimmed).map(Value::Date).ok_or_else(|| as_in("2026-01-31")),
            Self::Time => time(trimmed).map(Value::Time).ok_or_else(|| as_in("12:30:00")),
            Self::Timestamp => {
                timestamp(trimmed).ok_or_else(|| as_in("2026-01-31T12:00:00, or 2026-01-31T12:00:00+02:00"))
            }
            Self::TimestampNtz => match timestamp(trimmed) {
                Some(Value::Instant(_)) => {
                    Err(format!("{}: it has no time zone, and takes no offset from UTC", wrong()))
                }
                Some(value) => Ok(value),
                None => Err(as_in("2026-01-31T12:00:00")),
            },
            Self::Months => interval::months(trimmed)
                .map(Value::Months)
                .ok_or_else(|| as_in("`1-2` (years and months) or `3 months`")),
            Self::DayTime => interval::micros(trimmed)
                .map(Value::Micros)
                .ok_or_else(|| as_in("`3 04:05:06` (days and hours) or `3 days`")),
            Self::Identifier => identifier(trimmed).ok_or_else(|| {
                format!(
                    "`{text}` is not an identifier: use letters, digits and `_`, dots between parts, and backquotes around any other part"
                )
            }),
            Self::Array(item) => item.value(text),
        }
    }
}

fn binary(text: &str) -> Option<Value> {
    let quoted = |text: &str| -> Option<String> {
        let rest = text.strip_prefix(['X', 'x'])?.strip_prefix('\'')?;
        Some(rest.strip_suffix('\'')?.to_owned())
    };
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).map(str::to_owned);
    let digits = digits.or_else(|| quoted(text))?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digits: Vec<u8> = digits
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    Some(Value::Binary(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
}

/// A number that is not so large that it becomes infinite, nor so small that it becomes nothing.
fn number<T: std::str::FromStr + Copy>(
    text: &str,
    is_infinite: impl Fn(T) -> bool,
    is_zero: impl Fn(T) -> bool,
) -> Option<T> {
    let number: T = text.parse().ok()?;
    let is_word = text.contains(['i', 'I']);
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_lost = is_zero(number) && mantissa.contains(|c: char| ('1'..='9').contains(&c));
    let is_beyond = is_infinite(number) && !is_word;
    (!is_beyond && !is_lost).then_some(number)
}

fn decimal(text: &str, precision: u8, scale: u8) -> Option<Value> {
    let (sign, digits) =
        text.strip_prefix('-').map_or(("", text.strip_prefix('+').unwrap_or(text)), |d| ("-", d));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only(whole) || !digits_only(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(scale) || whole.len() > usize::from(precision - scale) {
        return None;
    }
    // There is no negative zero.
    let sign = if whole.is_empty() && fraction.is_empty() { "" } else { sign };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(Value::Decimal(format!("{sign}{whole}{point}{fraction}")))
}

/// A date of the years that every engine and file format knows.
fn date(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)?;
    is_known(date.year()).then_some(date)
}

/// Whether engines and file formats know a year.
pub(crate) fn is_known(year: i32) -> bool {
    (1..=9999).contains(&year)
}

fn time(text: &str) -> Option<NaiveTime> {
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"))
        .ok()?;
    is_whole(time).then_some(time)
}

/// Whether a time of day has no more than microseconds, and is no leap second.
fn is_whole(time: NaiveTime) -> bool {
    time.nanosecond() < 1_000_000_000 && time.nanosecond().is_multiple_of(1_000)
}

fn timestamp(text: &str) -> Option<Value> {
    let day = text.get(..10)?;
    let date = date(day)?;
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else {
        return Some(Value::Timestamp(NaiveDateTime::new(date, NaiveTime::MIN)));
    };
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at_checked(end)?;
    let at = NaiveDateTime::new(date, time(clock.trim_end())?);
    if offset.is_empty() {
        return Some(Value::Timestamp(at));
    }
    let offset = offset_from_utc(offset)?;
    let at: DateTime<FixedOffset> = at.and_local_timezone(offset).single()?;
    is_known(at.to_utc().year()).then_some(Value::Instant(at))
}

/// `Z`, `+02:00`, `+0200`, `+02`.
fn offset_from_utc(text: &str) -> Option<FixedOffset> {
    if text.eq_ignore_ascii_case("z") {
        return FixedOffset::east_opt(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.get(1..)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    let two = |text: &str| -> Option<i32> {
        text.parse().ok().filter(|_| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    // The engines' own limit.
    let is_known = minutes < 60 && hours * 60 + minutes <= 18 * 60;
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60)).filter(|_| is_known)
}

/// `db.orders`, `` `my table`.orders ``; a backquote in a name is doubled.
fn identifier(text: &str) -> Option<Value> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = match rest.strip_prefix('`') {
            Some(inner) => quoted_part(inner)?,
            None => {
                let (part, after) = rest.split_at_checked(rest.find('.').unwrap_or(rest.len()))?;
                (crate::name::is_name(part).then(|| part.to_owned())?, after)
            }
        };
        parts.push(part);
        match after.strip_prefix('.') {
            Some(further) => rest = further,
            None => return after.is_empty().then_some(Value::Identifier(parts)),
        }
    }
}

/// A name up to its closing backquote, and what follows it.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '`' || chars.next_if(|(_, next)| *next == '`').is_some() {
            name.push(c);
        } else {
            let is_usable = !name.is_empty() && !name.contains('\0');
            return is_usable.then_some((name, text.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(data_type: &str, text: &str) -> Result<Value, String> {
        Type::parse(data_type).unwrap().value(text)
    }

    #[test]
    fn what_does_not_fit_its_type_is_refused() {
        for (data_type, text) in [
            ("int", "2147483648"),
            ("int", "1.5"),
            ("int", ""),
            ("tinyint", "300"),
            ("boolean", "yes"),
            ("decimal(4,2)", "100.0"),
            ("decimal(4,2)", "1.001"),
            ("decimal(4,2)", "1'"),
            ("decimal(4,2)", "1e1"),
            ("date", "2026-02-30"),
            ("date", "31.01.2026"),
            ("date", "0000-01-01"),
            ("time", "24:00"),
            ("time", "12:00:60"),
            ("time", "12:00:00.1234567"),
            ("timestamp", "now"),
            ("timestamp", "2026-01-31T12:00:00+2"),
            ("timestamp", "2026-01-31T12:00:00+19:00"),
            ("timestamp", "2026-01-31T12:00:00 Europe/Berlin"),
            ("timestamp", "2026-01-31T12:00:00.1234567"),
            ("timestamp", "2026-01-31T23:59:60"),
            ("timestamp_ntz", "2026-01-31T12:00:00Z"),
            ("double", "1,5"),
            ("double", "1e400"),
            ("double", "1e-400"),
            ("float", "1e39"),
            ("float", "1e-46"),
            ("double", ""),
            ("binary", "0x0"),
            ("binary", "0xGG"),
            ("binary", "00FF"),
            ("binary", "X'00' OR 1=1 --'"),
            ("interval year to month", "3 days"),
            ("interval day to second", "3 months"),
            ("identifier", "a; DROP TABLE b"),
            ("identifier", "a..b"),
            ("identifier", "`a"),
            ("identifier", "`a`b`"),
            ("identifier", "``"),
            ("identifier", "a."),
            ("identifier", ""),
        ] {
            assert!(value(data_type, text).is_err(), "{data_type} {text}");
        }
    }

    #[test]
    fn timestamps_may_say_how_far_they_are_from_utc() {
        for (text, shown) in [
            ("2026-01-31", "2026-01-31T00:00:00"),
            ("2026-01-31 12:00", "2026-01-31T12:00:00"),
            ("2026-01-31T12:00:00.5", "2026-01-31T12:00:00.500"),
            ("2026-01-31T12:00:00.123456", "2026-01-31T12:00:00.123456"),
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00"),
            ("2026-01-31T12:00:00-0330", "2026-01-31T12:00:00-03:30"),
            ("2026-01-31 12:00 +02", "2026-01-31T12:00:00+02:00"),
        ] {
            assert_eq!(value("timestamp", text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn names_that_are_no_words_stand_in_backquotes() {
        let parts = |text: &str| value("identifier", text).unwrap();
        let expected =
            |parts: &[&str]| Value::Identifier(parts.iter().map(|part| (*part).to_owned()).collect());
        assert_eq!(parts("db.orders"), expected(&["db", "orders"]));
        assert_eq!(parts("`my.db`.`a``b; --`"), expected(&["my.db", "a`b; --"]));
        assert_eq!(parts("`my.db`.x").to_string(), "`my.db`.x");
    }
}
