//! Streams an action's rows into its outputs: the stream is read here, the outputs are written in a thread of their own, and
//! a short channel between them keeps memory flat.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::done::Done;
use crate::connect;
use crate::record::{ActionRef, Event, Notice, OutputKind, OutputRecord, Progress, Sender};
use crate::run::effects::Effects;
use crate::run::error::Error;
use crate::sink::{self, Finished, Flow, Sink, Site, Stores, Writer};

/// Batches between the stream and the outputs.
const BETWEEN: usize = 4;
/// How many KiB these have together; one that is larger is there alone.
const BETWEEN_KIB: usize = 16 << 10;
/// How often progress is reported.
const REPORTED_EVERY: Duration = Duration::from_millis(100);

enum Item {
    /// With the memory that it takes between the stream and the outputs.
    Batch(RecordBatch, OwnedSemaphorePermit),
    /// The result is complete; without this word the outputs are dropped and nothing has happened.
    End,
}

/// Where an action's rows go.
pub(super) struct Destinations {
    pub(super) sinks: Vec<Sink>,
    /// Where relative paths start.
    pub(super) folder: PathBuf,
    pub(super) stores: Stores,
    /// Set before rows go to stdout, and before outputs are committed.
    pub(super) effects: Effects,
}

/// The action whose rows are read, and where its progress goes.
pub(super) struct Reading<'a> {
    pub(super) action: &'a ActionRef,
    pub(super) events: &'a Sender,
    pub(super) stop: &'a CancellationToken,
}

/// Reads the stream to its end and completes the outputs.
pub(super) async fn stream(
    stream: &mut connect::ResponseStream,
    destinations: Destinations,
    reading: &Reading<'_>,
) -> Result<Done, Error> {
    let (sender, receiver) = mpsc::channel(BETWEEN);
    // Who writes also stops where this is dropped, and does not wait for anything where there is nothing to write.
    let wanted = reading.stop.child_token();
    let _dropped = wanted.clone().drop_guard();
    let until = wanted.clone();
    let writer = spawn_blocking(move || write(receiver, &destinations, &until));
    let read = read(stream, sender, reading).await;
    if read.is_err() {
        wanted.cancel();
    }
    let written = writer.await.unwrap_or_else(|panic| Err(Error::Writer(panic.to_string())));
    let written = written.map_err(|error| match error {
        Error::Sink(sink::Error::Stopped(_)) => Error::Interrupted,
        error => error,
    });
    // What went wrong with an output is the reason where both have something to say.
    let outputs: Vec<sink::Written> = match (read, written) {
        (Ok(()), Ok(outputs)) => outputs,
        (_, Err(error @ (Error::Sink(_) | Error::Writer(_)))) | (Err(error), _) | (Ok(()), Err(error)) => {
            return Err(error);
        }
    };
    for sink::Note::Cut { rows } in outputs.iter().filter_map(|output| output.note) {
        reading.events.send(Event::Notice(Notice::RowsCut { step: reading.action.step.clone(), rows }));
    }
    // What arrived may be more than any output wanted.
    let rows = outputs.iter().map(|output| output.rows).max();
    Ok(Done { rows, outputs: outputs.iter().map(recorded).collect() })
}

fn recorded(written: &sink::Written) -> OutputRecord {
    let (kind, path) = match &written.place {
        sink::OutputPlace::File(location) => (OutputKind::File, Some(location.to_string())),
        sink::OutputPlace::Folder(location) => (OutputKind::Folder, Some(location.to_string())),
        sink::OutputPlace::Stdout => (OutputKind::Stdout, None),
    };
    OutputRecord { kind, path, rows: written.rows, bytes: written.bytes }
}

/// Sends batches on until the stream ends, or the outputs have enough.
async fn read(
    stream: &mut connect::ResponseStream,
    sender: mpsc::Sender<Item>,
    reading: &Reading<'_>,
) -> Result<(), Error> {
    let Reading { action, events, stop } = *reading;
    let mut progress = Progress::default();
    let mut reported = Instant::now();
    let budget = Arc::new(Semaphore::new(BETWEEN_KIB));
    loop {
        let event = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Error::Interrupted),
            event = stream.next() => event?,
        };
        match event {
            Some(connect::Event::Batch(batch)) => {
                progress.rows += batch.num_rows() as u64;
                progress.bytes += batch.get_array_memory_size() as u64;
                let sent = tokio::select! {
                    biased;
                    () = stop.cancelled() => return Err(Error::Interrupted),
                    sent = send(&sender, &budget, batch) => sent,
                    // Outputs may take their time: a pager that nobody scrolls, a store that is throttled.
                    never = stream.keep() => match never {},
                };
                if sent.is_none() {
                    return Ok(());
                }
                if reported.elapsed() >= REPORTED_EVERY {
                    reported = Instant::now();
                    events.send(Event::ActionProgress { action: action.clone(), progress });
                }
            }
            Some(connect::Event::Progress(tasks)) => {
                progress.tasks = Some(tasks.into());
                events.send(Event::ActionProgress { action: action.clone(), progress });
            }
            Some(_) => {}
            None => {
                let _enough = sender.send(Item::End).await;
                return Ok(());
            }
        }
    }
}

/// Passes a batch on when there is memory for it; returns nothing where the outputs want no more.
async fn send(sender: &mpsc::Sender<Item>, budget: &Arc<Semaphore>, batch: RecordBatch) -> Option<()> {
    let size = (batch.get_array_memory_size() >> 10).clamp(1, BETWEEN_KIB);
    let permit = Arc::clone(budget).acquire_many_owned(u32::try_from(size).ok()?).await.ok()?;
    sender.send(Item::Batch(batch, permit)).await.ok()
}

/// Writes what comes; completes the outputs where the result was complete or all have enough.
fn write(
    mut receiver: mpsc::Receiver<Item>,
    destinations: &Destinations,
    stop: &CancellationToken,
) -> Result<Vec<sink::Written>, Error> {
    let Destinations { sinks, folder, stores, effects } = destinations;
    let mut writers: Vec<(Box<dyn Writer>, Flow)> = Vec::new();
    let mut opened = false;
    let site = Site { folder, stores, stop };
    while let Some(item) = receiver.blocking_recv() {
        let (batch, _memory) = match item {
            Item::End if opened => return finish(writers, effects),
            // Even a result without rows has a batch, for its columns.
            Item::End => return Err(connect::Error::Protocol("a result without columns".to_owned()).into()),
            Item::Batch(batch, memory) => (batch, memory),
        };
        if !opened {
            opened = true;
            let schema = batch.schema();
            let mut refusals = sinks.iter().flat_map(|sink| sink.refuse(&schema)).collect::<Vec<_>>();
            let mut told = HashSet::new();
            refusals.retain(|refusal| told.insert(refusal.to_string()));
            if !refusals.is_empty() {
                return Err(sink::Error::Refused(refusals).into());
            }
            if sinks.iter().any(|sink| matches!(sink, Sink::Stdout(_))) {
                effects.begin();
            }
            for sink in sinks {
                writers.push((open(sink, &site, &batch)?, Flow::More));
            }
        }
        for (writer, flow) in &mut writers {
            if *flow == Flow::More {
                *flow = writer.write(&batch)?;
            }
        }
        if writers.iter().all(|(_, flow)| *flow == Flow::Enough) {
            return finish(writers, effects);
        }
    }
    Err(Error::Interrupted)
}

fn open(sink: &Sink, site: &Site<'_>, batch: &RecordBatch) -> Result<Box<dyn Writer>, Error> {
    if sink.prints_binary() && io::stdout().is_terminal() {
        return Err(sink::Error::Terminal.into());
    }
    Ok(sink.open(site, Box::new(io::stdout()), &batch.schema())?)
}

/// Lets the outputs become visible together: the first one does when the last one is complete.
fn finish(writers: Vec<(Box<dyn Writer>, Flow)>, effects: &Effects) -> Result<Vec<sink::Written>, Error> {
    let finished = writers.into_iter().map(|(writer, _)| writer.finish());
    let finished = finished.collect::<Result<Vec<Finished>, sink::Error>>()?;
    effects.begin();
    // What may well fail goes first: a rename on this machine hardly ever does.
    let mut numbered: Vec<(usize, Finished)> = finished.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, output)| !output.is_far());
    let committed = numbered.into_iter().map(|(at, output)| Ok((at, output.commit()?)));
    let mut written = committed.collect::<Result<Vec<_>, sink::Error>>()?;
    written.sort_by_key(|(at, _)| *at);
    Ok(written.into_iter().map(|(_, output)| output).collect())
}
