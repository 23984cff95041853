//! Artifacts: files, and bytes from memory, that a session at the server shall have.
//!
//! Small ones travel together, large ones in chunks, each chunk with a checksum, which the server compares. Files are read as
//! they are sent, by a thread of their own: memory does not grow with them. What arrives damaged is sent once more.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status};

use crate::connect::error::{Error, ServerError, innermost};
use crate::connect::session::{Call, Session};
use crate::proto::spark::add_artifacts_request::{
    ArtifactChunk, Batch, BeginChunkedArtifact, Payload, SingleChunkArtifact,
};
use crate::proto::spark::{AddArtifactsRequest, ArtifactStatusesRequest, UserContext};

/// The bytes of a chunk, and of the small artifacts that travel together: what Spark's own clients send.
const CHUNK: usize = 32 << 10;
/// Chunks that are read before the network takes them.
const AHEAD: usize = 16;
/// Names in one question: each has about 70 bytes.
const NAMES_AT_ONCE: usize = 10_000;
/// Bytes in one call, where they are called by their checksums: less than what servers take at once of one relation.
const BYTES_AT_ONCE: u64 = 256 << 20;
const ADD_LIMIT: Duration = Duration::from_secs(3600);
const STATUS_LIMIT: Duration = Duration::from_secs(600);

/// Something that the session shall have.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    /// A relative path, which says by its first part what it is: `files/a.txt`, `jars/b.jar`, `cache/CHECKSUM`.
    pub(crate) name: String,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Bytes(Bytes),
    /// A file of this machine.
    File(PathBuf),
}

/// Adds them all.
pub(crate) async fn add(session: &Session, artifacts: Vec<Artifact>) -> Result<u64, Error> {
    let artifacts: Arc<[Artifact]> = artifacts.into();
    let (mut sent, damaged) = send(session, Arc::clone(&artifacts)).await?;
    if damaged.is_empty() {
        return Ok(sent);
    }
    let again = artifacts.iter().filter(|artifact| damaged.contains(&artifact.name)).cloned().collect();
    let (more, damaged) = send(session, again).await?;
    sent += more;
    match damaged.into_iter().next() {
        None => Ok(sent),
        Some(name) => {
            let reason = "arrives damaged: the server finds another checksum".to_owned();
            Err(Error::Artifact { name, reason })
        }
    }
}

/// Adds those that the session does not have by their names.
pub(crate) async fn add_missing(session: &Session, mut artifacts: Vec<Artifact>) -> Result<u64, Error> {
    let mut missing = Vec::new();
    for names in artifacts.chunks(NAMES_AT_ONCE) {
        let (session_id, user_context, client_type) = session.identity();
        let question = ArtifactStatusesRequest {
            session_id,
            user_context,
            client_type,
            names: names.iter().map(|artifact| artifact.name.clone()).collect(),
            client_observed_server_side_session_id: session.observed(),
        };
        let call = Call { name: "ArtifactStatus", limit: STATUS_LIMIT, budget: session.patience.budget };
        let answer = session
            .call(call, question, async |mut stub, question| stub.artifact_status(question).await)
            .await?;
        let is_there = |artifact: &Artifact| answer.statuses.get(&artifact.name).is_some_and(|it| it.exists);
        missing.extend(names.iter().map(|artifact| !is_there(artifact)));
    }
    let mut missing = missing.into_iter();
    artifacts.retain(|_| missing.next().unwrap_or(true));
    artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    artifacts.dedup_by(|a, b| a.name == b.name);

    let (mut sent, mut together, mut size) = (0, Vec::new(), 0);
    for artifact in artifacts {
        let more = match &artifact.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(_) => 0,
        };
        if !together.is_empty() && size + more > BYTES_AT_ONCE {
            sent += add(session, std::mem::take(&mut together)).await?;
            size = 0;
        }
        size += more;
        together.push(artifact);
    }
    if !together.is_empty() {
        sent += add(session, together).await?;
    }
    Ok(sent)
}

/// What one call sends, and what went wrong on this side.
#[derive(Debug)]
struct ArtifactUpload {
    artifacts: Arc<[Artifact]>,
    identity: (String, Option<UserContext>, Option<String>),
    observed: Option<String>,
    failure: Mutex<Option<Error>>,
}

/// Sends them in one call. The bytes that were sent come back, and the names of what has arrived damaged.
async fn send(session: &Session, artifacts: Arc<[Artifact]>) -> Result<(u64, Vec<String>), Error> {
    let order = Arc::new(ArtifactUpload {
        artifacts,
        identity: session.identity(),
        observed: session.observed(),
        failure: Mutex::new(None),
    });
    let sent = Arc::new(Mutex::new(0));
    let call = Call { name: "AddArtifacts", limit: ADD_LIMIT, budget: session.patience.budget };
    let answer = session.call(call, Arc::clone(&order), async |mut stub, request| {
        let (metadata, extensions, order) = request.into_parts();
        let (sender, receiver) = mpsc::channel(AHEAD);
        let sent = Arc::clone(&sent);
        let reading = spawn_blocking(move || {
            let read = order.read(&mut |payload| sender.blocking_send(order.request(payload)).is_ok());
            match read {
                Ok(bytes) => *sent.lock().unwrap_or_else(PoisonError::into_inner) = bytes,
                Err(error) => *order.failure() = Some(error),
            }
        });
        let stream = Request::from_parts(metadata, extensions, ReceiverStream::new(receiver));
        let answer = stub.add_artifacts(stream).await;
        match reading.await {
            Ok(()) => answer,
            Err(panic) => Err(Status::internal(format!("a file could not be read: {panic}"))),
        }
    });
    let answer = answer.await;
    if let Some(error) = order.failure().take() {
        return Err(error);
    }
    let answer = answer.map_err(|error| named(error, &order.artifacts))?;
    let damaged = answer.artifacts.into_iter().filter(|it| !it.is_crc_successful).map(|it| it.name).collect();
    let sent = *sent.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((sent, damaged))
}

impl ArtifactUpload {
    fn failure(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, payload: Payload) -> AddArtifactsRequest {
        let (session_id, user_context, client_type) = self.identity.clone();
        AddArtifactsRequest {
            session_id,
            user_context,
            client_type,
            client_observed_server_side_session_id: self.observed.clone(),
            payload: Some(payload),
        }
    }

    /// Reads everything in order, and hands it on until nobody wants more; the number of bytes.
    fn read(&self, send: &mut dyn FnMut(Payload) -> bool) -> Result<u64, Error> {
        let mut bytes = 0;
        let mut batch = Small::default();
        for artifact in &*self.artifacts {
            let wrong = |reason: String| Error::Artifact { name: artifact.name.clone(), reason };
            let mut source = Source::open(&artifact.content).map_err(|error| wrong(unreadable(&error)))?;
            bytes += source.size;
            if source.size <= CHUNK as u64 {
                let data = source.next().map_err(|error| wrong(unreadable(&error)))?;
                if let Some(full) = batch.push(&artifact.name, data)
                    && !send(full)
                {
                    return Ok(bytes);
                }
            } else {
                if let Some(rest) = batch.take()
                    && !send(rest)
                {
                    return Ok(bytes);
                }
                let chunks = source.size.div_ceil(CHUNK as u64);
                for at in 0..chunks {
                    let data = chunk(source.next().map_err(|error| wrong(unreadable(&error)))?);
                    let payload = if at == 0 {
                        Payload::BeginChunk(BeginChunkedArtifact {
                            name: artifact.name.clone(),
                            total_bytes: i64::try_from(source.size).unwrap_or(i64::MAX),
                            num_chunks: i64::try_from(chunks).unwrap_or(i64::MAX),
                            initial_chunk: Some(data),
                        })
                    } else {
                        Payload::Chunk(data)
                    };
                    if !send(payload) {
                        return Ok(bytes);
                    }
                }
            }
            source.end().map_err(|error| wrong(unreadable(&error)))?;
        }
        if let Some(rest) = batch.take() {
            send(rest);
        }
        Ok(bytes)
    }
}

/// Small artifacts that travel together.
#[derive(Default)]
struct Small {
    artifacts: Vec<SingleChunkArtifact>,
    bytes: usize,
}

impl Small {
    /// Adds one; gives those before it where they would be too many together.
    fn push(&mut self, name: &str, data: Bytes) -> Option<Payload> {
        let full = if self.bytes + data.len() > CHUNK { self.take() } else { None };
        self.bytes += data.len();
        self.artifacts.push(SingleChunkArtifact { name: name.to_owned(), data: Some(chunk(data)) });
        full
    }

    fn take(&mut self) -> Option<Payload> {
        self.bytes = 0;
        let artifacts = std::mem::take(&mut self.artifacts);
        (!artifacts.is_empty()).then_some(Payload::Batch(Batch { artifacts }))
    }
}

fn chunk(data: Bytes) -> ArtifactChunk {
    ArtifactChunk { crc: i64::from(crc32fast::hash(&data)), data }
}

/// The bytes of one artifact, chunk by chunk.
struct Source {
    size: u64,
    left: u64,
    from: From,
}

enum From {
    Bytes(Bytes),
    File(File),
}

impl Source {
    fn open(content: &Content) -> io::Result<Self> {
        let (size, from) = match content {
            Content::Bytes(bytes) => (bytes.len() as u64, From::Bytes(bytes.clone())),
            Content::File(path) => {
                let file = File::open(path)?;
                (file.metadata()?.len(), From::File(file))
            }
        };
        Ok(Self { size, left: size, from })
    }

    fn next(&mut self) -> io::Result<Bytes> {
        let length = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        self.left -= length as u64;
        match &mut self.from {
            From::Bytes(bytes) => Ok(bytes.split_to(length)),
            From::File(file) => {
                let mut data = vec![0; length];
                file.read_exact(&mut data)?;
                Ok(data.into())
            }
        }
    }

    /// A file that grows while it is read is not what it was when its size was told.
    fn end(&mut self) -> io::Result<()> {
        let grown = match &mut self.from {
            From::File(file) => file.read(&mut [0])? > 0,
            From::Bytes(_) => false,
        };
        if grown { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "has changed while it was read".to_owned(),
        io::ErrorKind::NotFound => "can't be read: there is no such file".to_owned(),
        _ => format!("can't be read: {}", innermost(error)),
    }
}

/// Says which of them the server's error is about.
fn named(error: Error, artifacts: &[Artifact]) -> Error {
    let Error::Server(server) = &error else { return error };
    let Some(reason) = refusal(server) else { return error };
    let tells = |artifact: &&Artifact| {
        server.message.contains(&artifact.name) || server.parameters.values().any(|it| *it == artifact.name)
    };
    let is_any = server.code == Some(Code::Unimplemented);
    match (artifacts.iter().find(tells), artifacts) {
        (Some(artifact), _) | (None, [artifact]) => Error::Artifact { name: artifact.name.clone(), reason },
        (None, [first, ..]) if is_any => Error::Artifact { name: first.name.clone(), reason },
        (None, _) => error,
    }
}

fn refusal(error: &ServerError) -> Option<String> {
    match error.class.as_deref() {
        Some("ARTIFACT_ALREADY_EXISTS") => {
            Some("is in the session already, with other content; the server keeps the first one".to_owned())
        }
        Some("INVALID_ARTIFACT_PATH") => Some("has a name that the server does not take".to_owned()),
        _ if error.code == Some(Code::Unimplemented) => {
            Some("can't be sent: the server takes no artifacts".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tempfile::TempDir;
    use tonic::Status;

    use super::{Artifact, CHUNK, Content};
    use crate::connect::client::Client;
    use crate::connect::endpoint::Endpoint;
    use crate::connect::error::Error;
    use crate::connect::scripted::{Script, Scripted, spark_error};

    const BUDGET: Duration = Duration::from_secs(5);

    async fn stage() -> (Scripted, Client) {
        let server = Script::default().serve().await;
        let client = Client::connect(&Endpoint::loopback(server.port, None), BUDGET).await.unwrap();
        (server, client)
    }

    fn bytes(name: &str, size: usize) -> Artifact {
        let data: Vec<u8> = (0..size).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
        Artifact { name: name.to_owned(), content: Content::Bytes(Bytes::from(data)) }
    }

    fn data(artifact: &Artifact) -> Vec<u8> {
        match &artifact.content {
            Content::Bytes(bytes) => bytes.to_vec(),
            Content::File(path) => std::fs::read(path).unwrap(),
        }
    }

    #[tokio::test]
    async fn small_ones_travel_together_and_large_ones_in_chunks() {
        let (server, client) = stage().await;
        let folder = TempDir::new().unwrap();
        let file = |name: &str, size: usize| {
            let path = folder.path().join(name);
            std::fs::write(&path, data(&bytes(name, size))).unwrap();
            Artifact { name: format!("files/{name}"), content: Content::File(path) }
        };
        let all = vec![
            bytes("files/a", 10_000),
            file("b", 20_000),
            bytes("files/c", 0),
            bytes("files/d", 10_000),
            file("e", 2 * CHUNK + 1),
            bytes("files/f", CHUNK),
            bytes("files/g", CHUNK + 1),
            file("h", 1),
        ];
        let sent: usize = all.iter().map(|artifact| data(artifact).len()).sum();
        assert_eq!(client.add_artifacts(all.clone()).await.unwrap(), sent as u64);
        let arrived = server.script.artifacts();
        assert!(all.iter().all(|artifact| arrived[&artifact.name] == data(artifact)));
        assert_eq!(
            server.script.calls(),
            ["analyze", "add 8 in [30000, 10000, 32768, 32768, 1, 32768, 32768, 1, 1]"]
        );
    }

    #[tokio::test]
    async fn what_arrives_damaged_is_sent_once_more() {
        let (server, client) = stage().await;
        server.script.damage(1);
        client.add_artifacts(vec![bytes("files/a", 5), bytes("files/b", 7)]).await.unwrap();
        assert_eq!(server.script.calls(), ["analyze", "add 2 in [12]", "add 1 in [5]"]);
        assert_eq!(server.script.artifacts().len(), 2);

        server.script.damage(9);
        let error = client.add_artifacts(vec![bytes("files/c", 5)]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the artifact `files/c` arrives damaged: the server finds another checksum"
        );
        assert_eq!(server.script.calls().len(), 5);
    }

    #[tokio::test]
    async fn what_is_there_is_not_sent_again() {
        let (server, client) = stage().await;
        let blobs = || vec![bytes("cache/a", 9), bytes("cache/b", 9), bytes("cache/a", 9)];
        assert_eq!(client.add_missing(blobs()).await.unwrap(), 18);
        assert_eq!(client.add_missing(blobs()).await.unwrap(), 0);
        let more = [blobs(), vec![bytes("cache/c", 5)]].concat();
        assert_eq!(client.add_missing(more).await.unwrap(), 5);
        assert_eq!(client.add_missing(Vec::new()).await.unwrap(), 0);
        assert_eq!(
            server.script.calls(),
            ["analyze", "status", "add 2 in [18]", "status", "status", "add 1 in [5]"]
        );
    }

    #[tokio::test]
    async fn sending_is_tried_again_while_that_may_help() {
        let (server, client) = stage().await;
        let _script = server.script.clone().fail(Status::unavailable("not now"));
        client.add_artifacts(vec![bytes("files/a", CHUNK * 3)]).await.unwrap();
        assert_eq!(server.script.artifacts()["files/a"].len(), CHUNK * 3);
        assert_eq!(server.script.calls().len(), 3);
    }

    #[tokio::test]
    async fn a_file_that_can_not_be_read_is_named() {
        let (_server, client) = stage().await;
        let folder = TempDir::new().unwrap();
        let missing =
            Artifact { name: "files/gone".to_owned(), content: Content::File(folder.path().join("gone")) };
        let error = client.add_artifacts(vec![bytes("files/a", 5), missing]).await.unwrap_err();
        assert_eq!(error.to_string(), "the artifact `files/gone` can't be read: there is no such file");
        assert!(!error.is_unreachable());
    }

    #[tokio::test]
    async fn what_the_server_refuses_is_named() {
        let exists = spark_error(
            "[ARTIFACT_ALREADY_EXISTS] The artifact files/b already exists. SQLSTATE: 42713",
            &[("errorClass", "ARTIFACT_ALREADY_EXISTS")],
        );
        let table = [
            (
                exists,
                "the artifact `files/b` is in the session already, with other content; the server keeps the first one",
            ),
            (
                spark_error("[INVALID_ARTIFACT_PATH] files/a is no path", &[]),
                "the artifact `files/a` has a name that the server does not take",
            ),
            (Status::internal("the disk is full"), "the disk is full"),
        ];
        for (status, message) in table {
            let (server, client) = stage().await;
            let _script = server.script.clone().fail(status);
            let both = vec![bytes("files/a", 5), bytes("files/b", 5)];
            let error = client.add_artifacts(both).await.unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let (server, client) = stage().await;
        let _script = server.script.clone().fail(Status::unimplemented("no such call"));
        let both = vec![bytes("files/a", 5), bytes("files/b", 5)];
        let error = client.add_artifacts(both).await.unwrap_err();
        assert!(matches!(error, Error::Artifact { .. }), "{error}");
    }
}
