//! Owns the kinds of source: how a step begins.

mod call;
mod extension;
mod from;
mod kind;
mod options;
mod range;
mod read;
mod sql;
mod table;
mod upload;
mod values;

use crate::expr::Template;
use crate::shape::kinds;

pub(crate) use extension::Extension;
pub(crate) use kind::{Setting, SourceKind, Wanted};
pub(crate) use sql::Sql;
pub(crate) use upload::Upload;
pub(crate) use values::Values;

kinds! {
    /// How a step begins.
    Source of SourceKind:
    "from" => From(from::From),
    "read" => Read(read::Read),
    "table" => Table(table::Table),
    "values" => Values(Values),
    "range" => Range(range::Range),
    "sql" => Sql(Sql),
    "upload" => Upload(Upload),
    "call" => Call(call::Call),
    "extension" => Extension(Extension),
}

impl Source {
    /// The step that qualifies the columns: the one it comes from.
    pub(crate) fn origin(&self) -> Option<&str> {
        match self {
            Self::From(from) => Some(from.step()),
            _ => None,
        }
    }

    /// The query, where it is one.
    pub(crate) fn query(&self) -> Option<&Template> {
        match self {
            Self::Sql(sql) => sql.query(),
            _ => None,
        }
    }

    /// Whether executing it may change data at the engine: it is no query, or pipectl can't know what it does.
    pub(crate) fn may_change_data(&self) -> bool {
        match self {
            Self::Sql(sql) => sql.may_change_data(),
            Self::Extension(_) => true,
            _ => false,
        }
    }

    /// The files where pipectl runs, where it is such.
    pub(crate) fn as_upload(&self) -> Option<&Upload> {
        match self {
            Self::Upload(upload) => Some(upload),
            _ => None,
        }
    }

    /// The same, to say where relative paths start.
    pub(crate) fn as_upload_mut(&mut self) -> Option<&mut Upload> {
        match self {
            Self::Upload(upload) => Some(upload),
            _ => None,
        }
    }

    /// The message, where it is one that may stand in a file of its own.
    pub(crate) fn as_extension_mut(&mut self) -> Option<&mut Extension> {
        match self {
            Self::Extension(extension) => Some(extension),
            _ => None,
        }
    }

    /// The query, where it is one that may stand in a file of its own.
    pub(crate) fn as_sql_mut(&mut self) -> Option<&mut Sql> {
        match self {
            Self::Sql(sql) => Some(sql),
            _ => None,
        }
    }
}
