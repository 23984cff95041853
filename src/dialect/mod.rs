//! Owns what an engine can do and does otherwise: plain data, found out by asking the server.

mod otherwise;

use std::fmt;

pub(crate) use otherwise::{OTHERWISE, Otherwise};

/// How an engine reads two quotes inside a quoted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// As one quote, as SQL says.
    Doubled,
    /// As two texts side by side, so that a backslash must be written for it.
    Backslash,
}

/// Which implementation of Spark Connect answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Implementation {
    Sail,
    Spark,
}

impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sail => "Sail",
            Self::Spark => "Spark",
        })
    }
}

/// Whether an engine keeps the order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderKept {
    Through,
    /// Computed columns and stored rows lose it.
    Not,
}

/// How rows travel that a pipeline brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LocalRows {
    /// In the plan, and in each plan again that needs them.
    Inline,
    /// Once a session, beside the plans, where they have so many bytes or more.
    Cached { from: u64 },
    /// The same in chunks of at most so many rows and bytes, and at most so many bytes in all.
    Chunked { from: u64, rows: u64, bytes: u64, in_all: u64 },
}

/// An engine at its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    implementation: Implementation,
    version: String,
    /// Into how many partitions it parts rows where a plan does not say; nothing where that was not asked.
    parallelism: Option<i32>,
    local_rows: LocalRows,
}

/// The setting that says how many partitions Spark makes of rows that it puts in new places.
pub(crate) const PARALLELISM: &str = "spark.sql.shuffle.partitions";

/// The setting with which Spark has the type `time`.
const TIME_TYPE: &str = "spark.sql.timeType.enabled";

impl Dialect {
    pub(crate) fn new(implementation: Implementation, version: impl Into<String>) -> Self {
        let new = Self {
            implementation,
            version: version.into(),
            parallelism: None,
            local_rows: LocalRows::Inline,
        };
        // What these have where nobody has set it otherwise.
        let local_rows = match implementation {
            Implementation::Sail => LocalRows::Inline,
            Implementation::Spark if new.is_before(4, 1) => LocalRows::Cached { from: 64 << 20 },
            Implementation::Spark => {
                LocalRows::Chunked { from: 1 << 20, rows: 10_000, bytes: 16 << 20, in_all: 3 << 30 }
            }
        };
        Self { local_rows, ..new }
    }

    /// An engine of which [`PARALLELISM`] is known.
    pub(crate) fn with_parallelism(self, partitions: Option<i32>) -> Self {
        Self { parallelism: partitions.filter(|count| *count > 0), ..self }
    }

    /// An engine that says itself how rows shall travel to it.
    pub(crate) fn with_local_rows(self, local_rows: LocalRows) -> Self {
        Self { local_rows, ..self }
    }

    pub(crate) fn local_rows(&self) -> LocalRows {
        self.local_rows
    }

    /// Whether a session takes files: libraries, archives, and others.
    pub(crate) fn takes_artifacts(&self) -> bool {
        self.implementation == Implementation::Spark
    }

    /// Why a session has no values of the type `time`, where it has none; `is_set` says whether a setting has a value there.
    pub(crate) fn lacks_time(&self, is_set: impl Fn(&str, &str) -> bool) -> Option<String> {
        let is_on = || is_set(TIME_TYPE, "true");
        match self.implementation {
            Implementation::Sail => None,
            Implementation::Spark if self.is_before(4, 1) => {
                Some(format!("{self} has no type `time`; Spark 4.1 has it, and so has Sail"))
            }
            Implementation::Spark if is_on() => None,
            Implementation::Spark => {
                Some(format!("{self} has the type `time` only where `conf` says `{TIME_TYPE}: true`"))
            }
        }
    }

    /// The dialect of the engine that is started where none is named.
    pub(crate) fn sail() -> Self {
        Self::new(Implementation::Sail, "0.7.2")
    }

    /// The dialect of a server that has not been asked: the newest Spark's.
    pub(crate) fn spark() -> Self {
        Self::new(Implementation::Spark, "4.3.0")
    }

    pub(crate) fn implementation(&self) -> Implementation {
        self.implementation
    }

    /// Whether it is older than a version. One that can't be read is taken for new.
    fn is_before(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.version.split(['.', '-']).map(|part| part.parse::<u32>().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(own_major), Some(own_minor)) => (own_major, own_minor) < (major, minor),
            _ => false,
        }
    }

    pub(crate) fn quotes(&self) -> Quotes {
        match self.implementation {
            Implementation::Sail => Quotes::Backslash,
            // Spark 4.0 reads two quotes as Sail does. A backslash is read alike by all, as long as nobody has set them otherwise.
            Implementation::Spark if self.is_before(4, 3) => Quotes::Backslash,
            Implementation::Spark => Quotes::Doubled,
        }
    }

    /// Whether it has a relation for the call of a table-valued function; in SQL all have one.
    pub(crate) fn has_table_functions(&self) -> bool {
        self.implementation == Implementation::Spark && !self.is_before(4, 0)
    }

    /// Whether options beside a table's name say which version of it is meant; in SQL all know that.
    pub(crate) fn has_versions_as_options(&self) -> bool {
        self.implementation == Implementation::Sail || !self.is_before(4, 0)
    }

    /// Whether it tells what has changed in a table between two versions.
    pub(crate) fn has_changes(&self) -> bool {
        self.implementation == Implementation::Spark && !self.is_before(4, 2)
    }

    /// Relations that one plan may nest; deeper ones are cut by a named relation.
    pub(crate) fn deepest_plan(&self) -> usize {
        match self.implementation {
            Implementation::Sail => 64,
            Implementation::Spark => 100,
        }
    }

    /// Relations that may lie above each other when the named ones are put in; deeper ones are cut by stored rows.
    pub(crate) fn deepest_expansion(&self) -> usize {
        match self.implementation {
            // The time that Sail's optimiser takes grows faster than the depth: tenths of a second for 100, many for 200.
            Implementation::Sail => 64,
            Implementation::Spark => 200,
        }
    }

    /// Whether it has a relation for the nearest rows of another relation.
    pub(crate) fn has_nearest_by_join(&self) -> bool {
        self.implementation == Implementation::Spark && !self.is_before(4, 2)
    }

    /// Whether it has a relation that puts two others side by side.
    pub(crate) fn has_zip(&self) -> bool {
        self.implementation == Implementation::Spark && !self.is_before(4, 3)
    }

    /// Whether rows keep the order of a sort through what comes after it.
    pub(crate) fn order(&self) -> OrderKept {
        match self.implementation {
            Implementation::Sail => OrderKept::Not,
            Implementation::Spark => OrderKept::Through,
        }
    }

    /// Whether the branches of a union share one bound for the first rows of a sort, though each of them sorts by fewer keys:
    /// a key that is constant within a branch is left out there.
    pub(crate) fn shares_bound_of_branches(&self) -> bool {
        self.implementation == Implementation::Sail
    }

    /// Whether the limit of a sort gets lost behind another sort, where the same keys were limited before that.
    pub(crate) fn loses_limits_behind_sorts(&self) -> bool {
        self.implementation == Implementation::Sail
    }

    /// Whether a key that is the same in all rows is taken to be the same in all groups of a rollup too, which make NULL of it.
    pub(crate) fn keeps_constants_in_subtotals(&self) -> bool {
        self.implementation == Implementation::Sail
    }

    /// How the relations for missing values are told a column.
    pub(crate) fn column_of_nulls(&self, column: &str) -> String {
        match self.implementation {
            Implementation::Sail => column.to_owned(),
            // As in SQL, where a dot would part names.
            Implementation::Spark => format!("`{}`", column.replace('`', "``")),
        }
    }

    /// Partitions in which rows are stored that were united: a union has those of both its sides, so that stored unions of
    /// stored unions would soon have millions.
    pub(crate) fn most_stored_partitions(&self) -> i32 {
        match self.implementation {
            Implementation::Sail => 32,
            // A task each: more than its user has asked for otherwise would be waste.
            Implementation::Spark => self.parallelism.unwrap_or(200),
        }
    }

    /// The session settings that engines do not agree on, always set explicitly.
    pub(crate) fn settings(&self) -> Vec<(&'static str, &'static str)> {
        let mut settings = vec![("spark.sql.ansi.enabled", "true"), ("spark.sql.session.timeZone", "UTC")];
        if self.implementation == Implementation::Spark {
            settings.push(("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS"));
        }
        settings
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.implementation, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_read_as_the_version_reads_them() {
        for (version, quotes) in [
            ("4.0.5", Quotes::Backslash),
            ("4.2.1", Quotes::Backslash),
            ("4.3.0", Quotes::Doubled),
            ("4.10.0-SNAPSHOT", Quotes::Doubled),
            ("5.0.0", Quotes::Doubled),
            ("somebody's own", Quotes::Doubled),
        ] {
            assert_eq!(Dialect::new(Implementation::Spark, version).quotes(), quotes, "{version}");
        }
        assert_eq!(Dialect::sail().quotes(), Quotes::Backslash);
    }
}
