//! What a run leaves behind.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use insta::internals::SettingsBindDropGuard;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tempfile::TempDir;

/// What it left behind.
pub(crate) struct Outcome {
    pub(super) folder: TempDir,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// How it ended; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(super) _redacted: SettingsBindDropGuard,
}

impl Outcome {
    /// A path in the folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The record of the only run.
    pub(crate) fn record(&self) -> Value {
        let runs: Vec<_> = fs::read_dir(self.path("state/runs")).unwrap().map(Result::unwrap).collect();
        assert_eq!(runs.len(), 1, "one run has one record");
        serde_json::from_slice(&fs::read(runs[0].path().join("run_results.json")).unwrap()).unwrap()
    }

    /// What there is in the folder besides the pipeline and the record.
    pub(crate) fn files(&self) -> Vec<String> {
        let own = |path: &String| {
            !["p.yaml", "pipectl.yaml"].contains(&path.as_str()) && !path.starts_with("state/")
        };
        files(self.folder.path()).into_iter().filter(own).collect()
    }

    /// A Parquet file as CSV.
    pub(crate) fn parquet(&self, path: &str) -> String {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(self.path(path)).unwrap()).unwrap();
        let schema = SchemaRef::clone(reader.schema());
        let mut text = Vec::new();
        let mut writer = arrow_csv::Writer::new(&mut text);
        writer.write(&arrow_array::RecordBatch::new_empty(schema)).unwrap();
        for batch in reader.build().unwrap() {
            writer.write(&batch.unwrap()).unwrap();
        }
        drop(writer);
        String::from_utf8(text).unwrap()
    }
}

/// The files below a folder, by their paths in it.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
