//! Which keys and variables carry secrets by their names, so that a value written literally behind one is a secret too.

use super::known;

/// What such names contain, upper and lower case and the marks between words apart. The first three and `access key` are what Spark
/// itself redacts.
const WORDS: [&str; 9] = [
    "secret",
    "password",
    "token",
    "accesskey",
    "accountkey",
    "apikey",
    "passphrase",
    "privatekey",
    "sharedkey",
];

/// What names end with that say where a secret is, and not which.
const NOT_THEMSELVES: [&str; 5] = ["file", "path", "type", "provider", "class"];

/// Digits from which on a number is no count any more; a timestamp has fewer.
const SHORTEST_DIGITS: usize = 21;

/// Texts that are no secrets, whatever the name says.
const ORDINARY: [&str; 4] = ["true", "false", "null", "none"];

/// Whether the name of a setting or a variable says that its value is a secret: `password`, `fs.s3a.secret.key`, `API_TOKEN`.
fn names_a_secret(name: &str) -> bool {
    let letters: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let is_about_one = NOT_THEMSELVES.iter().any(|word| letters.ends_with(word));
    !is_about_one && WORDS.iter().any(|word| letters.contains(word))
}

/// Takes the value of a setting for a secret where the setting's name says so.
pub(crate) fn learn_literal(name: &str, value: &str) {
    // Numbers and dates behind such names count tokens, or say until when one holds.
    let is_count = value.len() < SHORTEST_DIGITS
        && value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.:TZ".contains(&byte));
    if names_a_secret(name) && !is_count && !ORDINARY.contains(&value.to_ascii_lowercase().as_str()) {
        known::learn(value);
    }
}

/// Marks that end a value within a text.
const ENDS: [char; 8] = [';', '&', ',', '}', '"', '\'', '\n', ' '];

/// Takes note of what looks like a secret in a text: `token=…` and what is called alike, and the password of `user:password@` in a URL.
pub(crate) fn learn_from_text(text: &str) {
    for (at, mark) in text.match_indices(['=', ':']) {
        let (before, after) =
            (text.get(..at).unwrap_or_default(), text.get(at + mark.len()..).unwrap_or_default());
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let before = before.trim_end_matches(['"', '\'']);
        let name = before.rsplit(|c| !is_of_name(c)).next().unwrap_or_default();
        // In `${secret:NAME}` the name of one follows.
        let is_reference = before.strip_suffix(name).is_some_and(|before| before.ends_with("${"));
        if is_reference
            || !(names_a_secret(name) || CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()))
        {
            continue;
        }
        // In `name=value` alone all of the rest is the value; in a longer text it may end before.
        let after = after.trim().trim_start_matches(['"', '\'']);
        let value = after.split(ENDS).next().unwrap_or_default();
        learn_both(name, value);
        learn_both(name, after);
    }
    if let Some((_, rest)) = text.split_once("://")
        && let Some((user, _)) = rest.split(['/', '?', '#', ';']).next().and_then(|it| it.rsplit_once('@'))
        && let Some((_, password)) = user.split_once(':')
    {
        learn_both("password", password);
    }
}

/// Names in URLs that say nothing to people.
const CREDENTIALS: [&str; 4] = ["authorization", "sig", "x-amz-signature", "x-goog-signature"];

/// A value as it stands in a URL, and what it stands for.
fn learn_both(name: &str, value: &str) {
    let name = if CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) { "secret" } else { name };
    learn_literal(name, value);
    if value.contains('%') {
        learn_literal(name, &decoded(value));
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{decoded, learn_from_text, names_a_secret};
    use crate::secret::scrubbed;

    #[test]
    fn secrets_are_seen_in_what_holds_them() {
        for (text, secret) in [
            ("sc://h:443/;use_ssl=true;token=n4m3d-1;user_id=me", "n4m3d-1"),
            ("sc://h/;token=n4m3d%2D2", "n4m3d-2"),
            ("--var=db_password=n4m3d; 3", "n4m3d; 3"),
            ("{ user: me, password: n4m3d-4 }", "n4m3d-4"),
            ("{ \"password\": \"n4m3d-5\" }", "n4m3d-5"),
            ("https://me:n4m3d-6@h/x?y=1", "n4m3d-6"),
            ("https://h/x?sv=1&sig=n4m3d-7&y=1", "n4m3d-7"),
            ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=n4m3d8/+==;x=y", "n4m3d8/+=="),
        ] {
            learn_from_text(text);
            assert_eq!(scrubbed(&format!("<{secret}>")), "<***>", "{text}");
        }
        learn_from_text("sc://host.example.com:443/;user_id=me0me0;use_ssl=true");
        assert_eq!(scrubbed("me0me0 at host.example.com:443"), "me0me0 at host.example.com:443");
        assert_eq!(decoded("a%2Db%"), "a-b%");
    }

    #[test]
    fn names_say_what_is_secret() {
        for name in [
            "password",
            "dbPassword",
            "token",
            "api_token",
            "spark.hadoop.fs.s3a.secret.key",
            "fs.s3a.access.key",
            "fs.azure.account.key.lake.dfs.core.windows.net",
            "API-KEY",
            "javax.net.ssl.trustStorePassword",
        ] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in [
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "key",
            "primary_key",
            "user",
            "spark.sql.shuffle.partitions",
            "header",
            "sep",
            "pass",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }
}
