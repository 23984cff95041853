//! Owns a page of the reference, and the sections in which pages stand.

use serde_json::Value;

use super::setting::{self, Setting};
use crate::spec::{Doc, Family, KindSchema};

/// What pages stand together under, in the order of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The pipeline file itself, steps, variables.
    File,
    Sources,
    Transforms,
    Expectations,
    Outputs,
    /// The project file.
    Project,
}

/// A page of the reference.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) section: Section,
    /// What the file writes: `filter`; or what the page is about.
    pub(crate) key: String,
    /// What it is about, where that is no kind.
    pub(super) title: Option<&'static str>,
    pub(crate) doc: Doc,
    /// What stands at the key, in words; nothing for what has no key.
    pub(super) value: Option<String>,
    pub(super) settings: Vec<Setting>,
}

impl Section {
    pub(super) const ALL: [Self; 6] =
        [Self::File, Self::Sources, Self::Transforms, Self::Expectations, Self::Outputs, Self::Project];
    /// Those whose pages are kinds.
    pub(crate) const KINDS: [Self; 4] = [Self::Sources, Self::Transforms, Self::Expectations, Self::Outputs];

    /// Its heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::File => "The pipeline file",
            Self::Sources => "Sources",
            Self::Transforms => "Transforms",
            Self::Expectations => "Expectations",
            Self::Outputs => "Outputs",
            Self::Project => "The project file",
        }
    }

    /// What it says before its pages.
    pub(super) fn introduction(self) -> &'static str {
        match self {
            Self::File => "",
            Self::Sources => "A step begins with exactly one source.",
            Self::Transforms => {
                "Items of `transform`, applied from top to bottom. An item has one key, which is the kind."
            }
            Self::Expectations => {
                "Items of `expect`: what must hold for every row of a step before anything is made of it. An item has one key, which is the \
                 kind, and beside it `on_fail`: `fail`, as where it is not given, or `warn`."
            }
            Self::Outputs => {
                "`write` has one output or a list: where the rows of a step go on the machine that runs pipectl."
            }
            Self::Project => "`pipectl.yaml` beside a pipeline, or in a folder above it.",
        }
    }

    /// What one of its kinds is called.
    pub(super) fn kind(self) -> Option<&'static str> {
        match self {
            Self::Sources => Some("source"),
            Self::Transforms => Some("transform"),
            Self::Expectations => Some("expectation"),
            Self::Outputs => Some("output"),
            Self::File | Self::Project => None,
        }
    }

    /// The section of a word: `source`, `sources`, or the key under which its kinds stand.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "source" | "sources" => Some(Self::Sources),
            "transform" | "transforms" => Some(Self::Transforms),
            "expectation" | "expectations" | "expect" => Some(Self::Expectations),
            "output" | "outputs" | "write" => Some(Self::Outputs),
            _ => None,
        }
    }
}

impl Page {
    /// What it is about: `` Transform `filter` ``.
    pub(super) fn title(&self) -> String {
        match (self.title, self.section.kind()) {
            (Some(title), _) => title.to_owned(),
            (None, Some(kind)) => {
                let (first, rest) = kind.split_at_checked(1).unwrap_or((kind, ""));
                format!("{}{rest} `{}`", first.to_uppercase(), self.key)
            }
            (None, None) => format!("`{}`", self.key),
        }
    }

    /// The keys that it explains.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().map(|setting| setting.key.as_str())
    }

    pub(super) fn kind(kind: &KindSchema) -> Self {
        let section = match kind.family {
            Family::Source => Section::Sources,
            Family::Transform => Section::Transforms,
            Family::Expectation => Section::Expectations,
            Family::Output => Section::Outputs,
        };
        let value = setting::value(&kind.schema);
        Self {
            section,
            key: kind.key.to_owned(),
            title: None,
            doc: doc(&kind.schema),
            value: Some(if kind.is_bare() { format!("{value}; or nothing") } else { value }),
            settings: setting::settings(&kind.schema),
        }
    }

    pub(super) fn about(
        section: Section,
        key: &str,
        title: &'static str,
        text: &str,
        settings: Vec<Setting>,
    ) -> Self {
        Self {
            section,
            key: key.to_owned(),
            title: Some(title),
            doc: Doc::parse(text),
            value: None,
            settings,
        }
    }
}

fn doc(schema: &Value) -> Doc {
    Doc::parse(schema["description"].as_str().unwrap_or_default())
}
