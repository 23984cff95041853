//! What the user's environment says about object stores, under the names that the stores' own tools have.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::url::without_secrets;
use crate::secret::{Secret, learn_from_text};

/// Names of variables that are about stores begin with one of these.
const PREFIXES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];
/// Further ones.
const NAMES: [&str; 4] = ["STORAGE_EMULATOR_HOST", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IDENTITY_HEADER"];
/// Those that say which store is meant by a URL.
const ENDPOINTS: [&str; 6] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_CONNECTION_STRING",
    "STORAGE_EMULATOR_HOST",
];
/// Variables whose names contain one of these hold a secret.
const SECRETS: [&str; 6] = ["SECRET", "TOKEN", "KEY", "SAS", "CONNECTION_STRING", "CREDENTIALS"];
/// Shorter values are no secrets, and would be found everywhere.
const SHORTEST_SECRET: usize = 8;

/// The environment of stores. Its `Debug` shows no values.
#[derive(Clone, Default)]
pub(crate) struct StoreSettings {
    /// Variables that are set and not empty.
    variables: BTreeMap<String, String>,
    /// The user's home folder.
    home: Option<PathBuf>,
    /// Where files may lie for a while.
    temporary: PathBuf,
    /// Where runs of this user on this machine keep each other off objects.
    locks: PathBuf,
}

impl StoreSettings {
    /// Whether a variable of this name is about stores.
    pub(crate) fn is_about_stores(name: &str) -> bool {
        PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
    }

    pub(crate) fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        home: Option<PathBuf>,
        temporary: PathBuf,
        locks: PathBuf,
    ) -> Self {
        let is_set = |(name, value): &(String, String)| Self::is_about_stores(name) && !value.is_empty();
        let variables: BTreeMap<String, String> = variables.into_iter().filter(is_set).collect();
        for (name, value) in &variables {
            // Some name a file with the secret.
            let is_secret = SECRETS.iter().any(|word| name.contains(word)) && !value.starts_with('/');
            if is_secret && value.len() >= SHORTEST_SECRET {
                let _known = Secret::new(value);
            }
            learn_from_text(value);
        }
        Self { variables, home, temporary, locks }
    }

    /// The first of these variables that is set.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.variables.get(*name)).map(String::as_str)
    }

    /// Whether a variable says yes.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.first(&[name]).is_some_and(|value| ["true", "1", "yes", "on"].contains(&&*value.to_lowercase()))
    }

    /// The variables whose names begin so, in lower case.
    pub(super) fn with_prefix(&self, prefix: &'static str) -> impl Iterator<Item = (String, &str)> {
        let own = self.variables.iter().filter(move |(name, _)| name.starts_with(prefix));
        own.map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
    }

    /// A file in the user's home, or where a variable says it is.
    pub(super) fn file(&self, variable: &str, in_home: &str) -> Option<PathBuf> {
        let named = self.first(&[variable]).map(PathBuf::from);
        named.or_else(|| self.home.as_ref().map(|home| home.join(in_home)))
    }

    pub(in crate::sink) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// What runs of this user on this machine lock to keep each other off an object: a path that says what can be read of
    /// the URL, and a number that tells it from others and from that of another endpoint.
    pub(in crate::sink) fn lock(&self, url: &str) -> PathBuf {
        let url = url.trim_end_matches('/');
        let endpoints = ENDPOINTS.iter().filter_map(|name| self.variables.get(*name));
        let all = endpoints.fold(url.to_owned(), |all, endpoint| format!("{all}\n{endpoint}"));
        let hash = all.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let plain =
            url.chars().map(|it| if it.is_ascii_alphanumeric() || ".-_".contains(it) { it } else { '_' });
        self.locks.join(format!("{}-{hash:016x}", plain.take(100).collect::<String>()))
    }

    /// An endpoint as it was set, unless secrets would go there unprotected.
    pub(super) fn endpoint(&self, url: &str, allowed_by: &str) -> Result<String, String> {
        let shown = without_secrets(url);
        if let Some(rest) = url.strip_prefix("http://") {
            if is_loopback(rest) || self.is_on(allowed_by) {
                return Ok(url.to_owned());
            }
            return Err(format!(
                "the endpoint `{shown}` is not protected by TLS; `{allowed_by}=true` allows it"
            ));
        }
        if url.starts_with("https://") {
            return Ok(url.to_owned());
        }
        Err(format!("the endpoint `{shown}` does not begin with `https://`"))
    }
}

impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreSettings").field(&self.variables.keys()).finish()
    }
}

/// Whether what follows `http://` is this machine.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_v4 = host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    is_v4 || host == "localhost" || host == "::1"
}

#[cfg(test)]
impl StoreSettings {
    /// Settings without variables.
    pub(in crate::sink) fn with_locks(locks: PathBuf) -> Self {
        Self { locks, ..Self::default() }
    }

    /// Settings of these variables alone.
    pub(super) fn of(variables: &[(&str, &str)]) -> Self {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::new(owned, None, std::env::temp_dir(), std::env::temp_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::scrubbed;

    #[test]
    fn only_what_is_about_stores_is_kept() {
        let settings = StoreSettings::of(&[("AWS_REGION", "eu-1"), ("PATH", "/bin"), ("AWS_PROFILE", "")]);
        assert_eq!(settings.first(&["AWS_DEFAULT_REGION", "AWS_REGION"]), Some("eu-1"));
        assert_eq!(settings.first(&["PATH", "AWS_PROFILE"]), None);
    }

    #[test]
    fn secrets_are_never_shown() {
        let settings = StoreSettings::of(&[
            ("AWS_SECRET_ACCESS_KEY", "abcdefgh12345"),
            ("AWS_REGION", "eu-west-1"),
            ("AZURE_STORAGE_SAS_TOKEN", "sv=2&sig=xyz"),
        ]);
        let shown = format!("{settings:?}");
        assert!(shown.contains("AWS_SECRET_ACCESS_KEY") && !shown.contains("abcdefgh12345"), "{shown}");
        let text = "403 abcdefgh12345 in eu-west-1 at https://x/y?sv=2&sig=xyz".to_owned();
        assert_eq!(scrubbed(&text), "403 *** in eu-west-1 at https://x/y?***");
    }

    #[test]
    fn endpoints_are_protected_unless_they_are_this_machine() {
        let plain = StoreSettings::of(&[]);
        for url in ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:1/x", "https://minio.example"]
        {
            assert_eq!(plain.endpoint(url, "AWS_ALLOW_HTTP").as_deref(), Ok(url));
        }
        for url in ["http://minio:9000", "http://127.0.0.1.evil.example", "minio:9000"] {
            plain.endpoint(url, "AWS_ALLOW_HTTP").unwrap_err();
        }
        let allowed = StoreSettings::of(&[("AWS_ALLOW_HTTP", "true")]);
        allowed.endpoint("http://minio:9000", "AWS_ALLOW_HTTP").unwrap();
        let told = plain.endpoint("http://user:secret@minio", "AWS_ALLOW_HTTP").unwrap_err();
        assert!(!told.contains("secret"), "{told}");
    }
}
