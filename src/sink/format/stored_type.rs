//! The types under which columns are stored: those that readers of a format know, for those that they do not.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, RecordBatch, make_array};
use arrow_cast::cast::cast;
use arrow_schema::ArrowError;
use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};

use super::zone;

/// For whom columns are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Readers of Parquet, which has fewer types.
    Parquet,
    /// Readers of Arrow, who know every type; but not every name of a time zone.
    Arrow,
}

/// The schema under which columns are stored.
pub(crate) fn schema(schema: &Schema, form: Form) -> Schema {
    let fields = schema.fields().iter().map(|field| stored_field(field, form)).collect::<Fields>();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

fn stored_field(field: &FieldRef, form: Form) -> FieldRef {
    let stored = stored_type(field, form);
    if stored == *field.data_type() {
        return FieldRef::clone(field);
    }
    Arc::new(field.as_ref().clone().with_data_type(stored))
}

fn stored_type(field: &Field, form: Form) -> DataType {
    let inner = |field: &FieldRef| stored_field(field, form);
    match field.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) if form == Form::Parquet => DataType::Int32,
        DataType::Time64(TimeUnit::Nanosecond) if form == Form::Parquet && has_micros(field) => {
            DataType::Time64(TimeUnit::Microsecond)
        }
        DataType::Timestamp(unit, Some(name)) => DataType::Timestamp(*unit, Some(zone::known(name).into())),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(element) => DataType::List(inner(element)),
        DataType::LargeList(element) => DataType::LargeList(inner(element)),
        DataType::FixedSizeList(element, length) => DataType::FixedSizeList(inner(element), *length),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => other.clone(),
    }
}

/// Whether Spark says that a TIME has nothing below microseconds.
fn has_micros(field: &Field) -> bool {
    field
        .metadata()
        .get("SPARK::time::precision")
        .and_then(|it| it.parse::<u8>().ok())
        .is_some_and(|digits| digits <= 6)
}

/// A batch under such a schema.
pub(crate) fn batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| stored(column, field));
    RecordBatch::try_new(SchemaRef::clone(schema), columns.collect::<Result<_, _>>()?)
}

/// A column as it is stored; one that is stored as it came is passed on.
fn stored(column: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == field.data_type() {
        return Ok(ArrayRef::clone(column));
    }
    let data = column.to_data();
    match field.data_type() {
        // The same bits under another name.
        same @ (DataType::Int32 | DataType::Timestamp(_, _)) => {
            Ok(make_array(data.into_builder().data_type(same.clone()).build()?))
        }
        DataType::Time64(_) => cast(column, field.data_type()),
        nested => {
            let children = data
                .child_data()
                .iter()
                .zip(children(nested))
                .map(|(child, field)| Ok(stored(&make_array(child.clone()), field)?.to_data()));
            let children = children.collect::<Result<_, ArrowError>>()?;
            let data = data.into_builder().data_type(nested.clone()).child_data(children);
            Ok(make_array(data.build()?))
        }
    }
}

fn children(data_type: &DataType) -> Vec<&Field> {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(AsRef::as_ref).collect(),
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::FixedSizeList(child, _)
        | DataType::Map(child, _) => vec![child],
        _ => Vec::new(),
    }
}
