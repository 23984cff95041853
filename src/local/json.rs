//! An object of JSON as the texts of its values: no digit of a number is lost.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

/// The values by their keys: of a string its characters, of `null` nothing, of anything else its JSON.
pub(super) fn object(line: &str) -> Result<HashMap<Cow<'_, str>, Option<Cow<'_, str>>>, String> {
    let told = |error: serde_json::Error| error.to_string();
    let values: HashMap<Key<'_>, &RawValue> = serde_json::from_str(line).map_err(told)?;
    let text = |value: &'_ RawValue| -> Result<Option<String>, String> {
        match value.get() {
            "null" => Ok(None),
            text if text.starts_with('"') => serde_json::from_str(text).map(Some).map_err(told),
            text => Ok(Some(text.to_owned())),
        }
    };
    values.into_iter().map(|(key, value)| Ok((key.0, text(value)?.map(Cow::Owned)))).collect()
}

/// A key, which is in the line as it is unless something in it is escaped.
#[derive(PartialEq, Eq, Hash, serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
