//! Where a server is, who we are there, and the connection string that says both: `sc://host:port/;key=value;…`.
//!
//! The rules are Spark's. Where Spark's own clients pass over a mistake in silence (a parameter that became part of the host, a
//! query, a user before `@`, `use_ssl=yes`), this is an error that says what to write. The environment is handed in as
//! [`Defaults`].
//!
//! What may open doors (a token, an `authorization` header) goes over TLS, or in the clear to this machine, or to a host that the
//! user has named for that very purpose.

mod error;
mod header;
mod parts;

use std::fmt::{self, Debug, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr as _;
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use uuid::Uuid;

pub(crate) use self::error::EndpointError;
pub(super) use self::header::Header;
use self::parts::{bad, encoded_length, header, host_and_port, milliseconds, pairs, session_id, truth};
use crate::connect::tls::Certificates;
use crate::secret::{Secret, learn_literal};

const SCHEME: &str = "sc://";
const DEFAULT_MESSAGE_LIMIT: usize = 128 * 1024 * 1024;
const DEFAULT_KEEPALIVE: Keepalive =
    Keepalive { interval: Duration::from_secs(60), timeout: Duration::from_secs(20), while_idle: true };
const USER_AGENT_LIMIT: usize = 2048;

/// The parameters that mean something; any other is a header.
const PARAMETERS: [&str; 10] = [
    "use_ssl",
    "token",
    "user_id",
    "user_agent",
    "session_id",
    "grpc_keepalive_enabled",
    "grpc_keepalive_time_ms",
    "grpc_keepalive_timeout_ms",
    "grpc_keepalive_without_calls",
    "grpc_max_message_size",
];

/// A Spark Connect server, and how it is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    host: String,
    port: u16,
    transport: Transport,
    certificates: Certificates,
    token: Option<Token>,
    token_is_in_string: bool,
    user_id: Option<String>,
    user_agent: Option<String>,
    session_id: Option<Uuid>,
    headers: Vec<Header>,
    keepalive: Option<Keepalive>,
    message_limit: usize,
}

/// How bytes go over the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Transport {
    Plain,
    /// Asked for by `use_ssl=true`.
    Tls,
    /// Over TLS because a token goes along, as in Spark's clients.
    TlsForToken,
}

/// What applies where the connection string says nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) user: Option<String>,
    /// For this very server: a token goes to nobody else.
    pub(crate) token: Option<Token>,
    pub(crate) user_agent: Option<String>,
    /// The host to which a token may go in the clear, as one may to this machine.
    pub(crate) plaintext: Option<String>,
}

/// A bearer token, which nothing prints.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(Secret);

/// Pings on an HTTP/2 connection. Servers before 4.3 hang up on clients that ping more often than every five minutes, so these
/// are off until the connection string asks for them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Keepalive {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) while_idle: bool,
}

impl Token {
    /// A token, unless the text is empty or can not stand in a header.
    pub(crate) fn new(text: impl Into<String>) -> Option<Self> {
        let token = Self(Secret::new(text));
        (!token.0.expose().is_empty() && token.bearer().is_some()).then_some(token)
    }

    pub(super) fn bearer(&self) -> Option<MetadataValue<Ascii>> {
        let mut value = MetadataValue::from_str(&format!("Bearer {}", self.0.expose())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Debug for Token {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Display for Token {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The address alone: what a message may show.
impl Display for Endpoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.authority())
    }
}

impl Endpoint {
    /// Reads a connection string.
    pub(crate) fn parse(text: &str, defaults: &Defaults) -> Result<Self, EndpointError> {
        let rest = text.strip_prefix(SCHEME).ok_or(EndpointError::Scheme)?;
        for (cut, instead) in [('?', "%3F"), ('#', "%23")] {
            if rest.contains(cut) {
                return Err(EndpointError::Cut(cut, instead));
            }
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = host_and_port(authority)?;
        let parameters = match path.strip_prefix(';') {
            Some(parameters) => pairs(parameters)?,
            None if path.is_empty() => Vec::new(),
            None => return Err(EndpointError::Path),
        };
        let endpoint = Self {
            host,
            port,
            transport: Transport::Plain,
            certificates: Certificates::default(),
            token: defaults.token.clone(),
            token_is_in_string: false,
            user_id: defaults.user.clone().filter(|user| !user.is_empty()),
            user_agent: defaults.user_agent.clone().filter(|agent| !agent.is_empty()),
            session_id: None,
            headers: Vec::new(),
            keepalive: None,
            message_limit: DEFAULT_MESSAGE_LIMIT,
        };
        endpoint.with(&parameters, defaults.plaintext.as_deref())
    }

    /// A server on this machine that was started for us, reached without TLS.
    pub(crate) fn loopback(port: u16, token: Option<Token>) -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port,
            transport: Transport::Plain,
            certificates: Certificates::default(),
            token,
            token_is_in_string: false,
            user_id: None,
            user_agent: None,
            session_id: None,
            headers: Vec::new(),
            keepalive: None,
            message_limit: DEFAULT_MESSAGE_LIMIT,
        }
    }

    /// Acts as this user where the connection string names none.
    pub(crate) fn or_user(mut self, user: Option<String>) -> Self {
        self.user_id = self.user_id.or(user).filter(|user| !user.is_empty());
        self
    }

    /// Believes these authorities, and is this client.
    pub(crate) fn with_certificates(mut self, certificates: Certificates) -> Self {
        self.certificates = certificates;
        self
    }

    fn with(
        mut self,
        parameters: &[(String, String)],
        plaintext: Option<&str>,
    ) -> Result<Self, EndpointError> {
        let mut use_ssl = None;
        let mut keepalive = DEFAULT_KEEPALIVE;
        let mut pings = false;
        for (key, value) in parameters {
            match key.as_str() {
                "use_ssl" => use_ssl = Some(truth(key, value)?),
                "token" => {
                    let problem = "empty or has characters that no header may have";
                    let token =
                        Token::new(value).ok_or(bad(key, problem, "the token, or leave `token` out"))?;
                    self.token = Some(token);
                    self.token_is_in_string = true;
                }
                "user_id" => self.user_id = Some(value.clone()).filter(|user| !user.is_empty()),
                "user_agent" => self.user_agent = Some(value.clone()).filter(|agent| !agent.is_empty()),
                "session_id" => self.session_id = Some(session_id(key, value)?),
                "grpc_keepalive_enabled" => pings = truth(key, value)?,
                "grpc_keepalive_time_ms" => keepalive.interval = milliseconds(key, value)?,
                "grpc_keepalive_timeout_ms" => keepalive.timeout = milliseconds(key, value)?,
                "grpc_keepalive_without_calls" => keepalive.while_idle = truth(key, value)?,
                "grpc_max_message_size" => {
                    let limit = value.parse().ok().filter(|limit| *limit > 0);
                    self.message_limit = limit.ok_or(bad(key, "not a size", "a number of bytes"))?;
                }
                _ => {
                    let header = header(key, value)?;
                    if header.opens_doors() {
                        let _known = Secret::new(value);
                    }
                    learn_literal(key, value);
                    self.headers.retain(|earlier| earlier.name != header.name);
                    self.headers.push(header);
                }
            }
        }
        if self.user_agent.as_deref().is_some_and(|agent| encoded_length(agent) > USER_AGENT_LIMIT) {
            return Err(bad("user_agent", "longer than 2048 bytes", "a shorter one"));
        }
        self.keepalive = pings.then_some(keepalive);
        let is_allowed = plaintext.is_some_and(|host| self.is_host(host));
        // The name alone, as in Spark's clients: an address may be somebody else's on a shared machine. Who means it says so.
        let in_the_clear =
            self.host == "localhost" || is_allowed || (use_ssl == Some(false) && self.is_loopback());
        self.transport = match (use_ssl, &self.token) {
            (Some(true), _) => Transport::Tls,
            (_, Some(_)) if !in_the_clear => Transport::TlsForToken,
            _ => Transport::Plain,
        };
        let credential = self.headers.iter().find(|header| header.opens_doors());
        if let Some(header) = credential
            && !self.tls()
            && !is_allowed
            && !self.is_loopback()
        {
            return Err(EndpointError::InTheClear(header.name.to_string(), self.host.clone()));
        }
        self.token_is_in_string |= credential.is_some();
        Ok(self)
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether this is the server's host, however it is spelled.
    pub(crate) fn is_host(&self, name: &str) -> bool {
        self.host().eq_ignore_ascii_case(name.trim_matches(['[', ']']))
    }

    /// Whether the connection string itself holds what may open doors.
    pub(crate) fn token_is_in_string(&self) -> bool {
        self.token_is_in_string
    }

    /// The parameters that mean nothing to a client and are sent as headers.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|header| header.name.as_str())
    }

    /// The parameters that are known.
    pub(crate) fn parameters() -> [&'static str; PARAMETERS.len()] {
        PARAMETERS
    }

    /// How this server would be reached where it turns out not to speak TLS.
    pub(super) fn without_tls(&self) -> String {
        let host = self.host();
        match (self.transport, &self.token) {
            (Transport::Plain, _) => "reach another port".to_owned(),
            (Transport::TlsForToken, _) if self.is_loopback() => {
                "write `use_ssl=false`, for a token turns TLS on".to_owned()
            }
            (Transport::TlsForToken, _) => format!(
                "reach a port that does; or let the token go in the clear by name: `--allow-plaintext {host}`"
            ),
            (Transport::Tls, Some(_)) if !self.is_loopback() => format!(
                "reach a port that does; or leave `use_ssl=true` out and let the token go in the clear by name: `--allow-plaintext {host}`"
            ),
            (Transport::Tls, _) => "reach a port that does, or write `use_ssl=false`".to_owned(),
        }
    }

    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The host as a resolver takes it, without brackets.
    pub(super) fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is reached over TLS.
    pub(crate) fn tls(&self) -> bool {
        self.transport != Transport::Plain
    }

    pub(super) fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    pub(super) fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    pub(super) fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    pub(super) fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    pub(super) fn session_id(&self) -> Option<Uuid> {
        self.session_id
    }

    pub(super) fn headers(&self) -> &[Header] {
        &self.headers
    }

    pub(super) fn keepalive(&self) -> Option<Keepalive> {
        self.keepalive
    }

    pub(super) fn message_limit(&self) -> usize {
        self.message_limit
    }
}

#[cfg(test)]
mod tests;
