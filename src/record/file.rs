//! `run_results.json`: written whole or not at all, and read back with a check of its version.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::RunResults;
use super::results::VERSION;
use crate::atomic::{self, Existing, Readers};

/// The file's name in the folder of its run.
const NAME: &str = "run_results.json";

/// Writes the record into the run's folder below `state`, which only its owner can read; returns its path.
pub(crate) fn save(results: &RunResults, state: &Path) -> io::Result<PathBuf> {
    let folder = state.join("runs").join(&results.run_id);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let path = folder.join(NAME);
    let text = serde_json::to_string_pretty(results).map_err(io::Error::other)? + "\n";
    atomic::write(&path, text.as_bytes(), Existing::Replaced, Readers::Umask)?;
    Ok(path)
}

/// Why a record can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(
        "the record has version {found} and was written by pipectl {by}; this version reads version {VERSION}"
    )]
    OtherVersion { found: u32, by: String },
    #[error("it is not a record of a run")]
    Malformed(#[source] serde_json::Error),
}

/// Reads a record. One of another version is refused by name; unknown fields are ignored.
#[cfg_attr(not(test), expect(dead_code, reason = "the verbs that read records are still to come"))]
pub(crate) fn parse(text: &str) -> Result<RunResults, ReadError> {
    #[derive(Deserialize)]
    struct Header {
        version: u32,
        pipectl: String,
    }
    let header: Header = serde_json::from_str(text).map_err(ReadError::Malformed)?;
    if header.version != VERSION {
        return Err(ReadError::OtherVersion { found: header.version, by: header.pipectl });
    }
    serde_json::from_str(text).map_err(ReadError::Malformed)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const OLD: &str = include_str!("../../tests/records/run_results.v1.json");
    /// The first record of version 2: later versions of the program read it too, so it is never edited.
    const FIRST: &str = include_str!("../../tests/records/run_results.v2.first.json");
    const NEW: &str = include_str!("../../tests/records/run_results.v2.json");

    #[test]
    fn an_old_record_is_named_as_old() {
        assert_eq!(
            parse(OLD).unwrap_err().to_string(),
            "the record has version 1 and was written by pipectl 0.1.0; this version reads version 2"
        );
        let newer = NEW.replacen("\"version\": 2", "\"version\": 3", 1);
        assert!(matches!(parse(&newer), Err(ReadError::OtherVersion { found: 3, .. })));
        assert!(matches!(parse("{}"), Err(ReadError::Malformed(_))));
    }

    #[test]
    fn a_record_reads_back_as_it_was_written_and_unknown_fields_are_ignored() {
        assert_eq!(parse(FIRST).unwrap().actions.len(), 8);
        let results = parse(NEW).unwrap();
        assert_eq!(serde_json::to_string_pretty(&results).unwrap() + "\n", NEW);
        let later = NEW.replacen("\"run_id\"", "\"later\": [1],\n  \"run_id\"", 1);
        assert_eq!(parse(&later).unwrap(), results);
    }

    #[test]
    fn a_record_is_its_owners_alone_and_appears_whole() {
        use std::os::unix::fs::PermissionsExt as _;
        let (state, results) = (tempfile::tempdir().unwrap(), parse(NEW).unwrap());
        let path = save(&results, state.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), NEW);
        let folder = path.parent().unwrap();
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing staged is left");
    }
}
