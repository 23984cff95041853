//! The whole reference as one Markdown document.

use super::page::{Page, Section};
use super::pages::pages;
use super::setting::Setting;
use crate::spec::Block;

const BEGINNING: &str = "\
# Reference

What a pipeline file may say, a page for each kind. `pipectl help step` lists the kinds, `pipectl help filter` prints a page of this
document in the terminal, and `pipectl help reference` the whole of it. Every example is a whole pipeline, run by a test on Sail and on Spark.
";

/// All pages, with a table of contents.
pub(crate) fn document() -> String {
    let pages = pages();
    let of = |section: Section| pages.iter().filter(move |page| page.section == section);
    let mut text = BEGINNING.to_owned();
    text.push_str("\n## Contents\n\n");
    for section in Section::ALL {
        text.push_str(&format!("- [{}](#{})\n", section.title(), anchor(section.title())));
        for page in of(section) {
            let title = page.title();
            let name = if page.title.is_some() { title.clone() } else { format!("`{}`", page.key) };
            text.push_str(&format!(
                "  - [{name}](#{}): {}\n",
                anchor(&title),
                first_lower(page.doc.summary())
            ));
        }
    }
    for section in Section::ALL {
        text.push_str(&format!("\n## {}\n", section.title()));
        if !section.introduction().is_empty() {
            text.push_str(&format!("\n{}\n", section.introduction()));
        }
        for page in of(section) {
            text.push_str(&format!("\n### {}\n\n", page.title()));
            write(page, &mut text);
        }
    }
    text
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.to_lowercase().replace(' ', "-");
    letters.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
}

/// A sentence inside of another one.
fn first_lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn write(page: &Page, text: &mut String) {
    for paragraph in &page.doc.paragraphs {
        text.push_str(&format!("{}\n\n", paragraph.replace(":\n- ", ":\n\n- ")));
    }
    if let Some(value) = &page.value {
        text.push_str(&format!("**Value:** {value}.\n\n"));
    }
    if !page.settings.is_empty() {
        text.push_str("| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n");
        for setting in &page.settings {
            text.push_str(&row(setting));
        }
        text.push('\n');
    }
    for block in &page.doc.blocks {
        let Block { language, text: inside, .. } = block;
        let language = if ["files", "messages"].contains(&language.as_str()) { "text" } else { language };
        text.push_str(&format!("{}\n\n```{language}\n{inside}```\n\n", caption(block)));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
}

fn row(setting: &Setting) -> String {
    let default = match (&setting.default, setting.is_required) {
        (_, true) => "required".to_owned(),
        (Some(default), _) => format!("`{default}`"),
        (None, _) => String::new(),
    };
    let words = setting.words.iter().map(|(word, meaning)| format!("`{word}`: {meaning}"));
    let words: String = words.map(|word| format!("<br>{word}")).collect();
    let cell = |text: &str| text.replace('|', "\\|").replace("\n\n", "<br>").replace('\n', " ");
    format!(
        "| `{}` | {} | {} | {}{} |\n",
        setting.key,
        cell(&setting.value),
        cell(&default),
        cell(&setting.meaning),
        cell(&words)
    )
}

/// What a block is, for those who read it.
pub(super) fn caption(block: &Block) -> String {
    match (block.language.as_str(), &block.file) {
        (_, Some(file)) => format!("`{file}`:"),
        ("yaml", None) => "Example:".to_owned(),
        ("sql", None) => "In the engine's catalog:".to_owned(),
        ("files", None) => "Files that it makes:".to_owned(),
        ("messages", None) => "What it says:".to_owned(),
        (_, None) => "What it prints:".to_owned(),
    }
}
