//! The columns of what is looked at, as rows to be printed: analysis alone, no data is read.

use std::io;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray};

use crate::connect::{Client, Error};
use crate::plan::Plan;
use crate::proto::ddl::type_text;
use crate::proto::spark::DataType;
use crate::proto::spark::data_type::{Kind, StructField};
use crate::sink::{self, Format, Stdout};

/// Name, type and whether NULL may be a value, a row for each column.
#[derive(Debug)]
pub(crate) struct Columns(RecordBatch);

impl Columns {
    /// Prints them as `format` says, whatever its limit for rows is.
    pub(crate) fn print(&self, format: Format) -> Result<(), sink::Error> {
        Stdout::new(format, Some(u64::MAX)).print(Box::new(io::stdout()), &self.0)
    }
}

/// The columns of what a plan shows, which was analysed in this session.
pub(crate) async fn columns(client: &Client, plan: &Plan) -> Result<Columns, Error> {
    let relation = plan.shown().map(|action| action.relation.clone()).unwrap_or_default();
    let fields = match client.analyze_schema(relation.into()).await? {
        DataType { kind: Some(Kind::Struct(fields)) } => fields.fields,
        DataType { .. } => return Err(Error::Protocol("a schema that has no columns".to_owned())),
    };
    let names = fields.iter().map(|field| field.name.as_str());
    let types = fields.iter().map(type_of);
    let nullable: BooleanArray = fields.iter().map(|field| Some(field.nullable)).collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("column", Arc::new(StringArray::from_iter_values(names))),
        ("type", Arc::new(StringArray::from_iter_values(types))),
        ("nullable", Arc::new(nullable)),
    ];
    RecordBatch::try_from_iter(columns).map(Columns).map_err(|error| Error::Protocol(error.to_string()))
}

fn type_of(field: &StructField) -> String {
    field.data_type.as_ref().map(type_text).unwrap_or_default()
}
