//! Writes the rows of one output to one file.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::destination::Destination;
use super::error::Error;
use super::finished::Finished;
use super::format::file::{Encoder, File};
use super::mode::Mode;
use super::place::OutputPlace;
use super::site::Site;
use super::writer::{Flow, Writer};

/// Writes one file.
pub(super) struct FileWriter {
    encoder: Box<dyn Encoder>,
    place: OutputPlace,
    rows: u64,
}

impl FileWriter {
    /// Begins the file.
    pub(super) fn open(file: &dyn File, site: &Site<'_>, schema: &SchemaRef) -> Result<Self, Error> {
        let layout = file.layout();
        let location = layout.location(site.folder);
        let encoder = match layout.mode {
            Mode::Append => file.append(&location, schema, site)?,
            mode @ (Mode::Overwrite | Mode::Error) => {
                file.encoder(Destination::create(&location, mode, site)?, schema, 1)?
            }
        };
        Ok(Self { encoder, place: OutputPlace::File(location), rows: 0 })
    }
}

impl Writer for FileWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<Flow, Error> {
        self.encoder.write(batch)?;
        self.rows += batch.num_rows() as u64;
        Ok(Flow::More)
    }

    fn finish(self: Box<Self>) -> Result<Finished, Error> {
        Finished::file(self.encoder.finish()?, self.place, self.rows)
    }
}
