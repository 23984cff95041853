//! Lets the engine analyse everything before anything is done: no data is read, nothing is written.
//!
//! First the plan of every action is analysed as it is; where all are right that is all. Where one is wrong, [`super::localize`]
//! finds out what the mistakes are.

use std::collections::{HashSet, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::columns::{Columns, column_names, found_missing, found_misspelt, found_repeated};
use super::concurrent::all;
use super::context::{CONCURRENT, Context};
use super::contract;
use super::localize::{self, Findings};
use super::values::found_unfit;
use crate::backend::upload;
use crate::connect::{Client, Error};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::LocalRows;
use crate::pipeline::{FoundColumn, Pipeline, StepId};
use crate::plan::{Action, Plan, Probe, Question, Work};
use crate::proto::ddl::columns_text;
use crate::proto::relation;
use crate::proto::spark::DataType;
use crate::source::Source;

/// What the engine's analysis finds wrong; an error where the engine itself can't be asked.
pub(crate) async fn check(client: &Client, pipeline: &Pipeline, plan: &Plan) -> Result<Diagnostics, Error> {
    let context = Context { client, pipeline, dialect: &plan.dialect };
    let mut result = everything(&context, plan).await;
    if matches!(&result, Err((_, error)) if error.is_missing_rows()) {
        upload::rows(client, plan).await?;
        result = everything(&context, plan).await;
    }
    match result {
        Ok(found) if found.has_contract() => {
            // A difference goes on into the steps behind: each is to be told where it comes from alone.
            let narrowed = localize::localize(&context, &plan.steps, &HashSet::new()).await?.found;
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
            let found = localize::localize(&context, &plan.steps, &HashSet::new()).await?.found;
            if found.has_errors() {
                return Ok(found);
            }
            // Each step is right by itself and the whole is not: the engine's own words are all there is.
            let message = format!("the engine refuses the plan of `{}`: {first}", pipeline.step(at).name);
            Ok(localize::refused(&first, pipeline.span(at), message).into())
        }
        Err((_, error)) => Err(error),
    }
}

/// Analyses these steps one by one: what is wrong with them, and their columns. Of those in `unknown` nothing can be known.
pub(crate) async fn search(
    context: &Context<'_>,
    steps: &[StepId],
    unknown: &HashSet<StepId>,
) -> Result<Findings, Error> {
    localize::localize(context, steps, unknown).await
}

/// The columns of a step's source as the engine finds them, whatever its contract says, or what is wrong with it or with the steps that
/// it needs: `before` are these, each after all that it needs.
pub(crate) async fn source_columns(
    context: &Context<'_>,
    before: &[StepId],
    id: StepId,
) -> Result<Result<Vec<FoundColumn>, Diagnostics>, Error> {
    let schema = localize::source(context, before, id).await?;
    // What a catalog declares is a promise; of queries and files engines say what follows from how they read them.
    let is_declared = matches!(context.pipeline.step(id).source.value, Source::Table(_));
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
async fn everything(context: &Context<'_>, plan: &Plan) -> Result<Diagnostics, (StepId, Error)> {
    let mut waits_for: Vec<usize> = plan.actions.iter().map(|action| action.needs.len()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); plan.actions.len()];
    for action in &plan.actions {
        action.needs.iter().for_each(|needed| needed_by[needed.0].push(action.id.0));
    }
    let mut ready: VecDeque<usize> =
        (0..plan.actions.len()).filter(|action| waits_for[*action] == 0).collect();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < CONCURRENT
            && let Some(at) = ready.pop_front()
        {
            let action = &plan.actions[at];
            running.push(async move { (action, prepare(context, action).await) });
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
                    contract::of_one_file(context.pipeline.step(probe.step), &probe.relation)?
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
        .map(
            |(probe, relation)| async move { (probe, context.client.analyze_schema(relation.into()).await) },
        );
    let mut found = Diagnostics::default();
    for (probe, schema) in all(questions, CONCURRENT).await {
        let schema = schema.map_err(|error| (probe.step, error))?;
        answer(probe, &schema, context, &mut found);
    }
    Ok(found)
}

/// Analyses an action, so that those that need it can be analysed.
async fn prepare(context: &Context<'_>, action: &Action) -> Result<(), Error> {
    let relation = action.relation.clone();
    match &action.work {
        Work::View { name } => context.create_view(relation, name).await,
        Work::Store { name } => {
            // Whoever reads it is analysed against its columns, so that the analysis of a deep plan stays shallow.
            let schema = context.analyse(relation).await?.map_err(Error::Server)?;
            context.create_view(relation::empty(columns_text(&schema)), name).await
        }
        Work::Expect { .. } | Work::Write { .. } | Work::Show { .. } => {
            context.analyse(relation).await?.map_err(Error::Server).map(drop)
        }
    }
}

fn answer(probe: &Probe, schema: &DataType, context: &Context<'_>, found: &mut Diagnostics) {
    let step = context.pipeline.step(probe.step);
    let columns = &column_names(schema);
    match &probe.question {
        Question::Has(needed) => {
            for (column, span) in needed {
                found_missing(column, *span, Columns { step: None, names: columns }, found);
            }
        }
        Question::Fit(values) => {
            for value in values {
                found_unfit(value, schema, found);
            }
        }
        Question::Named(named) => {
            for (column, span) in named {
                let columns = Columns { step: Some(step.name.value.as_str()), names: columns };
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
            found.extend(contract::first_line(step, schema, *is_header, context.dialect));
        }
        Question::Any(_) | Question::Kept | Question::Nothing => {}
    }
}
