//! Owns project files: `pipectl.yaml`, which says where pipelines run.
//!
//! Every target is checked; values of the environment and secrets are asked for in the one that applies alone.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::context::text_of;
use super::document::{learn_literals, time_zone};
use super::inputs::{Documents, Inputs};
use super::keys::get;
use super::vars::{NAMES, Scope, Variables};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::name::{NAME_PATTERN, is_name};
use crate::secret::{Plain, Secret};
use crate::shape::{Entries, Many};
use crate::target::{CertificateFiles, Project, Server, Target, TargetSettings, Variable};
use crate::text::{FileId, Source, Sources, Span, Spanned};
use crate::yaml::{self, Key, Node, NodeKind, decode};

/// The top-level keys.
const KEYS: [&str; 2] = ["default_target", "targets"];

/// What names a target is made of, for messages.
const TARGET_NAMES: &str = "a target's name has letters, digits, `_` and `-`";

/// The same as a pattern, without the classes of Unicode that not every reader of patterns knows.
const TARGET_PATTERN: &str = "^[^\\s!-,./:-@\\[-^`{-~]+$";

/// Where pipelines run: a pipectl project file, `pipectl.yaml`.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "its schema; the keys are decoded one by one, so that one mistake hides no other"
)]
pub(super) struct Document {
    /// The target that applies where none is asked for; without it a private Sail engine.
    default_target: Option<String>,
    /// Places where pipelines run, by name.
    #[schemars(extend("propertyNames" = { "pattern": TARGET_PATTERN }))]
    targets: Option<Entries<Option<TargetDocument>>>,
}

/// A place where pipelines run, and what they are told there.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend(
    "not" = { "type": "object", "required": ["engine", "remote"] },
    "dependentRequired" = { "token": ["remote"], "tls": ["remote"], "allow_plaintext": ["remote"] },
))]
struct TargetDocument {
    /// What the target is for.
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    description: Option<String>,
    /// An engine that pipectl installs and starts by itself: `sail` (which it is without `remote`), or `spark`.
    engine: Option<String>,
    /// A Spark Connect server: `sc://host:15002/;use_ssl=true`.
    remote: Option<Spanned<String>>,
    /// The bearer token of `remote`, as `${secret:NAME}` (the environment's variable) or `${secret:file:PATH}`. It goes to this
    /// server alone.
    #[schemars(extend("minLength" = 1))]
    token: Option<Plain>,
    /// Certificates for the way to `remote`. They turn nothing on: that is for `use_ssl=true` in the connection string.
    tls: Option<TlsDocument>,
    /// The host of `remote`, where its token may go to it without TLS. Without this a token goes over TLS, or to this machine.
    allow_plaintext: Option<Spanned<String>>,
    /// Where relative paths start at the engine, a folder or a URL: `s3://lake/prod`. Without it, at the pipeline file's folder where
    /// the engine reads this machine's files; else a relative path is a mistake.
    root: Option<Spanned<String>>,
    /// Whether the server of `remote` reads this machine's files under their own paths.
    shared_files: Option<bool>,
    /// Spark SQL settings; they go before a pipeline's own.
    #[serde(default)]
    conf: Entries<Plain>,
    /// Values of variables, for the pipelines that declare them. `--var` and the environment go before them.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": NAME_PATTERN }))]
    vars: Entries<Many<Plain>>,
}

/// Files with certificates (PEM). Relative paths start at the project file's folder.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(extend("dependentRequired" = { "cert": ["key"], "key": ["cert"] }))]
struct TlsDocument {
    /// Certificates of authorities: one of them has to sign the server's, or to be it. They stand in place of the system's.
    ca: Option<Spanned<String>>,
    /// The certificate by which this client shows who it is, then those between it and its authority. With `key`.
    cert: Option<Spanned<String>>,
    /// The private key of `cert`, without a passphrase.
    key: Option<Spanned<String>>,
}

/// What the outside world says to a project file.
pub(crate) struct ProjectInputs<'a> {
    /// The target that was asked for; without it the default one.
    pub(crate) target: Option<&'a str>,
    pub(crate) token: Token,
    /// The names of the engines that pipectl can start.
    pub(crate) engines: &'a [&'a str],
    pub(crate) environment: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file whose path is relative to the project file's folder, or absolute.
    pub(crate) files: &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
}

/// Whether the target's token is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Wanted,
    /// Another server than the target's is named, which does not get it.
    Unused,
}

/// What came of a project file: the project where nothing is wrong, and all that is.
pub(crate) struct LoadedProject {
    pub(crate) project: Result<Project, Sources>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads a project file from its bytes.
pub(crate) fn load_project(path: &Path, bytes: Vec<u8>, inputs: &ProjectInputs<'_>) -> LoadedProject {
    let mut sources = Sources::default();
    let mut found = Diagnostics::default();
    let text = match text_of(bytes) {
        Ok(text) => text,
        Err((message, shown)) => {
            let file = sources.add(Source::new(path, shown));
            found.push(Diagnostic::new(Code::Unreadable, Span::start_of(file), message));
            return LoadedProject { project: Err(sources), diagnostics: found.sorted() };
        }
    };
    let file = sources.add(Source::new(path, text));
    let text = Arc::clone(sources.get(file).text());
    let read = Reader { inputs, file, sources: &sources }.read(&text, &mut found);
    let project = match read {
        Some((names, target)) if !found.has_errors() => Ok(Project { names, target, sources }),
        _ => Err(sources),
    };
    LoadedProject { project, diagnostics: found.sorted() }
}

struct Reader<'a> {
    inputs: &'a ProjectInputs<'a>,
    file: FileId,
    sources: &'a Sources,
}

impl Reader<'_> {
    /// The names of all targets, and the one that applies.
    fn read(&self, text: &str, found: &mut Diagnostics) -> Option<(Vec<String>, Option<Target>)> {
        let Some(document) = yaml::read(self.file, text, found) else {
            return (!found.has_errors()).then_some((Vec::new(), None));
        };
        for repeated in &document.repeated {
            found.push(repeated.diagnostic());
        }
        let mut root = document.root;
        if root.is_null() {
            return Some((Vec::new(), None));
        }
        let NodeKind::Mapping(entries) = &mut root.kind else {
            let message = "a project file is a mapping with the keys `default_target` and `targets`";
            found.push(Diagnostic::new(Code::WrongType, root.span, message));
            return None;
        };
        for (key, _) in entries.iter().filter(|(key, _)| !KEYS.contains(&&*key.text)) {
            let message = format!("unknown key `{}`", key.text);
            let diagnostic = Diagnostic::new(Code::UnknownKey, key.span, message);
            found.push(diagnostic.label("not a key of a project file").suggest(&key.text, KEYS));
        }
        let default = get(entries, "default_target")
            .and_then(|node| decode::<Option<Spanned<String>>>(node, found))
            .flatten();
        let wanted = self.inputs.target.or(default.as_ref().map(|name| name.value.as_str()));
        let (mut names, mut applies) = (Vec::new(), None);
        if let Some((_, node)) = entries.iter_mut().find(|(key, _)| key.text == "targets") {
            for (key, node) in targets(node, found) {
                names.push(key.text.to_string());
                let target = self.target(key, node, wanted, found);
                applies = applies.or(target.filter(|target| Some(target.name.as_str()) == wanted));
            }
        }
        if let Some(default) = default.filter(|default| !names.contains(&default.value)) {
            let message = format!("there is no target `{}`", default.value);
            let diagnostic = Diagnostic::new(Code::UnknownTarget, default.span, message);
            found.push(diagnostic.suggest(&default.value, names.iter().map(String::as_str)));
        }
        Some((names, applies))
    }

    fn target(
        &self,
        key: &Key<'_>,
        node: &mut Node<'_>,
        wanted: Option<&str>,
        found: &mut Diagnostics,
    ) -> Option<Target> {
        let is_nameable = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
        if key.text.is_empty() || !key.text.chars().all(is_nameable) {
            let message = format!("`{}` can't name a target", key.text);
            found.push(Diagnostic::new(Code::BadName, key.span, message).help(TARGET_NAMES));
        }
        let scope = if wanted == Some(&*key.text) { Scope::Target } else { Scope::OtherTarget };
        self.bind(scope, node, found);
        let entries = node.as_mapping().unwrap_or_default();
        time_zone(get(entries, "conf"), found);
        // Also those of targets that do not apply: a mistake is shown with its line.
        learn_literals(entries);
        for node in ["conf", "vars"].into_iter().filter_map(|name| get(entries, name)?.as_mapping()) {
            learn_literals(node);
        }
        self.check(entries, found);
        // `local:` alone is a target too, that of the usual engine.
        let nothing = Node { span: node.span, kind: NodeKind::Mapping(Vec::new()) };
        let document = decode::<TargetDocument>(if node.is_null() { &nothing } else { &*node }, found)?;
        if scope == Scope::OtherTarget {
            // Its values are not known.
            return None;
        }
        Some(Target {
            name: key.text.to_string(),
            server: match document.remote {
                Some(url) => {
                    let TlsDocument { ca, cert, key } = document.tls.unwrap_or_default();
                    let certificates = CertificateFiles { authorities: ca, identity: cert.zip(key) };
                    let token = document.token.filter(|_| self.inputs.token == Token::Wanted);
                    let token = token.map(|token| Secret::new(token.expose()));
                    let plaintext = document.allow_plaintext;
                    Server::Remote { url, token, certificates, plaintext }
                }
                None => Server::Managed(document.engine),
            },
            root: document.root,
            shared_files: document.shared_files.unwrap_or_default(),
            settings: TargetSettings {
                conf: pairs(&document.conf),
                variables: document.vars.iter().map(|entry| self.variable(entry)).collect(),
            },
        })
    }

    /// Puts values in.
    fn bind(&self, scope: Scope, node: &mut Node<'_>, found: &mut Diagnostics) {
        let inputs = Inputs {
            variables: &[],
            documents: &Documents::default(),
            environment: self.inputs.environment,
            files: self.inputs.files,
            canonical: &|path| Ok(path.to_path_buf()),
            run_id: "",
            started_at: chrono::DateTime::UNIX_EPOCH,
            root: None,
            target: &TargetSettings::default(),
        };
        let mut variables = Variables::of_project(&inputs);
        let NodeKind::Mapping(entries) = &mut node.kind else { return };
        for (key, node) in entries {
            variables.check_key(key, found);
            let is_unused = key.text == "token" && self.inputs.token == Token::Unused;
            let scope = if is_unused && scope == Scope::Target { Scope::UnusedToken } else { scope };
            variables.bind_in(scope, node, found);
            if key.text == "remote" {
                Self::refuse_secret(node, found);
            }
        }
    }

    /// Reports a secret in a connection string, which messages show.
    fn refuse_secret(node: &mut Node<'_>, found: &mut Diagnostics) {
        let span = node.span;
        let NodeKind::Scalar(scalar) = &mut node.kind else { return };
        // Its value is asked for in the target that applies alone, and it stands wrongly in any.
        let Some((before, _)) = scalar.text.split_once("${secret:").filter(|(it, _)| !it.ends_with('$'))
        else {
            return;
        };
        let help = if before.ends_with("token=") {
            "take `token=…` out of it, and write `token: ${secret:NAME}` beside `remote`"
        } else {
            "write the address itself; a token goes beside it: `token: ${secret:NAME}`"
        };
        let message = "a secret would be seen here: messages show the address of the server";
        found.push(Diagnostic::new(Code::Secret, span, message).help(help));
        scalar.mark_reported();
    }

    /// Finds settings that contradict each other or mean nothing.
    fn check(&self, entries: &[(Key<'_>, Node<'_>)], found: &mut Diagnostics) {
        let mut wrong = |code, span, message: &str, help: &str| {
            found.push(Diagnostic::new(code, span, message).help(help));
        };
        let scalar = |name| Some((get(entries, name)?.span, get(entries, name)?.as_scalar()?.plain()));
        let is_remote = get(entries, "remote").is_some();
        if let (true, Some(engine)) = (is_remote, get(entries, "engine")) {
            let help = "keep `engine` for one that pipectl starts, or `remote` for a server that runs";
            wrong(Code::Settings, engine.span, "a target has an `engine` or a `remote`, not both", help);
        }
        if !is_remote && let Some(token) = get(entries, "token") {
            let help = "an engine that pipectl starts has a token of its own";
            wrong(Code::Settings, token.span, "a `token` needs a `remote` that it is for", help);
        }
        for name in ["tls", "allow_plaintext"] {
            if !is_remote && let Some(node) = get(entries, name) {
                let message = format!("`{name}` needs a `remote` that it is for");
                wrong(Code::Settings, node.span, &message, "pipectl reaches its own engines on this machine");
            }
        }
        let tls = get(entries, "tls").and_then(Node::as_mapping).unwrap_or_default();
        for (name, other) in [("cert", "key"), ("key", "cert")] {
            if let (Some(node), None) = (get(tls, name), get(tls, other)) {
                let message = format!("`{name}` needs a `{other}`");
                let help = "a client shows its certificate (`cert`), and proves with its private `key` that it is its own";
                wrong(Code::Settings, node.span, &message, help);
            }
        }
        if let (false, Some((span, text))) = (is_remote, scalar("shared_files"))
            && text == "false"
        {
            let help = "leave it out, or say where relative paths start with `root`";
            wrong(Code::Settings, span, "an engine that pipectl starts shares its files", help);
        }
        if let Some((span, text)) = scalar("token")
            && text.is_empty()
        {
            wrong(Code::Settings, span, "the token is empty", "write `token: ${secret:NAME}`");
        }
        if let Some((span, engine)) = scalar("engine")
            && !self.inputs.engines.contains(&&*engine)
        {
            let message = format!("`{engine}` is not an engine that pipectl starts");
            let diagnostic = Diagnostic::new(Code::UnknownTarget, span, message);
            found.push(diagnostic.suggest(&engine, self.inputs.engines.iter().copied()));
        }
        for (name, _) in get(entries, "vars").and_then(Node::as_mapping).unwrap_or_default() {
            if !is_name(&name.text) {
                let message = format!("`{}` can't name a variable", name.text);
                found.push(Diagnostic::new(Code::BadName, name.span, message).help(NAMES));
            }
        }
    }

    fn variable(&self, (name, value): &(Spanned<String>, Many<Plain>)) -> Variable {
        let source = self.sources.get(self.file);
        let position = source.position(name.span.start);
        let place = format!("{}:{}:{}", source.path().display(), position.line, position.column);
        Variable { name: name.value.clone(), value: value.clone(), place }
    }
}

/// The targets' entries; none where there is something else.
fn targets<'n, 't>(node: &'n mut Node<'t>, found: &mut Diagnostics) -> Vec<(&'n Key<'t>, &'n mut Node<'t>)> {
    if !node.is_null() && node.as_mapping().is_none() {
        let message = format!("`targets` is a mapping of names to targets, not {}", node.describe());
        found.push(
            Diagnostic::new(Code::WrongType, node.span, message)
                .help("write `local: { engine: sail }`, one a line, indented"),
        );
    }
    match &mut node.kind {
        NodeKind::Mapping(entries) => entries.iter_mut().map(|(key, node)| (&*key, node)).collect(),
        NodeKind::Scalar(_) | NodeKind::Sequence(_) => Vec::new(),
    }
}

fn pairs(entries: &Entries<Plain>) -> Vec<(String, Plain)> {
    entries.iter().map(|(key, value)| (key.value.clone(), value.clone())).collect()
}
