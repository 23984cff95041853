//! Owns the progress of installations and starts.

/// What takes long, reported as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// An engine in the program's environment is not used, and why.
    Ignored {
        reason: String,
    },
    /// Another process installs the named thing; this one waits for it.
    Waiting {
        what: &'static str,
    },
    /// The named thing is being fetched.
    Fetching {
        what: String,
    },
    /// So many bytes of the named thing have arrived, of so many where that is known.
    Fetched {
        what: &'static str,
        bytes: u64,
        of: Option<u64>,
    },
    Unpacking {
        what: String,
    },
    /// The named thing is made ready to start sooner.
    Preparing {
        what: &'static str,
    },
    /// The named thing is installed.
    Installed {
        what: &'static str,
    },
    Starting,
}

/// Takes the progress; called from the task that installs or starts.
pub(crate) type Report<'a> = dyn Fn(Progress) + Send + Sync + 'a;
