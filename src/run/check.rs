//! Lets the engine analyse everything before anything is done: no data is read, nothing is written.
//!
//! First the plan of every action is analysed as it is; where all are right that is all. Where one is wrong, [`super::narrow`]
//! finds out what the mistakes are.

use crate::connect::{Client, Error};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::LocalRows;
use crate::pipeline::{Pipeline, StepId};
use crate::plan::{Plan, Probe, Question, Work};
use crate::proto::ddl::columns_text;
use crate::proto::spark::data_type::Kind;
use crate::proto::spark::{DataType, Relation};
use crate::proto::{command, relation};

use super::{narrow, upload};

/// What the engine's analysis finds wrong; an error where the engine itself can't be asked.
pub(crate) async fn check(client: &Client, pipeline: &Pipeline, plan: &Plan) -> Result<Diagnostics, Error> {
    let mut at = StepId(0);
    let mut result = everything(client, pipeline, plan, &mut at).await;
    if matches!(&result, Err(error) if error.is_missing_rows()) {
        upload::rows(client, plan).await?;
        result = everything(client, pipeline, plan, &mut at).await;
    }
    match result {
        Ok(found) => Ok(found),
        Err(error @ Error::TooLarge { .. }) => {
            let message = format!("the plan of `{}` is too large: {error}", pipeline.step(at).name);
            let diagnostic = Diagnostic::new(Code::Gap, pipeline.span(at), message)
                .help("put rows of `values` into a file that the engine reads: `read`; or write fewer");
            Ok(match plan.dialect.local_rows() {
                LocalRows::Inline => {
                    diagnostic.help("Spark takes the rows of `values` apart from its plans: `--engine spark`")
                }
                LocalRows::Cached { .. } | LocalRows::Chunked { .. } => diagnostic,
            }
            .into())
        }
        Err(Error::Server(first)) => {
            let found = narrow::narrow(client, pipeline, plan).await?;
            if found.has_errors() {
                return Ok(found);
            }
            // Each step is right by itself and the whole is not: the engine's own words are all there is.
            let span = plan.actions.last().map(|action| pipeline.span(action.step)).unwrap_or_default();
            Ok(Diagnostic::new(Code::Analysis, span, format!("the engine refuses the plan: {first}")).into())
        }
        Err(error) => Err(error),
    }
}

/// Analyses every action and answers every probe; the first failure ends it, and leaves its step in `at`.
async fn everything(
    client: &Client,
    pipeline: &Pipeline,
    plan: &Plan,
    at: &mut StepId,
) -> Result<Diagnostics, Error> {
    for action in &plan.actions {
        *at = action.step;
        let relation = action.relation.clone();
        match &action.work {
            Work::View { name } => create_view(client, relation, name).await?,
            Work::Store { name } => {
                // Whoever reads it is analysed against its columns, so that the analysis of a deep plan stays shallow.
                let schema = client.analyze_schema(relation.into()).await?;
                create_view(client, relation::empty(columns_text(&schema)), name).await?;
            }
            Work::Expect { .. } | Work::Write { .. } => {
                client.analyze_schema(relation.into()).await?;
            }
        }
    }
    let mut found = Diagnostics::default();
    for probe in &plan.probes {
        *at = probe.step;
        let schema = client.analyze_schema(probe.relation.clone().into()).await?;
        answer(probe, &column_names(&schema), pipeline, &mut found);
    }
    Ok(found)
}

/// Gives a relation a name in this session.
pub(super) async fn create_view(client: &Client, relation: Relation, name: &str) -> Result<(), Error> {
    let operation = crate::connect::OperationId::new();
    let mut stream = client.execute(command::create_view(relation, name.to_owned()).into(), &[], operation);
    while stream.next().await?.is_some() {}
    Ok(())
}

fn answer(probe: &Probe, columns: &[String], pipeline: &Pipeline, found: &mut Diagnostics) {
    let step = pipeline.step(probe.step);
    match &probe.question {
        Question::Has(needed) => {
            for (column, span) in needed {
                found_missing(column, *span, columns, found);
            }
        }
        Question::Distinct(span) => {
            found_repeated(*span, step.name.value.as_str(), columns, found);
        }
        Question::Any(span) if columns.is_empty() => {
            let message = format!("the source of `{}` has no columns: is there any data?", step.name);
            found.push(Diagnostic::new(Code::NoInput, *span, message));
        }
        Question::Any(_) => {}
    }
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
    let message = format!("there is no column `{column}`");
    found.push(
        Diagnostic::new(Code::UnknownColumn, span, message)
            .suggest(column, columns.iter().map(String::as_str)),
    );
    true
}

/// Reports columns that have one name.
pub(super) fn found_repeated(
    span: crate::text::Span,
    step: &str,
    columns: &[String],
    found: &mut Diagnostics,
) -> bool {
    let mut seen = std::collections::HashSet::new();
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
            .help("join with `using: [column]` to have it once, or `rename` or `select` on one side before"),
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
