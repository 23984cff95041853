//! Holds the JSON Schemas to the program, to every pipeline that there is, and to what an editor makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Case, validated};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Whether a schema can see what a code stands for.
enum Sight {
    /// It is marked where it stands.
    Marked,
    /// Some of it is: what the schema says is no promise.
    Some,
    /// It never is, for this reason.
    None(&'static str),
}

/// What a schema sees of the mistakes in `tests/specs/invalid`, by their codes.
const CODES: [(&str, Sight); 38] = [
    ("E001", Sight::Marked),
    ("E002", Sight::Some),
    ("E003", Sight::Marked),
    ("E004", Sight::Marked),
    ("E005", Sight::Marked),
    ("E006", Sight::Marked),
    ("E007", Sight::Some),
    ("E008", Sight::Marked),
    ("E009", Sight::None("names are compared without their case")),
    ("E010", Sight::None("the steps have to be known")),
    ("E011", Sight::None("the graph has to be known")),
    ("E012", Sight::Marked),
    ("E013", Sight::None("all steps have to be known")),
    ("E014", Sight::None("the variables have to be known")),
    ("E015", Sight::None("the variables have to be known")),
    ("E016", Sight::Some),
    ("E017", Sight::None("expressions are read by pipectl and the engine")),
    ("E018", Sight::Some),
    ("E019", Sight::Some),
    ("E020", Sight::None("another file has to be known")),
    // A key that is not there yet is as unknown as any other; a use that is not there yet is not.
    ("E021", Sight::Some),
    ("E022", Sight::None("the engine has to be known")),
    ("E023", Sight::None("the engine has to be asked")),
    ("E024", Sight::None("columns have to be known")),
    ("E025", Sight::None("columns have to be known")),
    ("E026", Sight::None("the data has to be known")),
    ("E027", Sight::None("all steps have to be known")),
    ("E028", Sight::None("other files have to be known")),
    ("E029", Sight::None("secrets are told from texts by where they go")),
    ("E030", Sight::None("the project file has to be known")),
    ("E031", Sight::None("the data has to be known")),
    ("W001", Sight::None("all steps have to be known")),
    ("W002", Sight::None("all steps have to be known")),
    ("W003", Sight::None("it is legal")),
    ("W004", Sight::None("it is legal")),
    ("W006", Sight::None("the engine has to be known")),
    ("W007", Sight::None("the engine has to be asked")),
    ("W008", Sight::None("it is legal")),
];

/// Mistakes that a schema does not mark, though their code says so: the file, how the message begins, and why.
const NOT_MARKED: [(&str, &str, &str); 22] = [
    ("sources_settings", "`yesterday` is not a value", "a time is told from a variable's name by pipectl"),
    ("sources_settings", "`soon` is not a value", "a version may stand there too"),
    ("include_no_steps", "neither this file nor what it includes", "the other files have to be read"),
    ("many_classes_at_once", "`Europe/Berln` is not a time zone", "a list of all time zones ages"),
    ("merge_keys_everywhere", "unknown key `<<`", "the validator's reader merges as YAML 1.1 does"),
    ("numbers_and_truths", "expected a whole number, found `0x1F`", "to YAML this is the number 31"),
    (
        "numbers_and_truths",
        "expected a whole number, 0 or more, found `1_000`",
        "to the validator's reader this is a number",
    ),
    (
        "numbers_and_truths",
        "expected a whole number, 0 or more, found `1e3`",
        "to JSON this is the number 1000",
    ),
    ("numbers_and_truths", "expected a whole number, 0 or more, found `5.0`", "to JSON this is the number 5"),
    ("only_text", "a pipeline is a mapping", "the whole file is marked, not the line of its text"),
    ("conf_value_is_a_list", "`Europe/Berln` is not a time zone", "a list of all time zones ages"),
    ("limit_values", "expected a whole number, 0 or more, found `1e3`", "to JSON this is the number 1000"),
    (
        "null_settings",
        "the key `to` is missing",
        "it may be null, and a schema takes what is not there for that",
    ),
    ("parse_settings", "the schema is empty", "any text may be a schema"),
    ("repartition_settings", "the key `partitions` is missing", "a bare word has no settings to look into"),
    (
        "sample_by_settings",
        "the key `value` is missing",
        "it may be null, and a schema takes what is not there for that",
    ),
    ("merge_key", "unknown key `<<`", "the validator's reader merges as YAML 1.1 does"),
    ("rows_by_place", "expected a whole number, 0 or more, found `many`", "it is the value of a variable"),
    ("timeouts", "`5 minutes` is no length of time", "it is the value of a variable"),
    ("variable_of_wrong_type_in_number", "expected a whole number, found", "it is the value of a variable"),
    (
        "variable_of_wrong_type_in_number",
        "expected a whole number, 0 or more",
        "it is the value of a variable",
    ),
    ("variable_of_wrong_type_in_number", "`parqet` is not one of", "it is the value of a variable"),
];

fn printed(file: &str) -> String {
    Case::new(["schema", file]).any_stdout().run().stdout.clone()
}

fn pipeline_schema() -> Value {
    serde_json::from_str(&printed("pipeline")).unwrap()
}

#[test]
fn the_schemas_are_those_of_this_version() {
    for file in ["pipeline", "project", "contract", "run-results", "events"] {
        let path = format!("schemas/{}.schema.json", file.replace('-', "_"));
        let committed = fs::read_to_string(Path::new(ROOT).join(&path)).unwrap_or_default();
        assert!(
            printed(file) == committed,
            "`{path}` is out of date; write it again with `cargo run -- schema {file} > {path}`"
        );
    }
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    assert!(!files.is_empty(), "`{folder}` has no YAML");
    files
}

/// One mistake of a snapshot: its code, its line in the case's own file where it stands there, its message.
struct Mistake {
    code: String,
    line: Option<u64>,
    message: String,
}

fn mistakes_of(case: &Path) -> Vec<Mistake> {
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(case.with_extension("snap")).unwrap();
    let mut mistakes: Vec<Mistake> = Vec::new();
    for line in text.lines() {
        let begin = line.strip_prefix("error[").or_else(|| line.strip_prefix("warning["));
        if let Some((code, message)) = begin.and_then(|rest| rest.split_once("]: ")) {
            mistakes.push(Mistake { code: code.to_owned(), line: None, message: message.to_owned() });
        } else if let Some(place) = line.trim_start().strip_prefix("--> ")
            && let Some(position) = place.strip_prefix(&format!("{name}:"))
            && let Some(last) = mistakes.last_mut()
        {
            last.line = position.split(':').next().and_then(|line| line.parse().ok());
        }
    }
    assert!(!mistakes.is_empty(), "`{name}` has no mistakes");
    mistakes
}

/// What an editor would mark: lines, or the whole file where it can't be read. Nothing where all is well.
fn marked(judgement: &Value) -> Option<BTreeSet<u64>> {
    if judgement.get("unreadable").is_some() {
        return Some(BTreeSet::new());
    }
    let mistakes = judgement["mistakes"].as_array().unwrap();
    let lines = mistakes.iter().flat_map(|mistake| mistake["lines"].as_array().unwrap());
    let lines: BTreeSet<u64> = lines.map(|line| line.as_u64().unwrap()).collect();
    (!mistakes.is_empty()).then_some(lines)
}

#[test]
fn an_independent_validator_takes_what_is_right_and_marks_what_is_wrong() {
    let schema = Path::new(ROOT).join("schemas/pipeline.schema.json");
    let folder = tempfile::TempDir::new().unwrap();
    let Documented { pipelines, projects, contracts } = documented(folder.path());
    let is_all = pipelines.len() > 30 && projects.len() > 4 && contracts.len() > 1;
    assert!(is_all, "the examples of the documents are gone");

    let mut right = yaml_files("tests/specs/valid");
    right.extend(yaml_files("pipelines"));
    right.extend(yaml_files("tests/tpch"));
    right.extend(pipelines);
    let judged = validated(&schema, &right);
    let refused: BTreeMap<_, _> =
        judged.as_object().unwrap().iter().filter(|(_, judgement)| marked(judgement).is_some()).collect();
    assert!(refused.is_empty(), "these are right:\n{refused:#?}");

    let wrong = yaml_files("tests/specs/invalid");
    let judged = validated(&schema, &wrong);
    let mut said = Vec::new();
    let mut excused = BTreeSet::new();
    for file in &wrong {
        let judgement = &judged[file.to_str().unwrap()];
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        said.extend(compared(&name, &mistakes_of(file), judgement, &mut excused));
    }
    for (at, (name, message, _)) in NOT_MARKED.iter().enumerate() {
        if !excused.contains(&at) {
            said.push(format!("{name}: `{message}` is marked after all, or gone: take it off NOT_MARKED"));
        }
    }
    assert!(said.is_empty(), "{}", said.join("\n"));

    tells_apart("project", &projects, written(folder.path(), &WRONG_PROJECTS));

    let mut right = contracts;
    right.extend(yaml_files("schemas"));
    right.extend(
        ["customers", "numbers"]
            .map(|name| Path::new(ROOT).join(format!("tests/specs/valid/files/{name}.yaml"))),
    );
    tells_apart("contract", &right, written(folder.path(), &WRONG_CONTRACTS));
}

/// Takes what is right, and marks the line of what is wrong.
fn tells_apart(file: &str, right: &[PathBuf], wrong: Vec<(PathBuf, u64)>) {
    let schema = Path::new(ROOT).join(format!("schemas/{file}.schema.json"));
    let judged = validated(&schema, right);
    let refused: BTreeMap<_, _> =
        judged.as_object().unwrap().iter().filter(|(_, judgement)| marked(judgement).is_some()).collect();
    assert!(refused.is_empty(), "these are right:\n{refused:#?}");
    let judged = validated(&schema, wrong.iter().map(|(path, _)| path));
    for (path, line) in wrong {
        let marked = marked(&judged[path.to_str().unwrap()]).unwrap_or_default();
        assert!(marked.contains(&line), "{}: {marked:?}", fs::read_to_string(path).unwrap());
    }
}

/// What the schema says otherwise than the program, of one file.
fn compared(
    name: &str,
    mistakes: &[Mistake],
    judgement: &Value,
    excused: &mut BTreeSet<usize>,
) -> Vec<String> {
    let marked = marked(judgement);
    let mut said = Vec::new();
    let (mut sees_nothing, mut reasons) = (true, Vec::new());
    for Mistake { code, line, message } in mistakes {
        let Some((_, sight)) = CODES.iter().find(|(known, _)| known == code) else {
            said.push(format!("{name}: say in CODES whether a schema can see `{code}` ({message})"));
            sees_nothing = false;
            continue;
        };
        match sight {
            Sight::None(reason) => {
                reasons.push(*reason);
                continue;
            }
            Sight::Some => {
                sees_nothing = false;
                continue;
            }
            Sight::Marked => {}
        }
        sees_nothing = false;
        let Some(line) = line else { continue };
        let is_marked = marked.as_ref().is_some_and(|lines| lines.is_empty() || lines.contains(line));
        let exception =
            NOT_MARKED.iter().position(|(file, start, _)| *file == name && message.starts_with(start));
        match (is_marked, exception) {
            (false, Some(at)) => drop(excused.insert(at)),
            (false, None) => said.push(format!(
                "{name}, line {line}: the schema does not mark `{code}` ({message}). Let it, or put it on NOT_MARKED with the reason"
            )),
            (true, _) => {}
        }
    }
    if sees_nothing && marked.is_some() {
        said.push(format!(
            "{name}: nothing of this is for a schema to see ({}), and it marks {judgement:#}",
            reasons.join("; ")
        ));
    }
    said
}

/// The YAML of the documents, as files. What is a part of one is made whole.
struct Documented {
    pipelines: Vec<PathBuf>,
    projects: Vec<PathBuf>,
    contracts: Vec<PathBuf>,
}

fn documented(folder: &Path) -> Documented {
    let (mut pipelines, mut projects, mut contracts) = (Vec::new(), Vec::new(), Vec::new());
    for document in ["README.md", "docs/reference.md"] {
        let text = fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
        // What is wrong there is wrong on purpose.
        let text = text.split("\n## Troubleshooting\n").next().unwrap();
        for (at, part) in text.split("\n```yaml\n").skip(1).enumerate() {
            let yaml = part.split("\n```").next().unwrap();
            let has = |key: &str| yaml.lines().any(|line| line.starts_with(key));
            let whole = match yaml.len() - yaml.trim_start().len() {
                4 => format!(
                    "version: 1\nsteps:\n  step:\n    range: 1\n{}",
                    yaml.replace("    range: 1\n", "")
                ),
                2 => format!("version: 1\nsteps:\n{yaml}"),
                _ if has("targets:") || has("default_target:") || has("columns:") => yaml.to_owned(),
                _ => {
                    let version = if has("version:") { "" } else { "version: 1\n" };
                    let steps = if has("steps:") { "" } else { "\nsteps: { step: { range: 1 } }" };
                    format!("{version}{yaml}{steps}")
                }
            };
            let path = folder.join(format!("{}-{at}.yaml", document.replace('/', "-")));
            fs::write(&path, format!("{whole}\n")).unwrap();
            match (has("targets:"), has("columns:")) {
                (true, _) => projects.push(path),
                (_, true) => contracts.push(path),
                _ => pipelines.push(path),
            }
        }
    }
    let right = [
        "default_target: mine\ntargets:\n  mine:\n",
        "targets: {}\n",
        "targets:\n",
        "targets: { prüfung-1: { engine: spark-4.0, vars: { ids: [1, 2] }, conf: { a: true } } }\n",
        "targets: { it: { remote: 'sc://a:1', tls: { cert: a, key: b }, shared_files: '${env:SHARED}' } }\n",
    ];
    for (at, text) in right.iter().enumerate() {
        let path = folder.join(format!("right-{at}.yaml"));
        fs::write(&path, text).unwrap();
        projects.push(path);
    }
    Documented { pipelines, projects, contracts }
}

/// Project files with one mistake each, and the line where it stands.
const WRONG_PROJECTS: [(&str, u64); 13] = [
    ("[]\n", 1),
    ("targets: 3\n", 1),
    ("target: {}\n", 1),
    ("targets:\n  it:\n    engien: sail\n", 3),
    ("targets:\n  it:\n    engine: sale\n", 3),
    ("targets:\n  it: { engine: sail, remote: 'sc://a:1' }\n", 2),
    ("targets:\n  it: { token: '${secret:A}' }\n", 2),
    ("targets:\n  it:\n    remote: sc://a:1\n    token: ''\n", 4),
    ("targets:\n  it:\n    remote: sc://a:1\n    tls: { cert: a }\n", 4),
    ("targets:\n  it:\n    remote: sc://a:1\n    shared_files: perhaps\n", 4),
    ("targets:\n  'a b': { engine: sail }\n", 2),
    ("targets:\n  it:\n    vars:\n      2x: 1\n", 4),
    ("targets:\n  it:\n    conf: [a]\n", 3),
];

/// The same of contracts: what can be seen of the mistakes that `tests/specs/invalid` has in its files, and more.
const WRONG_CONTRACTS: [(&str, u64); 14] = [
    ("[]\n", 1),
    ("columns: { id: bigint }\n", 1),
    ("version: 2\ncolumns: { id: bigint }\n", 1),
    ("version: 1\n", 1),
    ("version: 1\ncolumns: {}\n", 2),
    ("version: 1\ncolumns:\n  - name: id\n", 3),
    ("version: 1\ncolumns:\n  id: { data_type: bigint }\n", 3),
    ("version: 1\ncolumns:\n  id: { description: no type }\n", 3),
    ("version: 1\ncolumns:\n  id: { type: bigint, nullable: perhaps }\n", 3),
    ("version: 1\ncolumns:\n  id: { type: bigint, required: true }\n", 3),
    ("version: 1\ncolumns:\n  \"\": bigint\n", 3),
    ("version: 1\ncolumns: { id: bigint }\nkey: []\n", 3),
    ("version: 1\ncolumns: { id: bigint }\nextra: allow\n", 3),
    ("version: 1\ncolumns: { id: bigint }\nprimary_key: [id]\n", 3),
];

/// These texts as files, and the line of each mistake.
fn written(folder: &Path, wrong: &[(&str, u64)]) -> Vec<(PathBuf, u64)> {
    let wrong = wrong.iter().enumerate().map(|(at, (text, line))| {
        let path = folder.join(format!("wrong-{at}.yaml"));
        fs::write(&path, text).unwrap();
        (path, *line)
    });
    wrong.collect()
}

/// The mappings that may stand at a place, `steps.x.transform[]`, as an editor collects them: references followed, every alternative
/// taken.
fn at_place(schema: &Value, place: &str) -> Vec<Value> {
    let mut found = alternatives(schema, schema);
    for part in place.split('.').filter(|part| !part.is_empty()) {
        let (key, is_item) = part.strip_suffix("[]").map_or((part, false), |key| (key, true));
        found = found
            .iter()
            .flat_map(|mapping| {
                let known = mapping["properties"].get(key);
                let free = mapping.get("additionalProperties").filter(|it| it.is_object());
                known.or(free).map_or_else(Vec::new, |next| alternatives(schema, next))
            })
            .collect();
        if is_item {
            let items = found.iter().filter_map(|list| list.get("items"));
            found = items.flat_map(|item| alternatives(schema, item)).collect();
        }
    }
    found
}

fn alternatives(root: &Value, schema: &Value) -> Vec<Value> {
    let mut found = vec![schema.clone()];
    if let Some(name) = schema["$ref"].as_str() {
        found.extend(alternatives(root, root.pointer(name.trim_start_matches('#')).unwrap()));
    }
    for key in ["anyOf", "oneOf"] {
        for choice in schema[key].as_array().into_iter().flatten() {
            found.extend(alternatives(root, choice));
        }
    }
    found
}

/// The keys that an editor proposes at a place, each with its description.
fn proposed(schema: &Value, place: &str) -> BTreeMap<String, String> {
    let mappings = at_place(schema, place);
    let keys = mappings.iter().filter_map(|mapping| mapping["properties"].as_object()).flatten();
    keys.map(|(key, schema)| (key.clone(), schema["description"].as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// The words that an editor proposes as a value.
fn words(schema: &Value, place: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for value in at_place(schema, place) {
        found.extend(value["const"].as_str().map(str::to_owned));
        for key in ["enum", "examples"] {
            found.extend(
                value[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
            );
        }
    }
    found
}

#[test]
fn editors_propose_keys_and_words() {
    let schema = pipeline_schema();
    for (place, some) in [
        ("", vec!["version", "steps", "vars", "conf", "artifacts"]),
        ("vars.x", vec!["type", "default"]),
        ("steps.x", vec!["from", "read", "sql", "transform", "write", "timeout"]),
        ("steps.x.read", vec!["format", "path", "schema", "options"]),
        ("steps.x.sql", vec!["query", "file", "inputs"]),
        ("steps.x.transform[]", vec!["filter", "join", "aggregate", "distinct"]),
        ("steps.x.transform[].join", vec!["with", "as", "on", "using", "how"]),
        ("steps.x.transform[].union", vec!["with", "by", "missing"]),
        ("steps.x.expect[]", vec!["not_null", "that", "on_fail"]),
        ("steps.x.write", vec!["parquet", "stdout"]),
        ("steps.x.write[]", vec!["parquet", "stdout"]),
        ("steps.x.write.parquet", vec!["path", "compression", "partition_by"]),
    ] {
        let keys = proposed(&schema, place);
        for key in some {
            assert!(keys.contains_key(key), "`{key}` is not proposed at `{place}`: {keys:?}");
        }
        let mute: Vec<_> = keys.iter().filter(|(_, description)| description.is_empty()).collect();
        assert!(mute.is_empty(), "at `{place}` nothing explains {mute:?}");
    }
    for (place, some) in [
        ("steps.x.transform[].join.how", vec!["inner", "left", "anti", "cross"]),
        ("steps.x.transform[].union.by", vec!["name", "position"]),
        ("steps.x.transform[]", vec!["distinct"]),
        ("steps.x.write", vec!["stdout"]),
        ("steps.x.write.stdout", vec!["table", "csv", "ndjson", "arrow"]),
        ("steps.x.write.parquet.mode", vec!["overwrite", "append", "error"]),
        ("steps.x.read.format", vec!["parquet", "csv"]),
        ("steps.x.transform[].cast.price", vec!["bigint", "date"]),
        ("steps.x.contract.extra", vec!["error", "drop", "keep"]),
        ("steps.x.expect[].on_fail", vec!["fail", "warn"]),
        ("steps.x.cache", vec!["auto"]),
    ] {
        let words = words(&schema, place);
        assert!(some.iter().all(|word| words.contains(*word)), "at `{place}` are proposed {words:?}");
    }
}

#[test]
fn every_kind_and_every_setting_is_explained() {
    let schema = pipeline_schema();
    let mut seen = 0;
    for place in ["steps.x", "steps.x.transform[]", "steps.x.expect[]", "steps.x.write"] {
        for (kind, description) in proposed(&schema, place) {
            assert!(!description.is_empty(), "`{kind}` has no description");
            for (key, description) in proposed(&schema, &format!("{place}.{kind}")) {
                assert!(!description.is_empty(), "`{key}` of `{kind}` has no description");
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "the settings were not found");
    for (file, place) in [
        ("project", ""),
        ("project", "targets.x"),
        ("project", "targets.x.tls"),
        ("contract", ""),
        ("contract", "columns.x"),
    ] {
        let schema: Value = serde_json::from_str(&printed(file)).unwrap();
        let keys = proposed(&schema, place);
        assert!(!keys.is_empty() && keys.values().all(|it| !it.is_empty()), "{place}: {keys:?}");
    }
}

#[test]
fn a_schema_has_no_noise() {
    for file in ["pipeline", "project", "contract", "run-results", "events"] {
        let text = printed(file);
        for noise in [
            "\"description\": null",
            "\"description\": \"\"",
            "\"default\": null",
            "\"format\": \"uint",
            "```text",
        ] {
            assert!(!text.contains(noise), "`{noise}` in the schema of a {file}");
        }
    }
}
