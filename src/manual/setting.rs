//! Owns what is said of one setting: what stands there, whether it must, and what it means. It is read off a schema, as the types
//! make it, before it is made strict for editors.

use serde_json::Value;

use crate::spec::Doc;

/// One key of a mapping.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    /// What stands there, in words.
    pub(super) value: String,
    pub(super) is_required: bool,
    /// The value where none is given, where that can be written.
    pub(super) default: Option<String>,
    pub(super) meaning: String,
    /// The words that may stand there, with what each means; nothing where their names say it.
    pub(super) words: Vec<(String, String)>,
}

impl Setting {
    pub(super) fn new(key: &str, schema: &Value, is_required: bool) -> Self {
        let inner = &schema["anyOf"][0]["default"];
        let default =
            match [&schema["default"], inner].into_iter().find(|it| !it.is_null()).unwrap_or(&Value::Null) {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
        Self {
            key: key.to_owned(),
            value: value(schema),
            is_required,
            default,
            meaning: Doc::parse(schema["description"].as_str().unwrap_or_default()).prose(),
            words: words(schema),
        }
    }
}

/// The settings of a mapping, or of the mapping that a short form stands for.
pub(super) fn settings(schema: &Value) -> Vec<Setting> {
    let Some(mapping) = mapping(schema) else { return Vec::new() };
    let required = mapping["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let settings = mapping["properties"].as_object().into_iter().flatten();
    settings.map(|(key, schema)| Setting::new(key, schema, required.iter().any(|it| it == key))).collect()
}

/// The settings below a key, those of mappings in it too, under their whole names.
pub(super) fn inside(path: &str, schema: &Value) -> Vec<Setting> {
    let mut all = Vec::new();
    for setting in settings(schema) {
        let schema = mapping(schema).map_or(&Value::Null, |mapping| &mapping["properties"][&setting.key]);
        let path = format!("{path}.{}", setting.key);
        let below = inside(&path, schema);
        all.push(Setting { key: path, ..setting });
        all.extend(below);
    }
    all
}

/// The mapping with known keys that a schema is, or may be.
fn mapping(schema: &Value) -> Option<&Value> {
    if schema["properties"].is_object() {
        return Some(schema);
    }
    schema["anyOf"].as_array()?.iter().find(|schema| schema["properties"].is_object())
}

/// What a schema lets stand, in words.
pub(super) fn value(schema: &Value) -> String {
    if let Some(title) = schema["title"].as_str() {
        return title.to_owned();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return name.to_lowercase();
    }
    let all = choices(schema);
    if !all.is_empty() {
        return all.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let given = choices.iter().filter(|choice| choice["type"] != "null");
        return either(&given.collect::<Vec<_>>());
    }
    match kind(schema) {
        "integer" => number(schema),
        "number" => fraction(schema),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => list_of(&schema["items"]),
        "object" if schema["properties"].is_object() && !schema["additionalProperties"].is_object() => {
            "the settings below".to_owned()
        }
        "object" if schema["additionalProperties"].is_object() => {
            format!("mapping of names to {}", several(&value(&schema["additionalProperties"])))
        }
        "object" => "nothing".to_owned(),
        _ if !schema["const"].is_null() => format!("`{}`", schema["const"]),
        "string" => "text".to_owned(),
        _ => "?".to_owned(),
    }
}

/// A number that need not be whole, and its bounds.
fn fraction(schema: &Value) -> String {
    match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
        (Some(least), Some(most)) => format!("number from {least} to {most}"),
        (Some(least), None) => format!("number, {least} or more"),
        (None, _) => "number".to_owned(),
    }
}

/// The type, that of nothing aside. A text is what may be a string.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or_default()
        }
        name => name.as_str().unwrap_or_default(),
    }
}

fn either(choices: &[&Value]) -> String {
    match choices {
        [one] => value(one),
        [one, list] if list["items"] == **one => format!("{}, or a list", value(one)),
        [short, ..] => format!("{}, or the settings below", value(short)),
        [] => "nothing".to_owned(),
    }
}

fn list_of(item: &Value) -> String {
    format!("list of {}", several(&value(item)))
}

/// More than one of what has a name.
fn several(one: &str) -> String {
    match one.split_once(' ') {
        Some(("list", rest)) => format!("lists {rest}"),
        Some(("mapping", rest)) => format!("mappings {rest}"),
        _ if one.contains([',', '`', ';']) => one.to_owned(),
        _ if one == "the settings below" => one.to_owned(),
        _ => format!("{one}s"),
    }
}

fn number(schema: &Value) -> String {
    let bound = |key: &str| schema[key].as_i64();
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("whole number from {least} to {most}"),
        (Some(least), None) => format!("whole number, at least {least}"),
        (None, Some(most)) => format!("whole number up to {most}"),
        (None, None) => "whole number".to_owned(),
    }
}

/// The words with what is said of each; nothing where nothing is said of any.
fn words(schema: &Value) -> Vec<(String, String)> {
    let mut words = choices(schema);
    words.retain(|(_, meaning)| !meaning.is_empty());
    words
}

/// The words that a schema lists, itself or as one of its choices.
fn choices(schema: &Value) -> Vec<(String, String)> {
    let plain = |word: &Value| word.as_str().map(|word| (word.to_owned(), String::new()));
    if let Some(listed) = schema["enum"].as_array() {
        return listed.iter().filter_map(plain).collect();
    }
    let mut all = Vec::new();
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        if let Some(word) = choice["const"].as_str() {
            let meaning = Doc::parse(choice["description"].as_str().unwrap_or_default()).prose();
            all.push((word.to_owned(), meaning));
        } else {
            all.extend(choices(choice));
        }
    }
    if all.is_empty()
        && let Some([one, null]) = schema["anyOf"].as_array().map(Vec::as_slice)
        && null["type"] == "null"
    {
        return choices(one);
    }
    all
}
