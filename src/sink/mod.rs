//! The kinds of output where pipectl runs (`write`): settings, and writers of record batches.
//!
//! A sink blocks, so it is driven from a thread of its own. It is told where relative paths start and which
//! handle is stdout; it reads no environment, prints nothing and does not know which step it serves. Its
//! output becomes visible at [`Finished::commit`] alone (but for stdout, where rows are gone once written); a
//! writer that is dropped leaves nothing.
//!
//! What an output cannot hold is found before the first byte. A [`format`](mod@format) writes into a [`destination`] and does not know
//! which it is: behind it [`local`] publishes a file or a folder at once, [`store`] objects. [`dataset`] writes several
//! files into one folder. A lock keeps two runs off one output.

mod dataset;
mod destination;
mod error;
mod file_writer;
mod finished;
mod folder;
mod format;
mod local;
mod location;
mod mode;
mod part_name;
mod place;
mod refusal;
mod settings;
mod site;
mod stdout;
mod store;
#[cfg(test)]
mod test_batches;
mod writer;

use std::io;
use std::path::Path;

use arrow_schema::{Schema, SchemaRef};

use self::dataset::folder_writer::{self, FolderWriter};
use self::file_writer::FileWriter;
use self::format::file::File;
use self::location::Location;
use crate::text::Spanned;

pub(crate) use self::error::Error;
pub(crate) use self::finished::{Finished, Note, Written};
pub(crate) use self::format::arrow::Arrow;
pub(crate) use self::format::csv::Csv;
pub(crate) use self::format::ndjson::Ndjson;
pub(crate) use self::format::parquet::Parquet;
pub(crate) use self::format::table::Table;
pub(crate) use self::local::lock::OutputLock;
pub(crate) use self::place::OutputPlace;
pub(crate) use self::refusal::Refusal;
pub(crate) use self::site::Site;
pub(crate) use self::stdout::{Format, Stdout};
pub(crate) use self::store::{InStore, StoreSettings, Stores};
pub(crate) use self::writer::{Flow, Writer};

/// An output where pipectl runs: the step's rows are streamed to it.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    Parquet(Parquet),
    Csv(Csv),
    Ndjson(Ndjson),
    Arrow(Arrow),
    /// The rows as text, on standard output.
    Stdout(Stdout),
}

impl Sink {
    /// What all kinds of file have in common; nothing for stdout.
    fn file(&self) -> Option<&dyn File> {
        match self {
            Self::Parquet(parquet) => Some(parquet),
            Self::Csv(csv) => Some(csv),
            Self::Ndjson(ndjson) => Some(ndjson),
            Self::Arrow(arrow) => Some(arrow),
            Self::Stdout(_) => None,
        }
    }

    /// Where the rows go; relative paths start at `folder`.
    pub(crate) fn place(&self, folder: &Path) -> OutputPlace {
        self.file().map_or(OutputPlace::Stdout, |file| file.layout().place(folder))
    }

    /// The output, where it is in an object store.
    pub(crate) fn in_store(&self, folder: &Path) -> Option<InStore> {
        let layout = self.file()?.layout();
        match layout.location(folder) {
            Location::Url(url) => Some(InStore { url, mode: layout.mode, is_folder: layout.is_folder() }),
            Location::Local(_) => None,
        }
    }

    /// How many rows of the result are read at most, if that is known beforehand: enough to say that there
    /// are more.
    pub(crate) fn rows_wanted(&self) -> Option<u64> {
        match self {
            Self::Stdout(stdout) => stdout.rows_wanted(),
            Self::Parquet(_) | Self::Csv(_) | Self::Ndjson(_) | Self::Arrow(_) => None,
        }
    }

    /// Whether it prints what means nothing to people.
    pub(crate) fn prints_binary(&self) -> bool {
        matches!(self, Self::Stdout(stdout) if stdout.is_binary())
    }

    /// Columns that its settings name, as they are spelled.
    pub(crate) fn columns_needed(&self) -> Vec<&Spanned<String>> {
        let Some(file) = self.file() else { return Vec::new() };
        file.layout().partition_by.iter().chain(file.columns_needed()).collect()
    }

    /// Everything about a result of these columns that this output cannot hold.
    pub(crate) fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
        match self {
            Self::Stdout(stdout) => stdout.refuse(schema),
            Self::Parquet(file) => folder_writer::refuse(file, schema),
            Self::Csv(file) => folder_writer::refuse(file, schema),
            Self::Ndjson(file) => folder_writer::refuse(file, schema),
            Self::Arrow(file) => folder_writer::refuse(file, schema),
        }
    }

    /// Begins the output; `stdout` is used by a sink that writes there.
    pub(crate) fn open(
        &self,
        site: &Site<'_>,
        stdout: Box<dyn io::Write + Send>,
        schema: &SchemaRef,
    ) -> Result<Box<dyn Writer>, Error> {
        let refusals = self.refuse(schema);
        if !refusals.is_empty() {
            return Err(Error::Refused(refusals));
        }
        match self {
            Self::Stdout(settings) => settings.open(stdout, schema),
            Self::Parquet(file) => open_file(file.clone(), site, schema),
            Self::Csv(file) => open_file(file.clone(), site, schema),
            Self::Ndjson(file) => open_file(file.clone(), site, schema),
            Self::Arrow(file) => open_file(file.clone(), site, schema),
        }
    }
}

fn open_file(
    file: impl File + 'static,
    site: &Site<'_>,
    schema: &SchemaRef,
) -> Result<Box<dyn Writer>, Error> {
    if file.layout().is_folder() {
        return Ok(Box::new(FolderWriter::open(Box::new(file), site, schema)?));
    }
    Ok(Box::new(FileWriter::open(&file, site, schema)?))
}
