//! How a server is spoken to: its connection string, the token, certificates, and what may go in the clear.
//!
//! A flag goes before the target's key, and that before the environment. Whatever belongs to a target goes to its own server alone.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::cli::env::{user, variable};
use crate::cli::failure::Failure;
use crate::cli::file::shown;
use crate::cli::project::InFile;
use crate::connect::{
    Certificates, Defaults, Endpoint, EndpointError, Identity, IdentityError, PemError, Roots, Token,
};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::secret::Secret;
use crate::target::CertificateFiles;
use crate::text::{Span, Spanned};

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ConnectionArguments {
    /// Trust a server whose certificate is signed by one of this file (PEM), or stands in it, in place of the system's authorities.
    /// TLS itself is turned on by `use_ssl=true`, or by a token. Without the flag, `ca` in the target's `tls`, then `PIPECTL_TLS_CA`.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Show this certificate to a server that wants one (PEM, with those between it and its authority). Without the flag, `cert` in
    /// the target's `tls`, then `PIPECTL_TLS_CERT`.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of `--tls-cert` (PEM, without a passphrase). Without the flag, `key` in the target's `tls`, then
    /// `PIPECTL_TLS_KEY`.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let a token go without TLS to this host, which has to be the server's; otherwise it goes over TLS, or to this machine.
    /// Without the flag, `allow_plaintext` of the target, then `PIPECTL_ALLOW_PLAINTEXT`.
    #[arg(long, value_name = "HOST")]
    allow_plaintext: Option<String>,
}

/// Who says something, so that what is wrong with it is told where it stands.
#[derive(Clone, Copy)]
pub(crate) enum Speaker<'a> {
    Flag(&'static str),
    Variable(&'static str),
    /// A key of a target.
    Target(Span, &'a InFile<'a>),
}

/// What a target says about the way to its server.
pub(crate) struct Keys<'a> {
    pub(crate) token: Option<&'a Secret>,
    pub(crate) certificates: &'a CertificateFiles,
    pub(crate) plaintext: Option<&'a Spanned<String>>,
    pub(crate) it: &'a InFile<'a>,
}

/// A file, and who names it.
struct Named<'a> {
    path: PathBuf,
    by: Speaker<'a>,
}

impl<'a> Speaker<'a> {
    fn wrong(self, message: String, helps: impl IntoIterator<Item = String>) -> Failure {
        match self {
            Self::Flag(_) | Self::Variable(_) => {
                Failure::Usage { message, hints: helps.into_iter().collect() }
            }
            Self::Target(span, it) => {
                let diagnostic = Diagnostic::new(Code::WrongType, span, message);
                it.wrong(helps.into_iter().fold(diagnostic, Diagnostic::help))
            }
        }
    }

    /// The name of the flag or variable; a key is shown where it stands.
    fn name(self, key: &'static str) -> &'static str {
        match self {
            Self::Flag(name) | Self::Variable(name) => name,
            Self::Target(..) => key,
        }
    }

    fn file(self, path: impl Into<PathBuf>) -> Named<'a> {
        let path = path.into();
        let path = match self {
            Self::Flag(_) | Self::Variable(_) => path,
            Self::Target(_, it) => it.file.folder.join(path),
        };
        Named { path, by: self }
    }
}

impl Named<'_> {
    fn read(&self) -> Result<Vec<u8>, Failure> {
        fs::read(&self.path).map_err(|error| self.problem(&format!("can't be read: {error}"), []))
    }

    fn problem(&self, problem: &str, helps: impl IntoIterator<Item = String>) -> Failure {
        let path = shown(&self.path);
        let path = path.display();
        let message = match self.by {
            Speaker::Flag(name) | Speaker::Variable(name) => format!("`{path}` of `{name}` {problem}"),
            Speaker::Target(..) => format!("`{path}` {problem}"),
        };
        self.by.wrong(message, helps)
    }

    fn pem(&self, error: PemError) -> Failure {
        let from_der = "a file in DER becomes PEM with `openssl x509 -in FILE -inform der -out NEW_FILE`";
        let helps = (error == PemError::NoCertificate).then(|| from_der.to_owned());
        self.problem(&error.to_string(), helps)
    }
}

impl ConnectionArguments {
    /// Reads the connection string that `speaker` has said, with the target's keys where it is the target's own.
    pub(crate) fn endpoint(
        &self,
        url: &str,
        speaker: Speaker<'_>,
        keys: Option<&Keys<'_>>,
        notes: &mut Vec<String>,
    ) -> Result<Endpoint, Failure> {
        let plaintext = self.plaintext(keys);
        let defaults = Defaults {
            user: user(),
            token: token(keys, speaker)?,
            user_agent: variable("SPARK_CONNECT_USER_AGENT"),
            plaintext: plaintext.as_ref().map(|(host, _)| host.clone()),
        };
        let endpoint = Endpoint::parse(url, &defaults).map_err(|error| wrong_string(&error, speaker))?;
        if let Some((host, by @ (Speaker::Flag(_) | Speaker::Target(..)))) = plaintext
            && !endpoint.is_host(&host)
        {
            let name = by.name("allow_plaintext");
            let message = format!("`{name}` names `{host}`, and the server is {endpoint}");
            return Err(by.wrong(message, ["name its host, without the port".to_owned()]));
        }
        notes.extend(doubts(&endpoint, speaker));
        let (authorities, identity) = (self.authorities(keys), self.identity(keys)?);
        if endpoint.tls() {
            return Ok(endpoint.with_certificates(certificates(authorities, identity)?));
        }
        let certificate = identity.map(|(certificate, _)| certificate);
        for (file, key) in [(authorities, "ca"), (certificate, "cert")] {
            match file.map(|file| file.by) {
                None => {}
                Some(Speaker::Variable(name)) => {
                    notes.push(format!("`{name}` has no effect: the connection to {endpoint} has no TLS"));
                }
                Some(by @ (Speaker::Flag(_) | Speaker::Target(..))) => {
                    let name = by.name(key);
                    let message = format!("`{name}` is given, and the connection to {endpoint} has no TLS");
                    return Err(by.wrong(message, ["write `use_ssl=true`, or leave it out".to_owned()]));
                }
            }
        }
        Ok(endpoint)
    }

    /// Says no where a flag is for a server, and there is none.
    pub(crate) fn needs_server(&self) -> Result<(), Failure> {
        let flags = [
            ("--tls-ca", self.tls_ca.is_some()),
            ("--tls-cert", self.tls_cert.is_some()),
            ("--allow-plaintext", self.allow_plaintext.is_some()),
        ];
        let Some((flag, _)) = flags.iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
        Err(Failure::Usage {
            message: format!("`{flag}` is for a server that somebody else runs, and none is named"),
            hints: vec!["name one with `--remote`, or with a target that has a `remote`".to_owned()],
        })
    }

    fn plaintext<'a>(&self, keys: Option<&Keys<'a>>) -> Option<(String, Speaker<'a>)> {
        let flag = self.allow_plaintext.clone().map(|host| (host, Speaker::Flag("--allow-plaintext")));
        let key = || {
            let keys = keys?;
            let host = keys.plaintext?;
            Some((host.value.clone(), Speaker::Target(host.span, keys.it)))
        };
        let name = "PIPECTL_ALLOW_PLAINTEXT";
        flag.or_else(key).or_else(|| Some((variable(name)?, Speaker::Variable(name))))
    }

    fn authorities<'a>(&self, keys: Option<&Keys<'a>>) -> Option<Named<'a>> {
        let flag = self.tls_ca.as_ref().map(|path| Speaker::Flag("--tls-ca").file(path));
        let key = || keys.and_then(|keys| Some(keys.file(keys.certificates.authorities.as_ref()?)));
        let name = "PIPECTL_TLS_CA";
        flag.or_else(key).or_else(|| variable(name).map(|path| Speaker::Variable(name).file(path)))
    }

    /// The certificate and its key, both from one place.
    fn identity<'a>(&self, keys: Option<&Keys<'a>>) -> Result<Option<(Named<'a>, Named<'a>)>, Failure> {
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            return Ok(Some((
                Speaker::Flag("--tls-cert").file(certificate),
                Speaker::Flag("--tls-key").file(key),
            )));
        }
        if let Some(keys) = keys
            && let Some((certificate, key)) = &keys.certificates.identity
        {
            return Ok(Some((keys.file(certificate), keys.file(key))));
        }
        let names = ["PIPECTL_TLS_CERT", "PIPECTL_TLS_KEY"];
        let file = |name: &'static str, path: String| Speaker::Variable(name).file(path);
        match names.map(variable) {
            [Some(certificate), Some(key)] => Ok(Some((file(names[0], certificate), file(names[1], key)))),
            [None, None] => Ok(None),
            [certificate, _] => {
                let [one, other] = if certificate.is_some() { names } else { [names[1], names[0]] };
                let message = format!("`{one}` is given without `{other}`");
                Err(Failure::Usage { message, hints: Vec::new() })
            }
        }
    }
}

impl<'a> Keys<'a> {
    fn file(&self, path: &Spanned<String>) -> Named<'a> {
        Speaker::Target(path.span, self.it).file(&path.value)
    }
}

fn certificates(
    authorities: Option<Named<'_>>,
    identity: Option<(Named<'_>, Named<'_>)>,
) -> Result<Certificates, Failure> {
    let roots = authorities
        .map(|file| Roots::from_pem(&file.read()?).map_err(|error| file.pem(error)))
        .transpose()?;
    let identity = identity
        .map(|(certificate, key)| {
            Identity::from_pem(&certificate.read()?, &key.read()?).map_err(|error| match error {
                IdentityError::Certificate(error) => certificate.pem(error),
                IdentityError::Key(error) => key.pem(error),
            })
        })
        .transpose()?;
    Ok(Certificates::new(roots, identity))
}

/// A target's own token, else that of the environment: whoever is named gets it, but for a target that has one.
fn token(keys: Option<&Keys<'_>>, speaker: Speaker<'_>) -> Result<Option<Token>, Failure> {
    let Some(secret) = keys.and_then(|keys| keys.token) else {
        return Ok(variable("SPARK_CONNECT_AUTHENTICATE_TOKEN").and_then(Token::new));
    };
    let problem =
        || speaker.wrong("the target's token has characters that no header may have".to_owned(), []);
    Token::new(secret.expose()).ok_or_else(problem).map(Some)
}

fn wrong_string(error: &EndpointError, speaker: Speaker<'_>) -> Failure {
    match speaker {
        Speaker::Flag(name) | Speaker::Variable(name) => {
            let form =
                "write `sc://host:15002`, parameters after `/;`: `sc://host:443/;use_ssl=true`".to_owned();
            let help = (!matches!(error, EndpointError::InTheClear(..))).then_some(form);
            speaker.wrong(format!("the connection string of `{name}` is wrong: {error}"), help)
        }
        Speaker::Target(..) => speaker.wrong(format!("the connection string is wrong: {error}"), []),
    }
}

/// What a user may not have meant.
fn doubts(endpoint: &Endpoint, speaker: Speaker<'_>) -> Vec<String> {
    let headers = endpoint.header_names().filter_map(|name| {
        let near = meant(name)?;
        Some(format!(
            "`{name}` of the connection string is sent as a header; did you mean the parameter `{near}`?"
        ))
    });
    let shown = (matches!(speaker, Speaker::Flag(_)) && endpoint.token_is_in_string()).then(|| {
        "the token of `--remote` is shown to every user of this machine by `ps`; put it into \
         SPARK_CONNECT_AUTHENTICATE_TOKEN, or into a target: `token: ${secret:NAME}`"
            .to_owned()
    });
    headers.chain(shown).collect()
}

/// The parameter that a header's name is a slip of.
fn meant(header: &str) -> Option<&'static str> {
    let near = nearest(header, Endpoint::parameters())?;
    // `x-…` is how headers of one's own are called; and what is much longer is a word of its own.
    let is_slip = near.len().abs_diff(header.len()) <= 1 || near.starts_with(header);
    (is_slip && !header.starts_with("x-")).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn slips_are_told_from_headers() {
        let table = [
            ("use_sll", Some("use_ssl")),
            ("usessl", Some("use_ssl")),
            ("tokn", Some("token")),
            ("token", Some("token")),
            ("user-id", Some("user_id")),
            ("session-id", Some("session_id")),
            ("grpc_keepalive_time", Some("grpc_keepalive_time_ms")),
            ("x-token", None),
            ("cluster_id", None),
            ("tenant", None),
            ("authorization", None),
        ];
        for (header, parameter) in table {
            assert_eq!(meant(header), parameter, "{header}");
        }
    }
}
