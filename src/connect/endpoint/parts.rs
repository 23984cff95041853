//! Reads the parts of a connection string: host and port, pairs, and what their values mean.

use std::net::IpAddr;
use std::str::FromStr as _;
use std::time::Duration;

use tonic::metadata::{MetadataKey, MetadataValue};
use uuid::Uuid;

use super::error::EndpointError;
use super::header::Header;

const DEFAULT_PORT: u16 = 15002;

pub(super) fn host_and_port(authority: &str) -> Result<(String, u16), EndpointError> {
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

pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, EndpointError> {
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
pub(super) fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')).collect()
}

/// Undoes percent-encoding; a plus stays a plus.
pub(super) fn decoded(text: &str) -> Option<String> {
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

pub(super) fn encoded_length(text: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~' | b'/');
    text.bytes().map(|byte| if plain(byte) { 1 } else { 3 }).sum()
}

/// Spark's clients take everything but `true` for false.
pub(super) fn truth(key: &str, value: &str) -> Result<bool, EndpointError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(bad(key, "neither true nor false", "`true` or `false`")),
    }
}

pub(super) fn session_id(key: &str, value: &str) -> Result<Uuid, EndpointError> {
    let dashed = value.len() == uuid::fmt::Hyphenated::LENGTH;
    let id = Uuid::try_parse(value).ok().filter(|_| dashed);
    id.ok_or(bad(key, "not a UUID", "it with dashes, or leave `session_id` out"))
}

pub(super) fn milliseconds(key: &str, value: &str) -> Result<Duration, EndpointError> {
    let time = value.parse().ok().filter(|time| *time > 0).map(Duration::from_millis);
    time.ok_or(bad(key, "not a duration", "a number of milliseconds"))
}

pub(super) fn header(key: &str, value: &str) -> Result<Header, EndpointError> {
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

pub(super) fn bad(key: &str, problem: &'static str, instead: &'static str) -> EndpointError {
    EndpointError::Value { key: key.to_owned(), problem, instead }
}
