//! Owns the shape of a step: which keys it has, and each kind's settings.

use serde::de::DeserializeOwned;

use super::Context;
use super::contract;
use super::vars::Variables;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expect::{Check, Expectation, OnFail};
use crate::expr::{Segment, Template};
use crate::name::{StepName, StepRef};
use crate::pipeline::{Cache, Contract};
use crate::shape::{Decoder, Many};
use crate::sink::Sink;
use crate::source::Source;
use crate::text::{Span, Spanned};
use crate::transform::Transform;
use crate::yaml::{Key, Kind, Node, Piece, decode};

/// The keys of a step besides its source.
pub(super) const KEYS: [&str; 8] =
    ["transform", "description", "tags", "after", "contract", "expect", "cache", "write"];
/// Keys of the format that this version does not carry out.
const PLANNED: [&str; 9] =
    ["upload", "call", "extension", "save", "retries", "timeout", "include", "tests", "enabled"];

/// A step as it stands in the file, before names are resolved. Parts that are wrong are left out: they were reported.
pub(super) struct StepSpec {
    pub(super) name: Spanned<StepName>,
    pub(super) source: Option<Spanned<Source>>,
    pub(super) contract: Option<Spanned<Contract>>,
    pub(super) transforms: Vec<Spanned<Transform>>,
    pub(super) expectations: Vec<Expectation>,
    pub(super) sinks: Vec<Spanned<Sink>>,
    pub(super) cache: Cache,
    pub(super) after: Vec<StepRef>,
    /// Whether a part was left out, so that nothing can be said of what is missing.
    pub(super) incomplete: bool,
}

/// Settings from a node, or from nothing where a kind's bare key was written.
struct Settings<'n, 't, 'd> {
    node: &'n Node<'t>,
    found: &'d mut Diagnostics,
}

impl Decoder for Settings<'_, '_, '_> {
    fn settings<T: DeserializeOwned>(self) -> Option<T> {
        decode(self.node, self.found)
    }
}

pub(super) fn planned(key: &Key<'_>) -> Diagnostic {
    let message = format!("`{}` is not available in this version of pipectl", key.text);
    Diagnostic::new(Code::Unsupported, key.span, message)
}

pub(super) fn read(
    name: Spanned<StepName>,
    node: &Node<'_>,
    context: &mut Context<'_, '_>,
    variables: &mut Variables<'_>,
    found: &mut Diagnostics,
) -> StepSpec {
    let mut step = StepSpec {
        name,
        source: None,
        contract: None,
        transforms: Vec::new(),
        expectations: Vec::new(),
        sinks: Vec::new(),
        cache: Cache::Auto,
        after: Vec::new(),
        incomplete: false,
    };
    let errors = found.len();
    match node.as_mapping() {
        Some(entries) => {
            for (key, node) in entries {
                step.entry(key, node, context, variables, found);
            }
            step.incomplete = found.len() > errors;
            step.has_one_source(entries, found);
        }
        None => {
            step.incomplete = true;
            let message = format!("the step `{}` is a mapping, not {}", step.name, node.describe());
            let place = if node.is_null() { step.name.span } else { node.span };
            let help = format!("begin it with a source: {}", list(Source::KEYS));
            found.push(Diagnostic::new(Code::WrongType, place, message).help(help));
        }
    }
    step
}

impl StepSpec {
    fn entry(
        &mut self,
        key: &Key<'_>,
        node: &Node<'_>,
        context: &mut Context<'_, '_>,
        variables: &mut Variables<'_>,
        found: &mut Diagnostics,
    ) {
        match &*key.text {
            "transform" => self.transforms = transforms(node, found),
            "description" => drop(decode::<Option<String>>(node, found)),
            "tags" => drop(decode::<Many<String>>(node, found)),
            "after" => {
                self.after =
                    decode::<Many<StepRef>>(node, found).map_or_else(Vec::new, |after| after.to_vec());
            }
            "contract" => {
                self.contract = decode::<Spanned<String>>(node, found).and_then(|path| {
                    let value = contract::read(&path, context, found)?;
                    Some(Spanned { span: path.span, value })
                });
            }
            "expect" => self.expectations = expectations(node, found),
            "cache" => self.cache = decode(node, found).unwrap_or_default(),
            "write" => self.sinks = sinks(node, found),
            text if Source::KEYS.contains(&text) => {
                let settings = Settings { node, found: &mut *found };
                if let Some(mut source) = Source::decode(text, settings).flatten() {
                    query_file(&mut source, context, variables, found);
                    if self.source.is_none() {
                        self.source = Some(Spanned { span: key.span, value: source });
                    }
                }
            }
            text if PLANNED.contains(&text) => found.push(planned(key)),
            text if Transform::KEYS.contains(&text) => found.push(
                Diagnostic::new(
                    Code::UnknownKey,
                    key.span,
                    format!("`{text}` is a transform, and stands in the list `transform`"),
                )
                .help(format!("write `transform:` and below it `- {text}: …`")),
            ),
            text => {
                let diagnostic = Diagnostic::new(Code::UnknownKey, key.span, format!("unknown key `{text}`"));
                found.push(diagnostic.suggest(text, Source::KEYS.iter().copied().chain(KEYS)));
            }
        }
    }

    fn has_one_source(&self, entries: &[(Key<'_>, Node<'_>)], found: &mut Diagnostics) {
        let is_source =
            |text: &str| Source::KEYS.contains(&text) || ["upload", "call", "extension"].contains(&text);
        let mut sources = entries.iter().map(|(key, _)| key).filter(|key| is_source(&key.text));
        let Some(first) = sources.next() else {
            // An unknown key may be a misspelt source, and was reported.
            if !self.incomplete {
                let message = format!("the step `{}` has no source", self.name);
                let help = format!("begin it with one of {}", list(Source::KEYS));
                found.push(Diagnostic::new(Code::Source, self.name.span, message).help(help));
            }
            return;
        };
        for other in sources {
            let message = format!("the step `{}` has a second source, `{}`", self.name, other.text);
            found.push(
                Diagnostic::new(Code::Source, other.span, message)
                    .related(first.span, "the first one")
                    .help("a step has one source; join or unite another step with it in `transform`"),
            );
        }
    }
}

/// Puts the text of a query's file into its settings.
fn query_file(
    source: &mut Source,
    context: &mut Context<'_, '_>,
    variables: &mut Variables<'_>,
    found: &mut Diagnostics,
) {
    let Some(sql) = source.as_sql_mut() else { return };
    let Some(name) = sql.file().cloned() else { return };
    match context.file(&name.value, name.span) {
        Err(diagnostic) => found.push(*diagnostic),
        Ok((file, text)) => {
            let span = Span { file, start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) };
            let pieces = variables.pieces_of_file(&text, span, found).into_iter();
            let segments = pieces.map(|piece| match piece {
                Piece::Text { text, at } => Segment::Text { text, at },
                Piece::Value { index, text, at } => Segment::Variable { index, text, at },
            });
            sql.set_query(Template::of_file(span, segments.collect()));
        }
    }
}

fn transforms(node: &Node<'_>, found: &mut Diagnostics) -> Vec<Spanned<Transform>> {
    let mut transforms = Vec::new();
    for item in items(node, "transform", "- filter: …", found) {
        let Some((text, span, settings)) = kind_of(item, Transform::KEYS, "transform", found) else {
            continue;
        };
        let bare = Node { span, kind: Kind::Mapping(Vec::new()) };
        let decoder = Settings { node: settings.unwrap_or(&bare), found: &mut *found };
        match Transform::decode(&text, decoder) {
            Some(transform) => transforms.extend(transform.map(|value| Spanned { span, value })),
            None => {
                let diagnostic =
                    Diagnostic::new(Code::UnknownKey, span, format!("there is no transform `{text}`"));
                found.push(diagnostic.suggest(&text, Transform::KEYS.iter().copied()));
            }
        }
    }
    transforms
}

fn sinks(node: &Node<'_>, found: &mut Diagnostics) -> Vec<Spanned<Sink>> {
    let mut sinks = Vec::new();
    let one = std::slice::from_ref(node);
    let list = match &node.kind {
        Kind::Sequence(items) => items.as_slice(),
        Kind::Mapping(_) | Kind::Scalar(_) => one,
    };
    for item in list {
        let Some((text, span, settings)) = kind_of(item, Sink::KEYS, "write", found) else { continue };
        let bare = Node { span, kind: Kind::Mapping(Vec::new()) };
        let decoder = Settings { node: settings.unwrap_or(&bare), found: &mut *found };
        match Sink::decode(&text, decoder) {
            Some(sink) => sinks.extend(sink.map(|value| Spanned { span, value })),
            None => {
                let diagnostic =
                    Diagnostic::new(Code::UnknownKey, span, format!("there is no output `{text}`"));
                found.push(diagnostic.suggest(&text, Sink::KEYS.iter().copied()));
            }
        }
    }
    sinks
}

fn expectations(node: &Node<'_>, found: &mut Diagnostics) -> Vec<Expectation> {
    let mut expectations = Vec::new();
    for item in items(node, "expect", "- not_null: [id]", found) {
        let Some(entries) = item.as_mapping() else {
            let message = format!("an expectation is a mapping, not {}", item.describe());
            found.push(Diagnostic::new(Code::WrongType, item.span, message).help("write `- not_null: [id]`"));
            continue;
        };
        let mut check = None;
        let mut on_fail = OnFail::default();
        let errors = found.len();
        for (key, node) in entries {
            if key.text == "on_fail" {
                on_fail = decode(node, found).unwrap_or_default();
                continue;
            }
            match Check::decode(&key.text, Settings { node, found: &mut *found }) {
                Some(_) if check.is_some() => {
                    let message = format!("the item has a second expectation, `{}`", key.text);
                    found.push(
                        Diagnostic::new(Code::Settings, key.span, message)
                            .help("put each into an item of its own: `- `"),
                    );
                }
                Some(decoded) => check = decoded,
                None => {
                    let message = format!("there is no expectation `{}`", key.text);
                    let known = Check::KEYS.iter().copied().chain(["on_fail"]);
                    found
                        .push(Diagnostic::new(Code::UnknownKey, key.span, message).suggest(&key.text, known));
                }
            }
        }
        match check {
            Some(check) => expectations.push(Expectation { check, on_fail, span: item.span }),
            None if found.len() == errors => {
                let message = format!("the item says nothing that must hold: {}", list(Check::KEYS));
                found.push(Diagnostic::new(Code::MissingKey, item.span, message));
            }
            None => {}
        }
    }
    expectations
}

/// The items of a list; what is not a list is reported.
fn items<'n, 't>(node: &'n Node<'t>, key: &str, example: &str, found: &mut Diagnostics) -> &'n [Node<'t>] {
    match &node.kind {
        Kind::Sequence(items) => items,
        Kind::Scalar(scalar) if scalar.is_null() => &[],
        Kind::Scalar(_) | Kind::Mapping(_) => {
            found.push(
                Diagnostic::new(
                    Code::WrongType,
                    node.span,
                    format!("`{key}` is a list, not {}", node.describe()),
                )
                .help(format!("write one item a line: `{example}`")),
            );
            &[]
        }
    }
}

/// An item's only key, where it stands, and its settings, which a bare word has not.
fn kind_of<'n, 't>(
    item: &'n Node<'t>,
    keys: &[&str],
    place: &str,
    found: &mut Diagnostics,
) -> Option<(String, Span, Option<&'n Node<'t>>)> {
    match &item.kind {
        Kind::Scalar(scalar) if !scalar.is_null() => Some((scalar.plain().into_owned(), item.span, None)),
        Kind::Mapping(entries) if entries.len() == 1 => {
            let (key, node) = &entries[0];
            Some((key.text.to_string(), key.span, Some(node).filter(|node| !node.is_null())))
        }
        Kind::Mapping(entries) if entries.len() > 1 => {
            let (first, second) = (&entries[0].0, &entries[1].0);
            let message = format!(
                "an item of `{place}` has one key, and this one has `{}` and `{}`",
                first.text, second.text
            );
            let diagnostic = Diagnostic::new(Code::WrongType, second.span, message);
            found.push(if keys.contains(&&*second.text) {
                diagnostic.help(format!("put it into an item of its own: `- {}: …`", second.text))
            } else {
                diagnostic.help(format!("settings of `{}` stand one level deeper, indented", first.text))
            });
            None
        }
        _ => {
            let message =
                format!("an item of `{place}` is one key with its settings, not {}", item.describe());
            found.push(
                Diagnostic::new(Code::WrongType, item.span, message)
                    .help(format!("the keys are {}", list(keys))),
            );
            None
        }
    }
}

fn list(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
