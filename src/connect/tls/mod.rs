//! TLS: whose certificates are believed, which one is our own, and what a handshake that fails says.
//!
//! The roots are the system's, or those of a file in their place. The greeting made by hand and tonic have the same, and judge by
//! the same verifier, so that both believe the same.

mod verifier;

use std::error::Error as StdError;
use std::fmt::{self, Debug, Formatter};
use std::io;
use std::sync::{Arc, OnceLock};

use thiserror::Error;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, InconsistentKeys, PeerIncompatible,
    RootCertStore,
};
use tonic::transport::ClientTlsConfig;

use self::verifier::Verifier;
use crate::connect::reason::Reason;

/// The name of HTTP/2 in a handshake.
pub(crate) const HTTP2: &[u8] = b"h2";
const WANTS_CLIENT: &str = "name one: `--tls-cert FILE --tls-key FILE`, or `tls` in a target";

/// Whom we believe, and who we say we are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Certificates {
    roots: Option<Roots>,
    identity: Option<Identity>,
}

/// Authorities, in place of the system's.
#[derive(Clone)]
pub(crate) struct Roots {
    store: Arc<RootCertStore>,
    /// The same as they stand in the file: a server may show one of them itself.
    certificates: Arc<[CertificateDer<'static>]>,
}

/// A certificate of our own, with its key.
#[derive(Clone)]
pub(crate) struct Identity(Arc<Pair>);

struct Pair {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// The same as tonic takes it.
    pem: tonic::transport::Identity,
}

/// What is wrong with a file of certificates or keys, to be read after its name.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum PemError {
    #[error("holds no certificate; it has to be PEM, which begins with `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    #[error("holds a certificate that is none: what stands between `BEGIN` and `END` can't be read")]
    BadCertificate,
    #[error("holds no private key; it has to be PEM, as in `-----BEGIN PRIVATE KEY-----`")]
    NoKey,
    #[error("holds a key under a passphrase; take that off with `openssl pkey -in FILE -out PLAIN_FILE`")]
    EncryptedKey,
    #[error("holds a private key that can't be read, or of a kind that TLS does not use here")]
    BadKey,
    #[error("holds the key of another certificate")]
    WrongKey,
}

impl Certificates {
    pub(crate) fn new(roots: Option<Roots>, identity: Option<Identity>) -> Self {
        Self { roots, identity }
    }

    /// Whether the server is told who we are.
    pub(crate) fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    fn verifier(&self) -> Result<Arc<Verifier>, Reason> {
        let (store, named) = match &self.roots {
            Some(roots) => (Arc::clone(&roots.store), Arc::clone(&roots.certificates)),
            None => (system_roots()?, Arc::default()),
        };
        let verifier = Verifier::new(store, named, provider());
        Ok(Arc::new(verifier.map_err(|error| Reason::new(error.to_string()))?))
    }

    /// For a handshake made by hand.
    pub(crate) fn by_hand(&self) -> Result<ClientConfig, Reason> {
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let config = config.map_err(|error| Reason::new(error.to_string()))?;
        let config = config.dangerous().with_custom_certificate_verifier(self.verifier()?);
        let mut config = match &self.identity {
            Some(Identity(pair)) => config
                .with_client_auth_cert(pair.certificates.clone(), pair.key.clone_key())
                .map_err(|error| Reason::new(error.to_string()))?,
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols.push(HTTP2.to_vec());
        Ok(config)
    }

    /// For tonic, which takes no roots beside a verifier.
    pub(crate) fn for_tonic(&self) -> Result<(ClientTlsConfig, Arc<dyn ServerCertVerifier>), Reason> {
        let config = ClientTlsConfig::new();
        let config = match &self.identity {
            Some(Identity(pair)) => config.identity(pair.pem.clone()),
            None => config,
        };
        Ok((config, self.verifier()?))
    }

    /// Why a connection has failed. Nothing where TLS has not said so.
    pub(crate) fn reason(&self, error: &io::Error) -> Option<Reason> {
        tls_error(error).map(|error| reason(error, self))
    }
}

impl Roots {
    /// Reads a file's text.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, PemError> {
        let mut store = RootCertStore::empty();
        let certificates = certificates(pem)?;
        for certificate in &certificates {
            store.add(certificate.clone()).map_err(|_| PemError::BadCertificate)?;
        }
        Ok(Self { store: Arc::new(store), certificates: certificates.into() })
    }
}

impl Identity {
    /// Reads the texts of two files: the certificate, then those between it and its authority; the private key.
    pub(crate) fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let certificates = certificates(certificate).map_err(IdentityError::Certificate)?;
        let private = private_key(key).map_err(IdentityError::Key)?;
        CertifiedKey::from_der(certificates.clone(), private.clone_key(), &provider()).map_err(|error| {
            match error {
                Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    IdentityError::Key(PemError::WrongKey)
                }
                Error::InvalidCertificate(_) => IdentityError::Certificate(PemError::BadCertificate),
                _ => IdentityError::Key(PemError::BadKey),
            }
        })?;
        let pem = tonic::transport::Identity::from_pem(certificate, key);
        Ok(Self(Arc::new(Pair { certificates, key: private, pem })))
    }
}

/// Which of the two files is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdentityError {
    Certificate(PemError),
    Key(PemError),
}

impl Debug for Roots {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} roots", self.store.len())
    }
}

impl Debug for Identity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Looked up once a process: that reads a file, or many.
fn system_roots() -> Result<Arc<RootCertStore>, Reason> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err(Reason::new("this machine knows no authority whose certificates it could believe").hint(
            "install the system's certificates (`ca-certificates`), or name a file of them: `--tls-ca FILE`",
        ));
    }
    Ok(Arc::clone(roots))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(PemError::NoCertificate),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(PemError::BadCertificate),
    }
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        let holds = |text: &str| pem.windows(text.len()).any(|window| window == text.as_bytes());
        if holds("ENCRYPTED") {
            PemError::EncryptedKey
        } else if holds("PRIVATE KEY-----") {
            PemError::BadKey
        } else {
            PemError::NoKey
        }
    })
}

/// The host as certificates name it.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, Reason> {
    ServerName::try_from(host.to_owned()).map_err(|_| {
        Reason::new(format!("`{host}` is no name that a certificate could have"))
            .hint("write a name as the DNS knows it, or a whole IP address")
    })
}

/// Reads what TLS says out of what a connection failed of, if that was TLS. For later calls, where nothing more is known.
pub(crate) fn reason_of(error: &(dyn StdError + 'static)) -> Option<Reason> {
    let mut error = Some(error);
    while let Some(this) = error {
        let found = this.downcast_ref::<Error>().or_else(|| this.downcast_ref().and_then(tls_error));
        if let Some(found) = found {
            return Some(reason(found, &Certificates::default()));
        }
        error = this.source();
    }
    None
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
}

fn reason(error: &Error, ours: &Certificates) -> Reason {
    match error {
        Error::InvalidCertificate(problem) => certificate_reason(problem, ours),
        Error::AlertReceived(alert) => alert_reason(*alert, ours),
        Error::InvalidMessage(_) => not_tls(),
        Error::NoApplicationProtocol => no_http2(),
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => too_old(),
        error => Reason::new(format!("the handshake fails: {error}")),
    }
}

fn certificate_reason(problem: &CertificateError, ours: &Certificates) -> Reason {
    use CertificateError as Problem;
    match problem {
        Problem::UnknownIssuer => {
            let reason = Reason::new("its certificate is signed by nobody who is trusted here");
            match ours.roots {
                None => reason.hint("name a file with the certificate of its authority, or with its own if nobody else has signed it: `--tls-ca FILE`"),
                Some(_) => {
                    reason.hint("the file of `--tls-ca` stands for all of the system's authorities: it needs the one that signed this certificate")
                }
            }
        }
        Problem::NotValidForNameContext { expected, presented } => {
            let names: Vec<String> = presented.iter().map(|name| format!("`{}`", plain_name(name))).collect();
            let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            let host = expected.to_str();
            Reason::new(format!("its certificate is for {names}, and not for `{host}`"))
                .hint("reach it under a name of its certificate; or it is another server than the one you mean")
        }
        Problem::NotValidForName => Reason::new("its certificate is for another name"),
        Problem::Expired | Problem::ExpiredContext { .. } => Reason::new("its certificate has expired")
            .hint("let whoever runs the server renew it; or this machine's clock is wrong"),
        Problem::NotValidYet | Problem::NotValidYetContext { .. } => {
            Reason::new("its certificate is not valid yet").hint("look whether this machine's clock is right")
        }
        Problem::InvalidPurpose | Problem::InvalidPurposeContext { .. } => {
            Reason::new("its certificate is not one for servers")
                .hint("let an authority sign one for it that is (`extendedKeyUsage=serverAuth`)")
        }
        Problem::BadSignature => Reason::new("its certificate is not signed by the authority that it names")
            .hint("an authority that was made anew under its old name has a new certificate: name a file with that one"),
        problem if verifier::is_of_authority(problem) => {
            Reason::new("its certificate is an authority's own and not one for a server")
                .hint("let an authority sign one for the server (`basicConstraints=CA:FALSE`), or name a file with this very one: `--tls-ca FILE`")
        }
        problem => Reason::new(format!("its certificate is not accepted: {problem}")),
    }
}

fn alert_reason(alert: AlertDescription, ours: &Certificates) -> Reason {
    use AlertDescription as Alert;
    match (alert, &ours.identity) {
        (Alert::NoApplicationProtocol, _) => no_http2(),
        (Alert::ProtocolVersion, _) => too_old(),
        (Alert::UnrecognisedName, _) => Reason::new("it has no certificate for this name")
            .hint("look for a slip in the address; proxies tell servers apart by it"),
        (Alert::CertificateRequired, None) => {
            Reason::new("it wants a certificate of the client").hint(WANTS_CLIENT)
        }
        (
            Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::AccessDenied
            | Alert::HandshakeFailure
            | Alert::DecryptError,
            None,
        ) => Reason::new(format!("it ends the handshake ({alert:?})"))
            .hint(format!("if it wants a certificate of the client, {WANTS_CLIENT}")),
        (
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::HandshakeFailure
            | Alert::DecryptError,
            Some(_),
        ) => Reason::new(format!("it does not accept the client's certificate ({alert:?})")).hint(
            "look whether it has not expired, and whether an authority signed it that the server trusts",
        ),
        (alert, _) => Reason::new(format!("it ends the handshake ({alert:?})")),
    }
}

/// What answered has not spoken TLS; whoever knows why TLS was tried adds the hint.
pub(crate) fn not_tls() -> Reason {
    Reason::new("it does not speak TLS")
}

pub(crate) fn no_http2() -> Reason {
    Reason::new("it offers no HTTP/2 over TLS (ALPN), which gRPC needs")
        .hint("reach the port for gRPC; or let the proxy before it pass HTTP/2 on")
}

fn too_old() -> Reason {
    Reason::new("it speaks neither TLS 1.2 nor TLS 1.3")
}

/// A certificate's name without the library's own words: `DnsName("a.example.com")`.
fn plain_name(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inside.trim_matches('"')
}
