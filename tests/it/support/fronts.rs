//! What stands before a server, or in its place: proxies that end TLS, and programs that are no Spark at all.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

/// Who signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Certificate {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Signs a certificate for these names.
    pub(crate) fn sign(&self, names: &[&str]) -> Certificate {
        self.sign_with(names, |_| {})
    }

    /// The same, with something about it changed.
    pub(crate) fn sign_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Certificate { certificate, key: key.serialize_pem() }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        roots
    }
}

/// A certificate that nobody has signed but itself, with something about it changed.
pub(crate) fn signed_by_itself(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap().pem();
    Certificate { certificate, key: key.serialize_pem() }
}

/// A certificate that ended long ago.
pub(crate) fn expired(params: &mut CertificateParams) {
    params.not_after = date_time_ymd(2020, 1, 1);
}

/// One that is for later.
pub(crate) fn for_later(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(4000, 1, 1);
}

/// One by which a client shows who it is.
pub(crate) fn for_clients(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
}

/// One by which a server shows who it is.
pub(crate) fn for_servers(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
}

/// One that signs others.
pub(crate) fn for_signing(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

/// How a proxy speaks TLS.
pub(crate) struct Tls {
    certificate: Certificate,
    clients: Option<RootCertStore>,
    versions: Vec<&'static SupportedProtocolVersion>,
    protocols: Vec<Vec<u8>>,
}

impl Tls {
    pub(crate) fn of(certificate: Certificate) -> Self {
        Self { certificate, clients: None, versions: vec![&TLS13, &TLS12], protocols: vec![b"h2".to_vec()] }
    }

    /// Lets clients in that have a certificate of this authority.
    pub(crate) fn for_clients_of(self, authority: &Authority) -> Self {
        Self { clients: Some(authority.roots()), ..self }
    }

    pub(crate) fn of_version_12(self) -> Self {
        Self { versions: vec![&TLS12], ..self }
    }

    /// Speaks these protocols inside.
    pub(crate) fn protocols(self, protocols: &[&str]) -> Self {
        Self { protocols: protocols.iter().map(|name| name.as_bytes().to_vec()).collect(), ..self }
    }

    fn acceptor(self) -> TlsAcceptor {
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .unwrap();
        let config = match self.clients {
            Some(roots) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => config.with_no_client_auth(),
        };
        let chain = CertificateDer::pem_slice_iter(self.certificate.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.certificate.key.as_bytes()).unwrap();
        let mut config = config.with_single_cert(chain.map(Result::unwrap).collect(), key).unwrap();
        config.alpn_protocols = self.protocols;
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Something that listens at a port of the loopback address, until it is dropped.
pub(crate) struct Front {
    pub(crate) port: u16,
    _threads: Runtime,
}

impl Front {
    fn serve<F>(each: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let threads = Runtime::new().unwrap();
        let listener = threads.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        threads.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(each(stream));
            }
        });
        Self { port, _threads: threads }
    }

    /// Ends TLS and passes everything on to this port.
    pub(crate) fn tls(tls: Tls, port: u16) -> Self {
        let acceptor = tls.acceptor();
        Self::serve(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut near) = acceptor.accept(stream).await else { return };
                let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
                drop(copy_bidirectional(&mut near, &mut far).await);
            }
        })
    }

    /// The same for the first connections, which live for so long; whoever comes later meets another certificate.
    pub(crate) fn turning(first: Tls, (connections, life): (usize, Duration), then: Tls, port: u16) -> Self {
        let (first, then) = (first.acceptor(), then.acceptor());
        let count = AtomicUsize::new(0);
        Self::serve(move |stream| {
            let is_first = count.fetch_add(1, Ordering::SeqCst) < connections;
            let acceptor = if is_first { first.clone() } else { then.clone() };
            async move {
                let Ok(mut near) = acceptor.accept(stream).await else { return };
                let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
                drop(timeout(life, copy_bidirectional(&mut near, &mut far)).await);
            }
        })
    }

    /// Answers the first bytes with these, and hangs up.
    pub(crate) fn answers(bytes: &'static [u8]) -> Self {
        Self::serve(move |mut stream| async move {
            drop(stream.read(&mut [0; 16]).await);
            drop(stream.write_all(bytes).await);
            drop(stream.shutdown().await);
            // Whoever closes before all is read resets the connection.
            drop(timeout(Duration::from_secs(1), stream.read_to_end(&mut Vec::new())).await);
        })
    }

    /// Accepts connections and says nothing.
    pub(crate) fn silent() -> Self {
        Self::serve(|stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        })
    }

    /// Speaks HTTP/2 and answers every request with a page of this status.
    pub(crate) fn web(status: &'static str) -> Self {
        Self::serve(move |stream| async move { drop(pages(stream, status).await) })
    }
}

/// Answers requests of HTTP/2 as a web server does that knows nothing of gRPC.
async fn pages(mut stream: TcpStream, status: &str) -> std::io::Result<()> {
    const PREFACE: usize = 24;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const TYPE_AND_END: [u8; 2] = [0, 1];
    stream.read_exact(&mut [0; PREFACE]).await?;
    stream.write_all(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        stream.read_exact(&mut vec![0; length]).await?;
        match head[3] {
            SETTINGS if head[4] == 0 => stream.write_all(&[0, 0, 0, SETTINGS, 1, 0, 0, 0, 0]).await?,
            HEADERS => {
                // `:status` and `content-type` by their numbers in the static table, values as they are.
                let mut block = vec![0x08, 3];
                block.extend(status.as_bytes());
                block.extend([0x0f, 0x10, 9]);
                block.extend(b"text/html");
                let number = &head[5..];
                let page = b"<html><h1>Sorry</h1></html>";
                let mut answer = vec![0, 0, u8::try_from(block.len()).unwrap(), HEADERS, 4];
                answer.extend(number);
                answer.extend(block);
                answer.extend([0, 0, u8::try_from(page.len()).unwrap()]);
                answer.extend(TYPE_AND_END);
                answer.extend(number);
                answer.extend(page);
                stream.write_all(&answer).await?;
            }
            _ => {}
        }
    }
}
