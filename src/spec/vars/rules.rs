//! Owns the rules that a variable's values have to keep: `allowed`, `min`, `max`, `pattern`.

use std::cmp::Ordering;

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset as _, TimeZone as _};
use regex::Regex;

use super::declaration::Declaration;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::expr::{Type, Value};
use crate::text::{Span, Spanned};

/// The rules of one variable.
pub(super) struct Rules {
    allowed: Option<(Vec<Bound>, Span)>,
    least: Option<Bound>,
    most: Option<Bound>,
    pattern: Option<(Regex, String, Span)>,
    time_zone: chrono_tz::Tz,
}

/// A value of a rule, as it was written.
struct Bound {
    value: Value,
    text: String,
    span: Span,
}

/// A rule that a value breaks.
pub(super) struct Broken {
    message: String,
    help: Option<String>,
    /// Where the rule stands.
    rule: Span,
    /// Which item of a list breaks it.
    pub(super) item: usize,
}

impl Rules {
    /// The rules that make sense for the type; the others are reported.
    pub(super) fn new(
        name: &str,
        data_type: &Type,
        declaration: &Declaration,
        time_zone: chrono_tz::Tz,
        found: &mut Diagnostics,
    ) -> Self {
        let item = data_type.item();
        let allowed = declaration.allowed.as_ref().and_then(|allowed| {
            if allowed.value.is_empty() {
                let message = format!("no value is allowed for `{name}`: the list is empty");
                found.push(Diagnostic::new(Code::BadVariable, allowed.span, message));
                return None;
            }
            let values: Vec<Bound> =
                allowed.value.iter().filter_map(|text| bound(text, item, found)).collect();
            // Of a list with mistakes nobody knows what it allows.
            (values.len() == allowed.value.len()).then_some((values, allowed.span))
        });
        let mut limit = |rule: &Option<Spanned<String>>, key: &str| {
            let rule = rule.as_ref()?;
            if !item.is_ordered() {
                let message = format!("`{key}` means nothing for `{name}`, whose type is {data_type}");
                found.push(Diagnostic::new(Code::BadVariable, rule.span, message).help(
                    "numbers, dates, timestamps, times and intervals have a `min` and a `max`; texts an `allowed` and a `pattern`",
                ));
                return None;
            }
            let limit = bound(rule, item, found)?;
            let is_number = compare(&limit.value, &limit.value, time_zone).is_some();
            if !is_number {
                let message = format!("`{}` is neither less nor more than any number", limit.text);
                found.push(Diagnostic::new(Code::BadVariable, rule.span, message));
            }
            Some(limit).filter(|_| is_number)
        };
        let mut least = limit(&declaration.min, "min");
        let mut most = limit(&declaration.max, "max");
        if let (Some(low), Some(high)) = (&least, &most)
            && compare(&low.value, &high.value, time_zone) == Some(Ordering::Greater)
        {
            let message = format!("the `max` of `{name}` is less than its `min`: no value is between them");
            found.push(Diagnostic::new(Code::BadVariable, high.span, message).related(low.span, "the `min`"));
            (least, most) = (None, None);
        }
        let pattern =
            declaration.pattern.as_ref().and_then(|pattern| pattern_of(name, data_type, pattern, found));
        Self { allowed, least, most, pattern, time_zone }
    }

    /// Whether a value keeps them; of a list, each item.
    pub(super) fn check(&self, value: &Value) -> Result<(), Broken> {
        let Value::List(items) = value else { return self.check_one(value, 0) };
        items.iter().enumerate().try_for_each(|(at, item)| self.check_one(item, at))
    }

    fn check_one(&self, value: &Value, at: usize) -> Result<(), Broken> {
        let text = shown(value);
        if let Some((allowed, span)) = &self.allowed
            && !allowed.iter().any(|one| is_same(&one.value, value, self.time_zone))
        {
            let help = Some(choices(&text, allowed));
            return Err(Broken {
                message: format!("`{text}` is not one of the `allowed` values"),
                help,
                rule: *span,
                item: at,
            });
        }
        for (limit, wrong, what) in [
            (&self.least, Ordering::Less, "less than the `min`"),
            (&self.most, Ordering::Greater, "more than the `max`"),
        ] {
            let Some(limit) = limit else { continue };
            let order = compare(value, &limit.value, self.time_zone);
            if order == Some(wrong) || order.is_none() {
                let message = match order {
                    None => format!("`{text}` is not within any limit, and there is one, `{}`", limit.text),
                    Some(_) => format!("`{text}` is {what}, `{}`", limit.text),
                };
                return Err(Broken { message, help: self.limits(), rule: limit.span, item: at });
            }
        }
        if let Some((pattern, written, span)) = &self.pattern
            && !pattern.is_match(value.plain().expose())
        {
            let message = format!("`{text}` does not match the `pattern`, `{written}`");
            let help = Some("the pattern has to match the whole text".to_owned());
            return Err(Broken { message, help, rule: *span, item: at });
        }
        Ok(())
    }

    /// What is within the limits.
    fn limits(&self) -> Option<String> {
        let text = |limit: &Option<Bound>| limit.as_ref().map(|limit| limit.text.clone());
        Some(match (text(&self.least), text(&self.most)) {
            (Some(least), Some(most)) => format!("allowed is what lies between `{least}` and `{most}`"),
            (Some(least), None) => format!("allowed is `{least}` and more"),
            (None, Some(most)) => format!("allowed is `{most}` and less"),
            (None, None) => return None,
        })
    }
}

impl Broken {
    /// The mistake, at the place of the value; `origin` says where that comes from.
    pub(super) fn at(self, place: Span, origin: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(Code::BadVariable, place, format!("{origin}{}", self.message))
            .related(self.rule, "the rule");
        self.help.into_iter().fold(diagnostic, Diagnostic::help)
    }
}

/// The value that was probably meant, or all of them.
fn choices(text: &str, allowed: &[Bound]) -> String {
    /// Characters; of shorter ones each is near to any other.
    const LONG: usize = 3;
    /// So many are listed.
    const FEW: usize = 12;
    let names = allowed.iter().map(|one| one.text.as_str());
    let long = names.clone().filter(|name| name.len() >= LONG && text.len() >= LONG);
    if let Some(near) = nearest(text, long) {
        return format!("did you mean `{near}`?");
    }
    let listed: Vec<String> = names.take(FEW).map(|name| format!("`{name}`")).collect();
    let more = if allowed.len() > FEW { " and others" } else { "" };
    format!("allowed are {}{more}", listed.join(", "))
}

/// A value as a message shows it: not all of a long one.
fn shown(value: &Value) -> String {
    const SHOWN: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn bound(text: &Spanned<String>, data_type: &Type, found: &mut Diagnostics) -> Option<Bound> {
    match data_type.value(&text.value) {
        Ok(value) => Some(Bound { value, text: text.value.clone(), span: text.span }),
        Err(reason) => {
            found.push(Diagnostic::new(Code::BadVariable, text.span, reason));
            None
        }
    }
}

fn compare(one: &Value, other: &Value, time_zone: chrono_tz::Tz) -> Option<Ordering> {
    one.compare(other, &|at| instant(at, time_zone))
}

/// Whether two values are one, however they were written.
fn is_same(one: &Value, other: &Value, time_zone: chrono_tz::Tz) -> bool {
    let is_nan = |value: &Value| match value {
        Value::Float(number) => number.is_nan(),
        Value::Double(number) => number.is_nan(),
        _ => false,
    };
    one == other || compare(one, other, time_zone) == Some(Ordering::Equal) || (is_nan(one) && is_nan(other))
}

/// When a timestamp is that the session's time zone gives its offset; the earlier one where the clock shows it twice.
fn instant(at: NaiveDateTime, time_zone: chrono_tz::Tz) -> DateTime<FixedOffset> {
    let known = time_zone.from_local_datetime(&at).earliest();
    let known = known.unwrap_or_else(|| time_zone.from_utc_datetime(&at));
    known.with_timezone(&known.offset().fix())
}

fn pattern_of(
    name: &str,
    data_type: &Type,
    pattern: &Spanned<String>,
    found: &mut Diagnostics,
) -> Option<(Regex, String, Span)> {
    if !matches!(data_type.item(), Type::String | Type::Identifier) {
        let message = format!("a `pattern` means nothing for `{name}`, whose type is {data_type}");
        found.push(
            Diagnostic::new(Code::BadVariable, pattern.span, message)
                .help("strings and identifiers have patterns; numbers and dates a `min` and a `max`"),
        );
        return None;
    }
    // By itself first, so that no bracket of it closes one of ours.
    let whole = format!(r"\A(?:{})\z", pattern.value);
    match Regex::new(&pattern.value).and_then(|_| Regex::new(&whole)) {
        Ok(regex) => Some((regex, pattern.value.clone(), pattern.span)),
        Err(error) => {
            let said = error.to_string();
            let why = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let message = format!("`{}` is not a regular expression: {why}", pattern.value);
            found.push(Diagnostic::new(Code::BadVariable, pattern.span, message));
            None
        }
    }
}
