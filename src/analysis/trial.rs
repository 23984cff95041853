//! Tries out the rows that stand in the file: which of them are no values of their column's type is known only when an engine reads them.

use std::cell::RefCell;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, RecordBatch};
use arrow_cast::cast::cast;
use arrow_schema::DataType;

use super::concurrent::all;
use super::localize::refused;
use crate::backend::upload;
use crate::connect::{Client, Error, Event, OperationId};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::Dialect;
use crate::local::Blob;
use crate::lowering::{Branches, Lowering, Masks, Root};
use crate::pipeline::{Pipeline, StepId};
use crate::proto::spark::Relation;
use crate::source::{Source, Values};

/// Trials that are made concurrently.
const CONCURRENT: usize = 4;

/// What is wrong with the rows of these steps.
pub(crate) async fn rows(
    client: &Client,
    pipeline: &Pipeline,
    dialect: &Dialect,
    steps: &[StepId],
) -> Result<Diagnostics, Error> {
    let values = steps.iter().filter_map(|id| match &pipeline.step(*id).source.value {
        Source::Values(values) => Some(values),
        _ => None,
    });
    let trials = values.map(|values| one(client, pipeline, dialect, values));
    let mut found = Diagnostics::default();
    for result in all(trials, CONCURRENT).await {
        found.append(result?);
    }
    Ok(found)
}

async fn one(
    client: &Client,
    pipeline: &Pipeline,
    dialect: &Dialect,
    values: &Values,
) -> Result<Diagnostics, Error> {
    // A text is a text, whatever it holds.
    let is_tried = |data_type: &str| !data_type.trim().eq_ignore_ascii_case("string");
    let types = values.types();
    let tried: Vec<usize> = (0..types.len()).filter(|at| is_tried(&types[*at].value)).collect();
    if tried.is_empty() || values.is_empty() {
        return Ok(Diagnostics::default());
    }
    if let Ok(found) = trial(client, pipeline, dialect, values, &tried).await? {
        return Ok(found);
    }
    // One of the types is none that the engine reads texts as: the columns are tried by themselves.
    let mut found = Diagnostics::default();
    for column in tried {
        match trial(client, pipeline, dialect, values, &[column]).await? {
            Ok(wrong) => found.append(wrong),
            Err(error) => {
                let data_type = types[column];
                let message = format!("values of the type `{}` are refused: {error}", data_type.value);
                found.push(refused(&error, data_type.span, message));
            }
        }
    }
    Ok(found)
}

type Tried = Result<Diagnostics, Box<crate::connect::ServerError>>;

async fn trial(
    client: &Client,
    pipeline: &Pipeline,
    dialect: &Dialect,
    values: &Values,
    columns: &[usize],
) -> Result<Tried, Error> {
    let nothing = |_: &str| Relation::default();
    let blobs: RefCell<Vec<Blob>> = RefCell::default();
    let relation = values.trial(
        columns,
        &Lowering {
            dialect,
            bindings: &pipeline.bindings,
            // Values have no paths.
            root: &Root::None,
            masks: &Masks::default(),
            input: &nothing,
            views: &[],
            left: "",
            blobs: &blobs,
            branches: &Branches::default(),
            order: &[],
            is_limited: false,
        },
    );
    upload::blobs(client, &blobs.into_inner()).await?;
    let mut found = Diagnostics::default();
    let mut stream = client.execute(relation.into(), &[], OperationId::new());
    loop {
        match stream.next().await {
            Ok(Some(Event::Batch(batch))) => wrong(values, columns, &batch, &mut found),
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Ok(found)),
            Err(Error::Server(error)) => return Ok(Err(error)),
            Err(error) => return Err(error),
        }
    }
}

/// Reports the values of a batch.
fn wrong(values: &Values, columns: &[usize], batch: &RecordBatch, found: &mut Diagnostics) {
    let Some((numbers, flags)) = batch.columns().split_first() else { return };
    let Ok(numbers) = cast(numbers, &DataType::Utf8) else { return };
    for (column, flags) in columns.iter().zip(flags) {
        let Some(flags) = flags.as_boolean_opt() else { continue };
        for row in (0..batch.num_rows()).filter(|row| flags.is_valid(*row) && flags.value(*row)) {
            let number = numbers.as_string::<i32>().value(row).parse().unwrap_or(usize::MAX);
            if let Some((value, data_type)) = values.value(number, *column) {
                let message = format!("`{}` is no value of the type `{data_type}`", value.value.shown());
                found.push(Diagnostic::new(Code::Analysis, value.span, message));
            }
        }
    }
}
