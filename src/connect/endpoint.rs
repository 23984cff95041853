//! Where a server is, who we are there, and the connection string that says both: `sc://host:port/;key=value;…`.
//!
//! The rules are Spark's. Where Spark's own clients pass over a mistake in silence (a parameter that became part of the host, a
//! query, a user before `@`, `use_ssl=yes`), this is an error that says what to write. The environment is handed in as
//! [`Defaults`].
//!
//! What may open doors (a token, an `authorization` header) goes over TLS, or in the clear to this machine, or to a host that the
//! user has named for that very purpose.

use std::fmt::{self, Debug, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr as _;
use std::time::Duration;

use thiserror::Error;
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use uuid::Uuid;

use crate::connect::tls::Certificates;
use crate::secret::{Secret, learn_literal};

const SCHEME: &str = "sc://";
const DEFAULT_PORT: u16 = 15002;
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
/// Headers by which servers let somebody in.
const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];

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

/// A header for every call. Values are often secrets, so nothing prints them.
#[derive(Clone, PartialEq)]
pub(super) struct Header {
    pub(super) name: MetadataKey<Ascii>,
    pub(super) value: MetadataValue<Ascii>,
}

/// Pings on an HTTP/2 connection. Servers before 4.3 hang up on clients that ping more often than every five minutes, so these
/// are off until the connection string asks for them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Keepalive {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) while_idle: bool,
}

/// What is wrong with a connection string.
#[derive(Debug, Error, PartialEq)]
pub(crate) enum EndpointError {
    #[error("a Spark Connect address begins with `sc://`, as in `sc://localhost:15002`")]
    Scheme,
    #[error("the address names no host; write `sc://HOST:PORT`")]
    NoHost,
    #[error("`{0}` is not a host name; an IPv6 address goes in brackets, parameters go after `/;`")]
    Host(String),
    #[error("`{0}` is not a port; write a number from 1 to 65535")]
    Port(String),
    #[error("a user before `@` has no effect; write `/;user_id=NAME` after the port")]
    UserInfo,
    #[error("the address has a path; only parameters may follow the port, as in `/;use_ssl=true`")]
    Path,
    #[error("everything from `{0}` on would be lost; write it as `{1}`")]
    Cut(char, &'static str),
    #[error("the parameter `{0}` is not `key=value`; write a `=` inside a value as `%3D` and a `;` as `%3B`")]
    Pair(String),
    #[error("the value of `{0}` is not percent-encoded UTF-8; write a `%` as `%25`")]
    Encoding(String),
    #[error("`{key}` is {problem}; write {instead}")]
    Value { key: String, problem: &'static str, instead: &'static str },
    #[error(
        "`{0}` would go to another machine in the clear; write `use_ssl=true`, or let it by name: `--allow-plaintext {1}`"
    )]
    InTheClear(String, String),
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

impl Debug for Header {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

impl Header {
    /// Whether a server lets somebody in for its sake.
    pub(super) fn opens_doors(&self) -> bool {
        CREDENTIALS.contains(&self.name.as_str())
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

fn host_and_port(authority: &str) -> Result<(String, u16), EndpointError> {
    // What follows may be a token, and a message goes to logs.
    if let Some((host, _)) = authority.split_once(';') {
        return Err(EndpointError::Host(format!("{host};…")));
    }
    if authority.contains('@') {
        return Err(EndpointError::UserInfo);
    }
    let (host, port) = match authority.rfind(']') {
        Some(end) => {
            let (host, rest) = authority.split_at(end + 1);
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err(EndpointError::Host(authority.to_owned())),
            }
        }
        None if authority.matches(':').count() > 1 => return Err(EndpointError::Host(authority.to_owned())),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(EndpointError::NoHost);
    }
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let valid = match bracketed {
        Some(address) => address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()),
        None => {
            host.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'))
        }
    };
    if !valid {
        return Err(EndpointError::Host(host.to_owned()));
    }
    let port = match port {
        Some(text) => match text.parse() {
            Ok(port) if port > 0 && text.bytes().all(|digit| digit.is_ascii_digit()) => port,
            _ => return Err(EndpointError::Port(text.to_owned())),
        },
        None => DEFAULT_PORT,
    };
    Ok((host.to_ascii_lowercase(), port))
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, EndpointError> {
    let mut pairs = Vec::new();
    for pair in text.split(';').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| EndpointError::Pair(word(pair)))?;
        if key.is_empty() || value.contains('=') {
            // The value may be a token: the message names the key.
            return Err(EndpointError::Pair(key.to_owned()));
        }
        let value = decoded(value).ok_or_else(|| EndpointError::Encoding(key.to_owned()))?;
        pairs.push((key.to_owned(), value));
    }
    Ok(pairs)
}

/// What a text begins with, that is a word: the rest may be a secret.
fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')).collect()
}

/// Undoes percent-encoding; a plus stays a plus.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = tail else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(*high)? << 4 | digit(*low)?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

fn encoded_length(text: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~' | b'/');
    text.bytes().map(|byte| if plain(byte) { 1 } else { 3 }).sum()
}

/// Spark's clients take everything but `true` for false.
fn truth(key: &str, value: &str) -> Result<bool, EndpointError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(bad(key, "neither true nor false", "`true` or `false`")),
    }
}

fn session_id(key: &str, value: &str) -> Result<Uuid, EndpointError> {
    let dashed = value.len() == uuid::fmt::Hyphenated::LENGTH;
    let id = Uuid::try_parse(value).ok().filter(|_| dashed);
    id.ok_or(bad(key, "not a UUID", "it with dashes, or leave `session_id` out"))
}

fn milliseconds(key: &str, value: &str) -> Result<Duration, EndpointError> {
    let time = value.parse().ok().filter(|time| *time > 0).map(Duration::from_millis);
    time.ok_or(bad(key, "not a duration", "a number of milliseconds"))
}

fn header(key: &str, value: &str) -> Result<Header, EndpointError> {
    let key = key.to_ascii_lowercase();
    let reserved = key.starts_with("grpc-") || ["te", "content-type", "user-agent"].contains(&key.as_str());
    if reserved {
        return Err(bad(&key, "a header of gRPC itself", "another name"));
    }
    let name = MetadataKey::from_str(&key)
        .map_err(|_| bad(&key, "neither a parameter nor a header name", "letters, digits and dashes"))?;
    let mut value =
        MetadataValue::from_str(value).map_err(|_| bad(&key, "not what a header may hold", "ASCII text"))?;
    value.set_sensitive(true);
    Ok(Header { name, value })
}

fn bad(key: &str, problem: &'static str, instead: &'static str) -> EndpointError {
    EndpointError::Value { key: key.to_owned(), problem, instead }
}

#[cfg(test)]
mod tests {
    use super::{Defaults, Endpoint, EndpointError, Token};

    fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(text, &Defaults::default())
    }

    #[test]
    fn addresses() {
        let table = [
            ("sc://localhost", "sc://localhost:15002"),
            ("sc://Spark.Example.COM:443/", "sc://spark.example.com:443"),
            ("sc://10.0.0.1:1/;", "sc://10.0.0.1:1"),
            ("sc://[::1]:7077", "sc://[::1]:7077"),
            ("sc://[::1]", "sc://[::1]:15002"),
            ("sc://h/;user_id=a;", "sc://h:15002"),
        ];
        for (text, address) in table {
            assert_eq!(parse(text).unwrap().to_string(), address, "{text}");
        }
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let table = [
            ("localhost:15002", "begins with `sc://`"),
            ("SC://h", "begins with `sc://`"),
            ("sc://", "names no host"),
            ("sc://:15002", "names no host"),
            ("sc://h:0", "`0` is not a port"),
            ("sc://h:70000", "`70000` is not a port"),
            ("sc://h:+1", "`+1` is not a port"),
            ("sc://h:", "`` is not a port"),
            ("sc://::1:15002", "in brackets"),
            ("sc://[10.0.0.1]", "in brackets"),
            ("sc://[::1]x", "in brackets"),
            ("sc://h;use_ssl=true", "parameters go after `/;`"),
            ("sc://u@h", "write `/;user_id=NAME`"),
            ("sc://h/path", "has a path"),
            ("sc://h/;token=a?b", "write it as `%3F`"),
            ("sc://h/;token=a#b", "write it as `%23`"),
            ("sc://h/;token=a=b", "`token` is not `key=value`"),
            ("sc://h/;flag", "`flag` is not `key=value`"),
            ("sc://h:1;use_ssl=true", "parameters go after `/;`"),
            ("sc://h/;a=%zz", "`a` is not percent-encoded"),
            ("sc://h/;a=%f", "`a` is not percent-encoded"),
            ("sc://h/;a=%ff", "`a` is not percent-encoded"),
            ("sc://h/;token=", "`token` is empty"),
            ("sc://h/;session_id=7", "`session_id` is not a UUID"),
            ("sc://h/;session_id=0123456789abcdef0123456789abcdef", "`session_id` is not a UUID"),
            ("sc://h/;grpc_keepalive_time_ms=soon", "`grpc_keepalive_time_ms` is not a duration"),
            ("sc://h/;grpc_max_message_size=0", "`grpc_max_message_size` is not a size"),
            ("sc://h/;grpc-timeout=1S", "a header of gRPC itself"),
            ("sc://h/;a b=c", "neither a parameter nor a header name"),
            ("sc://h/;x-key=%0A", "not what a header may hold"),
            ("sc://h/;authorization=Bearer%20x", "`authorization` would go to another machine in the clear"),
            (
                "sc://h/;Authorization=Bearer%20x",
                "write `use_ssl=true`, or let it by name: `--allow-plaintext h`",
            ),
            ("sc://h/;use_ssl=false;authorization=Bearer%20x", "--allow-plaintext h"),
            ("sc://h/;proxy-authorization=Basic%20x", "`proxy-authorization` would go"),
            ("sc://h/;use_ssl=yes", "`use_ssl` is neither true nor false; write `true` or `false`"),
            ("sc://h/;use_ssl=1", "write `true` or `false`"),
            ("sc://h/;use_ssl=", "write `true` or `false`"),
            ("sc://h/;use_ssl=true;use_ssl=on", "write `true` or `false`"),
            ("sc://h/;grpc_keepalive_enabled=on", "`grpc_keepalive_enabled` is neither"),
            ("sc://h/;grpc_keepalive_without_calls=0", "`grpc_keepalive_without_calls` is neither"),
        ];
        for (text, message) in table {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn a_token_turns_tls_on_but_on_this_machine() {
        let table = [
            ("sc://h", false),
            ("sc://h/;use_ssl=TRUE", true),
            ("sc://h/;use_ssl=false", false),
            ("sc://h/;use_ssl=true;use_ssl=false", false),
            ("sc://h/;token=t", true),
            ("sc://h/;use_ssl=false;token=t", true),
            ("sc://localhost/;token=t", false),
            ("sc://localhost/;token=t;use_ssl=true", true),
            ("sc://127.0.0.1/;token=t", true),
            ("sc://127.0.0.1/;token=t;use_ssl=false", false),
            ("sc://[::1]/;token=t;use_ssl=false", false),
        ];
        for (text, tls) in table {
            assert_eq!(parse(text).unwrap().tls(), tls, "{text}");
        }
        let defaults = Defaults { token: Token::new("t"), ..Defaults::default() };
        assert!(Endpoint::parse("sc://h", &defaults).unwrap().tls());
        assert!(!Endpoint::loopback(1, Token::new("t")).tls());
    }

    #[test]
    fn a_token_goes_in_the_clear_to_the_host_that_is_named_alone() {
        let table = [
            ("sc://h/;token=t", "h", false),
            ("sc://h/;token=t", "H", false),
            ("sc://h/;token=t;use_ssl=false", "h", false),
            ("sc://h/;token=t;use_ssl=true", "h", true),
            ("sc://h/;token=t", "hh", true),
            ("sc://h.example.com/;token=t", "example.com", true),
            ("sc://h/;token=t", "h:15002", true),
            ("sc://h/;token=t", "", true),
            ("sc://[fd00::1]/;token=t", "fd00::1", false),
            ("sc://[fd00::1]/;token=t", "[FD00::1]", false),
            ("sc://h/;authorization=Bearer%20t", "h", false),
        ];
        for (text, allowed, tls) in table {
            let defaults = Defaults { plaintext: Some(allowed.to_owned()), ..Defaults::default() };
            assert_eq!(Endpoint::parse(text, &defaults).unwrap().tls(), tls, "{text} {allowed}");
        }
        let defaults = Defaults { plaintext: Some("other".to_owned()), ..Defaults::default() };
        assert!(Endpoint::parse("sc://h/;authorization=x", &defaults).is_err());
    }

    #[test]
    fn what_the_string_itself_gives_away() {
        let table = [
            ("sc://h/;token=t", true),
            ("sc://h/;use_ssl=true;authorization=Bearer%20t", true),
            ("sc://h/;use_ssl=true;x-org=t", false),
        ];
        let defaults = Defaults { token: Token::new("t"), ..Defaults::default() };
        for (text, is_there) in table {
            let endpoint = Endpoint::parse(text, &defaults).unwrap();
            assert_eq!(endpoint.token_is_in_string(), is_there, "{text}");
        }
    }

    #[test]
    fn without_tls_there_are_other_ways() {
        let table = [
            ("sc://h/;use_ssl=true", "or write `use_ssl=false`"),
            ("sc://h/;token=t", "`--allow-plaintext h`"),
            ("sc://h/;use_ssl=true;token=t", "leave `use_ssl=true` out"),
            ("sc://127.0.0.1/;token=t", "write `use_ssl=false`, for a token turns TLS on"),
            ("sc://127.0.0.1/;token=t;use_ssl=true", "or write `use_ssl=false`"),
        ];
        for (text, hint) in table {
            let said = parse(text).unwrap().without_tls();
            assert!(said.contains(hint), "{text}: {said}");
        }
    }

    #[test]
    fn parameters_beat_defaults_and_the_last_one_wins() {
        let defaults = Defaults {
            user: Some("me".into()),
            token: Token::new("mine"),
            user_agent: Some("job".into()),
            plaintext: None,
        };
        let endpoint = Endpoint::parse("sc://h", &defaults).unwrap();
        assert_eq!((endpoint.user_id(), endpoint.user_agent()), (Some("me"), Some("job")));
        let text = "sc://h/;user_id=a;user_id=b%20c+d;user_agent=x;token=t%3D;X-Org=1;x-org=2";
        let endpoint = Endpoint::parse(text, &defaults).unwrap();
        assert_eq!((endpoint.user_id(), endpoint.user_agent()), (Some("b c+d"), Some("x")));
        assert_eq!(endpoint.token(), Token::new("t=").as_ref());
        let headers: Vec<_> = endpoint
            .headers()
            .iter()
            .map(|header| (header.name.as_str(), header.value.to_str().unwrap()))
            .collect();
        assert_eq!(headers, [("x-org", "2")]);
    }

    #[test]
    fn pings_are_off_until_asked_for() {
        assert!(parse("sc://h/;grpc_keepalive_time_ms=1000").unwrap().keepalive().is_none());
        let text = "sc://h/;grpc_keepalive_enabled=true;grpc_keepalive_time_ms=1000;grpc_keepalive_without_calls=false";
        let keepalive = parse(text).unwrap().keepalive().unwrap();
        assert_eq!(
            (keepalive.interval.as_secs(), keepalive.timeout.as_secs(), keepalive.while_idle),
            (1, 20, false)
        );
    }

    #[test]
    fn nothing_shows_a_secret() {
        let endpoint = parse("sc://h/;token=hush;x-key=hush").unwrap();
        assert!(!format!("{endpoint:?} {endpoint} {}", Token::new("hush").unwrap()).contains("hush"));
        for text in [
            "sc://h;token=hush",
            "sc://h:1;token=hush",
            "sc://[::1];token=hush",
            "sc://hush@h",
            "sc://h/token=hush",
            "sc://h/;token:hush",
            "sc://h/;token%3Dhush",
            "sc://h/;token=hush=",
            "sc://h/;token=hush%zz",
            "sc://h/;token=hush%0A",
            "sc://h/;authorization=hush",
            "sc://h/;x-key=hush%0A",
            "sc://h/;session_id=hush",
            "sc://h/?token=hush",
        ] {
            let error = parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{text}: {error}");
        }
    }
}
