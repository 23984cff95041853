//! The text of a plan, for people.

use std::fmt::Write as _;

use prost::Message as _;

use super::{Plan, Work};
use crate::pipeline::Pipeline;

/// What a run would do, one action a line, with the size of each plan in bytes.
pub(crate) fn describe(pipeline: &Pipeline, plan: &Plan) -> String {
    let mut text = String::new();
    let mut bytes = 0;
    for artifact in &pipeline.artifacts {
        let _ = writeln!(text, "   -  send     {} {}", artifact.kind.key(), artifact.written);
    }
    for upload in &plan.uploads {
        let bytes: usize = upload.blobs.iter().map(|blob| blob.data.len()).sum();
        let step = &pipeline.step(upload.step).name;
        let _ = writeln!(text, "   -  send     the rows of {step}  ({bytes} bytes)");
    }
    for action in &plan.actions {
        let size = action.relation.encoded_len();
        bytes += size;
        let step = &pipeline.step(action.step).name;
        let what = match &action.work {
            Work::View { name } => format!("view     {step} as {name}"),
            Work::Store { name } => format!("store    {step} as {name}"),
            Work::Expect { violations } => {
                let texts: Vec<&str> = violations.iter().map(|violation| violation.text.as_str()).collect();
                format!("expect   {step}: {}", texts.join("; "))
            }
            Work::Show { .. } => format!("show     {step}"),
            Work::Write { sinks } => {
                let writer = pipeline.step(action.step);
                let sinks = sinks.iter().map(|at| &writer.sinks[*at].value);
                let places: Vec<String> = sinks.map(|sink| sink.place(writer.folder()).to_string()).collect();
                format!("write    {step} to {}", places.join(", "))
            }
        };
        let _ = write!(text, "{:>4}  {what}  ({size} bytes", action.id.0 + 1);
        if !action.needs.is_empty() {
            let needs: Vec<String> = action.needs.iter().map(|id| (id.0 + 1).to_string()).collect();
            let _ = write!(text, ", after {}", needs.join(", "));
        }
        text.push_str(")\n");
    }
    let count = plan.actions.len();
    let actions = if count == 1 { "action" } else { "actions" };
    let _ = writeln!(text, "{count} {actions} for {}, {bytes} bytes of plans in all", plan.dialect);
    text
}
