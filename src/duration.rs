//! Owns lengths of time as users write them: `90s`, `5m`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long something may take. It is never nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(Duration);

/// Why a text is no length of time, and what it may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoLimit {
    pub(crate) reason: String,
    pub(crate) help: String,
}

/// A pattern for the texts that are lengths of time: a digit of them is not 0.
pub(crate) const LIMIT_PATTERN: &str = "^(?=.*[1-9])([0-9]+(ms|s|m|h|d))+$";

/// The units with their milliseconds, and how else people write them.
const UNITS: [(&str, u64, &[&str]); 5] = [
    ("ms", 1, &["millis", "millisecond", "milliseconds", "msec"]),
    ("s", 1_000, &["sec", "secs", "second", "seconds"]),
    ("m", 60_000, &["min", "mins", "minute", "minutes"]),
    ("h", 3_600_000, &["hr", "hrs", "hour", "hours"]),
    ("d", 86_400_000, &["day", "days"]),
];
/// A year; what is longer is a slip.
const LONGEST: u64 = 365 * 86_400_000;

impl From<Limit> for Duration {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

impl FromStr for Limit {
    type Err = NoLimit;

    fn from_str(text: &str) -> Result<Self, NoLimit> {
        let reason = match milliseconds(text) {
            Some(0) => {
                return Err(NoLimit {
                    reason: format!("`{text}` leaves no time at all"),
                    help: "leave it out where there is no limit".to_owned(),
                });
            }
            Some(LONGEST..) => format!("`{text}` is longer than a year"),
            Some(milliseconds) => return Ok(Self(Duration::from_millis(milliseconds))),
            None if text.is_empty() => "a length of time is missing".to_owned(),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => format!("`{text}` has no unit"),
            None => format!("`{text}` is no length of time"),
        };
        let help = suggestion(text).map_or_else(
            || "write a number and a unit, as in `90s`, `5m`, `2h`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Err(NoLimit { reason, help })
    }
}

/// The sum of all parts; nothing where one is none.
fn milliseconds(text: &str) -> Option<u64> {
    let (mut sum, mut rest) = (0_u64, text);
    loop {
        let (number, unit, after) = part(rest);
        let (_, length, _) = UNITS.iter().find(|(name, ..)| *name == unit)?;
        sum = sum.saturating_add(number.parse::<u64>().ok()?.saturating_mul(*length));
        if after.is_empty() {
            return Some(sum);
        }
        rest = after;
    }
}

/// Seconds up to two minutes, and then the two largest units.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        if milliseconds <= 120_000 {
            return match milliseconds % 1_000 {
                0 => write!(f, "{} s", milliseconds / 1_000),
                _ if milliseconds < 1_000 => write!(f, "{milliseconds} ms"),
                _ => write!(f, "{} s", self.0.as_secs_f64()),
            };
        }
        let mut rest = self.0.as_secs();
        let mut parts = Vec::new();
        for (name, length) in [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)] {
            if rest >= length {
                parts.push(format!("{} {name}", rest / length));
                rest %= length;
            }
        }
        parts.truncate(3);
        f.write_str(&parts.join(" "))
    }
}

/// The digits at the start, the letters behind them, and the rest.
fn part(text: &str) -> (&str, &str, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at(letters);
    (number, unit, after)
}

/// What a text may mean: another spelling of a unit, spaces, a missing unit.
fn suggestion(text: &str) -> Option<String> {
    let text: String = text.to_lowercase().split([' ', '_', ',']).collect();
    let (mut rest, mut near) = (text.as_str(), String::new());
    while !rest.is_empty() {
        let (number, unit, after) = part(rest);
        let is_unit = |(name, _, others): &&(&str, u64, &[&str])| *name == unit || others.contains(&unit);
        let unit = if unit.is_empty() { "s" } else { UNITS.iter().find(is_unit)?.0 };
        if number.is_empty() {
            return None;
        }
        near.push_str(number);
        near.push_str(unit);
        rest = after;
    }
    milliseconds(&near).filter(|length| (1..LONGEST).contains(length)).map(|_| near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        let table = [
            ("500ms", 500, "500 ms"),
            ("1500ms", 1_500, "1.5 s"),
            ("90s", 90_000, "90 s"),
            ("2m", 120_000, "120 s"),
            ("5m", 300_000, "5 min"),
            ("2h", 7_200_000, "2 h"),
            ("1h30m", 5_400_000, "1 h 30 min"),
            ("1d", 86_400_000, "1 d"),
        ];
        for (text, milliseconds, shown) in table {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(
                (Duration::from(limit).as_millis(), limit.to_string().as_str()),
                (milliseconds, shown)
            );
        }
    }

    #[test]
    fn what_is_none_is_told_with_what_it_may_mean() {
        let table = [
            ("90", "`90` has no unit", "did you mean `90s`?"),
            ("90 s", "`90 s` is no length of time", "did you mean `90s`?"),
            ("5min", "`5min` is no length of time", "did you mean `5m`?"),
            ("2 Hours", "`2 Hours` is no length of time", "did you mean `2h`?"),
            ("1.5h", "`1.5h` is no length of time", "write a number and a unit, as in `90s`, `5m`, `2h`"),
            ("-5s", "`-5s` is no length of time", "write a number and a unit, as in `90s`, `5m`, `2h`"),
            ("soon", "`soon` is no length of time", "write a number and a unit, as in `90s`, `5m`, `2h`"),
            ("0s", "`0s` leaves no time at all", "leave it out where there is no limit"),
            ("", "a length of time is missing", "write a number and a unit, as in `90s`, `5m`, `2h`"),
            (
                "9999999999999999999h",
                "`9999999999999999999h` is longer than a year",
                "write a number and a unit, as in `90s`, `5m`, `2h`",
            ),
            (
                "99999999999999999999h",
                "`99999999999999999999h` is no length of time",
                "write a number and a unit, as in `90s`, `5m`, `2h`",
            ),
        ];
        for (text, reason, help) in table {
            let error = text.parse::<Limit>().unwrap_err();
            assert_eq!((error.reason.as_str(), error.help.as_str()), (reason, help), "{text}");
        }
    }
}
