//! What the kinds of file have in common: where they are written, and which questions each answers.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Template;
use crate::lowering::Checking;
use crate::sink::destination::Destination;
use crate::sink::error::Error;
use crate::sink::location::Location;
use crate::sink::mode::Mode;
use crate::sink::place::OutputPlace;
use crate::sink::refusal::Refusal;
use crate::sink::site::Site;
use crate::sink::store::without_secrets;
use crate::text::Spanned;

/// A kind of file.
pub(crate) trait File: Send {
    /// Where it goes.
    fn layout(&self) -> Layout<'_>;

    /// What is wrong with the settings of this kind alone.
    fn check(&self, checking: &mut Checking<'_>);

    /// What the names of files in a folder end with, the `.` before it left out.
    fn extension(&self) -> String;

    /// Everything about these columns that it cannot hold, and columns in its settings that are none of these.
    fn refuse(&self, schema: &Schema) -> Vec<Refusal>;

    /// Columns that its settings name besides `partition_by`.
    fn columns_needed(&self) -> &[Spanned<String>] {
        &[]
    }

    /// Begins a file. So many of them, this one too, are written side by side and share what memory there is.
    fn encoder(
        &self,
        destination: Destination,
        schema: &SchemaRef,
        beside: usize,
    ) -> Result<Box<dyn Encoder>, Error>;

    /// Begins a file that goes on after what is at this location already; one that is complete when it is written does not.
    fn append(
        &self,
        location: &Location,
        _schema: &SchemaRef,
        _site: &Site<'_>,
    ) -> Result<Box<dyn Encoder>, Error> {
        Err(Error::Exists { path: location.path().to_path_buf() })
    }

    /// Why rows can not be added to a file of this kind, if they can not.
    fn refuses_more(&self) -> Option<&'static str>;
}

/// Writes the rows of one file.
pub(crate) trait Encoder: Send {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error>;

    /// Writes what comes after the last row.
    fn finish(self: Box<Self>) -> Result<Destination, Error>;
}

/// Where the rows of an output go: to a file, or to files in a folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout<'a> {
    pub(crate) path: &'a Template,
    pub(crate) mode: Mode,
    pub(crate) partition_by: &'a [Spanned<String>],
    pub(crate) max_rows_per_file: Option<&'a Spanned<u64>>,
}

impl Layout<'_> {
    pub(crate) fn is_folder(&self) -> bool {
        !self.partition_by.is_empty() || self.max_rows_per_file.is_some()
    }

    pub(crate) fn location(&self, folder: &Path) -> Location {
        Location::parse(self.path, folder)
    }

    pub(crate) fn place(&self, folder: &Path) -> OutputPlace {
        let location = self.location(folder);
        if self.is_folder() { OutputPlace::Folder(location) } else { OutputPlace::File(location) }
    }

    /// What is wrong with it, given why a single file takes no further rows.
    pub(crate) fn check(&self, refuses_more: Option<&str>, checking: &mut Checking<'_>) {
        Location::check(self.path, checking);
        if let Some(rows) = self.max_rows_per_file
            && rows.value == 0
        {
            let message = "a file has at least one row";
            checking.report(Diagnostic::new(Code::Settings, rows.span, message));
        }
        for (at, column) in self.partition_by.iter().enumerate() {
            if self.partition_by.iter().take(at).any(|other| other.value == column.value) {
                let message = format!("`{}` stands in `partition_by` twice", column.value);
                checking.report(Diagnostic::new(Code::Settings, column.span, message));
            }
        }
        let url = match self.location(Path::new("/")) {
            Location::Url(url) => Some(url),
            Location::Local(_) => None,
        };
        let text = self.path.plain();
        if !self.is_folder() && text.ends_with('/') {
            let (text, one) = match &url {
                Some(url) => (without_secrets(url), "object"),
                None => (text, "file"),
            };
            let message = format!("`{text}` names a folder, and this output is one {one}");
            checking.report(Diagnostic::new(Code::Path, self.path.span(), message).help(format!(
                "give the {one} a name, or write a folder: `max_rows_per_file`, `partition_by`"
            )));
        }
        let refuses_more = refuses_more.or(url.map(|_| "nothing can be added to an object"));
        if let Some(reason) = refuses_more.filter(|_| self.mode == Mode::Append && !self.is_folder()) {
            checking.report(
                checking.setting("mode", format!("`mode: append`: {reason}")).help(
                    "write a folder, to which files can be added: `max_rows_per_file: 1000000`, or `partition_by`",
                ),
            );
        }
    }
}
