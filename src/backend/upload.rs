//! Sends what the session must have before its first plan: the pipeline's artifacts, and rows that travel beside plans.

use crate::connect::{Artifact, Client, Content, Error};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::local::Blob;
use crate::pipeline::Pipeline;
use crate::plan::Plan;
use crate::record::{Event, Preparation, Sender};

/// Bytes from which on it is told that they are sent: this takes long.
const TOLD_FROM: u64 = 4 << 20;

/// Sends all of it; what is wrong with a file comes back, at its place.
pub(crate) async fn everything(
    client: &Client,
    pipeline: &Pipeline,
    plan: &Plan,
    events: &Sender,
) -> Result<Diagnostics, Error> {
    let waiting = files_size(pipeline) + rows_size(plan);
    if waiting >= TOLD_FROM {
        events.send(Event::Preparing(Preparation::Sending { bytes: waiting }));
    }
    if !pipeline.artifacts.is_empty() {
        let artifacts = pipeline.artifacts.iter().map(|artifact| Artifact {
            name: artifact.name.clone(),
            content: Content::File(artifact.path.clone()),
        });
        match client.add_artifacts(artifacts.collect()).await {
            Ok(_) => {}
            Err(Error::Artifact { name, reason }) => return Ok(refused(pipeline, &name, &reason)),
            Err(error) => return Err(error),
        }
    }
    rows(client, plan).await?;
    Ok(Diagnostics::default())
}

/// Sends the rows that the session does not have; how many bytes those were.
pub(crate) async fn rows(client: &Client, plan: &Plan) -> Result<u64, Error> {
    blobs(client, plan.uploads.iter().flat_map(|upload| &upload.blobs)).await
}

/// Sends those of these that the session does not have; how many bytes those were.
pub(crate) async fn blobs(client: &Client, blobs: impl IntoIterator<Item = &Blob>) -> Result<u64, Error> {
    let artifacts = blobs.into_iter().map(|blob| Artifact {
        name: format!("cache/{}", blob.hash),
        content: Content::Bytes(blob.data.clone()),
    });
    client.add_missing(artifacts.collect()).await
}

fn refused(pipeline: &Pipeline, name: &str, reason: &str) -> Diagnostics {
    let artifact = pipeline.artifacts.iter().find(|artifact| artifact.name == name);
    let (span, written) =
        artifact.map(|artifact| (artifact.span, artifact.written.as_str())).unwrap_or_default();
    Diagnostic::new(Code::File, span, format!("the artifact `{written}` {reason}")).into()
}

fn files_size(pipeline: &Pipeline) -> u64 {
    let sizes = pipeline.artifacts.iter().filter_map(|artifact| artifact.path.metadata().ok());
    sizes.map(|found| found.len()).sum()
}

fn rows_size(plan: &Plan) -> u64 {
    let blobs = plan.uploads.iter().flat_map(|upload| &upload.blobs);
    blobs.map(|blob| blob.data.len() as u64).sum()
}
