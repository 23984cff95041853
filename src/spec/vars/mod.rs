//! Owns variables: their declarations, their values, and their binding on nodes.
//!
//! The YAML is read first, then values are put into single scalars, so that a value never changes the structure of the
//! file. Where a value stands in an expression it stays apart from the text, as a segment of its own.

mod declaration;
mod declare;
mod given;
mod piece;
mod problem;
mod rules;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::include::is_main;
use super::inputs::Inputs;
use super::moment::{Still, Unformatted, formatted, shifted};
use super::reference::Reference;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Suggestion};
use crate::expr::{Bindings, Bound, Type, Value};
use crate::name::is_name;
use crate::scalar::{Layout, Segment};
use crate::secret::learn_literal;
use crate::text::Span;
use crate::yaml::{self, Key, Node, NodeKind};

pub(super) use declaration::Declaration;
pub(super) use given::Given;

use piece::{Piece, pieces};
use problem::Problem;

/// What names are made of, for messages.
pub(super) const NAMES: &str = "a name begins with a letter or `_`, and goes on with letters, digits and `_`";

/// The variables with their values, and which of them were asked for.
pub(super) struct Variables<'a> {
    values: BTreeMap<String, Option<(Type, Value)>>,
    declared: BTreeMap<String, Span>,
    used: BTreeSet<String>,
    /// Whether a reference has no value, which was reported; it may have meant a variable that seems unused.
    is_incomplete: bool,
    /// Whether a file could not be read that may declare more of them.
    is_partial: bool,
    inputs: &'a Inputs<'a>,
    time_zone: chrono_tz::Tz,
    bindings: Bindings,
    scope: Scope,
    /// Where the paths of secrets' files start: at the folder of the file that is being bound.
    folder: PathBuf,
}

/// Where references stand, which decides what they may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Pipeline,
    /// In the target that applies.
    Target,
    /// In its token, which nobody gets.
    UnusedToken,
    /// In a target that does not apply, so that what is missing for it is no mistake.
    OtherTarget,
}

impl<'a> Variables<'a> {
    /// None: what a project file may refer to.
    pub(super) fn of_project(inputs: &'a Inputs<'a>) -> Self {
        Self::none(inputs, chrono_tz::UTC, Scope::Target)
    }

    fn none(inputs: &'a Inputs<'a>, time_zone: chrono_tz::Tz, scope: Scope) -> Self {
        Self {
            values: BTreeMap::new(),
            declared: BTreeMap::new(),
            used: BTreeSet::new(),
            is_incomplete: false,
            is_partial: false,
            inputs,
            time_zone,
            bindings: Bindings::default(),
            scope,
            folder: PathBuf::new(),
        }
    }

    /// What is bound from here on stands in a file of this folder.
    pub(super) fn start_at(&mut self, folder: &Path) {
        self.folder = folder.to_path_buf();
    }

    /// Warns of no variable: a reference to it may stand in what could not be read.
    pub(super) fn may_be_used(&mut self) {
        self.is_incomplete = true;
    }

    /// Lets references pass that no variable is declared for: a file could not be read that may declare it.
    pub(super) fn are_partial(&mut self) {
        self.is_partial = true;
    }

    /// Puts values into every scalar of a part of a project file.
    pub(super) fn bind_in(&mut self, scope: Scope, node: &mut Node<'_>, found: &mut Diagnostics) {
        self.scope = scope;
        self.bind(node, found);
    }

    /// Puts values into every scalar of the tree.
    pub(super) fn bind(&mut self, node: &mut Node<'_>, found: &mut Diagnostics) {
        let span = node.span;
        match &mut node.kind {
            NodeKind::Scalar(scalar) => {
                if scalar.has_dollar && scalar.text.contains("${") {
                    let bound = self.bound(&scalar.text, scalar.layout(), span, found);
                    scalar.bind(bound);
                }
            }
            NodeKind::Sequence(items) => {
                for item in items {
                    self.bind(item, found);
                }
            }
            NodeKind::Mapping(entries) => {
                for (key, value) in entries {
                    self.check_key(key, found);
                    self.bind(value, found);
                }
            }
        }
    }

    /// Reports a variable in a key.
    pub(super) fn check_key(&mut self, key: &Key<'_>, found: &mut Diagnostics) {
        if key.has_dollar && key.text.contains("${") {
            found.push(
                Diagnostic::new(Code::MisplacedVariable, key.span, "a key can't hold a variable")
                    .help("variables stand in values"),
            );
            self.is_incomplete = true;
        }
    }

    /// The segments of a text that is a file of its own, in `folder`.
    pub(super) fn segments_of_file(
        &mut self,
        text: &str,
        folder: &Path,
        span: Span,
        found: &mut Diagnostics,
    ) -> Vec<Segment> {
        let around = std::mem::replace(&mut self.folder, folder.to_path_buf());
        let segments = self.bound(text, &Layout::Verbatim, span, found).segments;
        self.folder = around;
        segments
    }

    /// The values that were bound so far.
    pub(super) fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// Whether something of the file is not known, because it stands where a value is missing.
    pub(super) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    fn bound(&mut self, text: &str, layout: &Layout, span: Span, found: &mut Diagnostics) -> yaml::Bound {
        let place = |range: Range<usize>| layout.place(span, &range);
        let mut segments = Vec::new();
        let mut is_complete = true;
        let mut says = None;
        for piece in pieces(text) {
            match piece {
                Piece::Text { text, at } => {
                    if !text.is_empty() {
                        segments.push(Segment::Text { text: text.to_owned(), at: offset(at) });
                    }
                }
                Piece::Open { at } => {
                    let message = "a variable is opened here with `${` and not closed with `}`";
                    found.push(
                        Diagnostic::new(Code::MisplacedVariable, place(at..at + 2), message)
                            .help("for a literal `${` write `$${`"),
                    );
                    is_complete = false;
                }
                Piece::Reference { text: reference, at } => {
                    let end = at + reference.len() + 3;
                    let bound = self.reference(reference).unwrap_or_else(|problem| {
                        if let Some(problem) = problem {
                            let inside = |part: Range<usize>| at + 2 + part.start..at + 2 + part.end;
                            let edit = problem.edit.clone().and_then(|edit| {
                                let range = inside(edit.range);
                                let span = place(range.clone());
                                // Where the text is not written as it is read, no part of it is edited.
                                (span.len() == range.len()).then_some(Suggestion { span, ..edit.suggestion })
                            });
                            let range = problem.range.clone().map_or(at..end, inside);
                            found.push(
                                edit.into_iter().fold(problem.at(place(range)), Diagnostic::suggestion),
                            );
                        }
                        is_complete = false;
                        Bound::unknown(reference)
                    });
                    let text = bound.value.plain();
                    says = Some(format!("`${{{reference}}}` has the type {}", bound.data_type));
                    let index = self.bindings.add(bound, place(at..end));
                    segments.push(Segment::Variable { index, text, at: offset(at) });
                }
            }
        }
        self.is_incomplete |= !is_complete;
        yaml::Bound { segments, is_complete, says }
    }

    /// The value of what stands between `${` and `}`; an error without a problem was reported where it was declared.
    fn reference(&mut self, text: &str) -> Result<Bound, Option<Problem>> {
        if let Some(problem) = self.misspelt_place(text) {
            return Err(Some(problem));
        }
        let reference = Reference::parse(text)?;
        let is_partial = self.is_partial;
        let may_be_elsewhere = |problem: &Problem| {
            is_partial && problem.code == Code::UnknownVariable && is_name(reference.name)
        };
        let (mut data_type, mut value) = self
            .lookup(reference.name)
            .map_err(|problem| problem.filter(|problem| !may_be_elsewhere(problem)))
            .map_err(|problem| problem.map(|problem| problem.within(text, reference.name)))?;
        let name = reference.name;
        for (count, unit) in &reference.shifts {
            let unit_name = unit.name();
            value = shifted(&value, *count, *unit).map_err(|still| match still {
                Still::Type => Problem::new(
                    Code::BadVariable,
                    format!("`{name}` has the type {data_type}, which can't be moved by {count}{unit_name}"),
                )
                .help("dates move by `d`, `w`, `mo` and `y`; timestamps also by `h`, `min` and `s`"),
                Still::Calendar => {
                    let message =
                        format!("`{name}`, moved by {count}{unit_name}, is not in the years 1 to 9999");
                    Problem::new(Code::BadVariable, message)
                }
            })?;
        }
        if let Some(format) = reference.format {
            value = formatted(&value, format).map_err(|why| {
                let problem = |message: String| Problem::new(Code::BadVariable, message);
                match why {
                    Unformatted::Type => problem(format!("`{format}` can't format `{name}`, a {data_type}"))
                        .help("dates, timestamps and times take a format like `%Y%m%d`"),
                    Unformatted::Unknown(part) => problem(format!("`{part}` is no part of a format"))
                        .help("year `%Y`, month `%m`, day `%d`, hour `%H`, minute `%M`, second `%S`; a literal `%` is `%%`"),
                    Unformatted::Lacking(part) => problem(format!(
                        "`{part}` asks for what `{name}`, a {data_type}, does not have"
                    )),
                }
            })?;
            data_type = Type::String;
        }
        Ok(Bound { name: name.to_owned(), data_type, value })
    }

    /// `${secrets:NAME}` and `${ENV:NAME}`, which would be read as a variable with a format.
    fn misspelt_place(&self, text: &str) -> Option<Problem> {
        let (place, name) = text.trim().split_once(':').filter(|(_, name)| !name.contains('%'))?;
        let near = crate::diagnostic::nearest(place, ["env", "secret"])?;
        if place == near || self.declared.contains_key(place) {
            return None;
        }
        let problem = Problem::new(Code::UnknownVariable, format!("there is no `${{{text}}}`"));
        let problem = problem.help(format!("did you mean `${{{near}:{name}}}`?"));
        Some(problem.instead(place, near).within(text, place))
    }

    fn lookup(&mut self, name: &str) -> Result<(Type, Value), Option<Problem>> {
        if self.scope != Scope::Pipeline {
            return self.lookup_in_target(name);
        }
        if let Some(value) = self.values.get(name) {
            self.used.insert(name.to_owned());
            return value.clone().ok_or(None);
        }
        let started: DateTime<chrono_tz::Tz> = self.inputs.started_at.with_timezone(&self.time_zone);
        match name.split_once([':', '.']) {
            None => {
                let mut problem =
                    Problem::new(Code::UnknownVariable, format!("the variable `{name}` is not declared"));
                if let Some(near) = crate::diagnostic::nearest(name, self.declared.keys().map(String::as_str))
                {
                    problem = problem.help(format!("did you mean `${{{near}}}`?")).instead(name, near);
                } else {
                    problem =
                        problem.help("variables are declared under `vars`; for a literal `${` write `$${`");
                }
                Err(Some(problem))
            }
            Some(("run", "id")) => Ok((Type::String, Value::Text(self.inputs.run_id.to_owned()))),
            Some(("run", "date")) => Ok((Type::Date, Value::Date(started.date_naive()))),
            Some(("run", "started_at")) => Ok((Type::Timestamp, Value::Timestamp(started.naive_local()))),
            Some(("env", variable)) => self.environment(variable),
            Some(("secret", place)) => secrets::value(place, &self.folder, self.inputs),
            Some(_) => Err(Some(
                Problem::new(Code::UnknownVariable, format!("there is no `${{{name}}}`")).help(
                    "there are `${run.id}`, `${run.date}`, `${run.started_at}`, `${env:NAME}` and `${secret:NAME}`",
                ),
            )),
        }
    }

    /// What a project file may ask for: the environment, and secrets.
    fn lookup_in_target(&self, name: &str) -> Result<(Type, Value), Option<Problem>> {
        match (name.split_once(':'), self.scope) {
            (Some(("env" | "secret", _)), Scope::OtherTarget) => Err(None),
            (Some(("env" | "secret", _)), Scope::UnusedToken) => {
                Ok((Type::String, Value::Text("unused".to_owned())))
            }
            (Some(("env", variable)), _) => self.environment(variable),
            (Some(("secret", place)), _) => secrets::value(place, &self.folder, self.inputs),
            _ => Err(Some(
                Problem::new(Code::UnknownVariable, format!("a project file knows no `${{{name}}}`"))
                    .help("it knows `${env:NAME}`, `${secret:NAME}` and `${secret:file:PATH}`"),
            )),
        }
    }

    fn environment(&self, variable: &str) -> Result<(Type, Value), Option<Problem>> {
        match (self.inputs.environment)(variable) {
            Some(text) => {
                learn_literal(variable, &text);
                Ok((Type::String, Value::Text(text)))
            }
            None => Err(Some(
                Problem::new(Code::BadVariable, format!("the environment has no variable `{variable}`"))
                    .help(format!("set it: `export {variable}=…`")),
            )),
        }
    }

    /// The values by their index, once everything is bound; reports variables that nobody asked for.
    pub(super) fn into_bindings(self, found: &mut Diagnostics) -> Bindings {
        if self.is_incomplete || self.is_partial {
            return self.bindings;
        }
        for (name, span) in &self.declared {
            // A file that is included may serve several pipelines.
            if !self.used.contains(name) && is_main(span.file) {
                let message = format!("the variable `{name}` is never used");
                found.push(Diagnostic::new(Code::UnusedVariable, *span, message));
            }
        }
        self.bindings
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
