//! Owns the JSON Schema of a pipeline file, put together from the same types that read it, with their doc comments.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::vars::Declaration;
use crate::expect::{Check, OnFail};
use crate::name::{NAME_PATTERN, StepRef};
use crate::pipeline::Cache;
use crate::shape::{Many, Short};
use crate::sink::Sink;
use crate::source::Source;
use crate::transform::Transform;

/// The schema of a pipeline file (JSON Schema, draft 2020-12).
pub(crate) fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let step = step(&mut generator);
    let declaration = Short::<Declaration>::json_schema(&mut generator);
    let definitions = generator.take_definitions(true);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pipectl pipeline",
        "description": "A data pipeline: DataFrame steps, run by a Spark Connect server.",
        "type": "object",
        "required": ["version", "steps"],
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1, "description": "The version of the format." },
            "name": { "type": "string", "description": "The pipeline's name; the file's where not given." },
            "description": { "type": "string", "description": "What the pipeline is for." },
            "vars": {
                "description": "Variables: `${name}` in values. Set with `--var name=value`, `PIPECTL_VAR_NAME` or the default.",
                "type": "object",
                "propertyNames": { "pattern": NAME_PATTERN },
                "additionalProperties": declaration,
            },
            "conf": {
                "description": "Spark SQL settings of this pipeline's session.",
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean"] },
            },
            "steps": {
                "description": "The steps by name. Their order means nothing: references make the graph.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": NAME_PATTERN },
                "additionalProperties": { "$ref": "#/$defs/Step" },
            },
        },
    });
    let mut definitions = definitions;
    definitions.insert("Step".to_owned(), step);
    definitions.sort_keys();
    schema["$defs"] = Value::Object(definitions);
    takes_variables(&mut schema);
    schema
}

fn step(generator: &mut SchemaGenerator) -> Value {
    let mut properties = Map::new();
    let sources = Source::schemas(generator);
    let one_source: Vec<Value> = sources.iter().map(|(key, _)| json!({ "required": [key] })).collect();
    for (key, schema) in sources {
        properties.insert(key.to_owned(), schema.to_value());
    }
    let described = |schema: Schema, description: &str| {
        let mut schema = schema;
        schema.insert("description".to_owned(), description.into());
        schema.to_value()
    };
    let transforms = one_key(Transform::schemas(generator), json!({}), &["distinct"]);
    properties.insert(
        "transform".to_owned(),
        json!({
            "description": "What is done to the rows, from top to bottom.",
            "type": "array",
            "items": transforms,
        }),
    );
    let on_fail = OnFail::json_schema(generator).to_value();
    let expectation = one_key(Check::schemas(generator), json!({ "on_fail": on_fail }), &[]);
    properties.insert(
        "expect".to_owned(),
        json!({
            "description": "What must hold for every row before anything is made of it.",
            "type": "array",
            "items": expectation,
        }),
    );
    let sink = one_key(Sink::schemas(generator), json!({}), &["stdout"]);
    properties.insert(
        "write".to_owned(),
        json!({
            "description": "Where the rows go on the machine that runs pipectl: one output or a list.",
            "anyOf": [sink, { "type": "array", "items": sink }],
        }),
    );
    for (key, schema) in [
        ("description", described(String::json_schema(generator), "What the step is for.")),
        ("tags", described(Many::<String>::json_schema(generator), "Words to find the step by.")),
        (
            "after",
            described(Many::<StepRef>::json_schema(generator), "Steps to wait for without reading them."),
        ),
        (
            "contract",
            described(
                String::json_schema(generator),
                "A file with the names and types of the columns to read.",
            ),
        ),
        (
            "cache",
            described(
                Cache::json_schema(generator),
                "Whether a step that several others read is worked out once.",
            ),
        ),
    ] {
        properties.insert(key.to_owned(), schema);
    }
    json!({
        "description": "A DataFrame with a name: one source, what is done to its rows, and where they go.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "oneOf": one_source,
    })
}

/// An object with exactly one key of a closed list, or the bare key where that says enough.
fn one_key(kinds: Vec<(&'static str, Schema)>, further: Value, bare: &[&str]) -> Value {
    let required: Vec<Value> = kinds.iter().map(|(key, _)| json!({ "required": [key] })).collect();
    let mut properties: Map<String, Value> =
        kinds.into_iter().map(|(key, schema)| (key.to_owned(), schema.to_value())).collect();
    for key in bare {
        if let Some(schema) = properties.get_mut(*key) {
            *schema = json!({ "anyOf": [{ "type": "null" }, schema.take()] });
        }
    }
    if let Value::Object(further) = further {
        properties.extend(further);
    }
    let object = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "oneOf": required,
    });
    if bare.is_empty() { object } else { json!({ "anyOf": [{ "enum": bare }, object] }) }
}

/// Lets a variable stand wherever a number or a truth value stands.
fn takes_variables(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(takes_variables),
        Value::Object(object) => {
            let is_plain = object
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|name| ["integer", "number", "boolean"].contains(&name));
            if is_plain {
                let mut plain = Map::new();
                for key in ["type", "format", "minimum", "maximum"] {
                    if let Some(value) = object.remove(key) {
                        plain.insert(key.to_owned(), value);
                    }
                }
                object.insert("anyOf".to_owned(), json!([plain, { "type": "string", "pattern": "\\$\\{" }]));
                return;
            }
            object.values_mut().for_each(takes_variables);
        }
        _ => {}
    }
}
