//! Downloads outside of a run.

use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar};

use super::download::{Amount, Pace, bar};
use super::format::Format;
use super::json;
use super::reporter::Reporter;
use super::stderr::write_line;
use crate::record::Event;
use crate::secret::scrubbed;

/// Tells of one download after the other, outside of a run. What it shows vanishes with it.
pub(crate) struct Transfer {
    reporter: Reporter,
    moving: MultiProgress,
    shown: Option<ProgressBar>,
    pace: Pace,
}

impl Transfer {
    pub(crate) fn new(reporter: Reporter) -> Self {
        Self { reporter, moving: MultiProgress::new(), shown: None, pace: Pace::default() }
    }

    pub(crate) fn moved(&mut self, amount: &Amount<'_>) {
        if self.reporter.moving {
            self.shown.get_or_insert_with(|| bar(&self.moving, amount)).set_position(amount.bytes);
        } else if let Some(line) = self.pace.line(Instant::now(), amount) {
            match self.reporter.format {
                _ if self.reporter.is_quiet() => {}
                Format::Json => {
                    let (what, bytes, total_bytes) = (amount.what.to_owned(), amount.bytes, amount.of);
                    let event = Event::DownloadProgress { what, bytes, total_bytes };
                    write_line(&json::line(event, self.reporter.verbosity));
                }
                Format::Text | Format::Github => write_line(&scrubbed(&line)),
            }
        }
    }

    /// What is told next has nothing to do with this download.
    pub(crate) fn end(&mut self) {
        if let Some(bar) = self.shown.take() {
            bar.finish_and_clear();
        }
        self.pace = Pace::default();
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.end();
    }
}
