//! Owns the pipeline: validated steps whose names resolve. Everything before it knows YAML, nothing after it does.
//!
//! Only `spec` makes one, so whoever holds a [`Pipeline`] need not check names, settings or variables again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::duration::Limit;
use crate::expect::Expectation;
use crate::expr::{Bindings, ColumnType};
use crate::lowering::Base;
use crate::name::{StepName, quoted};
use crate::secret::Plain;
use crate::sink::Sink;
use crate::source::Source;
use crate::text::{Span, Spanned};
use crate::transform::{Transform, Work};

/// A step's number, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StepId(pub(crate) usize);

/// Whether a step that several others read is worked out once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cache {
    /// Once where that pays: where it joins, aggregates, sorts, or its rows are not determined.
    #[default]
    Auto,
    /// Once.
    True,
    /// Again for each reader.
    False,
}

/// What becomes of columns that a source has and its contract does not name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extra {
    /// They are a mistake.
    #[default]
    Error,
    /// They are left out.
    Drop,
    /// They stay.
    Keep,
}

/// What is promised of the columns of a step's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contract {
    /// Where the step names its file.
    pub(crate) span: Span,
    pub(crate) columns: Vec<Column>,
    /// The columns whose values together are those of one row alone.
    pub(crate) key: Vec<String>,
    /// What becomes of further columns, where that is said.
    pub(crate) extra: Option<Spanned<Extra>>,
}

/// A column that is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) data_type: ColumnType,
    pub(crate) nullable: bool,
}

/// A column as an engine has found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundColumn {
    pub(crate) name: String,
    pub(crate) data_type: ColumnType,
    pub(crate) nullable: bool,
    /// What the engine says of it besides, as JSON.
    pub(crate) metadata: Option<String>,
}

impl Contract {
    pub(crate) fn extra(&self) -> Extra {
        self.extra.as_ref().map(|extra| extra.value).unwrap_or_default()
    }

    /// The columns as DDL.
    pub(crate) fn ddl(&self) -> String {
        let column = |column: &Column| format!("{} {}", quoted(&column.name), column.data_type.ddl());
        self.columns.iter().map(column).collect::<Vec<_>>().join(", ")
    }

    /// What must hold for the rows: each an aggregate that counts those that are wrong, under what it is called in reports.
    pub(crate) fn promises(&self) -> Vec<(String, String)> {
        let is_key = |column: &Column| self.key.iter().any(|key| key.eq_ignore_ascii_case(&column.name));
        let filled = self.columns.iter().filter(|column| !column.nullable || is_key(column));
        let filled = filled.map(|column| {
            let count = format!("count_if({} IS NULL)", quoted(&column.name));
            (format!("contract: not_null: {}", column.name), count)
        });
        let key = (!self.key.is_empty()).then(|| {
            let columns: Vec<String> = self.key.iter().map(|name| quoted(name)).collect();
            // Rows without a value are told of by themselves.
            let count = match columns.as_slice() {
                [only] => format!("count({only}) - count(DISTINCT {only})"),
                several => {
                    let all = several
                        .iter()
                        .map(|column| format!("{column} IS NOT NULL"))
                        .collect::<Vec<_>>()
                        .join(" AND ");
                    let row = several.join(", ");
                    format!("count_if({all}) - count(DISTINCT CASE WHEN {all} THEN struct({row}) END)")
                }
            };
            (format!("contract: key: {}", self.key.join(", ")), count)
        });
        filled.chain(key).collect()
    }
}

/// One step: a source, what is done to its rows, what must hold, and where they go.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: Spanned<StepName>,
    pub(crate) source: Spanned<Source>,
    pub(crate) contract: Option<Contract>,
    pub(crate) transforms: Vec<Spanned<Transform>>,
    pub(crate) expectations: Vec<Expectation>,
    pub(crate) sinks: Vec<Spanned<Sink>>,
    pub(crate) cache: Cache,
    /// How long each of its actions may take.
    pub(crate) timeout: Option<Limit>,
    /// The steps that it reads, once for each time it reads them.
    pub(crate) inputs: Vec<StepId>,
    /// The steps that its query names, under the names by which it names them.
    pub(crate) queried: Vec<(String, StepId)>,
    /// The steps it waits for without reading them.
    pub(crate) after: Vec<StepId>,
    /// Where its relative paths start: at the folder of the file in which it stands.
    pub(crate) base: Arc<Base>,
}

impl Step {
    /// What working the step out once more would mean, its inputs aside.
    pub(crate) fn work(&self) -> Work {
        let source = if self.source.value.kind().is_heavy() { Work::Heavy } else { Work::Light };
        self.transforms.iter().map(|transform| transform.value.kind().work()).fold(source, Work::max)
    }

    /// What is promised of its rows by the contract of its source.
    pub(crate) fn promises(&self) -> Vec<(String, String)> {
        self.contract.as_ref().map(Contract::promises).unwrap_or_default()
    }

    /// Whether its source is read with its contract, since the data has no names and types of its own.
    pub(crate) fn is_read_with_contract(&self) -> bool {
        self.contract.is_some() && self.source.value.kind().takes_schema()
    }

    /// Whether a run has something to do for the step's own sake: outputs, or expectations.
    pub(crate) fn is_end(&self) -> bool {
        !self.sinks.is_empty() || !self.expectations.is_empty()
    }

    /// Where the relative paths of its outputs start.
    pub(crate) fn folder(&self) -> &Path {
        &self.base.folder
    }

    /// The name by which a join's condition calls the columns that were there before it.
    pub(crate) fn left_name(&self) -> &str {
        self.source.value.origin().unwrap_or(self.name.value.as_str())
    }
}

/// What a file is to the session that it is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArtifactKind {
    File,
    Archive,
    Pyfile,
    Jar,
}

impl ArtifactKind {
    pub(crate) const ALL: [Self; 4] = [Self::File, Self::Archive, Self::Pyfile, Self::Jar];

    /// The key of its items.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Archive => "archive",
            Self::Pyfile => "pyfile",
            Self::Jar => "jar",
        }
    }

    /// How the names of such files end; any way where there are none.
    pub(crate) fn endings(self) -> &'static [&'static str] {
        match self {
            Self::File => &[],
            Self::Archive => &[".zip", ".jar", ".tar.gz", ".tgz", ".tar"],
            Self::Pyfile => &[".py", ".zip", ".egg", ".jar"],
            Self::Jar => &[".jar"],
        }
    }
}

/// A file that the session shall have before anything is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    pub(crate) kind: ArtifactKind,
    /// As the pipeline writes it.
    pub(crate) written: String,
    /// Where it is on this machine.
    pub(crate) path: PathBuf,
    /// What the session calls it.
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// A validated pipeline.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) name: String,
    /// Spark SQL settings of the session, in the order of the file.
    pub(crate) conf: Vec<(String, Plain)>,
    /// Files that the session shall have.
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) steps: Vec<Step>,
    pub(crate) bindings: Bindings,
    /// All of the files' text that diagnostics may point at.
    pub(crate) sources: crate::text::Sources,
    /// The steps by name, in lower case.
    pub(crate) names: HashMap<String, StepId>,
}

impl Pipeline {
    pub(crate) fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0]
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = StepId> + use<> {
        (0..self.steps.len()).map(StepId)
    }

    /// The step that a resolved reference means.
    pub(crate) fn find(&self, name: &str) -> Option<StepId> {
        self.names.get(&name.to_lowercase()).copied()
    }

    pub(crate) fn span(&self, id: StepId) -> Span {
        self.step(id).name.span
    }
}
