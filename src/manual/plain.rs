//! A page as text for a terminal: lines that fit, no markup but backquotes.

use super::markdown::caption;
use super::page::{Page, Section};
use super::setting::Setting;

/// The page, in lines of so many characters at most where they can be broken.
pub(crate) fn text(page: &Page, width: usize) -> String {
    let mut text = String::new();
    text.push_str(&format!("{}\n", page.title()));
    for paragraph in &page.doc.paragraphs {
        text.push('\n');
        for line in paragraph.lines() {
            let further = if line.starts_with("- ") { "  " } else { "" };
            wrap(line, "", further, width, &mut text);
        }
    }
    if let Some(value) = &page.value {
        text.push('\n');
        wrap(&format!("Value: {value}"), "", "  ", width, &mut text);
    }
    if !page.settings.is_empty() {
        text.push_str(if page.section.kind().is_some() { "\nSettings:\n" } else { "\nKeys:\n" });
        for setting in &page.settings {
            write(setting, width, &mut text);
        }
    }
    for block in &page.doc.blocks {
        text.push_str(&format!("\n{}\n\n", caption(block)));
        for line in block.text.lines() {
            let indent = if line.is_empty() { "" } else { "    " };
            text.push_str(&format!("{indent}{line}\n"));
        }
    }
    text
}

/// A section of Markdown, its heading first: paragraphs in lines that fit, blocks as they stand.
pub(crate) fn section(markdown: &str, width: usize) -> String {
    let mut text = String::new();
    let mut paragraph = String::new();
    let mut is_block = false;
    for line in markdown.lines().chain([""]) {
        if line.starts_with("```") {
            is_block = !is_block;
        } else if is_block {
            let indent = if line.is_empty() { "" } else { "    " };
            text.push_str(&format!("{indent}{line}\n"));
        } else if !line.is_empty() {
            paragraph.push_str(line);
            paragraph.push(' ');
        } else if !paragraph.is_empty() {
            wrap(&paragraph, "", "", width, &mut text);
            paragraph.clear();
            text.push('\n');
        } else if !text.ends_with("\n\n") {
            text.push('\n');
        }
    }
    format!("{}\n", text.trim_end())
}

/// What a page says of one of its keys.
pub(crate) fn key(page: &Page, key: &str, width: usize) -> Option<String> {
    let setting = page.settings.iter().find(|setting| setting.key == key)?;
    let mut text = format!("{}, key `{key}`\n\n", page.title());
    write(setting, width, &mut text);
    Some(text)
}

/// The pages of some sections, a line each.
pub(crate) fn list(pages: &[Page], sections: &[Section], width: usize) -> String {
    let of = |section: Section| pages.iter().filter(move |page| page.section == section);
    let longest = sections.iter().flat_map(|section| of(*section)).map(|page| page.key.chars().count()).max();
    let column = longest.unwrap_or_default() + 4;
    let mut text = String::new();
    for section in sections {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{}:\n", section.title()));
        for page in of(*section) {
            let begin = format!("  {:<1$}", page.key, column - 2);
            wrap(page.doc.summary(), &begin, &" ".repeat(column), width, &mut text);
        }
    }
    text
}

fn write(setting: &Setting, width: usize, text: &mut String) {
    let further = match (&setting.default, setting.is_required) {
        (_, true) => "; required".to_owned(),
        (Some(default), _) => format!("; `{default}` where not given"),
        (None, _) => String::new(),
    };
    wrap(&format!("{}: {}{further}", setting.key, setting.value), "  ", "      ", width, text);
    for paragraph in setting.meaning.lines().filter(|line| !line.is_empty()) {
        wrap(paragraph, "      ", "      ", width, text);
    }
    for (word, meaning) in &setting.words {
        wrap(&format!("{word}: {meaning}"), "        ", "          ", width, text);
    }
}

/// Breaks a paragraph into lines. What stands in backquotes stays together where it fits in a line.
fn wrap(paragraph: &str, begin: &str, further: &str, width: usize, text: &mut String) {
    let mut line = begin.to_owned();
    let mut has_word = false;
    for word in words(paragraph) {
        if has_word && line.chars().count() + 1 + word.chars().count() > width {
            text.push_str(&line);
            text.push('\n');
            further.clone_into(&mut line);
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(word);
        has_word = true;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

/// The words of a paragraph; those inside of backquotes are one.
fn words(paragraph: &str) -> Vec<&str> {
    let (mut words, mut start, mut is_code) = (Vec::new(), 0, false);
    for (at, letter) in paragraph.char_indices() {
        match letter {
            '`' => is_code = !is_code,
            ' ' if !is_code => {
                words.push(paragraph.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(paragraph.get(start..).unwrap_or_default());
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_code_stays_together() {
        let mut text = String::new();
        wrap("one two `three four` five", "- ", "  ", 14, &mut text);
        assert_eq!(text, "- one two\n  `three four`\n  five\n");
    }

    #[test]
    fn pages_fit_into_a_narrow_terminal() {
        for mut page in super::super::pages() {
            page.doc.blocks.clear();
            let text = text(&page, 60);
            let long: Vec<_> = text.lines().filter(|line| line.chars().count() > 60).collect();
            // What stands in backquotes is not broken.
            let is_one_word = |line: &&str| line.trim().contains('`');
            assert!(long.iter().all(is_one_word), "{long:#?}");
        }
    }
}
