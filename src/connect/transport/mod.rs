//! Owns the connection to a server: TCP, TLS on it, and the channel that all calls share.

pub(super) mod channel;
pub(super) mod connect;
mod tcp;
