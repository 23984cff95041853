//! A thin Spark Connect client that has never heard of pipelines.
//!
//! An [`Endpoint`] is where a server is and how to address it, a [`Client`] is one session there, a [`ResponseStream`] is one
//! execution, told as [`Event`]s one by one: nothing here collects a result. What a network does is ridden out inside; what
//! comes out as an [`Error`] is for the caller to report.
//!
//! # The protocol
//!
//! Which of the protocol's calls and options are used, on which versions, and which are left out. Sail stands for every server
//! that is no JVM; a test holds this list to the calls of the service.
//!
//! | Call | Used for | Where it is missing |
//! | --- | --- | --- |
//! | `ExecutePlan` | every action; always reattachable, under an id of the client's, with tags | |
//! | `ReattachExecute` | a stream that broke, ended without the word that the result is complete, or is not read | Spark 4.0 is the oldest server, and all have it |
//! | `ReleaseExecute` | what was read, at most twice a second; all, at the end | |
//! | `AnalyzePlan` | the server's version, which makes the session; the columns of plans | |
//! | `Config` | settings; what the server offers; the question that keeps a session | |
//! | `Interrupt` | an execution that nobody waits for any more, or all of a run by their tag | |
//! | `ReleaseSession` | the end of a session | Spark 3.5: it expires |
//! | `FetchErrorDetails` | what an error's status has no room for; one try, since the server forgets it then | Sail: text and class of the status have to do |
//! | `AddArtifacts`, `ArtifactStatus` | rows of the pipeline file that are too many for a plan, files of `artifacts` | Sail: rows go inline, files are refused |
//! | `CloneSession` | nothing: a run has one session | |
//! | `GetStatus` | nothing: a reattach finds out the same and goes on | Spark 4.1 and older, Sail |
//!
//! | Option | Used | Where it is missing |
//! | --- | --- | --- |
//! | `ReattachOptions` | always | |
//! | `ResultChunkingOptions` | always; the size of chunks is the server's | Spark 4.0 and Sail pass over it |
//! | `Plan.compressed_operation` | plans beyond the server's own threshold, by zstd | Spark 4.0, Sail: plans go as they are |
//! | `client_observed_server_side_session_id` | always, once the server has said its name for the session | Sail takes any: see `session` |
//! | `UserContext.extensions`, `Any` in requests | never: they carry plug-ins of a server's own | |
//! | `allow_reconnect` of `ReleaseSession` | never: a session ends with its run | |
//! | `interrupt_type` `ALL` | never: it would end what is not the run's | |
//! | Arrow compression, a setting of the session | zstd where the server is on another machine; never lz4, which takes Spark a hundred times as long | Spark 4.0, Sail |
//! | keepalive, an option of HTTP/2 | where the connection string asks for it: servers before Spark 4.3 hang up on pings more often than every five minutes | |
//!
//! | Part of a response | Used for |
//! | --- | --- |
//! | `arrow_batch` | rows, also in chunks; counted against `row_count` and `start_offset` |
//! | `schema`, `checkpoint_command_result` | columns before rows; the name of rows that were kept |
//! | `execution_progress` | events and bars; Sail sends none |
//! | `result_complete` | the only end of a result |
//! | `metrics`, `observed_metrics`, `sql_command_result`, results of streaming queries, of pipelines, of machine learning, `extension` | nothing: no plan of pipectl's asks for them |

mod client;
mod endpoint;
mod error;
mod execution;
mod reason;
mod retry;
#[cfg(test)]
#[expect(dead_code, unused_imports, reason = "tests of the whole program use the rest")]
#[path = "../../tests/scripted/mod.rs"]
mod scripted;
mod session;
mod tls;
mod transport;

pub(crate) use client::Client;
pub(crate) use endpoint::{Defaults, Endpoint, EndpointError, Token};
pub(crate) use error::position::ErrorPosition;
pub(crate) use error::{Error, ServerError};
#[cfg(feature = "bench")]
pub(crate) use execution::arrow::Assembler;
pub(crate) use execution::stream::{CommandResult, Event, Progress, ResponseStream};
pub(crate) use session::artifacts::{Artifact, Content};
pub(crate) use session::features::{ARROW_CODEC, Features};
pub(crate) use session::{OperationId, Tag};
pub(crate) use tls::{Certificates, Identity, IdentityError, PemError, Roots};
