//! The record of a run: what `run_results.json` says, and how the run came out.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::again;
use super::human::seconds;
use super::json::{Depth, diagnostic_value, error_value, label, merged, outcome_value, verdict_value};
use super::scrub::Scrub as _;
use crate::connect::ServerError;
use crate::diagnostic::Diagnostic;
use crate::record::{Event, Label, Outcome};
use crate::secret::scrubbed;
use crate::text::Sources;

/// The version of the file's format.
const VERSION: u32 = 1;

/// What is known of a run before it begins.
#[derive(Debug, Clone)]
pub(crate) struct RunFacts {
    pub(crate) run_id: String,
    pub(crate) file: PathBuf,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) clock: Instant,
}

/// How a run came out, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Interrupted,
    EngineLost,
    Failed,
    Succeeded,
}

/// What has happened so far.
#[derive(Debug)]
pub(crate) struct Results {
    facts: RunFacts,
    pipeline: Option<String>,
    /// What the pipeline was read from, as far as it was.
    files: Vec<PathBuf>,
    target: Option<String>,
    engine: Option<String>,
    actions: Vec<Value>,
    /// What was begun and has not ended.
    running: Vec<Label>,
    unmet: Vec<Value>,
    notes: Vec<String>,
    diagnostics: Vec<Value>,
    failure: Option<String>,
    /// The engine's error, where that is why.
    error: Option<Value>,
    counts: [usize; 4],
    ending: Ending,
}

impl Results {
    pub(crate) fn new(facts: RunFacts) -> Self {
        Self {
            facts,
            pipeline: None,
            files: Vec::new(),
            target: None,
            engine: None,
            actions: Vec::new(),
            running: Vec::new(),
            unmet: Vec::new(),
            notes: Vec::new(),
            diagnostics: Vec::new(),
            failure: None,
            error: None,
            counts: [0; 4],
            ending: Ending::Succeeded,
        }
    }

    pub(super) fn record(&mut self, event: &Event) {
        match event {
            Event::Target(target) => self.target = Some(target.clone()),
            Event::Read(files) => self.files.clone_from(files),
            Event::EngineReady { engine, .. } => self.engine = Some(engine.clone()),
            Event::Began { pipeline, .. } => self.pipeline = Some(pipeline.clone()),
            Event::Note(text) => self.notes.push(text.clone()),
            Event::Unmet { action, verdict } => {
                self.unmet.push(merged(label(action), verdict_value(verdict)));
            }
            Event::Started(action) => self.running.push(action.clone()),
            Event::Ended { action, outcome, took } => {
                self.running.retain(|running| running != action);
                let (count, ending) = match outcome {
                    Outcome::Succeeded { .. } => (0, Ending::Succeeded),
                    Outcome::Failed(failed) if failed.engine_lost => (1, Ending::EngineLost),
                    Outcome::Failed(_) => (1, Ending::Failed),
                    Outcome::Skipped { .. } => (2, Ending::Failed),
                    Outcome::Interrupted => (3, Ending::Interrupted),
                };
                self.counts[count] += 1;
                self.ending = self.ending.min(ending);
                let seconds = json!({ "seconds": took.as_secs_f64() });
                self.actions
                    .push(merged(label(action), merged(outcome_value(outcome, Depth::Full), seconds)));
            }
            Event::Again { reason } => {
                self.notes.push(again(reason));
                self.running.clear();
                self.actions.clear();
                self.counts = [0; 4];
            }
            _ => {}
        }
    }

    /// Adds what is wrong with the user's files.
    pub(crate) fn add_diagnostics(&mut self, sources: &Sources, diagnostics: &[Diagnostic]) {
        let safe = diagnostics.iter().map(|one| one.clone().scrubbed());
        self.diagnostics.extend(safe.map(|one| diagnostic_value(sources, &one)));
    }

    /// Adds why the run could not begin or go on; what still ran has failed for this reason.
    pub(crate) fn add_failure(&mut self, message: String, said: Option<&ServerError>) {
        let (message, said) = (message.scrubbed(), said.cloned().scrubbed());
        let said = said.as_ref();
        self.error = said.map(|said| error_value(&message, Some(said), Depth::Full));
        for action in self.running.drain(..) {
            let error = error_value(&message, said, Depth::Full);
            let outcome = json!({ "status": "error", "message": message, "error": error });
            self.actions.push(merged(label(&action), outcome));
        }
        self.failure = Some(message);
    }

    pub(crate) fn ending(&self) -> Ending {
        self.ending
    }

    fn counted(&self) -> String {
        let names = ["succeeded", "failed", "skipped", "interrupted"];
        let parts = self.counts.iter().zip(names).filter(|(count, _)| **count > 0);
        let parts: Vec<String> = parts.map(|(count, name)| format!("{count} {name}")).collect();
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
    }

    /// The closing line, for people.
    pub(super) fn summary(&self) -> String {
        format!("{:>8}  {} in {}", "run", self.counted(), seconds(self.facts.clock.elapsed()))
    }

    /// The closing line, for machines.
    pub(super) fn summary_json(&self) -> String {
        json!({
            "time": Utc::now().to_rfc3339(),
            "level": "info",
            "event": "run_ended",
            "run_id": self.facts.run_id,
            "succeeded": self.counts[0],
            "failed": self.counts[1],
            "skipped": self.counts[2],
            "interrupted": self.counts[3],
            "seconds": self.facts.clock.elapsed().as_secs_f64(),
        })
        .to_string()
    }

    fn to_json(&self, exit_code: u8) -> Value {
        json!({
            "version": VERSION,
            "pipectl": env!("CARGO_PKG_VERSION"),
            "run_id": self.facts.run_id,
            "pipeline": self.pipeline,
            "file": scrubbed(&self.facts.file.display().to_string()),
            "files": self.files.iter().map(|path| scrubbed(&path.display().to_string()).into_owned()).collect::<Vec<_>>(),
            "started_at": self.facts.started_at.to_rfc3339(),
            "ended_at": Utc::now().to_rfc3339(),
            "seconds": self.facts.clock.elapsed().as_secs_f64(),
            "exit_code": exit_code,
            "target": self.target,
            "engine": self.engine,
            "failure": self.failure,
            "error": self.error,
            "actions": self.actions,
            "expectations_unmet": self.unmet,
            "notes": self.notes,
            "diagnostics": self.diagnostics,
        })
    }

    /// Writes `run_results.json` into the run's folder below `state`, which only its owner can read.
    pub(crate) fn save(&self, state: &Path, exit_code: u8) -> io::Result<PathBuf> {
        let folder = state.join("runs").join(&self.facts.run_id);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let path = folder.join("run_results.json");
        let staged = folder.join(".run_results.json.partial");
        fs::write(&staged, format!("{:#}\n", self.to_json(exit_code)))?;
        fs::rename(&staged, &path)?;
        Ok(path)
    }
}
