//! Owns the values of variables, and the table of those that a run has.

use std::cmp::Ordering;
use std::fmt;
use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

use super::data_type::Type;
use super::interval;
use crate::secret::{Plain, Secret};
use crate::text::Span;

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Binary(Vec<u8>),
    Boolean(bool),
    Integer(i64),
    Float(f32),
    Double(f64),
    /// Digits, with a sign and a point where it has them.
    Decimal(String),
    Date(NaiveDate),
    Time(NaiveTime),
    /// In the session's time zone, or in none.
    Timestamp(NaiveDateTime),
    /// A timestamp that says how far it is from UTC.
    Instant(DateTime<FixedOffset>),
    Months(i32),
    Micros(i64),
    Identifier(Vec<String>),
    List(Vec<Self>),
    /// A text that nothing prints.
    Secret(Secret),
}

impl Value {
    /// The value of a text that may be secret; a secret is a text and nothing else.
    pub(crate) fn of(data_type: &Type, text: &Plain) -> Result<Self, String> {
        match (text, data_type) {
            (Plain::Shown(text), _) => data_type.value(text),
            (Plain::Hidden(secret), Type::String) => Ok(Self::Secret(secret.clone())),
            (Plain::Hidden(_), _) => Err(format!("a secret is a string, and no value of type {data_type}")),
        }
    }

    /// The plain text, as it enters paths and options.
    pub(crate) fn plain(&self) -> Plain {
        match self {
            Self::Secret(secret) => Plain::Hidden(secret.clone()),
            Self::List(items) => {
                let items: Vec<Plain> = items.iter().map(Self::plain).collect();
                let text = items.iter().map(Plain::expose).collect::<Vec<_>>().join(",");
                if items.iter().any(Plain::is_secret) {
                    Plain::Hidden(Secret::new(text))
                } else {
                    Plain::Shown(text)
                }
            }
            other => Plain::Shown(other.to_string()),
        }
    }
}

impl fmt::Display for Value {
    /// The plain text; of a secret nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Decimal(text) => f.write_str(text),
            Self::Binary(bytes) => f.write_str(&hexadecimal(bytes)),
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Double(value) => value.fmt(f),
            Self::Date(value) => value.fmt(f),
            Self::Time(value) => write!(f, "{}", value.format("%H:%M:%S%.f")),
            Self::Timestamp(value) => write!(f, "{}", value.format("%Y-%m-%dT%H:%M:%S%.f")),
            Self::Instant(value) => {
                let offset = value.format("%:z").to_string();
                let offset = if offset == "+00:00" { "Z" } else { &offset };
                write!(f, "{}{offset}", value.format("%Y-%m-%dT%H:%M:%S%.f"))
            }
            Self::Months(months) => f.write_str(&interval::show_months(*months)),
            Self::Micros(micros) => f.write_str(&interval::show_micros(*micros)),
            Self::Identifier(parts) => {
                let shown = parts.iter().map(|part| {
                    if crate::name::is_name(part) { part.clone() } else { crate::name::quoted(part) }
                });
                f.write_str(&shown.collect::<Vec<_>>().join("."))
            }
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                f.write_str(&items.join(","))
            }
            Self::Secret(secret) => secret.fmt(f),
        }
    }
}

impl Value {
    /// Which of two values of one type is the lesser; `instant` says when a timestamp without an offset is. Nothing where neither
    /// is, as with what is not a number.
    pub(crate) fn compare(
        &self,
        other: &Self,
        instant: &dyn Fn(NaiveDateTime) -> DateTime<FixedOffset>,
    ) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) | (Self::Micros(one), Self::Micros(other)) => {
                one.partial_cmp(other)
            }
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(other),
            (Self::Double(one), Self::Double(other)) => one.partial_cmp(other),
            (Self::Decimal(one), Self::Decimal(other)) => unscaled(one)?.partial_cmp(&unscaled(other)?),
            (Self::Date(one), Self::Date(other)) => one.partial_cmp(other),
            (Self::Time(one), Self::Time(other)) => one.partial_cmp(other),
            (Self::Timestamp(one), Self::Timestamp(other)) => one.partial_cmp(other),
            (Self::Instant(one), Self::Instant(other)) => one.partial_cmp(other),
            (Self::Timestamp(one), Self::Instant(other)) => instant(*one).partial_cmp(other),
            (Self::Instant(one), Self::Timestamp(other)) => one.partial_cmp(&instant(*other)),
            (Self::Months(one), Self::Months(other)) => one.partial_cmp(other),
            _ => None,
        }
    }
}

/// A decimal's digits as if its point stood behind 38 of them, in two halves: what is before the point, and behind.
fn unscaled(text: &str) -> Option<(i128, i128)> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction: i128 = format!("{fraction:0<38}").parse().ok()?;
    Some((sign * whole.parse::<i128>().ok()?, sign * fraction))
}

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        let _ = write!(digits, "{byte:02X}");
        digits
    })
}

/// A value and its type, under the variable's name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) name: String,
    pub(crate) data_type: Type,
    pub(crate) value: Value,
}

impl Bound {
    /// Stands in for a value that is not known, which was reported: it fits wherever a value may stand.
    pub(crate) fn unknown(name: &str) -> Self {
        let value = Value::Identifier(vec!["unknown".to_owned()]);
        Self { name: name.to_owned(), data_type: Type::Identifier, value }
    }
}

/// The values that the file's variables have in this run; scalars refer to them by index.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Bindings {
    values: Vec<Bound>,
    /// The first place at which each stands.
    places: Vec<Span>,
}

impl Bindings {
    /// Its index, which is that of an equal one where there is one already.
    pub(crate) fn add(&mut self, bound: Bound, place: Span) -> u32 {
        let known = self.values.iter().position(|known| *known == bound);
        let at = known.unwrap_or_else(|| {
            self.values.push(bound);
            self.places.push(place);
            self.values.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    pub(crate) fn get(&self, index: u32) -> &Bound {
        &self.values[index as usize]
    }

    /// All of them, each with the first place at which it stands.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bound, Span)> {
        self.values.iter().zip(self.places.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_compared_by_all_of_their_digits() {
        let never = |_: NaiveDateTime| -> DateTime<FixedOffset> { unreachable!("there is no timestamp") };
        for (less, more) in [
            ("-1.5", "-1.4"),
            ("-1", "0"),
            ("0.5", "0.51"),
            ("9.9", "10"),
            ("99999999999999999999999999999999999998", "99999999999999999999999999999999999999"),
            ("0.00000000000000000000000000000000000001", "0.1"),
        ] {
            let [less, more] = [less, more].map(|text| Value::Decimal(text.to_owned()));
            assert_eq!(less.compare(&more, &never), Some(Ordering::Less), "{less} {more}");
            assert_eq!(more.compare(&less, &never), Some(Ordering::Greater), "{less} {more}");
        }
    }
}
