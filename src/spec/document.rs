//! Owns the shape of the file: its top-level keys, and the order in which they are read.

use std::collections::HashMap;

use super::step::{self, StepSpec};
use super::vars::{Given, NAMES, Variables};
use super::{Context, artifacts, resolve};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::Type;
use crate::name::StepName;
use crate::pipeline::Pipeline;
use crate::secret::{Plain, learn_literal};
use crate::shape::Entries;
use crate::target::Settings;
use crate::text::{FileId, Sources, Span, Spanned};
use crate::yaml::{Key, Kind, Node, decode, read as read_yaml};

/// The setting that says in which time zone a session's dates are.
const TIME_ZONE: &str = "spark.sql.session.timeZone";

/// The version of the format.
const VERSION: &str = "1";

/// The top-level keys.
pub(super) const KEYS: [&str; 7] = ["version", "name", "description", "vars", "conf", "artifacts", "steps"];
/// Top-level keys of the format that this version does not carry out.
const PLANNED: [&str; 2] = ["include", "tests"];

/// Reads a document; nothing where it can't be read at all.
pub(super) fn read(
    file: FileId,
    text: &str,
    mut context: Context<'_, '_>,
    found: &mut Diagnostics,
) -> Option<Pipeline> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let start = Span::start_of(file);
    let (mut root, repeated) = match read_yaml(file, text, found) {
        Some(document) if !document.root.is_null() => (document.root, document.repeated),
        Some(_) | None => {
            if !found.has_errors() {
                found.push(Diagnostic::new(
                    Code::MissingKey,
                    start,
                    "the file is empty: the key `steps` is missing",
                ));
            }
            return None;
        }
    };
    let Kind::Mapping(entries) = &mut root.kind else {
        let message = "a pipeline is a mapping with the keys `version`, `name` and `steps`";
        found.push(Diagnostic::new(Code::WrongType, root.span, message));
        return None;
    };
    known_keys(entries, found);
    let declarations = take(entries, "vars");
    let time_zone = session_time_zone(entries, context.inputs.target, found);
    let given = Given::read(context.inputs, context.sources, found);
    let mut variables = Variables::declare(declarations.as_ref(), &given, time_zone, context.inputs, found);
    let steps = take(entries, "steps");
    for (_, node) in entries.iter_mut() {
        variables.bind(node, found);
    }
    let named = steps.as_ref().and_then(|(_, node)| node.as_mapping()).unwrap_or_default();
    let (again, repeated): (Vec<_>, Vec<_>) =
        repeated.into_iter().partition(|one| named.iter().any(|(key, _)| key.span == one.first));
    for mut one in repeated {
        variables.bind(&mut one.value, found);
        found.push(one.diagnostic());
    }

    version(get(entries, "version"), start, found);
    let name = get(entries, "name").and_then(|node| decode::<String>(node, found));
    let name = name.unwrap_or_else(|| file_name(context.sources, file));
    if let Some(node) = get(entries, "description") {
        decode::<Option<String>>(node, found);
    }
    learn_literals(get(entries, "conf").and_then(Node::as_mapping).unwrap_or_default());
    let conf = get(entries, "conf").and_then(|node| decode::<Option<Entries<Plain>>>(node, found)).flatten();
    let artifacts = get(entries, "artifacts").map(|node| artifacts::read(node, found)).unwrap_or_default();
    let steps = match steps {
        Some((key, node)) => {
            let again = again.into_iter().map(|one| (one.key, one.value));
            read_steps((key, node), again, &mut context, &mut variables, found)
        }
        None => {
            found.push(Diagnostic::new(Code::MissingKey, start, "the key `steps` is missing"));
            Vec::new()
        }
    };
    let bindings = variables.into_bindings(found);
    let artifacts = artifacts::check(artifacts, &bindings, (&context.root, &context.folder), found);
    let conf = settings(&conf.unwrap_or_default(), &context.inputs.target.conf);
    resolve::resolve(steps, &bindings, (&context.root, &context.folder), found).map(|steps| {
        let names = steps
            .iter()
            .enumerate()
            .map(|(at, step)| (step.name.value.as_str().to_lowercase(), crate::pipeline::StepId(at)));
        Pipeline {
            name,
            conf,
            artifacts,
            names: names.collect(),
            steps,
            bindings,
            root: context.root,
            folder: context.folder,
            sources: Sources::default(),
        }
    })
}

impl Pipeline {
    /// Puts in the files' text, once all of them are read.
    pub(super) fn with_sources(mut self, sources: Sources) -> Self {
        self.sources = sources;
        self
    }
}

fn file_name(sources: &Sources, file: FileId) -> String {
    let stem = sources.get(file).path().file_stem();
    stem.map_or_else(|| "pipeline".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn known_keys(entries: &[(Key<'_>, Node<'_>)], found: &mut Diagnostics) {
    for (key, _) in entries {
        if PLANNED.contains(&&*key.text) {
            found.push(step::unavailable(&key.text, key.span));
        } else if !KEYS.contains(&&*key.text) {
            let diagnostic =
                Diagnostic::new(Code::UnknownKey, key.span, format!("unknown key `{}`", key.text));
            found.push(diagnostic.suggest(&key.text, KEYS));
        }
    }
}

fn version(node: Option<&Node<'_>>, start: Span, found: &mut Diagnostics) {
    let Some(node) = node else {
        found.push(
            Diagnostic::new(Code::MissingKey, start, "the key `version` is missing")
                .help(format!("begin the file with `version: {VERSION}`")),
        );
        return;
    };
    if node.as_scalar().is_none_or(|scalar| scalar.plain() != VERSION) {
        let message = format!("this pipectl reads version {VERSION} of the format");
        found.push(
            Diagnostic::new(Code::WrongType, node.span, message).help(format!("write `version: {VERSION}`")),
        );
    }
}

/// The session's settings: the target's go before the pipeline's.
fn settings(own: &Entries<Plain>, target: &[(String, Plain)]) -> Vec<(String, Plain)> {
    let own = own.iter().map(|(key, value)| (key.value.clone(), value.clone()));
    let own = own.filter(|(key, _)| target.iter().all(|(given, _)| given != key));
    own.chain(target.iter().cloned()).collect()
}

/// The session's time zone, in which `${run.date}` is a date.
fn session_time_zone(
    entries: &[(Key<'_>, Node<'_>)],
    target: &Settings,
    found: &mut Diagnostics,
) -> chrono_tz::Tz {
    let own = time_zone(get(entries, "conf"), found);
    let given = target.conf.iter().find(|(key, _)| key == TIME_ZONE);
    // What the target says was checked where it was read.
    given.and_then(|(_, name)| name.shown().parse().ok()).unwrap_or(own)
}

/// The time zone that a `conf` sets, UTC where it sets none.
pub(super) fn time_zone(conf: Option<&Node<'_>>, found: &mut Diagnostics) -> chrono_tz::Tz {
    let entries = conf.and_then(Node::as_mapping).unwrap_or_default();
    let Some(node) = get(entries, TIME_ZONE) else { return chrono_tz::UTC };
    let Some(name) = node.as_scalar().map(crate::yaml::Scalar::plain) else { return chrono_tz::UTC };
    name.parse().unwrap_or_else(|_| {
        let message = format!("`{name}` is not a time zone");
        found.push(
            Diagnostic::new(Code::WrongType, node.span, message)
                .help("write a region, as in `Europe/Berlin`, or `UTC`"),
        );
        chrono_tz::UTC
    })
}

/// The steps, and those of `again`, whose names have occurred before: they are read to say what is wrong with them.
///
/// Each leaves the tree when it has been read, and so makes room for what is made of the next.
fn read_steps<'t>(
    (key, node): (Key<'t>, Node<'t>),
    again: impl Iterator<Item = (Key<'t>, Node<'t>)>,
    context: &mut Context<'_, '_>,
    variables: &mut Variables<'_>,
    found: &mut Diagnostics,
) -> Vec<StepSpec> {
    let Kind::Mapping(entries) = node.kind else {
        let message = format!("`steps` is a mapping of names to steps, not {}", node.describe());
        let place = if node.is_null() { key.span } else { node.span };
        found.push(
            Diagnostic::new(Code::WrongType, place, message)
                .help("write `orders:` and what it does, indented, below"),
        );
        return Vec::new();
    };
    if entries.is_empty() {
        found.push(
            Diagnostic::new(Code::MissingKey, key.span, "the pipeline has no steps")
                .help("write `orders:` and what it does, indented, below"),
        );
    }
    let mut seen: HashMap<String, Span> = HashMap::with_capacity(entries.len());
    let mut steps = Vec::with_capacity(entries.len());
    for (key, mut node) in entries.into_iter().chain(again) {
        variables.check_key(&key, found);
        variables.bind(&mut node, found);
        let name = StepName::new(&key.text).unwrap_or_else(|| {
            // A variable in the key was reported.
            if !key.text.contains("${") {
                let message = format!("`{}` can't name a step", key.text);
                found.push(Diagnostic::new(Code::BadName, key.span, message).help(NAMES));
            }
            StepName::nearest_to(&key.text)
        });
        let first = *seen.entry(key.text.to_ascii_lowercase()).or_insert(key.span);
        if first != key.span {
            found.push(
                Diagnostic::new(
                    Code::DuplicateStep,
                    key.span,
                    format!("there is another step `{}`", key.text),
                )
                .related(first, "first here")
                .help("give one of them another name; names that differ in case alone are the same"),
            );
        }
        let name = Spanned { span: key.span, value: name };
        steps.push(step::read(name, &key.text, &node, context, variables, found));
    }
    steps
}

/// Takes values for secrets that stand literally behind names which say so.
pub(super) fn learn_literals(entries: &[(Key<'_>, Node<'_>)]) {
    for (key, node) in entries {
        if let Some(scalar) = node.as_scalar().filter(|scalar| scalar.bound().is_none()) {
            learn_literal(&key.text, &scalar.text);
        }
    }
}

pub(super) fn get<'n, 't>(entries: &'n [(Key<'t>, Node<'t>)], name: &str) -> Option<&'n Node<'t>> {
    entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
}

fn take<'t>(entries: &mut Vec<(Key<'t>, Node<'t>)>, name: &str) -> Option<(Key<'t>, Node<'t>)> {
    let at = entries.iter().position(|(key, _)| key.text == name)?;
    Some(entries.remove(at))
}

/// Whether a text is a type that a contract can give; an engine understands more.
pub(super) fn is_scalar_type(text: &str) -> bool {
    Type::parse(text).is_some_and(|data_type| data_type != Type::Identifier)
}
