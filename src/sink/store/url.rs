//! URLs of objects: which store, which container, which key.
//!
//! A key is what stands in the URL, byte for byte, as engines read it too: nothing in it is decoded or encoded.

use object_store::path::Path;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Service {
    S3,
    Google,
    Azure,
}

/// What holds objects: a bucket, or a container of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Container {
    pub(super) service: Service,
    pub(super) name: String,
    /// The account, where the URL names it.
    pub(super) account: Option<String>,
}

/// An object, or what the names of several begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sink) struct Object {
    pub(super) container: Container,
    pub(super) key: Path,
}

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sink) enum Mistake {
    /// No store is meant by its beginning.
    Scheme,
    /// It has a `?`, behind which secrets are written.
    Query,
    Container,
    Key,
}

impl Mistake {
    /// What to write instead.
    pub(in crate::sink) fn help(self) -> &'static str {
        match self {
            Self::Scheme => {
                "write `s3://bucket/key`, `gs://bucket/key`, `az://container/key`, or a path of this machine"
            }
            Self::Query => "leave out what begins with `?`; credentials come from the environment",
            Self::Container => {
                "write `s3://bucket/key`, or `abfss://container@account.dfs.core.windows.net/key`"
            }
            Self::Key => "after the bucket comes a key without empty parts, `.`, `..` and control characters",
        }
    }
}

impl Object {
    /// What a URL means.
    pub(in crate::sink) fn parse(url: &str) -> Result<Self, Mistake> {
        let (scheme, rest) = url.split_once("://").ok_or(Mistake::Scheme)?;
        let service = match scheme {
            "s3" | "s3a" => Service::S3,
            "gs" => Service::Google,
            "az" | "abfs" | "abfss" => Service::Azure,
            _ => return Err(Mistake::Scheme),
        };
        if rest.contains('?') {
            return Err(Mistake::Query);
        }
        let (authority, key) = rest.split_once('/').ok_or(Mistake::Key)?;
        let (name, account) = match authority.split_once('@') {
            Some((name, host)) if service == Service::Azure => {
                let account = host.split('.').next().filter(|it| is_name(it)).ok_or(Mistake::Container)?;
                (name, Some(account.to_owned()))
            }
            _ => (authority, None),
        };
        if !is_name(name) {
            return Err(Mistake::Container);
        }
        let key = Path::parse(key).map_err(|_| Mistake::Key)?;
        if key.is_root() {
            return Err(Mistake::Key);
        }
        Ok(Self { container: Container { service, name: name.to_owned(), account }, key })
    }
}

/// The same URL under the scheme that we know it by.
pub(in crate::sink) fn canonical(url: &str) -> String {
    match url.strip_prefix("s3a://") {
        Some(rest) => format!("s3://{rest}"),
        None => url.to_owned(),
    }
}

/// A URL without what may be secret: the part behind `?`, and a password before the host.
pub(in crate::sink) fn without_secrets(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(url, _)| url);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => format!("{scheme}://{host}{path}"),
        _ => url.to_owned(),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._$".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_container_and_a_key() {
        for (url, service, name, account, key) in [
            ("s3://bucket/a/b.parquet", Service::S3, "bucket", None, "a/b.parquet"),
            ("s3a://my.bucket/a b%20c#d", Service::S3, "my.bucket", None, "a b%20c#d"),
            ("gs://bucket/day=1/x", Service::Google, "bucket", None, "day=1/x"),
            ("az://container/x/", Service::Azure, "container", None, "x"),
            ("abfss://c@acc.dfs.core.windows.net/x", Service::Azure, "c", Some("acc"), "x"),
        ] {
            let object = Object::parse(url).unwrap();
            let account = account.map(str::to_owned);
            assert_eq!(object.container, Container { service, name: name.to_owned(), account }, "{url}");
            assert_eq!(object.key.as_ref(), key, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told() {
        for (url, mistake) in [
            ("ftp://host/a", Mistake::Scheme),
            ("https://account.blob.core.windows.net/c/x", Mistake::Scheme),
            ("s3://bucket", Mistake::Key),
            ("s3://bucket/", Mistake::Key),
            ("s3://bucket/a//b", Mistake::Key),
            ("s3://bucket/../b", Mistake::Key),
            ("s3://bucket/a\u{7}", Mistake::Key),
            ("s3:///a", Mistake::Container),
            ("s3://key:secret@bucket/a", Mistake::Container),
            ("abfss://c@/x", Mistake::Container),
            ("az://container/x?sv=1&sig=secret", Mistake::Query),
        ] {
            assert_eq!(Object::parse(url), Err(mistake), "{url}");
        }
    }

    #[test]
    fn secrets_are_left_out() {
        assert_eq!(without_secrets("az://c/x?sig=secret"), "az://c/x");
        assert_eq!(without_secrets("s3://key:secret@bucket/a"), "s3://bucket/a");
        assert_eq!(
            without_secrets("abfss://c@acc.dfs.core.windows.net/x"),
            "abfss://c@acc.dfs.core.windows.net/x"
        );
        assert_eq!(without_secrets("http://127.0.0.1:9000"), "http://127.0.0.1:9000");
    }
}
