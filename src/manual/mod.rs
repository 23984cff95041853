//! Owns the reference: a page for each kind and for what stands around kinds, made of the schemas and the doc comments that they
//! carry.
//!
//! Pages are data here; `markdown` makes a document of all of them, `plain` the text of one for a terminal. Nothing is made
//! before somebody asks.

mod markdown;
mod plain;
mod setting;

use serde_json::Value;

use crate::spec::{self, Doc, Family, KindSchema};
use crate::transform::Transform;

pub(crate) use markdown::document;
pub(crate) use plain::{key, list, section, text};
use setting::Setting;

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
    title: Option<&'static str>,
    pub(crate) doc: Doc,
    /// What stands at the key, in words; nothing for what has no key.
    value: Option<String>,
    settings: Vec<Setting>,
}

impl Section {
    const ALL: [Self; 6] =
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
    fn introduction(self) -> &'static str {
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
    fn kind(self) -> Option<&'static str> {
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
    fn title(&self) -> String {
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

    fn kind(kind: &KindSchema) -> Self {
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

    fn about(section: Section, key: &str, title: &'static str, text: &str, settings: Vec<Setting>) -> Self {
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

/// Where to look for what has no page under this name, because it is called otherwise here.
pub(crate) fn elsewhere(word: &str) -> Option<String> {
    Transform::also_called(word).map(|key| format!("here it is called `{key}`: `pipectl help {key}`"))
}

fn doc(schema: &Value) -> Doc {
    Doc::parse(schema["description"].as_str().unwrap_or_default())
}

/// All pages, in the order of the document.
pub(crate) fn pages() -> Vec<Page> {
    let described = spec::described();
    let target = &described.project["properties"]["targets"]["additionalProperties"];
    let mut top = setting::settings(&described.pipeline);
    top.extend(setting::inside("artifacts[]", &described.pipeline["properties"]["artifacts"]["items"]));
    let mut pages = vec![
        Page::about(Section::File, "pipeline", "A pipeline", include_str!("pipeline.md"), top),
        Page::about(
            Section::File,
            "step",
            "A step",
            include_str!("step.md"),
            described.step.iter().map(|(key, schema)| Setting::new(key, schema, false)).collect(),
        ),
        Page::about(
            Section::File,
            "vars",
            "Variables",
            include_str!("vars.md"),
            setting::settings(&described.variable),
        ),
    ];
    let mut contract = setting::settings(&described.contract);
    let column = &described.contract["properties"]["columns"]["additionalProperties"];
    contract.extend(setting::inside("columns.NAME", column));
    pages.push(Page::about(Section::File, "contract", "Contracts", include_str!("contract.md"), contract));
    pages.extend(spec::kinds().iter().map(Page::kind));
    let mut settings = setting::settings(&described.project);
    settings.extend(setting::inside("targets.NAME", target));
    pages.push(Page::about(Section::Project, "project", "Targets", include_str!("project.md"), settings));
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_page_that_tells_all() {
        let pages = pages();
        for page in pages.iter().filter(|page| page.section.kind().is_some()) {
            let title = page.title();
            assert!(page.doc.paragraphs.len() > 1, "{title}: say more than one line");
            assert!(page.doc.summary().len() < 110, "{title}: the first sentence is long");
            assert!(page.doc.example().is_some(), "{title}: give an example");
        }
        for page in &pages {
            assert!(!page.doc.paragraphs.is_empty(), "{}", page.title());
            for setting in &page.settings {
                assert!(
                    !setting.meaning.is_empty(),
                    "{}: `{}` has no description",
                    page.title(),
                    setting.key
                );
                assert!(
                    !setting.value.contains('?'),
                    "{}: `{}`: {}",
                    page.title(),
                    setting.key,
                    setting.value
                );
            }
        }
        let mut keys: Vec<_> = pages.iter().map(Page::title).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), pages.len(), "a title for each page");
    }
}
