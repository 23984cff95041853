//! A thin Spark Connect client that has never heard of pipelines.
//!
//! An [`Endpoint`] is where a server is and how to address it, a [`Client`] is one session there, a [`ResponseStream`] is one
//! execution, told as [`Event`]s one by one: nothing here collects a result. What a network does is ridden out inside; what
//! comes out as an [`Error`] is for the caller to report.

mod arrow;
mod client;
mod endpoint;
mod error;
mod reach;
mod reason;
mod reattach;
mod retry;
#[cfg(test)]
#[expect(dead_code, unused_imports, reason = "tests of the whole program use the rest")]
#[path = "../../tests/scripted/mod.rs"]
mod scripted;
mod session;
mod stream;
mod tls;

#[cfg(feature = "bench")]
pub(crate) use arrow::Assembler;
pub(crate) use client::Client;
pub(crate) use endpoint::{Defaults, Endpoint, EndpointError, Token};
pub(crate) use error::{Error, ServerError};
pub(crate) use session::{OperationId, Tag};
pub(crate) use stream::{CommandResult, Event, ResponseStream};
pub(crate) use tls::{Certificates, Identity, IdentityError, PemError, Roots};
