//! Holds what every kind becomes: each file in `tests/specs/kinds` is lowered for both engines, and its relations are compared with
//! the snapshot beside it. Together the files reach every relation of the protocol, but for those that stand here with a reason.

mod plans;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use insta::{Settings, assert_snapshot};
use prost::Message as _;
use prost_reflect::text_format::FormatOptions;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _};

use crate::dialect::Dialect;
use crate::graph::Graph;
use crate::lowering::{Root, normal};
use crate::pipeline::{Contract, Pipeline};
use crate::plan::{Plan, compile};
use crate::proto::spark::Relation;
use crate::source::Source;
use crate::spec;
use crate::target;
use crate::transform::Transform;

/// The repository, and where it stands as far as a case can see: a plan has no path of a machine in it.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SHOWN: &str = "/repository";
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs/kinds");

/// Relations that no kind reaches, and why.
const UNREACHED: &[(&str, &str)] = &[
    ("apply_in_pandas_with_state", PYTHON),
    ("approx_quantile", "it reads all rows while it is analysed; functions of SQL give the same values"),
    ("cached_local_relation", "one blob; `chunked_cached_local_relation` is what newer servers take"),
    ("cached_remote_relation", "a checkpoint's name, which the server gives while a run is on its way"),
    ("catalog", "what a catalog holds is asked for by a query: `sql: SHOW TABLES`"),
    (
        "chunked_cached_local_relation",
        "rows of a megabyte and more; `tests/it/on_spark/large.rs` brings them",
    ),
    ("co_group_map", PYTHON),
    ("collect_metrics", "Sail has it not; expectations count by a query of their own"),
    ("common_inline_user_defined_data_source", PYTHON),
    ("common_inline_user_defined_table_function", PYTHON),
    ("group_map", PYTHON),
    ("html_string", "pipectl writes what is shown"),
    ("map_partitions", PYTHON),
    ("sample_by", "it finds no NULL on Sail, no date and no decimal on Spark; a filter takes the same rows"),
    ("show_string", "pipectl writes what is shown"),
    ("tail", "Sail loses rows of it in files, and Spark takes it at the end of a plan alone"),
    ("unknown", "it means nothing"),
    (
        "with_relations",
        "Spark makes session views of its names: pipectl makes views that nobody else can mean",
    ),
    ("with_watermark", "it is for streams, and pipectl runs what ends"),
];
/// Why functions of the user's own are left out.
const PYTHON: &str = "it carries a function as Python pickles it";

/// The messages of the protocol, as the generator of `src/proto/generated` reads them.
fn relation_message() -> MessageDescriptor {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let files = protox::compile(["spark/connect/relations.proto"], [root]).unwrap();
    let pool = DescriptorPool::from_file_descriptor_set(files).unwrap();
    pool.get_message_by_name("spark.connect.Relation").unwrap()
}

fn cases() -> Vec<PathBuf> {
    files(Path::new(CASES))
}

/// The pipelines of a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

fn load(path: &Path) -> Pipeline {
    parse(path, fs::read(path).unwrap())
}

/// Reads a case as its first lines say: `# arguments: --var n=3`.
fn parse(path: &Path, bytes: Vec<u8>) -> Pipeline {
    let (mut variables, mut documents) = (Vec::new(), spec::Documents::default());
    let words = said(&bytes, "arguments");
    for pair in words.chunks(2) {
        match [pair[0].as_str(), pair[1].as_str()] {
            ["--var", assignment] => variables.extend(assigned(assignment)),
            ["--vars", yaml] => documents
                .flags
                .push(spec::Document { name: "--vars".into(), bytes: yaml.as_bytes().to_vec() }),
            // Cases are lowered for all of them.
            ["--engine", _] => {}
            _ => panic!("{}: unknown arguments: {pair:?}", path.display()),
        }
    }
    let environment: BTreeMap<_, _> =
        said(&bytes, "environment").iter().filter_map(|pair| assigned(pair)).collect();
    let files = |path: &Path| fs::read(here(path));
    let inputs = spec::Inputs {
        variables: &variables,
        documents: &documents,
        environment: &|name| environment.get(name).cloned(),
        files: &files,
        canonical: &|path| fs::metadata(here(path)).map(|_| normal(path)),
        run_id: "case",
        started_at: DateTime::UNIX_EPOCH,
        root: Some(Root::Engine("/lake".to_owned())),
        target: &target::TargetSettings::default(),
    };
    let shown = Path::new(SHOWN).join(path.strip_prefix(ROOT).unwrap());
    let loaded = spec::load(&shown, shown.parent().unwrap().to_owned(), bytes, &inputs);
    let pipeline =
        loaded.pipeline.unwrap_or_else(|_| panic!("{}: {:#?}", path.display(), loaded.diagnostics));
    for step in &pipeline.steps {
        let Some(upload) = step.source.value.as_upload() else { continue };
        let schema = step.contract.as_ref().map(Contract::ddl);
        let found = upload.read(schema.as_deref(), &step.base.root, &files);
        assert!(!found.has_errors(), "{found:#?}");
    }
    pipeline
}

/// The words that a case's comments say of one thing.
fn said(bytes: &[u8], what: &str) -> Vec<String> {
    let (text, prefix) = (String::from_utf8_lossy(bytes), format!("# {what}: "));
    let lines = text.lines().filter_map(|line| line.strip_prefix(&prefix));
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

fn assigned(text: &str) -> Option<(String, String)> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Where a path of a case is on this machine.
fn here(path: &Path) -> PathBuf {
    path.strip_prefix(SHOWN).map_or_else(|_| path.to_owned(), |inside| Path::new(ROOT).join(inside))
}

/// The relations of a plan's actions as text, or what the engine lacks for them.
fn text(pipeline: &Pipeline, dialect: &Dialect, message: &MessageDescriptor) -> String {
    match compile(pipeline, &Graph::new(pipeline), dialect) {
        Ok(plan) => plan
            .actions
            .iter()
            .map(|action| {
                let step = &pipeline.step(action.step).name.value;
                format!("{step}:\n{}\n", indented(&relation(&action.relation, message)))
            })
            .collect(),
        Err(gaps) => gaps.sorted().iter().map(|gap| format!("refused: {}\n", gap.message)).collect(),
    }
}

fn relation(relation: &Relation, message: &MessageDescriptor) -> String {
    let dynamic = DynamicMessage::decode(message.clone(), relation.encode_to_vec().as_slice()).unwrap();
    sorted(&dynamic.to_text_format_with_options(&FormatOptions::new().pretty(true)))
}

/// The text with the entries of maps in the order of their keys: in memory they have none.
fn sorted(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut sorted = String::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        sorted.push_str(&format!("{line}\n"));
        at += 1;
        let is_map =
            line.ends_with("[{") && lines.get(at).is_some_and(|next| next.trim().starts_with("key: "));
        if !is_map {
            continue;
        }
        let indent = " ".repeat(line.len() - line.trim_start().len());
        let (between, last) = (format!("{indent}}}, {{"), format!("{indent}}}]"));
        let length = lines[at..].iter().position(|line| *line == last).unwrap();
        let mut entries: Vec<String> =
            lines[at..at + length].split(|line| *line == between).map(|entry| entry.join("\n")).collect();
        entries.sort();
        sorted.push_str(&entries.join(&format!("\n{between}\n")));
        sorted.push('\n');
        at += length;
    }
    sorted
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// The kinds of relation in a text, by their fields' names.
fn reached(plan: &Plan, message: &MessageDescriptor, into: &mut BTreeSet<String>) {
    for action in &plan.actions {
        walk(
            &DynamicMessage::decode(message.clone(), action.relation.encode_to_vec().as_slice()).unwrap(),
            into,
        );
    }
}

fn walk(message: &DynamicMessage, into: &mut BTreeSet<String>) {
    for (field, value) in message.fields() {
        if message.descriptor().full_name() == "spark.connect.Relation" {
            into.insert(field.name().to_owned());
        }
        let messages: Vec<&DynamicMessage> = match value {
            prost_reflect::Value::Message(message) => vec![message],
            prost_reflect::Value::List(values) => {
                values.iter().filter_map(|value| value.as_message()).collect()
            }
            prost_reflect::Value::Map(values) => {
                values.values().filter_map(|value| value.as_message()).collect()
            }
            _ => Vec::new(),
        };
        for message in messages {
            walk(message, into);
        }
    }
}

#[test]
fn every_kind_becomes_what_its_snapshot_says() {
    let message = relation_message();
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(CASES);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Rows are Arrow's bytes.
    settings.add_filter(r#"data: "(?:[^"\\]|\\.)*""#, "data: [rows]");
    for case in cases() {
        let pipeline = load(&case);
        let texts = [Dialect::sail(), Dialect::spark()].map(|dialect| text(&pipeline, &dialect, &message));
        let shown = match &texts {
            [sail, spark] if sail == spark => sail.clone(),
            [sail, spark] => format!("== Sail ==\n{sail}\n== Spark ==\n{spark}"),
        };
        settings.bind(|| assert_snapshot!(stem(&case), shown));
    }
}

#[test]
fn every_kind_has_a_case() {
    let cases: BTreeSet<String> = cases().iter().map(|path| stem(path)).collect();
    let keys =
        |family: &str, keys: &[&str]| keys.iter().map(|key| format!("{family}_{key}")).collect::<Vec<_>>();
    let missing: Vec<String> = keys("source", Source::KEYS)
        .into_iter()
        .chain(keys("transform", Transform::KEYS))
        .filter(|name| !cases.contains(name))
        .collect();
    assert!(missing.is_empty(), "`tests/specs/kinds` lacks {missing:?}");
}

#[test]
fn every_relation_of_the_protocol_is_reached() {
    let message = relation_message();
    let mut found = BTreeSet::new();
    for case in cases() {
        let pipeline = load(&case);
        for dialect in [Dialect::sail(), Dialect::spark()] {
            if let Ok(plan) = compile(&pipeline, &Graph::new(&pipeline), &dialect) {
                reached(&plan, &message, &mut found);
            }
        }
    }
    let reasons: BTreeMap<&str, &str> = UNREACHED.iter().copied().collect();
    let relations = message.oneofs().find(|oneof| oneof.name() == "rel_type").unwrap();
    let mut wrong = Vec::new();
    for field in relations.fields() {
        match (found.contains(field.name()), reasons.get(field.name())) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(reason)) => {
                wrong.push(format!("`{}` is reached, but is listed: {reason}", field.name()));
            }
            (false, None) => wrong.push(format!("`{}` is not reached", field.name())),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
