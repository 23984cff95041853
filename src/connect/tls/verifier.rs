//! Which certificates of servers are believed: those that rustls believes, and those that the user has named themselves.
//!
//! rustls refuses a server that shows the certificate of an authority, and `openssl req -x509` makes nothing else by itself. Whoever
//! names that very certificate believes it, as curl and OpenSSL do. The system's authorities are never believed so.

use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::db::rfc5280::ID_KP_SERVER_AUTH;
use x509_cert::ext::pkix::ExtendedKeyUsage;

/// Judges the certificates of servers.
#[derive(Debug)]
pub(crate) struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    /// Those of the user's own file.
    named: Arc<[CertificateDer<'static>]>,
}

impl Verifier {
    pub(crate) fn new(
        roots: Arc<RootCertStore>,
        named: Arc<[CertificateDer<'static>]>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let usual = WebPkiServerVerifier::builder_with_provider(roots, provider).build()?;
        Ok(Self { usual, named })
    }

    /// Whether the user has named this certificate itself.
    fn names(&self, certificate: &CertificateDer<'_>) -> bool {
        self.named.iter().any(|named| named.as_ref() == certificate.as_ref())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict =
            self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            Err(Error::InvalidCertificate(problem)) if is_of_authority(&problem) => {
                if self.names(end_entity) {
                    judge_alone(end_entity, server_name, now)
                } else if is_signed_by_itself(end_entity) {
                    // That it may sign others as well is not what is wrong.
                    Err(CertificateError::UnknownIssuer.into())
                } else {
                    Err(problem.into())
                }
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Whether a server has shown the certificate of an authority. rustls has no variant for it.
pub(crate) fn is_of_authority(problem: &CertificateError) -> bool {
    problem.to_string().contains("CaUsedAsEndEntity")
}

/// Judges a certificate that needs nobody's word, by what else is said of one: how long it is valid, for what, for whom.
fn judge_alone(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let content = read(certificate).ok_or(CertificateError::BadEncoding)?;
    let content = content.tbs_certificate();
    let validity = content.validity();
    if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
        return Err(CertificateError::Expired.into());
    }
    let usages = content.get_extension::<ExtendedKeyUsage>().map_err(|_| CertificateError::BadEncoding)?;
    if usages.is_some_and(|(_, usages)| !usages.0.contains(&ID_KP_SERVER_AUTH)) {
        return Err(CertificateError::InvalidPurpose.into());
    }
    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    Ok(ServerCertVerified::assertion())
}

fn is_signed_by_itself(certificate: &CertificateDer<'_>) -> bool {
    read(certificate)
        .is_some_and(|content| content.tbs_certificate().issuer() == content.tbs_certificate().subject())
}

fn read(certificate: &CertificateDer<'_>) -> Option<Certificate> {
    Certificate::from_der(certificate).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
    };
    use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

    use super::{Verifier, is_of_authority, judge_alone};

    /// From 2020 to 2030.
    fn params() -> CertificateParams {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        params
    }

    fn itself(params: &CertificateParams) -> CertificateDer<'static> {
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    fn verifier(roots: &[&CertificateDer<'static>], named: &[&CertificateDer<'static>]) -> Verifier {
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add((*root).clone()).unwrap();
        }
        let named = named.iter().map(|named| (*named).clone()).collect();
        Verifier::new(Arc::new(store), named, Arc::new(ring::default_provider())).unwrap()
    }

    fn at(year: i32) -> UnixTime {
        let seconds = date_time_ymd(year, 1, 1).unix_timestamp();
        UnixTime::since_unix_epoch(Duration::from_secs(seconds.try_into().unwrap()))
    }

    fn name(name: &'static str) -> ServerName<'static> {
        ServerName::try_from(name).unwrap()
    }

    fn problem<T>(verdict: Result<T, Error>) -> Option<CertificateError> {
        match verdict {
            Ok(_) => None,
            Err(Error::InvalidCertificate(problem)) => Some(problem),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn an_authority_is_believed_where_it_is_named_itself() {
        let key = KeyPair::generate().unwrap();
        let authority = params().self_signed(&key).unwrap().der().clone();
        let other = itself(&params());
        let mut below = params();
        below.distinguished_name.push(rcgen::DnType::CommonName, "below");
        let below = below.signed_by(&KeyPair::generate().unwrap(), &Issuer::new(params(), key)).unwrap();
        let below = below.der().clone();
        let judge = |verifier: &Verifier, shown: &CertificateDer<'_>| {
            problem(verifier.verify_server_cert(shown, &[], &name("localhost"), &[], at(2025)))
        };
        assert_eq!(judge(&verifier(&[&authority], &[&authority]), &authority), None);
        assert_eq!(judge(&verifier(&[&other, &authority], &[&other, &authority]), &authority), None);
        assert_eq!(judge(&verifier(&[&below], &[&below]), &below), None);
        let unknown = Some(CertificateError::UnknownIssuer);
        // A root of the system's, and another certificate under the same name.
        assert_eq!(judge(&verifier(&[&authority], &[]), &authority), unknown);
        assert_eq!(judge(&verifier(&[&other], &[&other]), &authority), unknown);
        // One that somebody else has signed is no server's, though its authority is known.
        let refused = judge(&verifier(&[&authority], &[&authority]), &below).unwrap();
        assert!(is_of_authority(&refused), "{refused}");
    }

    #[test]
    fn what_is_named_is_still_judged() {
        let good = itself(&params());
        let usage = |usage| {
            let mut params = params();
            params.extended_key_usages = vec![usage];
            itself(&params)
        };
        let (servers, clients) =
            (usage(ExtendedKeyUsagePurpose::ServerAuth), usage(ExtendedKeyUsagePurpose::ClientAuth));
        let table = [
            (&good, "localhost", 2020, "fine"),
            (&good, "localhost", 2030, "fine"),
            (&good, "localhost", 2019, "early"),
            (&good, "localhost", 2031, "late"),
            (&good, "127.0.0.1", 2025, "name"),
            (&good, "example.com", 2025, "name"),
            (&servers, "localhost", 2025, "fine"),
            (&clients, "localhost", 2025, "purpose"),
        ];
        for (certificate, host, year, expected) in table {
            let verifier = verifier(&[certificate], &[certificate]);
            // Whether rustls comes to that first or we do.
            let whole = verifier.verify_server_cert(certificate, &[], &name(host), &[], at(year));
            let alone = judge_alone(certificate, &name(host), at(year));
            for verdict in [whole, alone] {
                let told = match problem(verdict) {
                    None => "fine",
                    Some(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
                        "early"
                    }
                    Some(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => "late",
                    Some(CertificateError::NotValidForNameContext { .. }) => "name",
                    Some(CertificateError::InvalidPurpose) => "purpose",
                    Some(problem) => panic!("{problem}"),
                };
                assert_eq!(told, expected, "{host} {year}");
            }
        }
    }
}
