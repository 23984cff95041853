//! Owns the JSON Schemas of pipeline and project files, put together from the same types that read them, with their doc comments.
//!
//! A schema says what can be seen without knowing other places of the file. Where it can be said in several ways, it is said
//! so that editors propose keys and words: keys of a mapping stand together under `properties`, words are listed one by one.

mod doc;
mod published;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema as _, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::contract;
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
use published::{publish, without_variables};

pub(crate) use doc::{Block, Doc};

/// The schema of a project file (JSON Schema, draft 2020-12), given the names of the engines that pipectl starts.
pub(crate) fn project_schema(engines: &[&str]) -> Value {
    let mut schema = described_project();
    let target = &mut schema["properties"]["targets"]["additionalProperties"];
    let engine = &mut target["properties"]["engine"];
    engine["type"] = "string".into();
    engine["enum"] = json!(engines);
    publish(&mut schema);
    schema
}

/// The schema of a contract's file (JSON Schema, draft 2020-12).
pub(crate) fn contract_schema() -> Value {
    let mut schema = described_contract();
    publish(&mut schema);
    without_variables(&mut schema);
    schema["properties"]["version"] = json!({ "const": 1, "description": "The version of the format." });
    schema
}

/// The schema of a pipeline file (JSON Schema, draft 2020-12).
pub(crate) fn json_schema() -> Value {
    let mut generator = generator();
    let mut definitions = Definitions::default();
    let step = step(&mut generator, &mut definitions);
    definitions.0.insert("Step".to_owned(), step);
    // A variable that must be given, and of which nothing else is said.
    definitions.0.insert("Variable".to_owned(), or_nothing(variable(&mut generator)));
    definitions.0.sort_keys();
    let mut schema = pipeline();
    schema["$defs"] = Value::Object(definitions.0);
    publish(&mut schema);
    schema
}

/// What kinds belong to, as the reference calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Source,
    Transform,
    Expectation,
    Output,
}

/// One kind with its settings as its own file describes them: comments whole, as far as types say it.
pub(crate) struct KindSchema {
    pub(crate) family: Family,
    pub(crate) key: &'static str,
    pub(crate) schema: Value,
}

impl KindSchema {
    /// Whether the bare key says enough.
    pub(crate) fn is_bare(&self) -> bool {
        let needs_nothing =
            |schema: &Value| ["required", "oneOf"].iter().all(|needs| schema.get(needs).is_none());
        let is_mapping = |schema: &Value| schema.get("properties").is_some();
        let all = self.schema["anyOf"].as_array().map_or(std::slice::from_ref(&self.schema), Vec::as_slice);
        all.iter().any(|schema| is_mapping(schema) && needs_nothing(schema))
    }
}

/// All kinds, each family in the order of its folder.
pub(crate) fn kinds() -> Vec<KindSchema> {
    let mut generator = generator();
    let all = [
        (Family::Source, Source::schemas(&mut generator)),
        (Family::Transform, Transform::schemas(&mut generator)),
        (Family::Expectation, Check::schemas(&mut generator)),
        (Family::Output, Sink::schemas(&mut generator)),
    ];
    let kinds = all.into_iter().flat_map(|(family, kinds)| kinds.into_iter().map(move |kind| (family, kind)));
    kinds
        .map(|(family, (key, schema))| {
            let mut schema = schema.to_value();
            // Without settings there are none, and not any.
            if schema["type"] == "object"
                && schema.get("additionalProperties").is_none()
                && schema.get("properties").is_none()
            {
                schema["properties"] = json!({});
            }
            KindSchema { family, key, schema }
        })
        .collect()
}

/// What else has a description of its own: the file's top-level keys, those of every step, a variable, the project file.
pub(crate) struct Described {
    pub(crate) pipeline: Value,
    pub(crate) step: Map<String, Value>,
    pub(crate) variable: Value,
    pub(crate) contract: Value,
    pub(crate) project: Value,
}

pub(crate) fn described() -> Described {
    let mut generator = generator();
    Described {
        pipeline: pipeline(),
        step: common_keys(&mut generator),
        variable: variable(&mut generator),
        contract: described_contract(),
        project: described_project(),
    }
}

/// Every kind has its words to itself: two that call a setting `format` mean two things.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator()
}

fn described_project() -> Value {
    without_title(generator().into_root_schema_for::<Document>().to_value())
}

fn described_contract() -> Value {
    without_title(generator().into_root_schema_for::<contract::Document>().to_value())
}

fn without_title(mut schema: Value) -> Value {
    // Editors would show a title wherever a part has none.
    if let Value::Object(schema) = &mut schema {
        schema.remove("title");
    }
    schema
}

fn variable(generator: &mut SchemaGenerator) -> Value {
    Short::<Declaration>::json_schema(generator).to_value()
}

/// The top-level keys.
fn pipeline() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
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
                "anyOf": [
                    { "type": "string", "minLength": 1 },
                    { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 },
                ],
            },
            "vars": {
                "description": "Variables: `${name}` in values. Set with `--var name=value`, `PIPECTL_VAR_NAME`, a target's `vars` or the default.",
                "type": ["object", "null"],
                "propertyNames": { "pattern": NAME_PATTERN },
                "additionalProperties": { "$ref": "#/$defs/Variable" },
            },
            "conf": {
                "description": "Spark SQL settings of this pipeline's session, the text of each as it stands.",
                "type": ["object", "null"],
                "properties": {
                    "spark.sql.session.timeZone": {
                        "type": "string",
                        "description": "The time zone in which the session shows timestamps and `${run.date}` is a date; UTC where not given.",
                        "examples": ["UTC", "Europe/Berlin"],
                    },
                },
                "additionalProperties": { "type": "string" },
            },
            "artifacts": {
                "description": "Files that the server's session shall have, sent to it from where pipectl runs before anything else. Relative paths start at this file's folder.",
                "type": ["array", "null"],
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
    })
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
    let mut artifact = one_key(kinds.to_vec(), &[]);
    artifact["title"] = "artifact".into();
    artifact
}

/// The keys that every step may have, besides its source.
fn common_keys(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let described = |schema: schemars::Schema, description: &str| {
        let mut schema = schema;
        schema.insert("description".to_owned(), description.into());
        schema.to_value()
    };
    let keys = [
        ("description", json!({ "type": "string", "description": "What the step is for." })),
        (
            "transform",
            json!({
                "description": "What is done to the rows, from top to bottom: one operation an item.",
                "type": ["array", "null"],
                "items": { "$ref": "#/$defs/Transform" },
            }),
        ),
        (
            "expect",
            json!({
                "description": "What must hold for every row before anything is made of it.",
                "type": ["array", "null"],
                "items": { "$ref": "#/$defs/Expectation" },
            }),
        ),
        (
            "write",
            json!({
                "description": "Where the rows go on the machine that runs pipectl: one output or a list.",
                "anyOf": [
                    { "$ref": "#/$defs/Output" },
                    { "type": "array", "items": { "$ref": "#/$defs/Output" } },
                ],
            }),
        ),
        (
            "contract",
            described(
                Short::<contract::Named>::json_schema(generator),
                "What the columns of the step's source are, as a file says it: CSV and JSON are read with it, and any other source is compared with it before data is read. `pipectl help contract` says more. Relative paths start at this file's folder.",
            ),
        ),
        (
            "after",
            described(Many::<StepRef>::json_schema(generator), "Steps to wait for without reading them."),
        ),
        ("cache", {
            let mut cache = described(
                Cache::json_schema(generator),
                "Whether a step that several others read is worked out once. All of its columns are kept then: `select` those that are needed.",
            );
            cache["default"] = "auto".into();
            cache
        }),
        (
            "timeout",
            json!({
                "type": "string",
                "title": "length of time",
                "pattern": LIMIT_PATTERN,
                "description": "How long each action of the step may take, the engine's work and the writing: `90s`, `5m`, `1h30m`. After that it is interrupted, nothing of its output is left, and the step has failed.",
                "examples": ["90s", "5m", "2h"],
            }),
        ),
        ("tags", described(Many::<String>::json_schema(generator), "Words to find the step by.")),
    ];
    keys.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect()
}

/// Schemas that others refer to by name.
#[derive(Default)]
struct Definitions(Map<String, Value>);

impl Definitions {
    /// The settings of a kind, under its name where they have keys of their own; what refers to them has their description, which
    /// editors show, and their example.
    fn kind(&mut self, kind: KindSchema) -> (&'static str, Value) {
        let (key, is_bare) = (kind.key, kind.is_bare());
        let mut schema = kind.schema;
        if is_bare {
            schema = or_nothing(schema);
        }
        let comment = schema["description"].as_str().unwrap_or_default();
        let doc = Doc::parse(comment);
        let description = Value::from(comment);
        let has_keys = |schema: &Value| schema["properties"].as_object().is_some_and(|all| !all.is_empty());
        let is_long = has_keys(&schema)
            || schema.get("anyOf").and_then(Value::as_array).is_some_and(|all| all.iter().any(has_keys));
        if is_long {
            let words = key.split('_').map(capitalized);
            let name = words.collect::<String>() + kind.family.name();
            schema["description"] = description.clone();
            let reference = json!({ "$ref": format!("#/$defs/{name}"), "description": description });
            self.0.insert(name, std::mem::replace(&mut schema, reference));
        }
        if let Some(example) = doc.example() {
            schema["markdownDescription"] = format!("{}\n\n```yaml\n{example}```", doc.prose()).into();
        }
        (key, schema)
    }
}

impl Family {
    fn name(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Transform => "Transform",
            Self::Expectation => "Expectation",
            Self::Output => "Output",
        }
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
    first.to_uppercase() + rest
}

/// Settings that may be left out altogether.
fn or_nothing(mut schema: Value) -> Value {
    let description = schema["description"].take();
    if let Value::Object(object) = &mut schema {
        object.remove("description");
    }
    let mut choices = vec![json!({ "type": "null" })];
    match schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        Some(all) => choices.append(all),
        None => choices.push(schema),
    }
    json!({ "anyOf": choices, "description": description })
}

fn step(generator: &mut SchemaGenerator, definitions: &mut Definitions) -> Value {
    let mut families = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut bare: [Vec<(&'static str, String)>; 4] = Default::default();
    for kind in kinds() {
        let family = kind.family as usize;
        if kind.is_bare() {
            let doc = Doc::parse(kind.schema["description"].as_str().unwrap_or_default());
            bare[family].push((kind.key, doc.prose()));
        }
        families[family].push(definitions.kind(kind));
    }
    let [sources, transforms, checks, sinks] = families;
    let [_, bare_transforms, _, bare_sinks] = bare;
    let mut transform = one_key(transforms, &bare_transforms);
    transform["description"] = "An operation: one key, which is its kind, with its settings.".into();
    let mut output = one_key(sinks, &bare_sinks);
    output["description"] = "An output: one key, which is its kind, with its path or its settings.".into();
    for (name, schema) in
        [("Transform", transform), ("Expectation", expectation(checks, generator)), ("Output", output)]
    {
        definitions.0.insert(name.to_owned(), schema);
    }
    let one_source: Vec<Value> = sources.iter().map(|(key, _)| json!({ "required": [key] })).collect();
    let mut properties: Map<String, Value> =
        sources.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    properties.extend(common_keys(generator));
    json!({
        "description": "A DataFrame with a name: one source, what is done to its rows, and where they go.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "oneOf": one_source,
    })
}

/// An object with exactly one key of a closed list, or the bare key where that says enough.
fn one_key(kinds: Vec<(&'static str, Value)>, bare: &[(&str, String)]) -> Value {
    let properties: Map<String, Value> =
        kinds.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    let object = json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": properties,
    });
    if bare.is_empty() {
        return object;
    }
    let word = |(key, description): &(&str, String)| json!({ "const": key, "description": description });
    let words: Vec<Value> = bare.iter().map(word).collect();
    json!({ "anyOf": [object, { "oneOf": words }] })
}

/// One check, and what happens where it does not hold.
fn expectation(checks: Vec<(&'static str, Value)>, generator: &mut SchemaGenerator) -> Value {
    let one_check: Vec<Value> = checks.iter().map(|(key, _)| json!({ "required": [key] })).collect();
    let mut properties: Map<String, Value> =
        checks.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    let mut on_fail = OnFail::json_schema(generator).to_value();
    on_fail["default"] = "fail".into();
    properties.insert("on_fail".to_owned(), on_fail);
    json!({
        "description": "An expectation: one key, which is its kind, and what happens where it does not hold.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "oneOf": one_check,
    })
}
