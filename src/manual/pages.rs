//! Owns which pages the reference has.

use super::page::{Page, Section};
use super::setting::{self, Setting};
use crate::spec;

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
