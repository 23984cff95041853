//! Owns the shape of a step: which keys it has, and each kind's settings.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::context::Context;
use super::contract;
use super::elsewhere;
use super::items::{is_known, items, kinds, list};
use super::keys::unavailable;
use super::vars::Variables;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::duration::{Limit, NoLimit};
use crate::expect::{Check, Expectation, OnFail};
use crate::expr::Template;
use crate::lowering::{Base, Checking, SettingKeys};
use crate::name::{StepName, StepRef};
use crate::pipeline::{Cache, Contract};
use crate::shape::{Decoder, Many, Short};
use crate::sink::Sink;
use crate::source::Source;
use crate::text::{Span, Spanned};
use crate::transform::Transform;
use crate::yaml::{Key, NO_MERGE_KEYS, Node, decode};

/// The keys of a step besides its source.
pub(super) const KEYS: [&str; 9] =
    ["transform", "description", "tags", "after", "contract", "expect", "cache", "write", "timeout"];
/// Keys of the format that this version does not carry out.
const PLANNED: [&str; 5] = ["save", "retries", "include", "tests", "enabled"];

/// A step as it stands in the file, before names are resolved. Parts that are wrong are left out: they were reported.
pub(super) struct StepSpec {
    pub(super) name: Spanned<StepName>,
    /// The name as it stands in the file; where it can't be one, `name` is another.
    pub(super) written: String,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) source: Option<Spanned<Source>>,
    pub(super) contract: Option<Contract>,
    pub(super) transforms: Vec<Spanned<Transform>>,
    pub(super) expectations: Vec<Expectation>,
    pub(super) sinks: Vec<Spanned<Sink>>,
    pub(super) cache: Cache,
    pub(super) timeout: Option<Limit>,
    pub(super) after: Vec<StepRef>,
    /// Where its relative paths start.
    pub(super) base: Arc<Base>,
    /// Where the keys of its parts' settings stand.
    pub(super) keys: SettingKeys,
    /// Whether a part was left out, so that nothing can be said of what is missing.
    pub(super) incomplete: bool,
}

/// Settings from a node, or from nothing where a kind's bare key was written.
struct SettingsDecoder<'n, 't, 'd> {
    node: &'n Node<'t>,
    kind: &'n str,
    /// The place by which the part is known that they belong to.
    item: Span,
    keys: &'d mut SettingKeys,
    found: &'d mut Diagnostics,
}

impl Decoder for SettingsDecoder<'_, '_, '_> {
    fn settings<T: DeserializeOwned>(self) -> Option<T> {
        let entries = self.node.as_mapping().unwrap_or_default();
        for (key, value) in entries {
            self.keys.push(self.item, key.span, value.span);
        }
        let before = self.found.len();
        let settings = decode(self.node, self.found);
        for one in self.found.since(before).filter(|one| one.code == Code::UnknownKey) {
            // An unknown key inside of a setting is not one of the kind.
            if entries.iter().any(|(key, _)| key.span == one.span) {
                one.label = Some(format!("not a setting of `{}`", self.kind));
            }
        }
        settings
    }
}

pub(super) fn read(
    name: Spanned<StepName>,
    written: &str,
    node: &Node<'_>,
    context: &mut Context<'_, '_>,
    variables: &mut Variables<'_>,
    found: &mut Diagnostics,
) -> StepSpec {
    let mut step = StepSpec {
        name,
        written: written.to_owned(),
        description: None,
        tags: Vec::new(),
        source: None,
        contract: None,
        transforms: Vec::new(),
        expectations: Vec::new(),
        sinks: Vec::new(),
        cache: Cache::Auto,
        timeout: None,
        after: Vec::new(),
        base: Arc::clone(&context.base),
        keys: SettingKeys::default(),
        incomplete: false,
    };
    let errors = found.len();
    match node.as_mapping() {
        Some(entries) => {
            for (key, node) in entries {
                step.entry(key, node, context, variables, found);
            }
            step.incomplete = found.len() > errors || (variables.is_incomplete() && !is_known(node));
            step.has_one_source(entries, found);
        }
        None if node.is_misread() => step.incomplete = true,
        None => {
            step.incomplete = true;
            let message = format!("the step `{written}` is a mapping, not {}", node.describe());
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
            "transform" => self.transforms = transforms(node, &mut self.keys, found),
            "description" => self.description = decode::<Option<String>>(node, found).flatten(),
            "tags" => {
                self.tags = decode::<Many<String>>(node, found).map_or_else(Vec::new, |tags| tags.to_vec());
            }
            "after" => {
                self.after =
                    decode::<Many<StepRef>>(node, found).map_or_else(Vec::new, |after| after.to_vec());
            }
            "contract" => {
                self.contract = decode::<Short<contract::Named>>(node, found).and_then(|Short(named)| {
                    let path = named_file(&named.file, context, variables, found)?;
                    let contract = contract::read(&path, context, found)?;
                    Some(Contract { extra: named.extra.or_else(|| contract.extra.clone()), ..contract })
                });
            }
            "expect" => self.expectations = expectations(node, &mut self.keys, found),
            "cache" => self.cache = decode(node, found).unwrap_or_default(),
            "write" => self.sinks = sinks(node, &mut self.keys, found),
            "timeout" => self.timeout = timeout(node, found),
            text if Source::KEYS.contains(&text) => {
                let settings = SettingsDecoder {
                    node,
                    kind: text,
                    item: key.span,
                    keys: &mut self.keys,
                    found: &mut *found,
                };
                if let Some(mut source) = Source::decode(text, settings).flatten() {
                    query_file(&mut source, context, variables, found);
                    message_file(&mut source, context, variables, found);
                    if let Some(upload) = source.as_upload_mut() {
                        upload.start_at(&context.base.folder);
                    }
                    if self.source.is_none() {
                        self.source = Some(Spanned { span: key.span, value: source });
                    }
                }
            }
            text if PLANNED.contains(&text) => found.push(unavailable(text, key.span)),
            text if Transform::KEYS.contains(&text) => found.push(
                Diagnostic::new(
                    Code::UnknownKey,
                    key.span,
                    format!("`{text}` is a transform, and stands in the list `transform`"),
                )
                .help(format!("write `transform:` and below it `- {text}: …`")),
            ),
            text => {
                let diagnostic = Diagnostic::new(Code::UnknownKey, key.span, format!("unknown key `{text}`"))
                    .label("not a key of a step");
                found.push(match (text, elsewhere::in_step(text)) {
                    ("<<", _) => diagnostic.help(NO_MERGE_KEYS),
                    (_, Some(meaning)) => meaning.explain(diagnostic),
                    (_, None) => diagnostic.suggest(text, Source::KEYS.iter().copied().chain(KEYS)),
                });
            }
        }
    }

    fn has_one_source(&self, entries: &[(Key<'_>, Node<'_>)], found: &mut Diagnostics) {
        let is_source = |text: &str| Source::KEYS.contains(&text);
        let mut sources = entries.iter().map(|(key, _)| key).filter(|key| is_source(&key.text));
        let Some(first) = sources.next() else {
            // An unknown key may be a misspelt source, and was reported.
            if !self.incomplete {
                let message = format!("the step `{}` has no source", self.written);
                let help = format!("begin it with one of {}", list(Source::KEYS));
                found.push(Diagnostic::new(Code::Source, self.name.span, message).help(help));
            }
            return;
        };
        for other in sources {
            let message = format!("the step `{}` has a second source, `{}`", self.written, other.text);
            found.push(
                Diagnostic::new(Code::Source, other.span, message)
                    .related(first.span, "the first one")
                    .help("a step has one source; join or unite another step with it in `transform`"),
            );
        }
    }
}

/// The path of a file that is read now; nothing where its variables take it out of its folder, which is reported.
fn named_file(
    path: &Template,
    context: &Context<'_, '_>,
    variables: &Variables<'_>,
    found: &mut Diagnostics,
) -> Option<Spanned<String>> {
    let (bindings, root) = (variables.bindings(), &context.base.root);
    let (item, keys, sources) = (path.span(), &SettingKeys::default(), &*context.sources);
    let is_right = Checking { bindings, root, item, keys, sources, found }.path(path);
    is_right.then(|| Spanned { span: path.span(), value: path.plain() })
}

/// Puts the text of a query's file into its settings.
fn query_file(
    source: &mut Source,
    context: &mut Context<'_, '_>,
    variables: &mut Variables<'_>,
    found: &mut Diagnostics,
) {
    let Some(sql) = source.as_sql_mut() else { return };
    let Some(name) = sql.file().filter(|_| sql.query().is_none()).cloned() else { return };
    let Some(name) = named_file(&name, context, variables, found) else { return };
    match context.file(&name.value, name.span) {
        Err(diagnostic) => found.push(*diagnostic),
        Ok((file, text)) => {
            let span = Span { file, start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) };
            let path = context.base.folder.join(&name.value);
            let folder = path.parent().unwrap_or(&context.base.folder);
            sql.set_query(Template::of_file(span, variables.segments_of_file(&text, folder, span, found)));
        }
    }
}

/// Puts what a message's file holds into its settings.
fn message_file(
    source: &mut Source,
    context: &Context<'_, '_>,
    variables: &Variables<'_>,
    found: &mut Diagnostics,
) {
    let Some(extension) = source.as_extension_mut() else { return };
    let Some(name) = extension.file().cloned() else { return };
    let Some(name) = named_file(&name, context, variables, found) else { return };
    match context.bytes(&name.value, name.span) {
        Err(diagnostic) => found.push(*diagnostic),
        Ok(content) => extension.set_content(content),
    }
}

fn timeout(node: &Node<'_>, found: &mut Diagnostics) -> Option<Limit> {
    let text = decode::<Spanned<String>>(node, found).filter(|_| is_known(node))?;
    match text.value.parse() {
        Ok(limit) => Some(limit),
        Err(NoLimit { reason, help }) => {
            found.push(Diagnostic::new(Code::WrongType, text.span, reason).help(help));
            None
        }
    }
}

fn transforms(node: &Node<'_>, keys: &mut SettingKeys, found: &mut Diagnostics) -> Vec<Spanned<Transform>> {
    let items = kinds(node, "transform", Transform::KEYS, found);
    let mut transforms = Vec::with_capacity(items.len());
    for item in items {
        let decoder = SettingsDecoder {
            node: &item.settings,
            kind: &item.key,
            item: item.span,
            keys: &mut *keys,
            found: &mut *found,
        };
        match Transform::decode(&item.key, decoder) {
            Some(transform) => {
                transforms.extend(transform.map(|value| Spanned { span: item.span, value }));
            }
            None => {
                let message = format!("there is no transform `{}`", item.key);
                let diagnostic = Diagnostic::new(Code::UnknownKey, item.span, message);
                found.push(match Transform::also_called(&item.key) {
                    Some(key) => diagnostic.called_here(key),
                    None if nearest(&item.key, Transform::KEYS.iter().copied()).is_none() => {
                        diagnostic.help("`pipectl help transform` lists all of them")
                    }
                    None => diagnostic.suggest(&item.key, Transform::KEYS.iter().copied()),
                });
            }
        }
    }
    transforms
}

fn sinks(node: &Node<'_>, keys: &mut SettingKeys, found: &mut Diagnostics) -> Vec<Spanned<Sink>> {
    let items = kinds(node, "write", Sink::KEYS, found);
    let mut sinks = Vec::with_capacity(items.len());
    for item in items {
        let decoder = SettingsDecoder {
            node: &item.settings,
            kind: &item.key,
            item: item.span,
            keys: &mut *keys,
            found: &mut *found,
        };
        match Sink::decode(&item.key, decoder) {
            Some(sink) => sinks.extend(sink.map(|value| Spanned { span: item.span, value })),
            None => {
                let message = format!("there is no output `{}`", item.key);
                let diagnostic = Diagnostic::new(Code::UnknownKey, item.span, message);
                found.push(if item.key.contains(['/', '.']) {
                    diagnostic.help(format!("say how it is written: `parquet: {}`", item.key))
                } else {
                    diagnostic.suggest(&item.key, Sink::KEYS.iter().copied())
                });
            }
        }
    }
    sinks
}

fn expectations(node: &Node<'_>, keys: &mut SettingKeys, found: &mut Diagnostics) -> Vec<Expectation> {
    let items = items(node, "expect", "- not_null: [id]", found);
    let mut expectations = Vec::with_capacity(items.len());
    for item in items {
        if item.is_misread() {
            continue;
        }
        let Some(entries) = item.as_mapping() else {
            let message = format!("an expectation is a mapping, not {}", item.describe());
            let help = match item.as_scalar().filter(|scalar| !scalar.is_null()) {
                Some(condition) => format!("write `- that: {}`", condition.plain()),
                None => "write `- not_null: [id]`, or `- that: id > 0`".to_owned(),
            };
            found.push(Diagnostic::new(Code::WrongType, item.span, message).help(help));
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
            let settings = SettingsDecoder {
                node,
                kind: &key.text,
                item: item.span,
                keys: &mut *keys,
                found: &mut *found,
            };
            match Check::decode(&key.text, settings) {
                Some(_) if check.is_some() => {
                    let message = format!("the item has a second expectation, `{}`", key.text);
                    found.push(
                        Diagnostic::new(Code::Settings, key.span, message)
                            .help(format!("put it into an item of its own: `- {}: …`", key.text)),
                    );
                }
                Some(decoded) => check = decoded,
                None if Check::PLANNED.contains(&&*key.text) => found.push(unavailable(&key.text, key.span)),
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
                let message = "the item does not say what must hold";
                let help = format!("it has one of {}", list(Check::KEYS));
                found.push(Diagnostic::new(Code::MissingKey, item.span, message).help(help));
            }
            None => {}
        }
    }
    expectations
}
