//! Writes a contract's file for columns that an engine has found.

use serde_json::Value;

use crate::pipeline::FoundColumn;

/// The file of a contract for these columns.
pub(crate) fn contract_text(columns: &[FoundColumn]) -> String {
    let mut text = "# yaml-language-server: $schema=contract.schema.json\nversion: 1\ncolumns:\n".to_owned();
    for column in columns {
        let name = scalar(&column.name, "");
        // A `:` is followed by no space there.
        let data_type = scalar(&column.data_type.to_string(), "<>,:`");
        let comment = column.metadata.as_deref().and_then(comment);
        text.push_str(&match (column.nullable, comment) {
            (true, None) => format!("  {name}: {data_type}\n"),
            (nullable, comment) => {
                let nullable = if nullable { "" } else { "    nullable: false\n" };
                let comment = comment.map(|comment| format!("    description: {}\n", scalar(&comment, ",;")));
                let comment = comment.unwrap_or_default();
                format!("  {name}:\n    type: {data_type}\n{nullable}{comment}")
            }
        });
    }
    text
}

/// The comment of a column, where it has one.
fn comment(metadata: &str) -> Option<String> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    metadata["comment"].as_str().filter(|comment| !comment.trim().is_empty()).map(str::to_owned)
}

/// A text as YAML, in quotes where it would be read as something else without; `further` are characters that need none in it.
fn scalar(text: &str, further: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.() /".contains(c) || further.contains(c);
    let mut characters = text.chars();
    let begins = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    // Words that are something else to some reader of YAML.
    let is_word =
        ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_lowercase().as_str());
    if begins && !is_word && characters.all(is_plain) && !text.ends_with(' ') {
        return text.to_owned();
    }
    // What JSON writes in quotes, YAML reads; but not every control character that JSON lets stand.
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}') =>
            {
                quoted.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::super::document;
    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::expr::ColumnType;
    use crate::text::Span;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let names = [
            "id",
            "Zip Code",
            "a.b",
            "a: b",
            "yes",
            "No",
            "null",
            "1st",
            "-",
            "#x",
            "ü ß",
            "quote\"d",
            "back\\slash",
            "tab\tnl\n",
            "*",
            "${x}",
            "{a}",
            "[",
            "a #b",
            " lead",
            "trail ",
            "\u{2028}",
            "\u{7}",
            "on",
            "~",
            "x,y",
            "'",
            "`",
            "😀",
            "<<",
        ];
        let types = [
            "decimal(12,2)",
            "struct<a: int, `b c`: array<map<string, date>>>",
            "interval day to second",
            "string",
        ];
        let columns: Vec<FoundColumn> = names
            .iter()
            .enumerate()
            .map(|(at, name)| FoundColumn {
                name: (*name).to_owned(),
                data_type: ColumnType::parse(types[at % types.len()]).unwrap(),
                nullable: at % 3 > 0,
                metadata: (at % 2 == 0).then(|| "{\"comment\":\"what: it #is\"}".to_owned()),
            })
            .collect();
        let text = contract_text(&columns);
        let mut found = Diagnostics::default();
        let mut sources = crate::text::Sources::default();
        let file = sources.add(crate::text::Source::new("c.yaml", text.clone()));
        let contract = document(file, &text, Span::default(), &mut found).unwrap();
        assert!(!found.has_errors(), "{found:?}\n{text}");
        let read: Vec<_> =
            contract.columns.into_iter().map(|it| (it.name, it.data_type, it.nullable)).collect();
        let written: Vec<_> = columns.into_iter().map(|it| (it.name, it.data_type, it.nullable)).collect();
        assert_eq!(read, written, "{text}");
    }
}
