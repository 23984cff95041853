//! Owns intervals as users write them: as Spark does (`1-2`, `3 04:05:06`), in words (`3 days`), or as ISO 8601 has it (`P3D`).

/// Months of a text, with a sign; nothing where it is no year-month interval, or too long.
pub(super) fn months(text: &str) -> Option<i32> {
    let (sign, text) = signed(undressed(text, "yeartomonth"));
    let months = match text.split_once('-') {
        Some((years, months)) => {
            let months = number(months).filter(|months| *months < 12)?;
            number(years)?.checked_mul(12)?.checked_add(months)?
        }
        None => in_units(text, &[('y', 12), ('m', 1)], &|unit| {
            Some(match unit {
                "y" | "year" | "years" => 12,
                "mo" | "month" | "months" => 1,
                _ => return None,
            })
        })?,
    };
    i32::try_from(sign.checked_mul(i64::try_from(months).ok()?)?).ok()
}

/// Microseconds of a text, with a sign; nothing where it is no day-time interval, or too long.
pub(super) fn micros(text: &str) -> Option<i64> {
    let (sign, text) = signed(undressed(text, "daytosecond"));
    let micros = if text.contains(':') {
        let (days, time) = text.split_once([' ', 'T']).unwrap_or(("0", text));
        let days = number(days)?.checked_mul(DAY)?;
        days.checked_add(clock(time.trim())?)?
    } else {
        in_units(text, &[('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', SECOND)], &|unit| {
            Some(match unit {
                "w" | "week" | "weeks" => 7 * DAY,
                "d" | "day" | "days" => DAY,
                "h" | "hour" | "hours" => HOUR,
                "min" | "minute" | "minutes" => MINUTE,
                "s" | "second" | "seconds" => SECOND,
                "ms" | "millisecond" | "milliseconds" => 1_000,
                "us" | "microsecond" | "microseconds" => 1,
                _ => return None,
            })
        })?
    };
    sign.checked_mul(i64::try_from(micros).ok()?)
}

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// As Spark writes months: `1-2`.
pub(super) fn show_months(months: i32) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    format!("{sign}{}-{}", months / 12, months % 12)
}

/// As Spark writes microseconds: `3 04:05:06.789`.
pub(super) fn show_micros(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (days, hours) = (micros / DAY, micros % DAY / HOUR);
    let (minutes, seconds, rest) = (micros % HOUR / MINUTE, micros % MINUTE / SECOND, micros % SECOND);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:06}") };
    let fraction = fraction.trim_end_matches('0');
    format!("{sign}{days} {hours:02}:{minutes:02}:{seconds:02}{fraction}")
}

/// A text without what makes a literal of it: `INTERVAL '1-2' YEAR TO MONTH`.
fn undressed<'t>(text: &'t str, units: &str) -> &'t str {
    let text = text.trim();
    let Some(rest) = text.get(..8).filter(|word| word.eq_ignore_ascii_case("interval")) else { return text };
    let rest = text.get(rest.len()..).unwrap_or_default().trim();
    let Some((inner, after)) = rest.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) else {
        return rest;
    };
    let after: String = after.split_whitespace().collect::<String>().to_lowercase();
    if after.is_empty() || after == units { inner.trim() } else { text }
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest.trim_start()),
        None => (1, text.strip_prefix('+').unwrap_or(text).trim_start()),
    }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `04:05:06.789`, or `04:05`.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let hours = number(parts.next()?).filter(|hours| *hours < 24)?;
    let minutes = number(parts.next()?).filter(|minutes| *minutes < 60)?;
    let seconds = parts.next().map_or(Some(0), seconds).filter(|micros| *micros < MINUTE)?;
    parts.next().is_none().then_some(hours * HOUR + minutes * MINUTE + seconds)
}

/// Seconds with up to six digits behind the point, as microseconds.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = fraction.trim_end_matches('0');
    if fraction.is_empty() || digits.len() > 6 {
        return None;
    }
    let micros = if digits.is_empty() { 0 } else { number(&format!("{digits:0<6}"))? };
    number(whole)?.checked_mul(SECOND)?.checked_add(micros)
}

/// `3 days 4 hours`, `3d 4h`, `P3DT4H`; `letters` are those of ISO 8601, from the longest to the shortest.
fn in_units(text: &str, letters: &[(char, u64)], unit: &dyn Fn(&str) -> Option<u64>) -> Option<u64> {
    let lower = text.to_lowercase();
    let iso = lower.strip_prefix('p');
    let mut rest = iso.unwrap_or(&lower).trim();
    let (mut sum, mut letters) = (0_u64, letters.iter());
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        if iso.is_some() {
            rest = rest.strip_prefix('t').unwrap_or(rest);
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (count, after) = rest.split_at_checked(end)?;
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let end = if iso.is_some() { end.min(1) } else { end };
        let (name, after) = after.split_at_checked(end)?;
        let each = match iso {
            // Each stands once, the longest first; what a letter means was said by those before it.
            Some(_) => letters.by_ref().find(|(letter, _)| name == letter.to_string())?.1,
            None => unit(name)?,
        };
        let more = if count.contains('.') {
            Some(seconds(count)?).filter(|_| each == SECOND)?
        } else {
            number(count)?.checked_mul(each)?
        };
        sum = sum.checked_add(more)?;
        rest = after.trim_start();
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_as_people_write_them() {
        for (text, expected) in [
            ("1-2", Some(14)),
            ("-1-2", Some(-14)),
            ("0-11", Some(11)),
            ("1 year 2 months", Some(14)),
            ("3 months", Some(3)),
            ("1y 2mo", Some(14)),
            ("-3 months", Some(-3)),
            ("P1Y2M", Some(14)),
            ("-P1Y2M", Some(-14)),
            ("INTERVAL '1-2' YEAR TO MONTH", Some(14)),
            ("interval 3 months", Some(3)),
            ("178956970-7", Some(i32::MAX)),
            ("178956970-8", None),
            ("1-12", None),
            ("3 days", None),
            ("3", None),
            ("", None),
            ("P2M1Y", None),
            ("INTERVAL '1-2' DAY TO SECOND", None),
            ("1-2'; DROP TABLE x", None),
        ] {
            assert_eq!(months(text), expected, "{text}");
        }
        assert_eq!((show_months(14), show_months(-14)), ("1-2".to_owned(), "-1-2".to_owned()));
    }

    #[test]
    fn micros_are_read_as_people_write_them() {
        let day = i64::try_from(DAY).unwrap();
        for (text, expected) in [
            ("3 days", Some(3 * day)),
            ("3d", Some(3 * day)),
            ("3 04:05:06.789", Some(273_906_789_000)),
            ("-3 04:05:06.789", Some(-273_906_789_000)),
            ("04:05", Some(14_700_000_000)),
            ("1 week 1 hour 90 minutes", Some(7 * day + 9_000_000_000)),
            ("1.5 seconds", Some(1_500_000)),
            ("P3DT4H5M6.789S", Some(273_906_789_000)),
            ("PT0.000001S", Some(1)),
            ("INTERVAL '3 04:05:06.789' DAY TO SECOND", Some(273_906_789_000)),
            ("interval 3 days", Some(3 * day)),
            ("106751991 04:00:54.775807", Some(i64::MAX)),
            ("106751991 04:00:54.775808", None),
            ("1.5 days", None),
            ("0.0000001 s", None),
            ("3", None),
            ("25:00", None),
            ("3 months", None),
            ("", None),
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
        assert_eq!(show_micros(273_906_789_000), "3 04:05:06.789");
        assert_eq!(show_micros(-1), "-0 00:00:00.000001");
    }
}
