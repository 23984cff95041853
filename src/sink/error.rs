//! What can go wrong while an output is written.

use std::io;
use std::path::{Path, PathBuf};

use super::refusal::Refusal;
use crate::error::Class;

/// Why an output could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<Refusal>),
    #[error("`{}` exists already, and `mode: error` does not replace it", .path.display())]
    Exists { path: PathBuf },
    #[error("`{}` is a folder; name a file in it", .path.display())]
    Folder { path: PathBuf },
    #[error("`{}` is a file, and this output is a folder", .path.display())]
    NoFolder { path: PathBuf },
    #[error("`{}` is no part of an output, so `{}` is not replaced; move it out of there", .path.display(), .folder.display())]
    Foreign { path: PathBuf, folder: PathBuf },
    #[error("`{}` begins with another header than these rows have, so they are not added to it", .path.display())]
    OtherHeader { path: PathBuf },
    #[error("`{}` would have more than {most} folders; partition by something that has fewer values", .path.display())]
    ManyFolders { path: PathBuf, most: usize },
    #[error("`{}` is not a regular file, so it cannot be replaced by one", .path.display())]
    Special { path: PathBuf },
    #[error("{} for `{url}`{}", no_credentials(.reason.as_deref()), after_colon(.reason.as_deref()))]
    Credentials { url: String, reason: Option<String>, help: &'static str },
    /// The output is not wanted any more, which is no failure of its own.
    #[error(transparent)]
    Stopped(Stopped),
    #[error("another run is writing `{}`{}", .path.display(), in_brackets(.holder.as_deref()))]
    Busy { path: PathBuf, holder: Option<String> },
    #[error("no space is left on the device of `{}`", .path.display())]
    Full {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot {action} `{}`", .path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("stdout is a terminal, and `arrow` is for programs; let one read it, or print a `table`")]
    Terminal,
    #[error("cannot write to stdout")]
    Stdout(#[source] io::Error),
    #[error("cannot encode the rows as {format}")]
    Encode {
        format: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// What the user can do about it.
    pub(crate) fn help(&self) -> Option<&str> {
        match self {
            Self::Busy { .. } => Some("wait until the other run has ended, then try again"),
            Self::Credentials { help, .. } => Some(help),
            _ => None,
        }
    }

    /// Whose fault it is.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Busy { .. } => Class::Transient,
            Self::Encode { .. } => Class::Bug,
            _ => Class::Data,
        }
    }

    /// The failure of an operation on a file.
    pub(super) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if source.get_ref().and_then(|inner| inner.downcast_ref::<Stopped>()).is_some() {
            return Self::Stopped(Stopped);
        }
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path, source },
            io::ErrorKind::IsADirectory => Self::Folder { path },
            _ => Self::File { action, path, source },
        }
    }
}

/// Why writing ended before its end where nothing is wrong with it. It goes through writers that know `io::Error` alone;
/// its kind is none that they try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Stopped;

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        Self::other(stopped)
    }
}

fn no_credentials(reason: Option<&str>) -> &'static str {
    if reason.is_some() { "the credentials can not be used" } else { "no credentials were found" }
}

fn after_colon(text: Option<&str>) -> String {
    text.map(|it| format!(": {it}")).unwrap_or_default()
}

fn in_brackets(text: Option<&str>) -> String {
    text.map(|it| format!(" ({it})")).unwrap_or_default()
}
