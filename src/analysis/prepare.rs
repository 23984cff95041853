//! Makes a plan ready to be executed: the session gets what it must have, and the engine analyses all of it.

use super::check::check;
use crate::backend::upload;
use crate::connect::{Client, Error};
use crate::diagnostic::Diagnostics;
use crate::pipeline::Pipeline;
use crate::plan::Plan;
use crate::record::Sender;

/// Sends what the plan needs and has the engine analyse it. Returns what is wrong with the pipeline; an error where the engine does not
/// answer.
pub(crate) async fn prepare(
    client: &Client,
    pipeline: &Pipeline,
    plan: &Plan,
    events: &Sender,
) -> Result<Diagnostics, Error> {
    let refused = upload::everything(client, pipeline, plan, events).await?;
    if refused.has_errors() {
        return Ok(refused);
    }
    check(client, pipeline, plan).await
}
