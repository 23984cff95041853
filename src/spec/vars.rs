//! Owns variables: their declarations, their values, and their binding on nodes.
//!
//! The YAML is read first, then values are put into single scalars, so that a value never changes the structure of the
//! file. Where a value stands in an expression it stays apart from the text, as a segment of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use chrono::DateTime;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Inputs;
use super::include::is_main;
use super::reference::{Reference, formatted, shifted};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{Bindings, Bound, TYPE_NAMES, Type, Value};
use crate::name::is_name;
use crate::scalar::{Layout, Segment};
use crate::shape::{Many, Short, Shorthand};
use crate::text::{Span, Spanned};
use crate::yaml::{self, Key, Kind, Node, decode};

/// What names are made of, for messages.
pub(super) const NAMES: &str = "a name begins with a letter or `_`, and goes on with letters, digits and `_`";

/// The prefix of environment variables that set variables.
const ENVIRONMENT: &str = "PIPECTL_VAR_";

/// A variable of the pipeline, `${name}` in its values. In short: `name: default`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(super) struct Declaration {
    /// A Spark SQL type, `array<TYPE>`, or `identifier`; by the default's look where not given, else `string`.
    r#type: Option<Spanned<String>>,
    /// The value where none is given; without it the variable must be given.
    default: Option<Spanned<Many<String>>>,
    /// What it is for.
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    description: Option<String>,
}

impl Shorthand for Declaration {
    const NAME: &'static str = "$pipectl::short:default";
}

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
}

/// Where references stand, which decides what they may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Pipeline,
    /// In the target that applies.
    Target,
    /// In its token.
    Token,
    /// In its token, which nobody gets.
    UnusedToken,
    /// In a target that does not apply, so that what is missing for it is no mistake.
    OtherTarget,
}

impl<'a> Variables<'a> {
    /// None: what a project file may refer to.
    pub(super) fn of_project(inputs: &'a Inputs<'a>) -> Self {
        Self {
            values: BTreeMap::new(),
            declared: BTreeMap::new(),
            used: BTreeSet::new(),
            is_incomplete: false,
            is_partial: false,
            inputs,
            time_zone: chrono_tz::UTC,
            bindings: Bindings::default(),
            scope: Scope::Target,
        }
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

    /// Declares what `vars` holds and finds every value.
    pub(super) fn declare(
        entries: &[(Key<'_>, Node<'_>)],
        time_zone: chrono_tz::Tz,
        inputs: &'a Inputs<'a>,
        found: &mut Diagnostics,
    ) -> Self {
        let mut variables = Self {
            values: BTreeMap::new(),
            declared: BTreeMap::new(),
            used: BTreeSet::new(),
            is_incomplete: false,
            is_partial: false,
            inputs,
            time_zone,
            bindings: Bindings::default(),
            scope: Scope::Pipeline,
        };
        for (key, node) in entries {
            if is_name(&key.text) {
                variables.declared.insert(key.text.to_string(), key.span);
            } else {
                let message = format!("`{}` can't name a variable", key.text);
                found.push(Diagnostic::new(Code::BadName, key.span, message).help(NAMES));
                variables.is_incomplete = true;
            }
            let value = decode::<Short<Declaration>>(node, found)
                .and_then(|declaration| variables.value(&key.text, key.span, &declaration.0, found));
            variables.values.insert(key.text.to_string(), value);
        }
        variables
    }

    /// Reports values of the command line for variables that are not declared; `place` is where they would be.
    pub(super) fn unknown_arguments(&self, place: Span, found: &mut Diagnostics) {
        for (name, _) in self.inputs.variables {
            if !self.declared.contains_key(name) {
                let message =
                    format!("the variable `{name}`, given on the command line, is not declared under `vars`");
                let diagnostic = Diagnostic::new(Code::UnknownVariable, place, message);
                found.push(diagnostic.suggest(name, self.declared.keys().map(String::as_str)));
            }
        }
    }

    /// The value of one variable: the command line's, else the environment's, else the target's, else the default.
    fn value(
        &self,
        name: &str,
        span: Span,
        declaration: &Declaration,
        found: &mut Diagnostics,
    ) -> Option<(Type, Value)> {
        let default = declaration.default.as_ref();
        let data_type = match &declaration.r#type {
            None => default.map_or(Type::String, |default| look_of(&default.value)),
            Some(written) => match Type::parse(&written.value) {
                Some(data_type) => data_type,
                None => {
                    let message = format!("`{}` is not a type that a variable can have", written.value);
                    let diagnostic = Diagnostic::new(Code::BadVariable, written.span, message);
                    found.push(diagnostic.suggest(&written.value, TYPE_NAMES).help(format!(
                        "the types are {}, and `array<TYPE>`",
                        TYPE_NAMES.map(|name| format!("`{name}`")).join(", ")
                    )));
                    return None;
                }
            },
        };
        let variable = format!("{ENVIRONMENT}{}", name.to_uppercase());
        let given = self.inputs.variables.iter().rev().find(|(given, _)| given == name);
        let (result, place, origin) = if let Some((_, text)) = given {
            (data_type.value(text), span, format!("the value of `{name}` on the command line: "))
        } else if let Some(text) = (self.inputs.environment)(&variable) {
            (data_type.value(&text), span, format!("the value of `{name}` in `{variable}`: "))
        } else if let Some(given) = self.inputs.target.variables.iter().find(|variable| variable.name == name)
        {
            let origin = format!("the value of `{name}` at {}: ", given.place);
            (written_value(&data_type, &given.value), span, origin)
        } else if let Some(default) = default {
            (written_value(&data_type, &default.value), default.span, String::new())
        } else {
            let message = format!("the variable `{name}` has no value");
            found.push(Diagnostic::new(Code::BadVariable, span, message).help(format!(
                    "give it with `--var {name}=VALUE`, with `{variable}`, in a target's `vars`, or with a `default`"
                )));
            return None;
        };
        match result {
            Ok(value) => Some((data_type, value)),
            Err(reason) => {
                found.push(Diagnostic::new(Code::BadVariable, place, format!("{origin}{reason}")));
                None
            }
        }
    }

    /// Puts values into every scalar of the tree.
    pub(super) fn bind(&mut self, node: &mut Node<'_>, found: &mut Diagnostics) {
        let span = node.span;
        match &mut node.kind {
            Kind::Scalar(scalar) => {
                if scalar.has_dollar && scalar.text.contains("${") {
                    let bound = self.bound(&scalar.text, scalar.layout(), span, found);
                    scalar.bind(bound);
                }
            }
            Kind::Sequence(items) => {
                for item in items {
                    self.bind(item, found);
                }
            }
            Kind::Mapping(entries) => {
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

    /// The segments of a text that is a file of its own.
    pub(super) fn segments_of_file(
        &mut self,
        text: &str,
        span: Span,
        found: &mut Diagnostics,
    ) -> Vec<Segment> {
        self.bound(text, &Layout::Verbatim, span, found).segments
    }

    /// Whether something of the file is not known, because it stands where a value is missing.
    pub(super) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    fn bound(&mut self, text: &str, layout: &Layout, span: Span, found: &mut Diagnostics) -> yaml::Bound {
        let place = |range: Range<usize>| layout.place(span, &range);
        let mut segments = Vec::new();
        let mut is_complete = true;
        let push = |segments: &mut Vec<Segment>, from: usize, text: &str| {
            if !text.is_empty() {
                segments.push(Segment::Text { text: text.to_owned(), at: offset(from) });
            }
        };
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find("${")).map(|at| from + at) {
            if at > from && text.as_bytes()[at - 1] == b'$' {
                // `$${` is a literal `${`.
                push(&mut segments, from, text.get(from..at - 1).unwrap_or_default());
                push(&mut segments, at, "${");
                from = at + 2;
                continue;
            }
            push(&mut segments, from, text.get(from..at).unwrap_or_default());
            let Some(length) = text.get(at..).and_then(|rest| rest.find('}')) else {
                let message = "a variable is opened here with `${` and not closed with `}`";
                found.push(
                    Diagnostic::new(Code::MisplacedVariable, place(at..at + 2), message)
                        .help("for a literal `${` write `$${`"),
                );
                is_complete = false;
                from = text.len();
                break;
            };
            let end = at + length + 1;
            let reference = text.get(at + 2..end - 1).unwrap_or_default();
            let bound = self.reference(reference).unwrap_or_else(|problem| {
                if let Some(problem) = problem {
                    found.push(problem.at(place(at..end)));
                }
                is_complete = false;
                Bound::unknown(reference)
            });
            let text = bound.value.to_string();
            segments.push(Segment::Variable { index: self.bindings.add(bound), text, at: offset(at) });
            from = end;
        }
        push(&mut segments, from, text.get(from..).unwrap_or_default());
        self.is_incomplete |= !is_complete;
        yaml::Bound { segments, is_complete }
    }

    /// The value of what stands between `${` and `}`; an error without a problem was reported where it was declared.
    fn reference(&mut self, text: &str) -> Result<Bound, Option<Problem>> {
        let reference = Reference::parse(text).ok_or_else(|| {
            Problem::new(Code::MisplacedVariable, format!("`${{{text}}}` is not how a variable is written"))
                .help("write `${name}`, `${date - 1d}` or `${date:%Y%m%d}`")
                .help("dates and timestamps move by `s`, `min`, `h`, `d`, `w`, `mo` and `y`")
        })?;
        let is_partial = self.is_partial;
        let may_be_elsewhere = |problem: &Problem| {
            is_partial && problem.code == Code::UnknownVariable && is_name(reference.name)
        };
        let (mut data_type, mut value) = self
            .lookup(reference.name)
            .map_err(|problem| problem.filter(|problem| !may_be_elsewhere(problem)))?;
        for (count, unit) in &reference.shifts {
            value = shifted(&value, *count, *unit).ok_or_else(|| {
                Problem::new(
                    Code::BadVariable,
                    format!(
                        "`{}` has the type {data_type}, which can't be moved by {count}{}",
                        reference.name,
                        unit.name()
                    ),
                )
                .help("dates move by `d`, `w`, `mo` and `y`; timestamps also by `h`, `min` and `s`")
            })?;
        }
        if let Some(format) = reference.format {
            value = formatted(&value, format).ok_or_else(|| {
                Problem::new(
                    Code::BadVariable,
                    format!("`{format}` can't format `{}`, a {data_type}", reference.name),
                )
                .help("a date takes a format like `%Y%m%d`")
            })?;
            data_type = Type::String;
        }
        Ok(Bound { name: reference.name.to_owned(), data_type, value })
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
                    problem = problem.help(format!("did you mean `${{{near}}}`?"));
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
            Some(("secret", _)) => Err(Some(Problem::new(
                Code::Unsupported,
                "secrets are not available in this version".to_owned(),
            ))),
            Some(_) => Err(Some(
                Problem::new(Code::UnknownVariable, format!("there is no `${{{name}}}`"))
                    .help("there are `${run.id}`, `${run.date}`, `${run.started_at}` and `${env:NAME}`"),
            )),
        }
    }

    /// What a project file may ask for: the environment, and for a token a secret.
    fn lookup_in_target(&self, name: &str) -> Result<(Type, Value), Option<Problem>> {
        match (name.split_once(':'), self.scope) {
            (Some(("env" | "secret", _)), Scope::OtherTarget) => Err(None),
            (Some(("env" | "secret", _)), Scope::UnusedToken) => {
                Ok((Type::String, Value::Text("unused".to_owned())))
            }
            (Some(("env", variable)), _) => self.environment(variable),
            (Some(("secret", place)), Scope::Token) => match place.split_once(':') {
                Some(("file", path)) => (self.inputs.files)(Path::new(path))
                    .map_err(|error| error.to_string())
                    .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()))
                    .map(|text| (Type::String, Value::Text(text.trim_end().to_owned())))
                    .map_err(|reason| {
                        let message = format!("the secret's file `{path}` can't be read: {reason}");
                        Some(Problem::new(Code::BadVariable, message))
                    }),
                _ => self.environment(place),
            },
            (Some(("secret", _)), _) => Err(Some(Problem::new(
                Code::Unsupported,
                "in this version a secret can stand in a target's `token` alone".to_owned(),
            ))),
            _ => Err(Some(
                Problem::new(Code::UnknownVariable, format!("a project file knows no `${{{name}}}`")).help(
                    "it knows `${env:NAME}`, and for a `token` `${secret:NAME}` and `${secret:file:PATH}`",
                ),
            )),
        }
    }

    fn environment(&self, variable: &str) -> Result<(Type, Value), Option<Problem>> {
        match (self.inputs.environment)(variable) {
            Some(text) => Ok((Type::String, Value::Text(text))),
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

/// What is wrong with a reference, before it is known where it stands.
struct Problem {
    code: Code,
    message: String,
    help: Vec<String>,
}

impl Problem {
    fn new(code: Code, message: String) -> Self {
        Self { code, message, help: Vec::new() }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    fn at(self, span: Span) -> Diagnostic {
        self.help.into_iter().fold(Diagnostic::new(self.code, span, self.message), Diagnostic::help)
    }
}

/// The type that a default looks like.
fn look_of(default: &[String]) -> Type {
    let looks = |data_type: &Type| default.iter().all(|text| data_type.value(text).is_ok());
    let item = [Type::BigInt, Type::Boolean, Type::Date, Type::Double]
        .into_iter()
        .find(looks)
        .unwrap_or(Type::String);
    if default.len() == 1 { item } else { Type::Array(Box::new(item)) }
}

/// The value of what the file has: one text, or a list of them.
fn written_value(data_type: &Type, written: &[String]) -> Result<Value, String> {
    match (data_type, written) {
        (Type::Array(item), items) if !items.is_empty() => {
            items.iter().map(|text| item.value(text)).collect::<Result<_, _>>().map(Value::List)
        }
        (data_type, [only]) => data_type.value(only),
        (data_type, _) => Err(format!("a list is given, and the type is {data_type}")),
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_tells_its_type() {
        for (texts, data_type) in [
            (vec!["1"], "bigint"),
            (vec!["true"], "boolean"),
            (vec!["2026-01-31"], "date"),
            (vec!["1.5"], "double"),
            (vec!["EUR"], "string"),
            (vec!["1", "2"], "array<bigint>"),
        ] {
            let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
            assert_eq!(look_of(&texts).to_string(), data_type);
        }
    }
}
