//! Owns what a doc comment says to users: sentences, then blocks with an example and what comes of it.
//!
//! A kind's comment holds all of its page. Its first line says what it does; blocks (fences of three backquotes) hold a small
//! pipeline (`yaml`), the files that it reads before it, and after it what it prints (`text`) and the files that it makes.

/// A doc comment, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Doc {
    /// Paragraphs and lists; the first one says what it is about.
    pub(crate) paragraphs: Vec<String>,
    pub(crate) blocks: Vec<Block>,
}

/// A block of text that stands as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// What it is written in: `yaml`, `text`, `csv`.
    pub(crate) language: String,
    /// The file that it is; nothing for the example itself and what it prints.
    pub(crate) file: Option<String>,
    /// Its lines, each with its end.
    pub(crate) text: String,
}

impl Doc {
    /// Takes a comment apart.
    pub(crate) fn parse(comment: &str) -> Self {
        let mut doc = Self::default();
        let mut lines = comment.lines();
        let mut begins = true;
        while let Some(line) = lines.next() {
            if let Some(info) = line.strip_prefix("```") {
                let inside = lines.by_ref().take_while(|line| *line != "```");
                let text = inside.map(|line| format!("{line}\n")).collect();
                let (language, file) = info.split_once(' ').unwrap_or((info, ""));
                let file = Some(file.to_owned()).filter(|file| !file.is_empty());
                doc.blocks.push(Block { language: language.to_owned(), file, text });
                begins = true;
            } else if line.is_empty() {
                begins = true;
            } else {
                match doc.paragraphs.last_mut().filter(|_| !begins) {
                    // Where a line ends in the source means nothing.
                    Some(last) if !line.starts_with("- ") => {
                        last.push(' ');
                        last.push_str(line.trim_start());
                    }
                    Some(last) => {
                        last.push('\n');
                        last.push_str(line);
                    }
                    None => doc.paragraphs.push(line.to_owned()),
                }
                begins = false;
            }
        }
        doc
    }

    /// All that it says, without the blocks.
    pub(crate) fn prose(&self) -> String {
        self.paragraphs.join("\n\n")
    }

    /// The first paragraph's first sentence.
    pub(crate) fn summary(&self) -> &str {
        let first = self.paragraphs.first().map_or("", String::as_str);
        first.split_once(". ").map_or(first, |(sentence, _)| sentence).trim_end_matches('.')
    }

    /// The example: a whole pipeline.
    pub(crate) fn example(&self) -> Option<&str> {
        self.blocks
            .iter()
            .find(|block| block.language == "yaml" && block.file.is_none())
            .map(|block| &*block.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_and_blocks_are_told_apart() {
        let doc = Doc::parse(
            "Does it. And\nmore.\n\nIn two ways:\n- a\n  and on\n- b\n\n```yaml\nversion: 1\n\nsteps:\n```\n\n```csv out/a.csv\nx\n```",
        );
        assert_eq!(doc.paragraphs, ["Does it. And more.", "In two ways:\n- a and on\n- b"]);
        assert_eq!(doc.summary(), "Does it");
        assert_eq!(doc.example(), Some("version: 1\n\nsteps:\n"));
        assert_eq!(doc.blocks[1].file.as_deref(), Some("out/a.csv"));
    }
}
