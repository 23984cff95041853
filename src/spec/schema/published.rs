//! Makes a schema say what the reader does beyond the types, in the words of plain JSON Schema.
//!
//! A text is any scalar as it stands, a variable may stand wherever a value stands, unknown keys are mistakes everywhere, and
//! what is not given is left out and not `null`. Where the reader is lenient in ways that nobody needs (`LEFT` for `left`), the
//! schema is not.

use serde_json::{Map, Value, json};

use super::doc::Doc;
use crate::shape::without_null;

/// A value that holds a variable.
const VARIABLE: &str = "\\$\\{";
/// Numbers and truth values in quotes.
const QUOTED_INTEGER: &str = "^[+-]?[0-9]+$";
const QUOTED_BOOLEAN: &str = "^([Tt]rue|TRUE|[Ff]alse|FALSE)$";

/// Finishes a schema that was put together from types.
pub(super) fn publish(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    optional_settings(object);
    if let Some(Value::String(comment)) = object.get_mut("description") {
        *comment = Doc::parse(comment).prose();
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    // A width in bits is nothing that a file's writer thinks of.
    object.remove("format");
    if let Some(quoted) = choices(object) {
        let quoted = quoted.iter().map(|word| format!("^{word}$|")).collect::<String>();
        or_text(object, &(quoted + VARIABLE));
        return;
    }
    parts(object).for_each(publish);
    if object.contains_key("properties") && is_mapping(object) {
        object.entry("additionalProperties").or_insert(false.into());
    }
    if is_type(object, "integer") {
        or_text(object, &format!("{QUOTED_INTEGER}|{VARIABLE}"));
    } else if is_type(object, "boolean") {
        or_text(object, &format!("{QUOTED_BOOLEAN}|{VARIABLE}"));
    } else if is_type(object, "string") {
        text(object);
    } else if let Some(Value::Array(names)) = object.get("type")
        && *names == ["string", "null"]
    {
        object.insert("type".to_owned(), json!(["string", "number", "boolean", "null"]));
    }
}

/// Takes variables away from what a finished schema lets stand, for files that have none.
pub(super) fn without_variables(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice["pattern"] != VARIABLE);
        for choice in choices {
            if let Some(Value::String(pattern)) = choice.get_mut("pattern")
                && let Some(own) = pattern.strip_suffix(VARIABLE).and_then(|own| own.strip_suffix('|'))
            {
                *pattern = own.to_owned();
            }
        }
    }
    parts(object).for_each(without_variables);
}

/// The schemas inside of a schema.
fn parts(object: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    object.iter_mut().flat_map(|(key, part)| -> Box<dyn Iterator<Item = &mut Value>> {
        match (key.as_str(), part) {
            ("properties" | "$defs", Value::Object(schemas)) => Box::new(schemas.values_mut()),
            ("anyOf" | "oneOf" | "allOf", Value::Array(schemas)) => Box::new(schemas.iter_mut()),
            ("items" | "additionalProperties" | "not", schema) => Box::new(std::iter::once(schema)),
            _ => Box::new(std::iter::empty()),
        }
    })
}

fn is_type(object: &Map<String, Value>, name: &str) -> bool {
    object.get("type").is_some_and(|given| given == name)
}

fn is_mapping(object: &Map<String, Value>) -> bool {
    is_type(object, "object")
        || object.get("type").and_then(Value::as_array).is_some_and(|all| all.iter().any(|it| it == "object"))
}

/// A setting that need not be given is left out: `null` for it would only be one more thing that an editor proposes.
fn optional_settings(object: &mut Map<String, Value>) {
    // Kinds may stand with nothing, where that is enough for them.
    if !is_mapping(object) || object.contains_key("maxProperties") {
        return;
    }
    let required = object.get("required").cloned().unwrap_or_default();
    let Some(Value::Object(settings)) = object.get_mut("properties") else { return };
    let is_required = |key: &str| required.as_array().is_some_and(|all| all.iter().any(|it| it == key));
    for (_, setting) in settings.iter_mut().filter(|(key, _)| !is_required(key)) {
        without_null(setting);
    }
}

/// The words that a schema lists and that YAML reads as something else, which they become; nothing where it lists none.
fn choices(object: &mut Map<String, Value>) -> Option<Vec<String>> {
    let as_yaml = |word: &str| match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ => None,
    };
    let mut quoted = Vec::new();
    let mut read = |word: &mut Value| {
        if let Some((text, value)) = word.as_str().and_then(|word| Some((word.to_owned(), as_yaml(word)?))) {
            quoted.push(text);
            *word = value;
        }
    };
    if is_type(object, "string")
        && let Some(Value::Array(words)) = object.get_mut("enum")
    {
        words.iter_mut().for_each(&mut read);
        // They may be no texts any more.
        object.remove("type");
        return Some(quoted);
    }
    let Some(Value::Array(choices)) = object.get_mut("oneOf") else { return None };
    let mut is_choice = false;
    for choice in choices.iter_mut().filter_map(Value::as_object_mut) {
        let words = ["const", "enum"].into_iter().find(|key| choice.contains_key(*key));
        let Some(words) = words.and_then(|key| choice.get_mut(key)) else { continue };
        match words {
            Value::Array(words) => words.iter_mut().for_each(&mut read),
            word => read(word),
        }
        is_choice = true;
        choice.remove("type");
        if let Some(Value::String(comment)) = choice.get_mut("description") {
            *comment = Doc::parse(comment).prose();
        }
    }
    is_choice.then_some(quoted)
}

/// Lets a text stand for the value, where it looks like this.
fn or_text(object: &mut Map<String, Value>, pattern: &str) {
    let value = std::mem::take(object);
    let (outside, value): (Map<_, _>, Map<_, _>) = value.into_iter().partition(|(key, _)| {
        ["title", "description", "markdownDescription", "default"].contains(&key.as_str())
    });
    *object = outside;
    let text = json!({ "type": "string", "pattern": pattern });
    object.insert("anyOf".to_owned(), json!([value, text]));
}

/// A text is any scalar as it stands; one that has to look like something may also hold a variable.
fn text(object: &mut Map<String, Value>) {
    if let Some(Value::String(pattern)) = object.get_mut("pattern") {
        pattern.push('|');
        pattern.push_str(VARIABLE);
    } else if !object.contains_key("examples") {
        // What looks like an example is a text to YAML too.
        object.insert("type".to_owned(), json!(["string", "number", "boolean"]));
    }
}
