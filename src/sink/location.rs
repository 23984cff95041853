//! Where an output goes, parsed from the path that the pipeline gives it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Template;
use crate::lowering::{Checking, is_url};

use super::store::{Object, canonical, without_secrets};

/// A place that files can be written to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Location {
    /// A path of the machine where pipectl runs.
    Local(PathBuf),
    /// The URL of an object, or of what the names of several begin with.
    Url(String),
}

impl Location {
    /// The location that a path of the pipeline means; a relative one starts at `folder`.
    ///
    /// What follows `file://` is a path as it stands: nothing in it is decoded, as engines do it too.
    pub(super) fn parse(path: &Template, folder: &Path) -> Self {
        let text = path.plain();
        match text.strip_prefix("file://") {
            Some(path) if path.starts_with('/') => Self::Local(PathBuf::from(path)),
            _ if is_url(&text) => Self::Url(canonical(&text)),
            _ => Self::Local(folder.join(text)),
        }
    }

    /// Reports a path at which nothing can be written.
    pub(super) fn check(path: &Template, checking: &mut Checking<'_>) {
        if !checking.path(path) {
            return;
        }
        let text = path.plain();
        let Self::Url(url) = Self::parse(path, Path::new("/")) else { return };
        let (scheme, _) = url.split_once("://").unwrap_or_default();
        checking.report(if scheme == "file" {
            let message = format!("`{text}` names another machine, and files are written where pipectl runs");
            Diagnostic::new(Code::Path, path.span(), message).help(
                "after `file://` the whole path follows, with its first `/`: `file:///data/out.parquet`",
            )
        } else {
            let Err(mistake) = Object::parse(&url) else { return };
            let message = format!("outputs can not be written to `{}`", without_secrets(&url));
            Diagnostic::new(Code::Path, path.span(), message).help(mistake.help())
        });
    }

    /// The location as a path, for messages and for what a path is needed for on this machine.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Local(path) => path,
            Self::Url(url) => Path::new(url),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_starts_at_the_folder_and_a_url_nowhere() {
        let local = |path: &str| Location::Local(path.into());
        for (text, expected) in [
            ("out/a.parquet", local("/pipelines/out/a.parquet")),
            ("/a.parquet", local("/a.parquet")),
            ("file:///data/a%20b", local("/data/a%20b")),
            ("a:b/c", local("/pipelines/a:b/c")),
            ("s3://bucket/a", Location::Url("s3://bucket/a".to_owned())),
            ("s3a://bucket/a", Location::Url("s3://bucket/a".to_owned())),
            ("file://host/a", Location::Url("file://host/a".to_owned())),
        ] {
            let location = Location::parse(&Template::of_text(text), Path::new("/pipelines"));
            assert_eq!(location, expected, "{text}");
        }
    }
}
