//! The profiles of AWS's own tools: `~/.aws/credentials` and `~/.aws/config`.
//!
//! Read are static keys, the session token, the region and the endpoint. Whatever asks somebody else for keys (SSO, a
//! process, another role) is refused by name: silently going on with other credentials would write somewhere else.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::settings::StoreSettings;
use crate::secret::learn_literal;

/// Settings by which a profile gets its keys from elsewhere.
const ELSEWHERE: [(&str, &str); 6] = [
    ("sso_session", "SSO"),
    ("sso_start_url", "SSO"),
    ("login_session", "a login"),
    ("credential_process", "a process"),
    ("role_arn", "a role"),
    ("web_identity_token_file", "a web identity"),
];

/// What a profile says.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Profile {
    name: String,
    settings: BTreeMap<String, String>,
}

impl Profile {
    /// The profile that applies. One that was asked for by name must be there.
    pub(super) fn load(settings: &StoreSettings) -> Result<Self, String> {
        let asked_for = settings.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
        let name = asked_for.unwrap_or("default");
        let mut found = None;
        for (variable, in_home) in
            [("AWS_CONFIG_FILE", ".aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")]
        {
            let Some(file) = settings.file(variable, in_home) else { continue };
            let Some(text) = read(&file)? else { continue };
            let is_config = variable == "AWS_CONFIG_FILE";
            if let Some(section) = section(&text, name, is_config) {
                // Keys of the credentials file win, as they do in AWS's own tools.
                found.get_or_insert_with(BTreeMap::new).extend(section);
            }
        }
        match found {
            Some(settings) => {
                for (key, value) in &settings {
                    learn_literal(key, value);
                }
                Ok(Self { name: name.to_owned(), settings })
            }
            None if asked_for.is_some() => Err(format!("there is no profile `{name}` (`AWS_PROFILE`)")),
            None => Ok(Self::default()),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    /// Its static keys. An error where it has none and gets them in a way that is not known here.
    pub(super) fn keys(&self) -> Result<Option<(&str, &str)>, String> {
        if let Some(id) = self.get("aws_access_key_id") {
            let secret = self.get("aws_secret_access_key").ok_or_else(|| {
                format!("the profile `{}` has `aws_access_key_id` and no `aws_secret_access_key`", self.name)
            })?;
            return Ok(Some((id, secret)));
        }
        match ELSEWHERE.iter().find(|(key, _)| self.settings.contains_key(*key)) {
            Some((key, what)) => Err(format!(
                "the profile `{name}` gets its keys from {what} (`{key}`), which pipectl does not do; \
                 `eval \"$(aws configure export-credentials --profile {name} --format env)\"` puts them into the environment",
                name = self.name
            )),
            None => Ok(None),
        }
    }
}

fn read(file: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(format!("`{}` can't be read: {error}", file.display())),
    }
}

/// The settings of one profile; nothing where the file does not have it.
fn section(text: &str, name: &str, is_config: bool) -> Option<BTreeMap<String, String>> {
    let mut found = None;
    let mut is_in = false;
    for line in text.lines() {
        // What is indented belongs to the setting above it: nested ones are of no interest here.
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        let line = line.trim();
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            let title = title.trim();
            let own = match title.strip_prefix("profile ") {
                Some(own) if is_config => Some(own.trim()),
                // The configuration has other sections too, which are no profiles.
                _ => (!is_config || title == "default").then_some(title),
            };
            is_in = own == Some(name);
            if is_in {
                found.get_or_insert_with(BTreeMap::new);
            }
        } else if is_in
            && let Some((key, value)) = line.split_once('=')
            && let Some(settings) = &mut found
        {
            let value = value.split(" #").next().unwrap_or_default().trim();
            settings.insert(key.trim().to_lowercase(), value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const CONFIG: &str = "\
[default]
region = eu-west-1
s3 =
    endpoint_url = http://nested
[profile minio]
endpoint_url = http://127.0.0.1:9000 # local
[sso-session minio]
region = wrong
[profile work]
sso_session = minio
";
    const CREDENTIALS: &str = "\
# keys
[default]
aws_access_key_id=AKIA1
aws_secret_access_key = secret=/+1
aws_session_token = t
[minio]
aws_access_key_id = k
";

    fn load(name: Option<&str>) -> Result<Profile, String> {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let (config, credentials) = (file("config", CONFIG), file("credentials", CREDENTIALS));
        let mut variables =
            vec![("AWS_CONFIG_FILE", &*config), ("AWS_SHARED_CREDENTIALS_FILE", &*credentials)];
        variables.extend(name.map(|name| ("AWS_PROFILE", name)));
        Profile::load(&StoreSettings::of(&variables))
    }

    #[test]
    fn a_profile_is_put_together_from_both_files() {
        let profile = load(None).ok().unwrap();
        assert_eq!(profile.keys().unwrap(), Some(("AKIA1", "secret=/+1")));
        assert_eq!(profile.get("aws_session_token"), Some("t"));
        assert_eq!(profile.get("region"), Some("eu-west-1"));
        assert_eq!(profile.get("endpoint_url"), None);
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let profile = load(Some("minio")).ok().unwrap();
        assert_eq!(profile.get("endpoint_url"), Some("http://127.0.0.1:9000"));
        assert!(profile.keys().unwrap_err().contains("no `aws_secret_access_key`"));
        let told = load(Some("work")).ok().unwrap().keys().unwrap_err();
        assert!(
            told.contains("`work`") && told.contains("`sso_session`") && told.contains("--profile work"),
            "{told}"
        );
        assert!(load(Some("other")).err().unwrap().contains("no profile `other`"));
    }

    #[test]
    fn without_files_there_is_nothing() {
        assert!(Profile::load(&StoreSettings::of(&[])).unwrap_or_default() == Profile::default());
    }
}
