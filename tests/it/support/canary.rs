//! A secret that is like no other text, and the search for it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use ring::digest::{SHA256, digest};

use crate::support::{Outcome, files};

/// A secret that is like no other text, with all that languages escape.
pub(crate) struct Canary {
    pub(crate) value: String,
}

impl Canary {
    pub(crate) fn new() -> Self {
        Self { value: format!("it's/\"{}\\+ü", uuid::Uuid::new_v4().simple()) }
    }

    /// One that a header may carry.
    pub(crate) fn plain() -> Self {
        Self { value: format!("canary-{}", uuid::Uuid::new_v4().simple()) }
    }

    /// Where a text has it, or a telling part of it, in one of its forms.
    pub(crate) fn found(&self, text: &[u8]) -> BTreeSet<&'static str> {
        /// Bytes of it that are met nowhere by chance.
        const TELLING: usize = 10;
        let bytes = self.value.as_bytes();
        let mut found = BTreeSet::new();
        let has = |part: &str| text.windows(part.len()).any(|window| window == part.as_bytes());
        for part in bytes.windows(TELLING).filter(|part| part.is_ascii()) {
            let part = String::from_utf8(part.to_vec()).unwrap();
            let hexadecimal: String = part.bytes().map(|byte| format!("{byte:02X}")).collect();
            let percent: String = part.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let numbers: Vec<String> = part.bytes().map(|byte| byte.to_string()).collect();
            let forms = [
                ("as it is", part.clone()),
                ("hexadecimal", hexadecimal.clone()),
                ("hexadecimal", hexadecimal.to_lowercase()),
                ("percent", percent.clone()),
                ("percent", percent.to_lowercase()),
                ("numbers", numbers.join(", ")),
                ("JSON", serde_json::to_string(&part).unwrap().trim_matches('"').to_owned()),
            ];
            found.extend(forms.into_iter().filter(|(_, form)| has(form)).map(|(name, _)| name));
        }
        for before in 0..3 {
            let padded: Vec<u8> = std::iter::repeat_n(b' ', before).chain(bytes.iter().copied()).collect();
            for alphabet in [b"+/", b"-_"] {
                let encoded = base64(&padded, *alphabet);
                let parts = encoded.as_bytes()[4..encoded.len() - 4].windows(TELLING + 2);
                found.extend(
                    parts
                        .filter(|part| text.windows(part.len()).any(|window| window == *part))
                        .map(|_| "base64"),
                );
            }
        }
        found
    }

    pub(crate) fn assert_absent(&self, place: &str, text: &[u8]) {
        let found = self.found(text);
        assert!(found.is_empty(), "{place} has the secret, {found:?}:\n{}", String::from_utf8_lossy(text));
    }

    /// Looks through all that a run has said and written, but for what is named.
    pub(crate) fn assert_nowhere(&self, outcome: &Outcome, but: &[&str]) {
        self.assert_absent("stdout", outcome.stdout.as_bytes());
        self.assert_unsaid(outcome, but);
    }

    /// The same where stdout has data.
    pub(crate) fn assert_unsaid(&self, outcome: &Outcome, but: &[&str]) {
        self.assert_absent("stderr", outcome.stderr.as_bytes());
        let folder = outcome.path("");
        for name in files(&folder).iter().filter(|name| !but.contains(&name.as_str())) {
            self.assert_absent(name, name.as_bytes());
            self.assert_absent(name, &fs::read(folder.join(name)).unwrap());
        }
    }

    pub(crate) fn sha256(&self) -> String {
        digest(&SHA256, self.value.as_bytes()).as_ref().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    pub(crate) fn characters(&self) -> usize {
        self.value.chars().count()
    }
}

pub(crate) fn base64(bytes: &[u8], last: [u8; 2]) -> String {
    let mut alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').collect();
    alphabet.extend(last);
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4_usize {
            let known = place <= three.len();
            text.push(if known {
                char::from(alphabet[(bits >> (18 - 6 * place)) as usize & 63])
            } else {
                '='
            });
        }
    }
    text
}
