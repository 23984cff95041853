//! Owns the JSON Schema of a pipeline file, put together from the same types that read it, with their doc comments.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::project::Document;
use super::vars::Declaration;
use crate::duration::LIMIT_PATTERN;
use crate::expect::{Check, OnFail};
use crate::name::{NAME_PATTERN, StepRef};
use crate::pipeline::{ArtifactKind, Cache};
use crate::shape::{Many, Short};
use crate::sink::Sink;
use crate::source::Source;
use crate::transform::Transform;

/// The schema of a project file (JSON Schema, draft 2020-12).
pub(crate) fn project_schema() -> Value {
    let mut schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>().to_value();
    schema["title"] = "pipectl project".into();
    as_read(&mut schema);
    schema
}

/// The schema of a pipeline file (JSON Schema, draft 2020-12).
pub(crate) fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut further = Definitions::default();
    let step = step(&mut generator, &mut further);
    further.0.insert("Step".to_owned(), step);
    further.0.insert("Variable".to_owned(), Short::<Declaration>::json_schema(&mut generator).to_value());
    let mut definitions = generator.take_definitions(true);
    definitions.append(&mut further.0);
    definitions.sort_keys();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pipectl pipeline",
        "description": "A data pipeline: DataFrame steps, run by a Spark Connect server.",
        "type": "object",
        "required": ["version"],
        "anyOf": [{ "required": ["steps"] }, { "required": ["include"] }],
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1, "description": "The version of the format." },
            "name": { "type": "string", "description": "The pipeline's name; the file's where not given." },
            "description": { "type": "string", "description": "What the pipeline is for." },
            "include": {
                "description": "Files whose steps and variables belong to this pipeline; the paths start at this file's folder.",
                "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
            },
            "vars": {
                "description": "Variables: `${name}` in values. Set with `--var name=value`, `PIPECTL_VAR_NAME`, a target's `vars` or the default.",
                "type": "object",
                "propertyNames": { "pattern": NAME_PATTERN },
                "additionalProperties": { "$ref": "#/$defs/Variable" },
            },
            "conf": {
                "description": "Spark SQL settings of this pipeline's session.",
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean"] },
            },
            "artifacts": {
                "description": "Files that the server's session shall have, sent to it from where pipectl runs before anything else. Relative paths start at this file's folder.",
                "type": "array",
                "items": artifact(),
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
    schema["$defs"] = Value::Object(definitions);
    as_read(&mut schema);
    schema
}

/// One file that is sent: a key that says what it is, and its path.
fn artifact() -> Value {
    let kinds = ArtifactKind::ALL.map(|kind| {
        let description = match kind {
            ArtifactKind::File => "A file of any kind, under its own name.",
            ArtifactKind::Archive => "An archive, which the server unpacks: `env.tar.gz`, or `env.tar.gz#folder` for a folder of another name.",
            ArtifactKind::Pyfile => "A Python module or a package of them: `.py`, `.zip`, `.egg`.",
            ArtifactKind::Jar => "A library for the JVM.",
        };
        (kind.key(), json!({ "type": "string", "description": description }))
    });
    one_key(kinds.to_vec(), json!({}), &[])
}

/// Schemas that others refer to by name.
#[derive(Default)]
struct Definitions(Map<String, Value>);

impl Definitions {
    /// Puts a schema under a name, and gives what refers to it.
    fn add(&mut self, name: String, mut schema: Value) -> Value {
        // Editors show the description of what refers.
        let description = schema.get_mut("description").map(Value::take);
        let mut reference = json!({ "$ref": format!("#/$defs/{name}") });
        if let Some(description) = description {
            reference["description"] = description.clone();
            schema["description"] = description;
        }
        self.0.insert(name, schema);
        reference
    }

    /// The settings of a kind, under its name where they have keys of their own.
    fn kind(&mut self, key: &str, family: &str, schema: Schema) -> Value {
        let schema = schema.to_value();
        let has_keys = |schema: &Value| schema.get("properties").is_some();
        let is_long = has_keys(&schema)
            || schema.get("anyOf").and_then(Value::as_array).is_some_and(|all| all.iter().any(has_keys));
        if !is_long {
            return schema;
        }
        let words = key.split('_').map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            first.to_uppercase() + rest
        });
        self.add(words.collect::<String>() + family, schema)
    }
}

fn step(generator: &mut SchemaGenerator, definitions: &mut Definitions) -> Value {
    let mut properties = Map::new();
    let sources = Source::schemas(generator);
    let one_source: Vec<Value> = sources.iter().map(|(key, _)| json!({ "required": [key] })).collect();
    for (key, schema) in sources {
        properties.insert(key.to_owned(), definitions.kind(key, "Source", schema));
    }
    let described = |schema: Schema, description: &str| {
        let mut schema = schema;
        schema.insert("description".to_owned(), description.into());
        schema.to_value()
    };
    let transforms = Transform::schemas(generator).into_iter();
    let transforms = transforms.map(|(key, schema)| (key, definitions.kind(key, "Transform", schema)));
    let transform = one_key(transforms.collect(), json!({}), &["distinct"]);
    let transform = definitions.add("Transform".to_owned(), transform);
    properties.insert(
        "transform".to_owned(),
        json!({
            "description": "What is done to the rows, from top to bottom.",
            "type": "array",
            "items": transform,
        }),
    );
    let on_fail = OnFail::json_schema(generator).to_value();
    let checks = Check::schemas(generator).into_iter();
    let checks = checks.map(|(key, schema)| (key, definitions.kind(key, "Expectation", schema)));
    let expectation = one_key(checks.collect(), json!({ "on_fail": on_fail }), &[]);
    let expectation = definitions.add("Expectation".to_owned(), expectation);
    properties.insert(
        "expect".to_owned(),
        json!({
            "description": "What must hold for every row before anything is made of it.",
            "type": "array",
            "items": expectation,
        }),
    );
    let sinks = Sink::schemas(generator).into_iter();
    let sinks = sinks.map(|(key, schema)| (key, definitions.kind(key, "Output", schema)));
    let sink = one_key(sinks.collect(), json!({}), &["stdout"]);
    let sink = definitions.add("Output".to_owned(), sink);
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
        (
            "timeout",
            json!({
                "type": "string",
                "pattern": format!("{LIMIT_PATTERN}|\\$\\{{"),
                "description": "How long each action of the step may take, the engine's work and the writing: `90s`, `5m`, `1h30m`. After that it is interrupted, nothing of its output is left, and the step has failed.",
            }),
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
fn one_key(kinds: Vec<(&'static str, Value)>, further: Value, bare: &[&str]) -> Value {
    let required: Vec<Value> = kinds.iter().map(|(key, _)| json!({ "required": [key] })).collect();
    let mut properties: Map<String, Value> =
        kinds.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    for key in bare {
        if let Some(schema) = properties.get_mut(*key) {
            let description = schema.get("description").cloned();
            *schema = json!({ "anyOf": [{ "type": "null" }, schema.take()], "description": description });
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

/// Says what the reader does beyond the types: a text is any scalar as it stands, a variable may stand wherever a value
/// stands, and unknown keys are mistakes everywhere.
fn as_read(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(as_read),
        Value::Object(object) => {
            object.values_mut().for_each(as_read);
            // A width in bits is nothing that a file's writer thinks of.
            if object.get("format").is_some_and(Value::is_string) && !object.contains_key("properties") {
                object.remove("format");
            }
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            if object.contains_key("properties") {
                object.entry("additionalProperties").or_insert(false.into());
            }
            if is_choice(object) || is_plain(object) {
                let value = std::mem::take(object);
                let (outside, value): (Map<_, _>, Map<_, _>) = value
                    .into_iter()
                    .partition(|(key, _)| ["description", "default"].contains(&key.as_str()));
                *object = outside;
                let variable = json!({ "type": "string", "pattern": "\\$\\{" });
                object.insert("anyOf".to_owned(), json!([value, variable]));
                return;
            }
            let is_fixed = ["const", "enum", "pattern"].iter().any(|key| object.contains_key(*key));
            match object.get_mut("type") {
                Some(name) if *name == "string" && !is_fixed => {
                    *name = json!(["string", "number", "boolean"]);
                }
                Some(Value::Array(names)) if *names == ["string", "null"] => {
                    *names = vec!["string".into(), "number".into(), "boolean".into(), "null".into()];
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// Whether a schema lists words; those that YAML reads as something else become that.
fn is_choice(object: &mut Map<String, Value>) -> bool {
    let as_yaml = |word: &str| match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ => None,
    };
    let is_text = object.contains_key("type");
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        let further: Vec<Value> = words.iter().filter_map(|word| as_yaml(word.as_str()?)).collect();
        if !further.is_empty() {
            words.extend(further);
            object.remove("type");
        }
        return is_text;
    }
    let Some(Value::Array(choices)) = object.get_mut("oneOf") else { return false };
    let mut is_choice = false;
    for choice in choices.iter_mut().filter_map(Value::as_object_mut) {
        let Some(word) = choice.get("const").and_then(Value::as_str) else { continue };
        is_choice = true;
        if let Some(value) = as_yaml(word) {
            let words = json!([word, value]);
            choice.remove("const");
            choice.remove("type");
            choice.insert("enum".to_owned(), words);
        }
    }
    is_choice
}

/// Whether a schema is a number or a truth value.
fn is_plain(object: &Map<String, Value>) -> bool {
    let is_plain = |name: &Value| ["integer", "number", "boolean"].iter().any(|plain| name == plain);
    match object.get("type") {
        Some(Value::Array(names)) => names.iter().any(is_plain) && !names.iter().any(|name| name == "string"),
        name => name.is_some_and(is_plain),
    }
}
