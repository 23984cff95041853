//! What a run is asked to do.

use std::sync::Arc;

use super::schedule::OnFailure;
use crate::connect::Tag;
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::plan::Scope;
use crate::sink::Stores;

/// What is to be run, and how.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) run_id: &'a str,
    pub(crate) pipeline: &'a Arc<Pipeline>,
    pub(crate) graph: &'a Graph,
    pub(crate) scope: Scope<'a>,
    /// How many actions run concurrently.
    pub(crate) threads: usize,
    pub(crate) on_failure: OnFailure,
    /// The way to outputs in object stores.
    pub(crate) stores: &'a Stores,
}

/// Returns the tag with which all operations of a run can be interrupted.
pub(crate) fn tag(run_id: &str) -> Tag {
    Tag::new(&format!("pipectl-run-{run_id}"))
}
