//! Owns the shape of the file: its top-level keys, and the order in which they are read.

use std::collections::HashMap;
use std::sync::Arc;

use super::context::Context;
use super::include::{self, Extent, Part, Texts};
use super::keys::{KEYS, PLANNED, get, key, take, unavailable, unknown_key};
use super::step::{self, StepSpec};
use super::vars::{Given, NAMES, Variables};
use super::{artifacts, elsewhere, resolve};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Suggestion, nearest};
use crate::lowering::Base;
use crate::name::StepName;
use crate::pipeline::Pipeline;
use crate::secret::{Plain, learn_literal};
use crate::shape::Entries;
use crate::target::TargetSettings;
use crate::text::{FileId, Sources, Span, Spanned};
use crate::yaml::{Document, Key, Node, NodeKind, decode, read as read_yaml};

/// The setting that says in which time zone a session's dates are.
const TIME_ZONE: &str = "spark.sql.session.timeZone";

/// The version of the format.
const VERSION: &str = "1";

/// Reads a pipeline and the files that it includes; nothing where it can't be read at all.
pub(super) fn read(
    file: FileId,
    texts: &Texts,
    mut context: Context<'_, '_>,
    found: &mut Diagnostics,
) -> Option<Pipeline> {
    let text = texts.keep(Arc::clone(context.sources.get(file).text()))?;
    let main = tree(file, text, Arc::clone(&context.base), found)?;
    known_keys(&main.entries, found);
    let start = Span::start_of(file);
    let place = key(&main.entries, "vars").unwrap_or_default();
    let (mut parts, extent) = include::gather(main, texts, &mut context, found);
    let declarations = include::variables(&mut parts, found);
    let main = parts.last().map_or(&[][..], |main| &main.entries);
    let time_zone = session_time_zone(main, context.inputs.target, found);
    let given = Given::read(context.inputs, context.sources, found);
    let mut variables = Variables::declare(&declarations, &given, time_zone, context.inputs, found);
    match extent {
        Extent::Whole => variables.unknown_names(place, &given, found),
        Extent::Partial => variables.are_partial(),
    }
    if parts.iter().any(|part| part.is_misread) {
        variables.may_be_used();
    }
    let mut steps = Steps::default();
    for part in &mut parts {
        context.base = Arc::clone(&part.base);
        variables.start_at(&part.base.folder);
        steps.read(part, &mut context, &mut variables, found);
    }
    let main = parts.pop()?;
    if get(&main.entries, "version").is_some() || !is_nearly_there(&main.entries, "version") {
        version(get(&main.entries, "version"), start, found);
    }
    let name = get(&main.entries, "name").and_then(|node| decode::<String>(node, found));
    let name = name.unwrap_or_else(|| file_name(context.sources, file));
    let about = description(&main, found);
    for part in &parts {
        if let Some(node) = get(&part.entries, "version") {
            version(Some(node), Span::start_of(part.file), found);
        }
        if let Some(node) = get(&part.entries, "name") {
            decode::<Option<String>>(node, found);
        }
        description(part, found);
    }
    let conf = get(&main.entries, "conf");
    learn_literals(conf.and_then(Node::as_mapping).unwrap_or_default());
    let conf = conf.and_then(|node| decode::<Option<Entries<Plain>>>(node, found)).flatten();
    let artifacts = get(&main.entries, "artifacts");
    let artifacts = artifacts.map(|node| artifacts::read(node, found)).unwrap_or_default();
    if extent == Extent::Whole && !is_nearly_there(&main.entries, "steps") {
        steps.are_there(start, !parts.is_empty(), found);
    }
    let bindings = variables.into_bindings(found);
    let artifacts = artifacts::check(artifacts, &bindings, &main.base, context.sources, found);
    let conf = settings(&conf.unwrap_or_default(), &context.inputs.target.conf);
    resolve::resolve(steps.specs, &bindings, (&main.base, extent), context.sources, found).map(|steps| {
        let names = steps
            .iter()
            .enumerate()
            .map(|(at, step)| (step.name.value.as_str().to_lowercase(), crate::pipeline::StepId(at)));
        Pipeline {
            name,
            description: about,
            conf,
            artifacts,
            names: names.collect(),
            steps,
            bindings,
            sources: Sources::default(),
        }
    })
}

/// The file as a tree; nothing where it can't be read at all.
fn tree<'t>(file: FileId, text: &'t str, base: Arc<Base>, found: &mut Diagnostics) -> Option<Part<'t>> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let Document { root, repeated, is_misread, .. } = match read_yaml(file, text, found) {
        Some(document) if !document.root.is_null() => document,
        Some(_) | None => {
            if !found.has_errors() {
                found.push(Diagnostic::new(
                    Code::MissingKey,
                    Span::start_of(file),
                    "the file is empty: the key `steps` is missing",
                ));
            }
            return None;
        }
    };
    let NodeKind::Mapping(entries) = root.kind else {
        let message = "a pipeline is a mapping with the keys `version`, `name` and `steps`";
        found.push(Diagnostic::new(Code::WrongType, root.span, message));
        return None;
    };
    Some(Part { file, base, entries, repeated, is_misread })
}

fn description(part: &Part<'_>, found: &mut Diagnostics) -> Option<String> {
    let node = get(&part.entries, "description")?;
    decode::<Option<String>>(node, found).flatten()
}

/// What tells a name's letter that is not in ASCII from one that looks alike, or that is not seen.
fn unusual(name: &str) -> Option<String> {
    let c = name.chars().find(|c| !c.is_ascii())?;
    let shown = if c.is_alphanumeric() { format!("`{c}`") } else { "a character".to_owned() };
    Some(format!("{shown} in it is U+{:04X}", u32::from(c)))
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
            found.push(unavailable(&key.text, key.span));
        } else if !KEYS.contains(&&*key.text) {
            found.push(unknown_key(&key.text, key.span, &KEYS));
        }
    }
}

/// Whether a key that is missing is meant by one that is there, which was reported.
fn is_nearly_there(entries: &[(Key<'_>, Node<'_>)], name: &str) -> bool {
    let is_meant = |key: &str| elsewhere::at_top(key) == Some(name) || nearest(key, KEYS) == Some(name);
    entries.iter().any(|(key, _)| !KEYS.contains(&&*key.text) && is_meant(&key.text))
}

fn version(node: Option<&Node<'_>>, start: Span, found: &mut Diagnostics) {
    let Some(node) = node else {
        found.push(
            Diagnostic::new(Code::MissingKey, start, "the key `version` is missing")
                .help(format!("begin the file with `version: {VERSION}`")),
        );
        return;
    };
    if !node.is_misread() && node.as_scalar().is_none_or(|scalar| scalar.plain() != VERSION) {
        let message = format!("this pipectl reads version {VERSION} of the format");
        found.push(
            Diagnostic::new(Code::WrongType, node.span, message)
                .help(format!("write `version: {VERSION}`"))
                .suggestion(Suggestion::maybe_incorrect(node.span, VERSION.to_string())),
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
    target: &TargetSettings,
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
    let Some(name) = node.as_scalar().filter(|name| !name.is_misread()).map(crate::yaml::Scalar::plain)
    else {
        return chrono_tz::UTC;
    };
    // What is not known was reported, or is no matter here.
    if node.as_scalar().and_then(crate::yaml::Scalar::bound).is_some_and(|bound| !bound.is_complete) {
        return chrono_tz::UTC;
    }
    if name.contains("${") {
        let message = "the session's time zone is needed before variables have values";
        found.push(
            Diagnostic::new(Code::MisplacedVariable, node.span, message).help(
                "write it out here, or set it in the `conf` of a target, where `${env:NAME}` may stand",
            ),
        );
        return chrono_tz::UTC;
    }
    name.parse().unwrap_or_else(|_| {
        let message = format!("`{name}` is not a time zone");
        found.push(
            Diagnostic::new(Code::WrongType, node.span, message)
                .help("write a region, as in `Europe/Berlin`, or `UTC`"),
        );
        chrono_tz::UTC
    })
}

/// The steps of all files.
#[derive(Default)]
struct Steps {
    specs: Vec<StepSpec>,
    /// Where each name stands first, in lower case.
    seen: HashMap<String, Span>,
    /// The key `steps` of the file that was asked for.
    key: Option<Span>,
    /// Whether steps were there that could not be read, which was reported.
    are_wrong: bool,
}

impl Steps {
    /// Puts values into a file's entries and reads its steps, those too whose names have occurred before: to say what is wrong
    /// with them.
    ///
    /// Each leaves the tree when it has been read, and so makes room for what is made of the next.
    fn read(
        &mut self,
        part: &mut Part<'_>,
        context: &mut Context<'_, '_>,
        variables: &mut Variables<'_>,
        found: &mut Diagnostics,
    ) {
        let steps = take(&mut part.entries, "steps");
        for (_, node) in &mut part.entries {
            variables.bind(node, found);
        }
        let named = steps.as_ref().and_then(|(_, node)| node.as_mapping()).unwrap_or_default();
        let repeated = std::mem::take(&mut part.repeated);
        let (again, repeated): (Vec<_>, Vec<_>) =
            repeated.into_iter().partition(|one| named.iter().any(|(key, _)| key.span == one.first));
        for mut one in repeated {
            variables.bind(&mut one.value, found);
            found.push(one.diagnostic());
        }
        let Some((key, node)) = steps else { return };
        if part.is_main() {
            self.key = Some(key.span);
        }
        if node.is_misread() {
            self.are_wrong = true;
            return;
        }
        let NodeKind::Mapping(entries) = node.kind else {
            let message = format!("`steps` is a mapping of names to steps, not {}", node.describe());
            let place = if node.is_null() { key.span } else { node.span };
            found.push(
                Diagnostic::new(Code::WrongType, place, message)
                    .help("write `orders:` and what it does, indented, below"),
            );
            self.are_wrong = true;
            return;
        };
        self.specs.reserve(entries.len());
        for (key, mut node) in entries.into_iter().chain(again.into_iter().map(|one| (one.key, one.value))) {
            variables.check_key(&key, found);
            variables.bind(&mut node, found);
            let name = self.name(&key, found);
            self.specs.push(step::read(name, &key.text, &node, context, variables, found));
        }
    }

    fn name(&mut self, key: &Key<'_>, found: &mut Diagnostics) -> Spanned<StepName> {
        let name = StepName::new(&key.text).unwrap_or_else(|| {
            // A variable in the key was reported.
            if !key.text.contains("${") {
                let message = format!("`{}` can't name a step", key.text);
                let diagnostic = Diagnostic::new(Code::BadName, key.span, message).help(NAMES);
                found.push(match unusual(&key.text) {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                });
            }
            StepName::nearest_to(&key.text)
        });
        let first = *self.seen.entry(key.text.to_ascii_lowercase()).or_insert(key.span);
        if first.file != key.span.file {
            found.push(include::clash("step", key, first));
        } else if first != key.span {
            let message = format!("there is another step `{}`", key.text);
            found.push(
                Diagnostic::new(Code::DuplicateStep, key.span, message)
                    .related(first, "first here")
                    .help("give one of them another name; names that differ in case alone are the same"),
            );
        }
        Spanned { span: key.span, value: name }
    }

    /// Reports that there are none.
    fn are_there(&self, start: Span, has_includes: bool, found: &mut Diagnostics) {
        if self.are_wrong || !self.specs.is_empty() {
            return;
        }
        let message = match (self.key, has_includes) {
            (_, true) => "neither this file nor what it includes has steps",
            (Some(_), false) => "the pipeline has no steps",
            (None, false) => "the key `steps` is missing",
        };
        let diagnostic = Diagnostic::new(Code::MissingKey, self.key.unwrap_or(start), message);
        found.push(match self.key {
            Some(_) => diagnostic.help("write `orders:` and what it does, indented, below"),
            None => diagnostic,
        });
    }
}

/// Takes values for secrets that stand literally behind names which say so.
pub(super) fn learn_literals(entries: &[(Key<'_>, Node<'_>)]) {
    for (key, node) in entries {
        if let Some(scalar) = node.as_scalar().filter(|scalar| scalar.bound().is_none()) {
            learn_literal(&key.text, &scalar.text);
        }
    }
}
