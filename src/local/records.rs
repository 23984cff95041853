//! Splits CSV into records, by RFC 4180: a field in quotes may hold anything, a quote in it is doubled.

/// A record, and the line in which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: usize,
    pub(super) fields: Vec<Value>,
}

/// What stands in a field; nothing where nothing at all does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: Option<String>,
    pub(super) is_quoted: bool,
}

/// A quote that is not closed, and the line in which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
}

/// The records of a text.
pub(super) struct Records<'t> {
    rest: &'t str,
    delimiter: char,
    line: usize,
}

impl<'t> Records<'t> {
    pub(super) fn new(text: &'t str, delimiter: char) -> Self {
        Self { rest: text.strip_prefix('\u{FEFF}').unwrap_or(text), delimiter, line: 1 }
    }

    /// Takes a number of bytes off the rest.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn value(&mut self) -> Result<Value, Wrong> {
        let ends = |c: char| c == self.delimiter || c == '\n' || c == '\r';
        let Some(inside) = self.rest.strip_prefix('"') else {
            let end = self.rest.find(ends).unwrap_or(self.rest.len());
            let text = self.take(end);
            return Ok(Value { text: (!text.is_empty()).then(|| text.to_owned()), is_quoted: false });
        };
        let line = self.line;
        self.rest = inside;
        let mut text = String::new();
        loop {
            let end = self.rest.find('"').ok_or(Wrong { line })?;
            let part = self.take(end);
            self.line += part.matches('\n').count();
            text.push_str(part);
            self.take(1);
            if !self.rest.starts_with('"') {
                break;
            }
            text.push('"');
            self.take(1);
        }
        // What stands behind the quote belongs to the field, as most readers see it.
        let end = self.rest.find([self.delimiter, '\n', '\r']).unwrap_or(self.rest.len());
        text.push_str(self.take(end));
        Ok(Value { text: Some(text), is_quoted: true })
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Wrong>;

    fn next(&mut self) -> Option<Self::Item> {
        // Empty lines are none.
        while let Some(rest) = self.rest.strip_prefix("\r\n").or(self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            match self.value() {
                Ok(value) => fields.push(value),
                Err(wrong) => {
                    self.rest = "";
                    return Some(Err(wrong));
                }
            }
            if let Some(rest) = self.rest.strip_prefix(self.delimiter) {
                self.rest = rest;
                continue;
            }
            let end = ["\r\n", "\n", "\r"].into_iter().find_map(|end| self.rest.strip_prefix(end));
            if let Some(rest) = end {
                self.rest = rest;
                self.line += 1;
            }
            return Some(Ok(Record { line, fields }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, delimiter: char) -> Vec<Vec<Option<String>>> {
        let records = Records::new(text, delimiter).map(Result::unwrap);
        records.map(|record| record.fields.into_iter().map(|field| field.text).collect()).collect()
    }

    #[test]
    fn records_are_split_as_they_were_written() {
        let some = |text: &str| Some(text.to_owned());
        for (text, records) in [
            ("a,b\n1,2\n", vec![vec![some("a"), some("b")], vec![some("1"), some("2")]]),
            ("a,b\r\n1,2", vec![vec![some("a"), some("b")], vec![some("1"), some("2")]]),
            ("\u{FEFF}a\n\n\nb", vec![vec![some("a")], vec![some("b")]]),
            (",\n", vec![vec![None, None]]),
            ("\"\",x", vec![vec![some(""), some("x")]]),
            ("\"a,\n\"\"b\"\"\"\n", vec![vec![some("a,\n\"b\"")]]),
            ("\"a\" b,c", vec![vec![some("a b"), some("c")]]),
            ("ä;\"ö\"", vec![vec![some("ä;\"ö\"")]]),
            ("", vec![]),
        ] {
            assert_eq!(texts(text, ','), records, "{text:?}");
        }
        assert_eq!(texts("a\tb", '\t'), [[some("a"), some("b")]]);
    }

    #[test]
    fn lines_are_counted_through_quotes() {
        let lines: Vec<usize> =
            Records::new("a\n\"b\n\nc\"\nd\n", ',').map(|record| record.unwrap().line).collect();
        assert_eq!(lines, [1, 2, 5]);
        assert_eq!(Records::new("a\nb,\"c\n", ',').nth(1), Some(Err(Wrong { line: 2 })));
    }
}
