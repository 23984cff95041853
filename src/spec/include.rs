//! Owns `include`: the files of which a pipeline consists, each read once, with limits and without circles.
//!
//! A file is known by its place on the machine, however it is written. What is wrong with one is reported where it is named
//! or in the file itself, and the others are read all the same.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::{Context, reason};
use super::keys::{PLANNED, take, unavailable, unknown_key};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::lowering::{Base, Root, is_url, normal};
use crate::text::{FileId, Span};
use crate::yaml::{Document, Key, MOST_NODES, Node, NodeKind, Repeated, read as read_yaml};

/// Files of one pipeline, its own included.
const MOST_FILES: usize = 256;
/// Files that include one another in a row.
const DEEPEST: usize = 16;

/// What is said of a file in which nothing stands but comments.
const EMPTY: &str = "the included file is empty";

/// The files' texts, which their trees borrow from.
pub(super) struct Texts(Vec<OnceCell<Arc<String>>>);

impl Texts {
    pub(super) fn new() -> Self {
        Self(std::iter::repeat_with(OnceCell::new).take(MOST_FILES).collect())
    }

    /// Puts a text beside the others; nothing where there is no room for it.
    pub(super) fn keep(&self, text: Arc<String>) -> Option<&str> {
        let slot = self.0.iter().find(|slot| slot.get().is_none())?;
        Some(slot.get_or_init(|| text))
    }
}

/// One file, its top-level entries apart.
pub(super) struct Part<'t> {
    pub(super) file: FileId,
    /// Where its relative paths start.
    pub(super) base: Arc<Base>,
    pub(super) entries: Vec<(Key<'t>, Node<'t>)>,
    pub(super) repeated: Vec<Repeated<'t>>,
    /// Whether YAML took part of a text away, which was reported.
    pub(super) is_misread: bool,
}

impl Part<'_> {
    /// Whether it is the file that was asked for.
    pub(super) fn is_main(&self) -> bool {
        is_main(self.file)
    }
}

/// Whether a file is the one that was asked for, and not one that it includes.
pub(super) fn is_main(file: FileId) -> bool {
    file == FileId::default()
}

/// Whether all included files could be read; where not, nothing can be said of what seems to be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    Partial,
}

/// The files that a pipeline consists of: each after those that it includes, the pipeline's own last.
pub(super) fn gather<'t>(
    main: Part<'t>,
    texts: &'t Texts,
    context: &mut Context<'_, '_>,
    found: &mut Diagnostics,
) -> (Vec<Part<'t>>, Extent) {
    let name = context.sources.get(main.file).path().file_name().unwrap_or_default();
    let path = main.base.folder.join(name);
    let place = (context.inputs.canonical)(&path).unwrap_or(path);
    let mut gathering = Gathering {
        texts,
        context,
        seen: vec![place.clone()],
        way: vec![Link { place, file: main.file, named: Span::start_of(main.file) }],
        parts: Vec::new(),
        nodes: 0,
        extent: Extent::Whole,
        found,
    };
    gathering.part(main);
    (gathering.parts, gathering.extent)
}

/// A file that is being read.
struct Link {
    /// Where it is on this machine.
    place: PathBuf,
    file: FileId,
    /// Where it is named.
    named: Span,
}

struct Gathering<'t, 'c, 'a, 'i> {
    texts: &'t Texts,
    context: &'c mut Context<'a, 'i>,
    /// The places of all files so far.
    seen: Vec<PathBuf>,
    /// The files that include one another on the way to the one that is read.
    way: Vec<Link>,
    parts: Vec<Part<'t>>,
    /// Values of all included files.
    nodes: usize,
    extent: Extent,
    found: &'c mut Diagnostics,
}

impl<'t> Gathering<'t, '_, '_, '_> {
    fn part(&mut self, mut part: Part<'t>) {
        if let Some((_, node)) = take(&mut part.entries, "include") {
            for (path, span) in self.paths(&node) {
                let is_read = self.file(&path, span, &part.base);
                if let Err(diagnostic) = is_read {
                    self.fail(*diagnostic);
                }
            }
        }
        self.parts.push(part);
    }

    fn fail(&mut self, diagnostic: Diagnostic) {
        self.extent = Extent::Partial;
        self.found.push(diagnostic);
    }

    /// The paths that an `include` lists.
    fn paths(&mut self, node: &Node<'_>) -> Vec<(String, Span)> {
        if node.is_misread() {
            self.extent = Extent::Partial;
            return Vec::new();
        }
        let items = match &node.kind {
            NodeKind::Sequence(items) => items.as_slice(),
            NodeKind::Scalar(scalar) if scalar.is_null() => &[],
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => std::slice::from_ref(node),
        };
        let mut paths = Vec::with_capacity(items.len());
        for item in items {
            if item.is_misread() {
                self.extent = Extent::Partial;
                continue;
            }
            match checked(item) {
                Ok(path) => paths.push((path, item.span)),
                Err(diagnostic) => self.fail(*diagnostic),
            }
        }
        paths
    }

    /// Brings in a file and what it includes, unless it is there already.
    fn file(&mut self, name: &str, span: Span, from: &Arc<Base>) -> Result<(), Box<Diagnostic>> {
        let path = normal(&from.folder.join(name));
        let unread = |reason: String| {
            Diagnostic::new(Code::File, span, format!("the file `{name}` can't be read: {reason}"))
        };
        let place = (self.context.inputs.canonical)(&path).map_err(|error| {
            let diagnostic = unread(reason(&error));
            // Who writes so counts from where pipectl was started.
            let from_above = Path::new(name).components().count() > 1;
            Box::new(if from_above && error.kind() == std::io::ErrorKind::NotFound {
                diagnostic.help("the path starts at the folder of the file that it stands in")
            } else {
                diagnostic
            })
        })?;
        if let Some(at) = self.way.iter().position(|link| link.place == place) {
            let circle = self.circle(at, span);
            self.found.push(circle);
            return Ok(());
        }
        if self.seen.contains(&place) {
            return Ok(());
        }
        let limit = |message: String| Box::new(Diagnostic::new(Code::Include, span, message));
        if self.way.len() > DEEPEST {
            return Err(limit(format!("more than {DEEPEST} files include one another in a row")));
        }
        self.context.base = Arc::clone(from);
        let (file, text) = self.context.file(name, span)?;
        self.seen.push(place.clone());
        let Some(text) = self.texts.keep(text) else {
            return Err(limit(format!("the pipeline consists of more than {MOST_FILES} files")));
        };
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let root = self.context.inputs.root.clone().unwrap_or_else(|| Root::Folder(folder.clone()));
        let Some(part) = self.tree(file, text, span, Arc::new(Base { root, folder })) else {
            self.extent = Extent::Partial;
            return Ok(());
        };
        if self.nodes > MOST_NODES {
            let message = format!(
                "the included files, with their aliases written out, have more than {MOST_NODES} values"
            );
            return Err(limit(message));
        }
        self.way.push(Link { place, file, named: span });
        self.part(part);
        self.way.pop();
        Ok(())
    }

    /// The tree of an included file; nothing where it can't be read, or brings nothing.
    fn tree(&mut self, file: FileId, text: &'t str, named: Span, base: Arc<Base>) -> Option<Part<'t>> {
        let errors = self.found.len();
        let Some(document) = read_yaml(file, text, self.found) else {
            if self.found.len() == errors {
                self.found.push(
                    Diagnostic::new(Code::Include, Span::start_of(file), EMPTY)
                        .related(named, "included here"),
                );
            }
            return None;
        };
        self.nodes += document.nodes;
        let Document { root, repeated, is_misread, .. } = document;
        match root.kind {
            NodeKind::Mapping(entries) => {
                keys(&entries, named, self.found);
                Some(Part { file, base, entries, repeated, is_misread })
            }
            NodeKind::Scalar(scalar) if scalar.is_null() => {
                let message = "the included file is empty";
                self.found
                    .push(Diagnostic::new(Code::Include, root.span, message).related(named, "included here"));
                None
            }
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => {
                let message = "an included file is a mapping with the keys `steps`, `vars` and `include`";
                self.found.push(
                    Diagnostic::new(Code::WrongType, root.span, message).related(named, "included here"),
                );
                None
            }
        }
    }

    /// Describes the cycle that the file at `at` of the way and those after it make.
    fn circle(&self, at: usize, span: Span) -> Diagnostic {
        let circle = &self.way[at..];
        let names: Vec<String> = circle.iter().map(|link| self.shown(link.file)).collect();
        let message = match names.as_slice() {
            [only] => format!("{only} includes itself"),
            [first, ..] => {
                format!("dependency cycle of files: {} -> {first}", names.join(" -> "))
            }
            [] => String::new(),
        };
        let diagnostic = Diagnostic::new(Code::Include, span, message)
            .help("remove one of them: a file's steps and variables are there wherever it is included");
        let named = circle.iter().skip(1).map(|link| link.named);
        named.fold(diagnostic, |diagnostic, named| diagnostic.related(named, "included here"))
    }

    fn shown(&self, file: FileId) -> String {
        format!("`{}`", self.context.sources.get(file).path().display())
    }
}

/// The path that an item of `include` is, or why it is none.
fn checked(item: &Node<'_>) -> Result<String, Box<Diagnostic>> {
    const EXAMPLE: &str = "write `include: [common/sources.yaml]`";
    let wrong = |code, message: String| Diagnostic::new(code, item.span, message);
    let scalar = match &item.kind {
        NodeKind::Scalar(scalar) if !scalar.is_null() && !scalar.text.trim().is_empty() => scalar,
        NodeKind::Scalar(_) => {
            return Err(wrong(Code::WrongType, "a path is missing here".to_owned()).help(EXAMPLE).into());
        }
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            let message = format!("an included file is a path, not {}", item.describe());
            let only = item.as_mapping().filter(|entries| entries.len() == 1).map(|entries| &entries[0].1);
            let path = only.and_then(Node::as_scalar).filter(|path| !path.is_null());
            let help =
                path.map_or_else(|| EXAMPLE.to_owned(), |path| format!("write `include: [{}]`", path.text));
            return Err(wrong(Code::WrongType, message).help(help).into());
        }
    };
    let path = scalar.text.trim_end();
    if path.contains("${") {
        let message = "an `include` holds no variables: they get their values when all files are read";
        return Err(wrong(Code::MisplacedVariable, message.to_owned()).help("write the path out").into());
    }
    if is_url(path) {
        let message = format!("`{path}` is not a file where pipectl runs");
        return Err(wrong(Code::Include, message).help("fetch it first, and include the copy").into());
    }
    if path.contains(['*', '?', '[']) {
        let message = format!("`{path}` is a pattern, and `include` takes paths");
        return Err(wrong(Code::Include, message)
            .help("name each file, so that what lies beside them changes nothing")
            .into());
    }
    Ok(path.to_owned())
}

/// The top-level keys of an included file.
const KEYS: [&str; 6] = ["version", "name", "description", "include", "vars", "steps"];

/// Reports keys that an included file can't have, or that it brings nothing.
fn keys(entries: &[(Key<'_>, Node<'_>)], named: Span, found: &mut Diagnostics) {
    let errors = found.len();
    for (key, _) in entries {
        let unusable = |reason: &str, help: &str| {
            let message = format!("`{}` can't stand in an included file: {reason}", key.text);
            Diagnostic::new(Code::Include, key.span, message).related(named, "included here").help(help)
        };
        match &*key.text {
            "conf" => found.push(unusable(
                "its settings are those of the one session, and would reach every step",
                "move it to the file that is run, or to a target of the project file",
            )),
            "artifacts" => found.push(unusable(
                "they are sent to the one session, before every step",
                "move it to the file that is run",
            )),
            text if KEYS.contains(&text) => {}
            text if PLANNED.contains(&text) => {
                found.push(unavailable(text, key.span));
            }
            text => {
                found.push(unknown_key(text, key.span, &KEYS).label("not a key of an included file"));
            }
        }
    }
    let brings = |key: &str| ["steps", "vars", "include"].contains(&key);
    if found.len() == errors && !entries.iter().any(|(key, _)| brings(&key.text)) {
        let place = entries.first().map_or(named, |(key, _)| key.span);
        let message = "the included file brings nothing: it has neither `steps` nor `vars` nor `include`";
        found.push(Diagnostic::new(Code::Include, place, message).related(named, "included here"));
    }
}

/// The variables of all files as those of one; a name that two files give to one is reported.
pub(super) fn variables<'t>(parts: &mut [Part<'t>], found: &mut Diagnostics) -> Vec<(Key<'t>, Node<'t>)> {
    let mut all: Vec<(Key<'t>, Node<'t>)> = Vec::new();
    let mut first = HashMap::new();
    for part in parts {
        let Some((_, node)) = take(&mut part.entries, "vars") else { continue };
        match node.kind {
            NodeKind::Mapping(entries) => {
                for (key, value) in entries {
                    match first.entry(key.text.clone()) {
                        Entry::Occupied(first) => found.push(clash("variable", &key, *first.get())),
                        Entry::Vacant(entry) => {
                            entry.insert(key.span);
                            all.push((key, value));
                        }
                    }
                }
            }
            NodeKind::Scalar(scalar) if scalar.is_null() || scalar.is_misread() => {}
            kind => {
                let node = Node { kind, ..node };
                let message =
                    format!("`vars` is a mapping of names to declarations, not {}", node.describe());
                found.push(
                    Diagnostic::new(Code::WrongType, node.span, message)
                        .help("write `name: { type: date, default: 2026-01-31 }`, one a line"),
                );
            }
        }
    }
    all
}

/// A name that two files give to something of their own.
pub(super) fn clash(what: &str, key: &Key<'_>, first: Span) -> Diagnostic {
    Diagnostic::new(Code::Include, key.span, format!("two files have a {what} `{}`", key.text))
        .related(first, "the other one")
        .help("give one of them another name")
}
