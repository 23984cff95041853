//! `extension`: a message for a plug-in of the server.

use prost_types::Any;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SourceKind;
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::expr::Template;
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::proto::spark::relation::RelType;

/// Begins with the rows that a plug-in of the server makes of a message.
///
/// To Spark Connect it is a relation that is none of its own. The plug-in is a class that the server was started with, in `spark.connect.extensions.relation.classes`. It is handed the message as
/// it stands: its type, and its bytes, which come in Base64 or from a file. Sail has no plug-ins, and a server without this one says so.
///
/// ```yaml
/// version: 1
/// steps:
///   drawn:
///     extension:
///       type_url: type.googleapis.com/acme.Lottery
///       value: CgVhYmNkZQ==
///     write: stdout
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Extension {
    /// The message's type, by which the plug-in knows it: `type.googleapis.com/acme.Lottery`.
    #[schemars(extend("minLength" = 1))]
    type_url: Template,
    /// The message as Protocol Buffers write it, in Base64; empty where neither it nor `file` is given.
    value: Option<Template>,
    /// A file with the message as Protocol Buffers write it, relative to this file.
    file: Option<Template>,
    /// What the file holds.
    #[serde(skip)]
    content: Option<Vec<u8>>,
}

impl Extension {
    /// The file in which the message stands, where it stands in one.
    pub(crate) fn file(&self) -> Option<&Template> {
        self.file.as_ref()
    }

    /// Puts in what the file holds.
    pub(crate) fn set_content(&mut self, content: Vec<u8>) {
        self.content = Some(content);
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.content, &self.value) {
            (Some(content), _) => Some(content.clone()),
            (None, Some(value)) => decoded(&value.plain()),
            (None, None) => Some(Vec::new()),
        }
    }
}

impl SourceKind for Extension {
    fn check(&self, checking: &mut Checking<'_>) {
        for template in [Some(&self.type_url), self.value.as_ref()].into_iter().flatten() {
            checking.refuses_secret(template);
        }
        if self.type_url.plain().is_empty() {
            let message = "the message's type is missing here";
            checking.report(Diagnostic::new(Code::WrongType, self.type_url.span(), message));
        }
        let Some(value) = &self.value else { return };
        if self.file.is_some() {
            checking.report(checking.exclusive("value", "file").help("keep one of them"));
        }
        if decoded(&value.plain()).is_none() {
            checking.report(
                Diagnostic::new(Code::WrongType, value.span(), "this is not Base64")
                    .help("`base64 -w0 message.bin` writes it; or name the message by `file`"),
            );
        }
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        (dialect.implementation() == Implementation::Sail)
            .then(|| format!("{dialect} takes no `extension`; Spark does, where it has the plug-in"))
    }

    fn is_heavy(&self) -> bool {
        true
    }

    fn lower(&self, _schema: Option<&str>, _lowering: &Lowering<'_>) -> Relation {
        relation::of(RelType::Extension(Any {
            type_url: self.type_url.plain(),
            value: self.bytes().unwrap_or_default(),
        }))
    }
}

/// The bytes of a text in Base64, of the usual letters or those of URLs, with or without what fills it up; nothing where it is none.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let filled = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let letters = text.get(..text.len() - filled)?;
    let is_full = filled == 0 || (filled <= 2 && text.len().is_multiple_of(4));
    if !is_full || letters.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3 + 2);
    for four in letters.chunks(4) {
        let mut bits = 0_u32;
        for letter in four {
            let six = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
        }
        bits <<= 6 * (4 - four.len());
        let [_, three @ ..] = bits.to_be_bytes();
        bytes.extend(three.iter().take(four.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_all_of_its_forms() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("YQ==", Some(b"a")),
            ("YQ", Some(b"a")),
            ("YWI=", Some(b"ab")),
            ("YWJj", Some(b"abc")),
            ("YW Jj\n ZA==", Some(b"abcd")),
            ("+/-_", Some(b"\xfb\xff\xbf")),
            ("Y", None),
            ("YQ=", None),
            ("=", None),
            ("Y===", None),
            ("a.b=", None),
            ("YQ==YQ==", None),
        ] {
            assert_eq!(decoded(text).as_deref(), bytes, "{text}");
        }
    }
}
