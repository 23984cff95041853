//! The forms in which a secret turns up in a text: as it is, and as languages and formats write it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Bytes from which on a line of a secret says something about it.
const TELLING_LINE: usize = 8;
/// Characters from which on base64 is not met by chance.
const TELLING_BASE64: usize = 8;

/// All forms of a text of some length, and of each of its lines that is telling.
pub(super) fn forms(text: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    of_one(text, &mut forms);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    if lines.len() > 1 {
        // What frames a key in PEM is the same for all of them.
        let telling = |line: &&str| line.len() >= TELLING_LINE && !line.starts_with("-----");
        let telling: Vec<&str> = lines.into_iter().filter(telling).collect();
        of_one(&telling.concat(), &mut forms);
        for line in telling {
            of_one(line, &mut forms);
        }
    }
    forms.remove("");
    forms
}

fn of_one(text: &str, forms: &mut BTreeSet<String>) {
    let sql = [text.to_owned(), text.replace('\'', "''"), text.replace('\\', "\\\\").replace('\'', "\\'")];
    for text in &sql {
        // A message may be quoted within another one.
        let escaped = [json(text), json_of_letters(text, false), json_of_letters(text, true)];
        forms.extend(escaped.iter().map(|text| json(text)));
        forms.extend(escaped.iter().map(|text| text.replace('/', "\\/")));
        forms.extend(escaped);
        forms.insert(text.replace('"', "\"\""));
        forms.insert(text.escape_debug().to_string());
        forms.insert(xml(text));
        forms.insert(text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    forms.extend(sql);
    for unreserved in ["-_.~", "-_.~/", "-_.~!*'()", "-_.~/:@!$&'()*+,;=", "*-._", ""] {
        let encoded = percent(text, unreserved, unreserved.is_empty());
        forms.insert(encoded.replace("%20", "+"));
        forms.insert(lower_digits(&encoded));
        forms.insert(encoded);
    }
    let digits = |separator: &str, digits: fn(u8) -> String| {
        text.bytes().map(digits).collect::<Vec<_>>().join(separator)
    };
    let (upper, lower) = (|byte| format!("{byte:02X}"), |byte| format!("{byte:02x}"));
    for separator in ["", " ", ":", ", 0x", "\\x"] {
        forms.extend([digits(separator, upper), digits(separator, lower)]);
    }
    for separator in [", ", ",", " "] {
        forms.insert(digits(separator, |byte| byte.to_string()));
    }
    for alphabet in [STANDARD, URL] {
        for before in 0..3 {
            forms.extend(base64(text.as_bytes(), before, alphabet));
        }
    }
}

/// As JSON writes a text that need not be plain letters.
fn json(text: &str) -> String {
    text.chars().fold(String::new(), |mut json, c| {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
        json
    })
}

/// As JSON writes a text in ASCII alone.
fn json_of_letters(text: &str, is_upper: bool) -> String {
    json(text).chars().fold(String::new(), |mut json, c| {
        if c.is_ascii() {
            json.push(c);
        }
        for unit in c.encode_utf16(&mut [0; 2]).iter().filter(|_| !c.is_ascii()) {
            let _ = if is_upper { write!(json, "\\u{unit:04X}") } else { write!(json, "\\u{unit:04x}") };
        }
        json
    })
}

fn xml(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&apos;")
}

fn percent(text: &str, unreserved: &str, all: bool) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let stays = byte.is_ascii_alphanumeric() || unreserved.contains(char::from(byte)) && byte.is_ascii();
        if stays && !all {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// What is percent-encoded, with its digits in lower case.
fn lower_digits(encoded: &str) -> String {
    let mut after = 3;
    let letter = |c: char| {
        after = if c == '%' { 0 } else { after + 1 };
        if (1..=2).contains(&after) { c.to_ascii_lowercase() } else { c }
    };
    encoded.chars().map(letter).collect()
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 of something in which the bytes stand behind `before` others, as far as it is the same whatever stands around them; and
/// that of the bytes alone.
fn base64(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> Vec<String> {
    let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
    let mut text = String::new();
    for three in padded.chunks(3) {
        let at = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        // One byte makes two characters, two make three.
        let characters = (0..=three.len()).map(|place| (bits >> (18 - 6 * place)) as usize & 63);
        text.extend(characters.map(|at| char::from(alphabet[at])));
    }
    // Characters that have bits of a neighbour are not known.
    let first = [0, 2, 3][before];
    let last = text.len() - usize::from(!padded.len().is_multiple_of(3));
    let mut forms: Vec<String> = text.get(first..last).map(str::to_owned).into_iter().collect();
    if before == 0 {
        let padding = "=".repeat(text.len().next_multiple_of(4) - text.len());
        forms.push(format!("{text}{padding}"));
        forms.push(text);
    }
    forms.retain(|form| form.len() >= TELLING_BASE64);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_in_every_dress() {
        let forms = forms("it's \"ü/\\\n+x");
        for form in [
            "it's \"ü/\\\n+x",
            "it''s \"ü/\\\n+x",
            "it\\'s \"ü/\\\\\n+x",
            "it's \\\"ü/\\\\\\n+x",
            "it's \\\"\\u00fc/\\\\\\n+x",
            "it's \\\"\\u00FC/\\\\\\n+x",
            "it's \\\"ü\\/\\\\\\n+x",
            "it''s \\\"ü/\\\\\\n+x",
            "it%27s%20%22%C3%BC%2F%5C%0A%2Bx",
            "it%27s%20%22%c3%bc%2f%5c%0a%2bx",
            "it%27s+%22%C3%BC%2F%5C%0A%2Bx",
            "it's%20%22%C3%BC/%5C%0A+x",
            "697427732022C3BC2F5C0A2B78",
            "697427732022c3bc2f5c0a2b78",
            "69 74 27 73 20 22 C3 BC 2F 5C 0A 2B 78",
            "105, 116, 39, 115, 32, 34, 195, 188, 47, 92, 10, 43, 120",
            "aXQncyAiw7wvXAoreA==",
            "aXQncyAiw7wvXAoreA",
            "it&apos;s &quot;ü/\\\n+x",
        ] {
            assert!(forms.contains(form), "{form}");
        }
    }

    #[test]
    fn base64_of_more_than_the_secret_has_it_too() {
        let secret = "s3cr3t-h3r3";
        let forms = forms(secret);
        for around in ["", "u:", "user:", "x"] {
            for after in ["", "@", "@h"] {
                let all = format!("{around}{secret}{after}");
                let encoded = base64(all.as_bytes(), 0, STANDARD).pop().unwrap();
                assert!(forms.iter().any(|form| encoded.contains(form)), "{all}: {encoded}");
            }
        }
        assert_eq!(base64(b"\xfb\xff\xfe\xfb\xff\xfe", 0, URL).pop().unwrap(), "-__--__-");
    }

    #[test]
    fn the_lines_of_a_key_are_secrets_and_its_frame_is_not() {
        let forms = forms(
            "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCBK\nabc=\n-----END PRIVATE KEY-----",
        );
        assert!(forms.contains("MIIEvQIBADANBgkqh") && forms.contains("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBK"));
        assert!(
            !forms.contains("abc=") && !forms.iter().any(|form| form.as_str() == "-----END PRIVATE KEY-----")
        );
    }
}
