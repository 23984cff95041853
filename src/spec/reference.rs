//! Owns what stands between `${` and `}`: `NAME [+|- COUNT UNIT]… [:FORMAT]`, and what is wrong with its spelling.

use std::ops::Range;

/// `NAME [+|- COUNT UNIT]… [:FORMAT]`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    pub(super) name: &'t str,
    pub(super) shifts: Vec<Shift>,
    pub(super) format: Option<&'t str>,
}

/// So many units, in the one or the other direction.
type Shift = (i64, Unit);

/// What is wrong with the spelling of a reference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slip {
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// What to write in place of the range, where that is known.
    pub(super) instead: Option<String>,
    /// Bytes of the text between the braces; all of it where nothing in it is to blame alone.
    pub(super) range: Range<usize>,
}

impl<'t> Reference<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, Slip> {
        let slip = |range: Range<usize>, message: String| Slip { message, help: None, instead: None, range };
        let all = 0..text.len();
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(slip(all, "a variable's name is missing between `${` and `}`".to_owned()));
        }
        if let Some((place, name)) = trimmed.split_once(':')
            && ["env", "secret"].contains(&place.trim_end())
        {
            if place.trim_end() != place || name.trim() != name || name.is_empty() {
                let message = format!("`${{{text}}}` is not how a variable of the environment is written");
                return Err(slip(all, message).help(format!("write `${{{}:NAME}}`", place.trim_end())));
            }
            return Ok(Self { name: trimmed, shifts: Vec::new(), format: None });
        }
        let start = text.len() - text.trim_start().len();
        let (moved, format) = match text.split_once(':') {
            Some((moved, format)) => (moved, Some(format)),
            None => (text, None),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let rest = moved.get(start..).unwrap_or_default();
        let end = start + rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let name = text.get(start..end).unwrap_or_default();
        if name.is_empty() {
            let message = format!("`${{{text}}}` does not begin with the name of a variable");
            return Err(slip(all, message).help("write `${name}`, `${date - 1d}` or `${date:%Y%m%d}`"));
        }
        let mut shifts = Vec::new();
        let mut at = end;
        while let Some((shift, next)) = shift(moved, at, name)? {
            shifts.push(shift);
            at = next;
        }
        if let Some(format) = format {
            check_format(format, moved, text)?;
        }
        Ok(Self { name, shifts, format })
    }
}

impl Slip {
    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Proposes a text in place of its range.
    fn write(self, text: String) -> Self {
        Self { help: Some(format!("write `{text}`")), instead: Some(text), ..self }
    }
}

/// The shift at a byte of `text`, and where it ends; nothing where the text ends there.
fn shift(text: &str, from: usize, name: &str) -> Result<Option<(Shift, usize)>, Slip> {
    let rest = |at: usize| text.get(at..).unwrap_or_default();
    let skip = |at: usize| at + rest(at).len() - rest(at).trim_start().len();
    let begin = skip(from);
    let whole = begin..text.trim_end().len().max(begin);
    let slip = |range: Range<usize>, message: String| Slip { message, help: None, instead: None, range };
    let sign = match rest(begin).chars().next() {
        None => return Ok(None),
        Some('+') => 1,
        Some('-') => -1,
        Some(_) => {
            let said = rest(begin).trim_end();
            let message = format!("`{said}` after `{name}` is no shift of a date and no format");
            let help = "a variable is written `${name}`, `${date - 1d}` or `${date:%Y%m%d}`; expressions go around it, not into it";
            return Err(slip(whole, message).help(help));
        }
    };
    let digits = skip(begin + 1);
    let count_end = digits + rest(digits).find(|c: char| !c.is_ascii_digit()).unwrap_or(rest(digits).len());
    let count = text.get(digits..count_end).unwrap_or_default();
    let unit_at = skip(count_end);
    let letters = unit_at + rest(unit_at).find(|c: char| !c.is_alphabetic()).unwrap_or(rest(unit_at).len());
    let word = text.get(unit_at..letters).unwrap_or_default();
    let sign_shown = if sign < 0 { '-' } else { '+' };
    if count.is_empty() {
        let message = format!("a whole number is missing after `{sign_shown}`");
        let help = match Unit::meant(word) {
            Some(unit) => format!("write `${{{name} {sign_shown} 1{}}}`", unit.name()),
            None if matches!(rest(begin + 1).chars().next(), Some('-' | '=' | '?'))
                || text.contains(":-") =>
            {
                "a variable's default stands where it is declared, under `vars`".to_owned()
            }
            None => format!("write `${{{name} {sign_shown} 1d}}`"),
        };
        return Err(slip(whole, message).help(help));
    }
    let Some(count) = count.parse::<i64>().ok().filter(|count| *count <= i64::from(u32::MAX)) else {
        return Err(slip(digits..count_end, format!("`{count}` is more than a date can be moved by")));
    };
    let known = Unit::ALL.into_iter().find(|unit| unit.name() == word);
    match known {
        Some(unit) if unit_at == count_end => Ok(Some(((sign * count, unit), letters))),
        Some(unit) => {
            let message = "there is a space between a number and its unit".to_owned();
            Err(slip(digits..letters, message).write(format!("{count}{}", unit.name())))
        }
        None if rest(count_end).starts_with('.') => {
            let message = "dates are moved by whole numbers".to_owned();
            Err(slip(digits..text.trim_end().len(), message).help("a part of a day is so many `h` or `min`"))
        }
        None if word.is_empty() => {
            let message = format!("a unit is missing after `{count}`");
            Err(slip(digits..count_end, message).help(format!("write `{count}d` for days; {UNITS}")))
        }
        None => {
            let message = format!("there is no unit `{word}`");
            let diagnostic = slip(unit_at..letters, message);
            Err(match Unit::meant(word) {
                Some(unit) => diagnostic.help(format!("write `{count}{}`", unit.name())),
                None if word.eq_ignore_ascii_case("m") => {
                    diagnostic.help("`min` is a minute, and `mo` a month")
                }
                None => diagnostic.help(UNITS),
            })
        }
    }
}

/// The units, for messages.
const UNITS: &str = "the units are `s`, `min`, `h`, `d`, `w`, `mo` and `y`";

/// Reports a format that is none, by its spelling alone.
fn check_format(format: &str, moved: &str, text: &str) -> Result<(), Slip> {
    let range = moved.len() + 1..text.len();
    let before = moved.trim();
    let wrong = |message: String, help: String| {
        Err(Slip { message, help: Some(help), instead: None, range: range.clone() })
    };
    if format.trim().is_empty() {
        let message = format!("a format is missing after `{before}:`");
        return wrong(message, format!("write `${{{before}:%Y%m%d}}`, or leave the `:` out"));
    }
    if format.starts_with(['-', '=', '?', '+']) {
        let message = format!("`{format}` is not a format");
        return wrong(message, "a variable's default stands where it is declared, under `vars`".to_owned());
    }
    if format.trim() != format {
        let message = "the spaces around the format would be part of the text".to_owned();
        return wrong(message, format!("write `${{{before}:{}}}`", format.trim()));
    }
    if !format.contains('%') {
        let message = format!("`{format}` is not a format: nothing in it begins with `%`");
        return wrong(message, format!("write `${{{before}:{}}}`", of_letters(format)));
    }
    Ok(())
}

/// A format as other programs write it (`yyyy-MM-dd`) in this one's way.
fn of_letters(format: &str) -> String {
    let mut known = format.to_owned();
    for (letters, specifier) in [
        ("yyyy", "%Y"),
        ("YYYY", "%Y"),
        ("MM", "%m"),
        ("dd", "%d"),
        ("DD", "%d"),
        ("HH", "%H"),
        ("hh", "%H"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("SS", "%S"),
    ] {
        known = known.replace(letters, specifier);
    }
    if known.contains('%') { known } else { "%Y%m%d".to_owned() }
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

    /// Whether it is a part of a day.
    pub(super) fn is_of_clock(self) -> bool {
        matches!(self, Self::Seconds | Self::Minutes | Self::Hours)
    }

    /// The unit that another word for one means; `m` may mean two.
    fn meant(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" => Self::Seconds,
            "min" | "mins" | "minute" | "minutes" => Self::Minutes,
            "h" | "hr" | "hrs" | "hour" | "hours" => Self::Hours,
            "d" | "day" | "days" => Self::Days,
            "w" | "wk" | "week" | "weeks" => Self::Weeks,
            "mo" | "mon" | "mth" | "month" | "months" => Self::Months,
            "y" | "yr" | "yrs" | "year" | "years" => Self::Years,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
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
            ("run.date - 1d:%Y/%m", "run.date", vec![(-1, Unit::Days)], Some("%Y/%m")),
            ("run.started_at:%H", "run.started_at", vec![], Some("%H")),
            ("env:A:B", "env:A:B", vec![], None),
        ] {
            assert_eq!(Reference::parse(text), Ok(Reference { name, shifts, format }), "{text}");
        }
    }

    #[test]
    fn slips_are_told_at_their_place_and_with_what_was_meant() {
        for (text, blamed, says) in [
            ("", "", "a variable's name is missing between `${` and `}`"),
            ("a b", "b", "a variable is written `${name}`"),
            ("date - d", "- d", "write `${date - 1d}`"),
            ("date - 1", "1", "write `1d` for days"),
            ("date - 1x", "x", "the units are"),
            ("date -1day", "day", "write `1d`"),
            ("date - 1D", "D", "write `1d`"),
            ("date + 3m", "m", "`min` is a minute, and `mo` a month"),
            ("date + 1 mo", "1 mo", "write `1mo`"),
            ("date + 1 month", "month", "write `1mo`"),
            ("date + 1.5d", "1.5d", "a part of a day"),
            ("date - 99999999999999999999d", "99999999999999999999", "more than a date can be moved by"),
            ("-1d", "-1d", "does not begin with the name"),
            ("a/b", "/b", "expressions go around it"),
            ("env:", "env:", "write `${env:NAME}`"),
            ("date : %Y", " %Y", "write `${date:%Y}`"),
            ("date:", "", "a format is missing"),
            ("date:yyyy-MM-dd", "yyyy-MM-dd", "write `${date:%Y-%m-%d}`"),
            ("date:-2026-01-01", "-2026-01-01", "where it is declared"),
        ] {
            let slip = Reference::parse(text).unwrap_err();
            let told = format!("{} {}", slip.message, slip.help.unwrap_or_default());
            assert!(told.contains(says), "{text}: {told}");
            assert_eq!(text.get(slip.range), Some(blamed), "{text}");
        }
    }
}
