//! Owns the pipeline: validated steps whose names resolve. Everything before it knows YAML, nothing after it does.
//!
//! Only `spec` makes one, so whoever holds a [`Pipeline`] need not check names, settings or variables again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::duration::Limit;
use crate::expect::Expectation;
use crate::expr::Bindings;
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

/// Columns that data without names and types of its own is read with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contract {
    /// Name and Spark SQL type of each column.
    pub(crate) columns: Vec<(String, String)>,
}

impl Contract {
    /// The columns as DDL.
    pub(crate) fn ddl(&self) -> String {
        let columns = self.columns.iter().map(|(name, data_type)| format!("{} {data_type}", quoted(name)));
        columns.collect::<Vec<_>>().join(", ")
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
