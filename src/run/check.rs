//! Lets the engine analyse everything before anything is done: no data is read, nothing is written.
//!
//! First the plan of every action is analysed as it is; where all are right that is all. Where one is wrong, [`super::narrow`]
//! finds out what the mistakes are.

use std::collections::{HashSet, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::contract;
use super::fitting::found_unfit;
use super::narrow::{self, Ground, SIDE_BY_SIDE, analyse};
use super::together::all;
use super::upload;
use crate::connect::{Client, Error};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::{Dialect, LocalRows};
use crate::pipeline::{FoundColumn, Pipeline, StepId};
use crate::plan::{Action, Plan, Probe, Question, Work};
use crate::proto::ddl::columns_text;
use crate::proto::spark::data_type::Kind;
use crate::proto::spark::{DataType, Relation};
use crate::proto::{command, relation};
use crate::source::Source;

pub(crate) use super::narrow::{Findings, Known};

/// What the engine's analysis finds wrong; an error where the engine itself can't be asked.
pub(crate) async fn check(client: &Client, pipeline: &Pipeline, plan: &Plan) -> Result<Diagnostics, Error> {
    let mut result = everything(client, pipeline, plan).await;
    if matches!(&result, Err((_, error)) if error.is_missing_rows()) {
        upload::rows(client, plan).await?;
        result = everything(client, pipeline, plan).await;
    }
    match result {
        Ok(found) if found.has_contract() => {
            // A difference goes on into the steps behind: each is to be told where it comes from alone.
            let ground = Ground { client, pipeline, dialect: &plan.dialect };
            let narrowed = narrow::narrow(&ground, &plan.steps, &HashSet::new()).await?.found;
            Ok(if narrowed.has_errors() { narrowed } else { found })
        }
        Ok(found) => Ok(found),
        Err((at, error @ Error::TooLarge { .. })) => {
            let message = format!("the plan of `{}` is too large: {error}", pipeline.step(at).name);
            let diagnostic = Diagnostic::new(Code::Gap, pipeline.span(at), message).help(
                "put rows of `values` and `upload` into a file that the engine reads: `read`; or bring fewer",
            );
            Ok(match plan.dialect.local_rows() {
                LocalRows::Inline => {
                    diagnostic.help("Spark takes these rows apart from its plans: `--engine spark`")
                }
                LocalRows::Cached { .. } | LocalRows::Chunked { .. } => diagnostic,
            }
            .into())
        }
        Err((at, Error::Server(first))) => {
            let ground = Ground { client, pipeline, dialect: &plan.dialect };
            let found = narrow::narrow(&ground, &plan.steps, &HashSet::new()).await?.found;
            if found.has_errors() {
                return Ok(found);
            }
            // Each step is right by itself and the whole is not: the engine's own words are all there is.
            let message = format!("the engine refuses the plan of `{}`: {first}", pipeline.step(at).name);
            Ok(narrow::refused(&first, pipeline.span(at), message).into())
        }
        Err((_, error)) => Err(error),
    }
}

/// Analyses these steps one by one: what is wrong with them, and their columns. Of those in `unknown` nothing can be known.
pub(crate) async fn search(
    client: &Client,
    pipeline: &Pipeline,
    dialect: &Dialect,
    steps: &[StepId],
    unknown: &HashSet<StepId>,
) -> Result<Findings, Error> {
    narrow::narrow(&Ground { client, pipeline, dialect }, steps, unknown).await
}

/// The columns of a step's source as the engine finds them, whatever its contract says, or what is wrong with it or with the steps that
/// it needs: `before` are these, each after all that it needs.
pub(crate) async fn source_columns(
    client: &Client,
    pipeline: &Pipeline,
    dialect: &Dialect,
    (before, id): (&[StepId], StepId),
) -> Result<Result<Vec<FoundColumn>, Diagnostics>, Error> {
    let schema = narrow::source(&Ground { client, pipeline, dialect }, before, id).await?;
    // What a catalog declares is a promise; of queries and files engines say what follows from how they read them.
    let is_declared = matches!(pipeline.step(id).source.value, Source::Table(_));
    Ok(schema.map(|schema| {
        let mut columns = contract::found_columns(&schema);
        for column in &mut columns {
            column.nullable |= !is_declared;
        }
        columns
    }))
}

/// Analyses every action and answers every probe, side by side as far as they do not need each other; the first failure ends it, with
/// its step.
async fn everything(
    client: &Client,
    pipeline: &Pipeline,
    plan: &Plan,
) -> Result<Diagnostics, (StepId, Error)> {
    let mut waits_for: Vec<usize> = plan.actions.iter().map(|action| action.needs.len()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); plan.actions.len()];
    for action in &plan.actions {
        action.needs.iter().for_each(|needed| needed_by[needed.0].push(action.id.0));
    }
    let mut ready: VecDeque<usize> =
        (0..plan.actions.len()).filter(|action| waits_for[*action] == 0).collect();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(at) = ready.pop_front()
        {
            let action = &plan.actions[at];
            running.push(async move { (action, prepare(client, plan, action).await) });
        }
        let Some((action, result)) = running.next().await else { break };
        result.map_err(|error| (action.step, error))?;
        for next in &needed_by[action.id.0] {
            waits_for[*next] -= 1;
            if waits_for[*next] == 0 {
                ready.push_back(*next);
            }
        }
    }
    let questions = plan
        .probes
        .iter()
        .filter_map(|probe| {
            let relation = match &probe.question {
                Question::FirstLine { .. } => {
                    contract::of_one_file(pipeline.step(probe.step), &probe.relation)?
                }
                Question::Has(_)
                | Question::Fit(_)
                | Question::Named(_)
                | Question::Distinct(_)
                | Question::Any(_)
                | Question::Kept
                | Question::Nothing => probe.relation.clone(),
            };
            Some((probe, relation))
        })
        .map(|(probe, relation)| async move { (probe, client.analyze_schema(relation.into()).await) });
    let mut found = Diagnostics::default();
    for (probe, schema) in all(questions, SIDE_BY_SIDE).await {
        let schema = schema.map_err(|error| (probe.step, error))?;
        answer(probe, &schema, (pipeline, &plan.dialect), &mut found);
    }
    Ok(found)
}

/// Analyses an action, so that those that need it can be analysed.
async fn prepare(client: &Client, plan: &Plan, action: &Action) -> Result<(), Error> {
    let relation = action.relation.clone();
    match &action.work {
        Work::View { name } => create_view(client, relation, name).await,
        Work::Store { name } => {
            // Whoever reads it is analysed against its columns, so that the analysis of a deep plan stays shallow.
            let schema = analyse(client, &plan.dialect, relation).await?.map_err(Error::Server)?;
            create_view(client, relation::empty(columns_text(&schema)), name).await
        }
        Work::Expect { .. } | Work::Write { .. } | Work::Show { .. } => {
            analyse(client, &plan.dialect, relation).await?.map_err(Error::Server).map(drop)
        }
    }
}

/// Gives a relation a name in this session.
pub(super) async fn create_view(client: &Client, relation: Relation, name: &str) -> Result<(), Error> {
    let operation = crate::connect::OperationId::new();
    let mut stream = client.execute(command::create_view(relation, name.to_owned()).into(), &[], operation);
    while stream.next().await?.is_some() {}
    Ok(())
}

fn answer(
    probe: &Probe,
    schema: &DataType,
    (pipeline, dialect): (&Pipeline, &Dialect),
    found: &mut Diagnostics,
) {
    let step = pipeline.step(probe.step);
    let columns = &column_names(schema);
    match &probe.question {
        Question::Has(needed) => {
            for (column, span) in needed {
                found_missing(column, *span, columns, found);
            }
        }
        Question::Fit(values) => {
            for value in values {
                found_unfit(value, schema, found);
            }
        }
        Question::Named(named) => {
            for (column, span) in named {
                found_misspelt(column, *span, columns, found);
            }
        }
        Question::Distinct(span) => {
            found_repeated(*span, step.name.value.as_str(), columns, found);
        }
        Question::Any(span) if columns.is_empty() => {
            let message = format!("the source of `{}` has no columns: is there any data?", step.name);
            found.push(Diagnostic::new(Code::NoInput, *span, message));
        }
        // What has no columns at all is told of by another question.
        Question::Kept if !columns.is_empty() => found.extend(contract::differences(step, schema)),
        Question::FirstLine { is_header } => {
            found.extend(contract::first_line(step, schema, *is_header, dialect));
        }
        Question::Any(_) | Question::Kept | Question::Nothing => {}
    }
}

/// Reports a column that an output names and that is not there, spelled so.
pub(super) fn found_misspelt(
    column: &str,
    span: crate::text::Span,
    columns: &[String],
    found: &mut Diagnostics,
) -> bool {
    let is_missing = !columns.iter().any(|known| known == column);
    if is_missing {
        found.push(missing(column, span, columns));
    }
    is_missing
}

fn missing(column: &str, span: crate::text::Span, columns: &[String]) -> Diagnostic {
    Diagnostic::new(Code::UnknownColumn, span, format!("there is no column `{column}`"))
        .suggest(column, columns.iter().map(String::as_str))
}

/// Reports a column that is needed and not there.
pub(super) fn found_missing(
    column: &str,
    span: crate::text::Span,
    columns: &[String],
    found: &mut Diagnostics,
) -> bool {
    if columns.iter().any(|known| known.eq_ignore_ascii_case(column)) {
        return false;
    }
    found.push(missing(column, span, columns));
    true
}

/// Reports columns that have one name.
pub(super) fn found_repeated(
    span: crate::text::Span,
    step: &str,
    columns: &[String],
    found: &mut Diagnostics,
) -> bool {
    let mut seen = HashSet::new();
    let mut repeated: Vec<&str> =
        columns.iter().filter(|name| !seen.insert(name.to_lowercase())).map(String::as_str).collect();
    repeated.dedup();
    if repeated.is_empty() {
        return false;
    }
    let names: Vec<String> = repeated.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("`{step}` would have several columns of the name {}", names.join(", "));
    found.push(
        Diagnostic::new(Code::DuplicateColumn, span, message)
            .help("`rename` one of them before; what both sides of a join have, `using: [column]` has once"),
    );
    true
}

/// The names of a schema's columns.
pub(super) fn column_names(schema: &DataType) -> Vec<String> {
    match &schema.kind {
        Some(Kind::Struct(fields)) => fields.fields.iter().map(|field| field.name.clone()).collect(),
        _ => Vec::new(),
    }
}
