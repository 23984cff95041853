//! Owns what can be wrong with a connection string.

use thiserror::Error;

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
