//! Finds out which mistakes a pipeline has that an engine's analysis refuses: every one, each at its place, each once.
//!
//! Every step is analysed by itself, on empty inputs that have the columns of the steps it reads, transform by transform. A
//! transform that is refused is tried with one of its expressions at a time; those that are wrong are reported, `NULL` takes
//! their place, and the search goes on behind them. What a mistake makes unknowable is passed over in silence.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::check::{column_names, create_view, found_missing, found_repeated};
use crate::connect::{Client, Error, ServerError};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::expr::{Expr, Template, TokenKind};
use crate::lowering::Lowering;
use crate::pipeline::{Pipeline, Step, StepId};
use crate::plan::{Plan, prefix};
use crate::proto::ddl::columns_text;
use crate::proto::expression::expression_string;
use crate::proto::relation::{empty, filter};
use crate::proto::spark::{DataType, Relation};
use crate::text::{Sources, Span};
use crate::transform::Transform;

pub(super) async fn narrow(client: &Client, pipeline: &Pipeline, plan: &Plan) -> Result<Diagnostics, Error> {
    let mut search = Search {
        client,
        pipeline,
        plan,
        known: HashMap::new(),
        masked: HashSet::new(),
        found: Diagnostics::default(),
    };
    for id in &plan.steps {
        let schema = search.step(*id).await?;
        search.known.insert(*id, schema);
    }
    Ok(search.found)
}

struct Search<'a> {
    client: &'a Client,
    pipeline: &'a Pipeline,
    plan: &'a Plan,
    /// The columns of the steps before; nothing where a mistake makes them unknowable.
    known: HashMap<StepId, Option<DataType>>,
    masked: HashSet<Span>,
    found: Diagnostics,
}

impl Search<'_> {
    async fn step(&mut self, id: StepId) -> Result<Option<DataType>, Error> {
        let pipeline = self.pipeline;
        let step = pipeline.step(id);
        if step.inputs.iter().any(|input| self.known.get(input).is_none_or(Option::is_none)) {
            return Ok(None);
        }
        let views = self.views(step).await?;
        let mut schema = match self.analyse(self.prefix(id, 0, &self.masked, &views)).await? {
            Ok(schema) => schema,
            Err(error) => {
                self.source_refused(step, &error);
                return Ok(None);
            }
        };
        for (at, transform) in step.transforms.iter().enumerate() {
            let kind = transform.value.kind();
            let columns = column_names(&schema);
            let mut missing = false;
            for column in kind.columns_needed() {
                missing |= found_missing(&column.value, column.span, &columns, &mut self.found);
            }
            schema = match self.analyse(self.prefix(id, at + 1, &self.masked, &views)).await? {
                // What a column would be called that is not there can't be known behind this either.
                Ok(_) if missing && matches!(transform.value, Transform::Rename(_)) => return Ok(None),
                Ok(schema) => schema,
                Err(_) if missing => return Ok(None),
                Err(error) => match self.transform(id, at, &error, &columns, &views).await? {
                    Some(schema) => schema,
                    None => return Ok(None),
                },
            };
            let last = step.transforms[at + 1..].iter().all(|later| !later.value.kind().may_repeat_columns());
            if kind.may_repeat_columns() && last && at + 1 == step.transforms.len() {
                found_repeated(
                    transform.span,
                    step.name.value.as_str(),
                    &column_names(&schema),
                    &mut self.found,
                );
            }
        }
        self.expectations(step, &schema).await?;
        Ok(Some(schema))
    }

    /// Finds the wrong expressions of a transform; the schema behind it where the rest of it is right.
    async fn transform(
        &mut self,
        id: StepId,
        at: usize,
        error: &ServerError,
        columns: &[String],
        views: &[(String, String)],
    ) -> Result<Option<DataType>, Error> {
        let transform = &self.pipeline.step(id).transforms[at];
        let exprs = transform.value.kind().expressions();
        let mut wrong = Vec::new();
        for expr in &exprs {
            let others = exprs.iter().map(|other| other.span()).filter(|span| *span != expr.span());
            let masked = self.masked.iter().copied().chain(others).collect();
            if let Err(error) = self.analyse(self.prefix(id, at + 1, &masked, views)).await? {
                self.found.push(diagnose(&error, expr.template(), columns, &self.pipeline.sources));
                wrong.push(expr.span());
            }
        }
        if wrong.is_empty() {
            let message = format!("the engine refuses this transform: {}", plain(error));
            self.found.push(refused(error, transform.span, message));
            return Ok(None);
        }
        self.masked.extend(wrong);
        Ok(self.analyse(self.prefix(id, at + 1, &self.masked, views)).await?.ok())
    }

    async fn expectations(&mut self, step: &Step, schema: &DataType) -> Result<(), Error> {
        let columns = column_names(schema);
        let nothing = |_: &str| Relation::default();
        let masked = HashSet::new();
        let lowering = Lowering {
            dialect: &self.plan.dialect,
            bindings: &self.pipeline.bindings,
            root: &step.base.root,
            masked: &masked,
            input: &nothing,
            views: &[],
            blobs: &RefCell::default(),
        };
        for expectation in &step.expectations {
            let kind = expectation.check.kind();
            let mut missing = false;
            for column in kind.columns_needed() {
                missing |= found_missing(&column.value, column.span, &columns, &mut self.found);
            }
            if missing {
                continue;
            }
            for violation in kind.violations(&lowering) {
                let relation = filter(empty(columns_text(schema)), expression_string(violation.condition));
                if let Err(error) = self.analyse(relation).await? {
                    let diagnostic = match kind.expressions().first() {
                        Some(expr) => {
                            diagnose(&error, Expr::template(expr), &columns, &self.pipeline.sources)
                        }
                        None => refused(&error, expectation.span, plain(&error)),
                    };
                    self.found.push(diagnostic);
                }
            }
        }
        Ok(())
    }

    fn source_refused(&mut self, step: &Step, error: &ServerError) {
        let source = &step.source;
        let diagnostic = match source.value.query() {
            Some(query) => diagnose(error, query, &self.queried_columns(step), &self.pipeline.sources),
            None => {
                let message =
                    format!("the source of `{}` is refused by the engine: {}", step.name, plain(error));
                refused(error, source.span, message)
            }
        };
        self.found.push(diagnostic);
    }

    /// The columns that a query can mean, as far as they are known: not those of tables in the engine's catalog.
    fn queried_columns(&self, step: &Step) -> Vec<String> {
        let schemas = step.queried.iter().filter_map(|(_, id)| self.known.get(id)?.as_ref());
        schemas.flat_map(column_names).collect()
    }

    /// Names for the steps that a query names, each an empty table with the step's columns.
    async fn views(&self, step: &Step) -> Result<Vec<(String, String)>, Error> {
        let mut views = Vec::new();
        for (name, id) in &step.queried {
            let view = format!("pipectl_check_{}", name.to_lowercase());
            create_view(self.client, self.input(*id), &view).await?;
            views.push((name.clone(), view));
        }
        Ok(views)
    }

    fn input(&self, id: StepId) -> Relation {
        let schema = self.known.get(&id).and_then(Option::as_ref);
        empty(schema.map(columns_text).unwrap_or_default())
    }

    fn prefix(
        &self,
        id: StepId,
        upto: usize,
        masked: &HashSet<Span>,
        views: &[(String, String)],
    ) -> Relation {
        let input = |name: &str| self.pipeline.find(name).map(|id| self.input(id)).unwrap_or_default();
        prefix(self.pipeline, &self.plan.dialect, id, upto, masked, &input, views)
    }

    /// The columns of a relation, or why the engine refuses it.
    async fn analyse(&self, relation: Relation) -> Result<Result<DataType, Box<ServerError>>, Error> {
        match self.client.analyze_schema(relation.into()).await {
            Ok(schema) => Ok(Ok(schema)),
            Err(Error::Server(error)) => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }
}

/// An engine's complaint about an expression or a query, at the name it is about.
fn diagnose(error: &ServerError, template: &Template, columns: &[String], sources: &Sources) -> Diagnostic {
    let message = plain(error);
    let Some((name, range)) = culprit(&message, template, columns) else {
        return refused(error, template.span(), message);
    };
    let span = place(template, &range, sources);
    if is_about_a_column(&message) && !columns.is_empty() {
        let diagnostic = Diagnostic::new(Code::UnknownColumn, span, format!("there is no column `{name}`"));
        let mut diagnostic = diagnostic.called(error.class.clone(), error.sql_state.clone());
        if let Some(near) = nearest(&name, columns.iter().map(String::as_str)) {
            return diagnostic.help(format!("did you mean `{near}`?"));
        }
        let shown: Vec<String> = columns.iter().take(20).map(|column| format!("`{column}`")).collect();
        let more = if columns.len() > shown.len() { ", …" } else { "" };
        diagnostic = diagnostic.help(format!("the columns are {}{more}", shown.join(", ")));
        return diagnostic;
    }
    refused(error, span, message)
}

/// What the engine finds wrong, under the names that it has for that.
pub(super) fn refused(error: &ServerError, span: Span, message: String) -> Diagnostic {
    Diagnostic::new(Code::Analysis, span, message).called(error.class.clone(), error.sql_state.clone())
}

fn is_about_a_column(message: &str) -> bool {
    let message = message.to_lowercase();
    !message.contains("ambiguous")
        && ["attribute", "unresolved_column", "cannot be resolved", "cannot find column"]
            .iter()
            .any(|word| message.contains(word))
}

/// The name in the text that the message is about: one that it quotes and that is no known column.
fn culprit(message: &str, template: &Template, columns: &[String]) -> Option<(String, Range<usize>)> {
    let text = template.scanned();
    let tokens = template.tokens();
    let quoted = quoted_words(message);
    tokens
        .iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedName))
        .filter_map(|token| Some((token, token.name(&text)?)))
        .filter(|(_, name)| quoted.iter().any(|word| word.eq_ignore_ascii_case(name)))
        // A qualifier and its column are both quoted; the last known one is not the culprit.
        .rfind(|(_, name)| !columns.iter().any(|column| column.eq_ignore_ascii_case(name)))
        .map(|(token, name)| (name, token.range.clone()))
}

/// The words that a message quotes; where it quotes none those behind its last colon, for those before are its own.
fn quoted_words(message: &str) -> Vec<String> {
    let mut quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    // Spark's parser quotes otherwise.
    quoted.extend(
        message.split_once(" at or near '").and_then(|(_, rest)| rest.split_once('\'')).map(|it| it.0),
    );
    let about = if quoted.is_empty() { vec![message.rsplit(": ").next().unwrap_or(message)] } else { quoted };
    about
        .into_iter()
        .flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '_')))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Where a token stands in the file. Where indentation or folding lie between, it is found again by its own text.
fn place(template: &Template, range: &Range<usize>, sources: &Sources) -> Span {
    let span = template.place(range);
    let scanned = template.scanned();
    let (Some(token), Some(before)) = (scanned.get(range.clone()), scanned.get(..range.start)) else {
        return span;
    };
    let written = sources.get(span.file).text().get(span.start as usize..span.end as usize);
    match written.and_then(|written| written.match_indices(token).nth(before.matches(token).count())) {
        Some((at, _)) if span == template.span() => span.part(at, at + token.len()),
        _ => span,
    }
}

/// Characters of an engine's message that are shown.
const LONGEST: usize = 600;

/// The engine's message on one line, its own notation for names replaced.
fn plain(error: &ServerError) -> String {
    let text = error.to_string();
    let mut message =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    while let Some(from) = message.find("ObjectName([")
        && let Some(length) = message.get(from..).and_then(|rest| rest.find("])"))
    {
        let inner = message.get(from + "ObjectName([".len()..from + length).unwrap_or_default();
        let names: Vec<&str> = inner.split('"').skip(1).step_by(2).collect();
        let name = format!("`{}`", names.join("."));
        message.replace_range(from..from + length + 2, &name);
    }
    match message.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", message.get(..at).unwrap_or_default()),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(message: &str) -> ServerError {
        ServerError { message: message.to_owned(), ..ServerError::default() }
    }

    #[test]
    fn the_name_is_found_that_a_message_is_about() {
        let columns = ["id".to_owned(), "price".to_owned()];
        for (expression, message, start) in [
            (
                "id + oops",
                r#"attribute ObjectName([Identifier("oops")]) is missing from the schema"#,
                Some(5),
            ),
            (
                "b.idd = id",
                r#"attribute ObjectName([Identifier("b"), Identifier("idd")]) is missing"#,
                Some(2),
            ),
            ("nofn(id)", "unknown function: nofn", Some(0)),
            (
                "SELECT nme FROM a",
                "attribute `nme` is missing from the schema: cannot resolve attribute",
                Some(7),
            ),
            (
                "SELECT 1 FROM a WHERE not b or c",
                "Table or view not found: a [TABLE_OR_VIEW_NOT_FOUND]",
                Some(14),
            ),
            ("id + price", "Cannot coerce arithmetic expression Int64 + Utf8 to valid types", None),
        ] {
            let template = Template::of_text(expression);
            let found = culprit(&plain(&error(message)), &template, &columns);
            assert_eq!(found.map(|(_, range)| range.start), start, "{expression}");
        }
    }

    #[test]
    fn names_are_written_as_users_write_them() {
        let message = r#"attribute ObjectName([Identifier("a"), Identifier("b")]) is missing"#;
        assert_eq!(plain(&error(message)), "attribute `a.b` is missing");
    }
}
