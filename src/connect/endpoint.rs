//! Where a server is, who we are there, and the connection string that says both: `sc://host:port/;key=value;…`.
//!
//! The rules are Spark's. Where Spark's own clients pass over a mistake in silence (a parameter that became part of the host, a
//! query, a user before `@`), this is an error that says what to write. The environment is handed in as [`Defaults`].

use std::fmt::{self, Debug, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr as _;
use std::time::Duration;

use thiserror::Error;
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use uuid::Uuid;

const SCHEME: &str = "sc://";
const DEFAULT_PORT: u16 = 15002;
const DEFAULT_MESSAGE_LIMIT: usize = 128 * 1024 * 1024;
const DEFAULT_KEEPALIVE: Keepalive =
    Keepalive { interval: Duration::from_secs(60), timeout: Duration::from_secs(20), while_idle: true };
const USER_AGENT_LIMIT: usize = 2048;

/// A Spark Connect server, and how it is spoken to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint {
    host: String,
    port: u16,
    tls: bool,
    token: Option<Token>,
    user_id: Option<String>,
    user_agent: Option<String>,
    session_id: Option<Uuid>,
    headers: Vec<Header>,
    keepalive: Option<Keepalive>,
    message_limit: usize,
}

/// What applies where the connection string says nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) user: Option<String>,
    /// For this very server: a token goes to nobody else.
    pub(crate) token: Option<Token>,
    pub(crate) user_agent: Option<String>,
}

/// A bearer token, which nothing prints.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

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
    #[error("a token over a connection without TLS is only for this machine; write `use_ssl=true`")]
    PlainToken,
}

impl Token {
    /// A token, unless the text is empty or can not stand in a header.
    pub(crate) fn new(text: impl Into<String>) -> Option<Self> {
        let token = Self(text.into());
        (!token.0.is_empty() && token.bearer().is_some()).then_some(token)
    }

    pub(super) fn bearer(&self) -> Option<MetadataValue<Ascii>> {
        let mut value = MetadataValue::from_str(&format!("Bearer {}", self.0)).ok()?;
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
            tls: false,
            token: defaults.token.clone(),
            user_id: defaults.user.clone().filter(|user| !user.is_empty()),
            user_agent: defaults.user_agent.clone().filter(|agent| !agent.is_empty()),
            session_id: None,
            headers: Vec::new(),
            keepalive: None,
            message_limit: DEFAULT_MESSAGE_LIMIT,
        };
        endpoint.with(&parameters)
    }

    /// A server on this machine that was started for us, reached without TLS.
    pub(crate) fn loopback(port: u16, token: Option<Token>) -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port,
            tls: false,
            token,
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

    fn with(mut self, parameters: &[(String, String)]) -> Result<Self, EndpointError> {
        let mut use_ssl = None;
        let mut keepalive = DEFAULT_KEEPALIVE;
        let mut pings = false;
        for (key, value) in parameters {
            match key.as_str() {
                "use_ssl" => use_ssl = Some(value.eq_ignore_ascii_case("true")),
                "token" => {
                    let problem = "empty or has characters that no header may have";
                    let token =
                        Token::new(value).ok_or(bad(key, problem, "the token, or leave `token` out"))?;
                    self.token = Some(token);
                }
                "user_id" => self.user_id = Some(value.clone()).filter(|user| !user.is_empty()),
                "user_agent" => self.user_agent = Some(value.clone()).filter(|agent| !agent.is_empty()),
                "session_id" => self.session_id = Some(session_id(key, value)?),
                "grpc_keepalive_enabled" => pings = value.eq_ignore_ascii_case("true"),
                "grpc_keepalive_time_ms" => keepalive.interval = milliseconds(key, value)?,
                "grpc_keepalive_timeout_ms" => keepalive.timeout = milliseconds(key, value)?,
                "grpc_keepalive_without_calls" => keepalive.while_idle = value.eq_ignore_ascii_case("true"),
                "grpc_max_message_size" => {
                    let limit = value.parse().ok().filter(|limit| *limit > 0);
                    self.message_limit = limit.ok_or(bad(key, "not a size", "a number of bytes"))?;
                }
                _ => {
                    let header = header(key, value)?;
                    self.headers.retain(|earlier| earlier.name != header.name);
                    self.headers.push(header);
                }
            }
        }
        if self.user_agent.as_deref().is_some_and(|agent| encoded_length(agent) > USER_AGENT_LIMIT) {
            return Err(bad("user_agent", "longer than 2048 bytes", "a shorter one"));
        }
        self.keepalive = pings.then_some(keepalive);
        // The name alone, as in Spark's clients: an address may be somebody else's on a shared machine. Who means it says so.
        let this_machine = self.host == "localhost" || (use_ssl == Some(false) && self.is_loopback());
        self.tls = use_ssl == Some(true) || (self.token.is_some() && !this_machine);
        if !self.tls
            && !self.is_loopback()
            && self.headers.iter().any(|header| header.name == "authorization")
        {
            return Err(EndpointError::PlainToken);
        }
        Ok(self)
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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

    pub(super) fn tls(&self) -> bool {
        self.tls
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
        let (key, value) = pair.split_once('=').ok_or_else(|| EndpointError::Pair(pair.to_owned()))?;
        if key.is_empty() || value.contains('=') {
            // The value may be a token: the message names the key.
            return Err(EndpointError::Pair(key.to_owned()));
        }
        let value = decoded(value).ok_or_else(|| EndpointError::Encoding(key.to_owned()))?;
        pairs.push((key.to_owned(), value));
    }
    Ok(pairs)
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
            ("sc://h/;authorization=Bearer%20x", "only for this machine"),
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
            ("sc://h/;use_ssl=1", false),
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
    fn parameters_beat_defaults_and_the_last_one_wins() {
        let defaults =
            Defaults { user: Some("me".into()), token: Token::new("mine"), user_agent: Some("job".into()) };
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
    }
}
