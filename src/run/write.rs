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

use super::Error;
use super::execute::Received;
use crate::connect;
use crate::record::{Event, Label, Outcome, Output, Sender};
use crate::sink::{self, Finished, Flow, Sink, Site, Stores, Writer};

/// Batches between the stream and the outputs.
const BETWEEN: usize = 4;
/// How many KiB these have together; one that is larger is there alone.
const BETWEEN_KIB: usize = 16 << 10;
/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_millis(100);

enum Item {
    /// With the room that it takes between the stream and the outputs.
    Batch(RecordBatch, OwnedSemaphorePermit),
    /// The result is complete; without this word the outputs are dropped and nothing has happened.
    End,
}

/// Where an action's rows go.
pub(super) struct Target {
    pub(super) sinks: Vec<Sink>,
    /// Where relative paths start.
    pub(super) folder: PathBuf,
    pub(super) stores: Stores,
    /// Told of the first rows that come.
    pub(super) received: Received,
}

/// Reads the stream to its end and completes the outputs.
pub(super) async fn stream(
    stream: &mut connect::ResponseStream,
    target: Target,
    label: &Label,
    events: &Sender,
    stop: &CancellationToken,
) -> Result<Outcome, Error> {
    let (sender, receiver) = mpsc::channel(BETWEEN);
    // Who writes also stops where this is dropped, and does not wait for anything where there is nothing to write.
    let wanted = stop.child_token();
    let _dropped = wanted.clone().drop_guard();
    let until = wanted.clone();
    let received = target.received.clone();
    let writer = spawn_blocking(move || write(receiver, &target, &until));
    let reading = Reading { label, events, received, stop };
    let read = reading.read(stream, sender).await;
    if read.is_err() {
        wanted.cancel();
    }
    let written = writer.await.unwrap_or_else(|panic| Err(Error::Writer(panic.to_string())));
    let written = written.map_err(|error| match error {
        Error::Sink(sink::Error::Stopped(_)) => Error::Interrupted,
        error => error,
    });
    // What went wrong with an output is the reason where both have something to say.
    let (rows, outputs) = match (read, written) {
        (Ok(rows), Ok(outputs)) => (rows, outputs),
        (_, Err(error @ (Error::Sink(_) | Error::Writer(_)))) | (Err(error), _) | (Ok(_), Err(error)) => {
            return Err(error);
        }
    };
    let outputs: Vec<sink::Written> = outputs;
    for note in outputs.iter().filter_map(|output| output.note) {
        events.send(Event::Note(format!("{}: {note}", label.step)));
    }
    let output = |written: sink::Written| Output {
        place: match &written.place {
            sink::Place::File(location) | sink::Place::Folder(location) => location.to_string(),
            sink::Place::Stdout => "stdout".to_owned(),
        },
        rows: written.rows,
        bytes: written.bytes,
    };
    Ok(Outcome::Succeeded { rows: Some(rows), outputs: outputs.into_iter().map(output).collect() })
}

/// Whose stream is read, and who is told.
struct Reading<'a> {
    label: &'a Label,
    events: &'a Sender,
    received: Received,
    stop: &'a CancellationToken,
}

impl Reading<'_> {
    /// Sends batches on until the stream ends, or the outputs have enough; the number of rows that came.
    async fn read(
        &self,
        stream: &mut connect::ResponseStream,
        sender: mpsc::Sender<Item>,
    ) -> Result<u64, Error> {
        let Self { label, events, stop, .. } = *self;
        let (mut rows, mut bytes) = (0_u64, 0_u64);
        let mut told = Instant::now();
        let room = Arc::new(Semaphore::new(BETWEEN_KIB));
        loop {
            let event = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Error::Interrupted),
                event = stream.next() => event?,
            };
            match event {
                Some(connect::Event::Batch(batch)) => {
                    self.received.something();
                    rows += batch.num_rows() as u64;
                    bytes += batch.get_array_memory_size() as u64;
                    let sent = tokio::select! {
                        biased;
                        () = stop.cancelled() => return Err(Error::Interrupted),
                        sent = send(&sender, &room, batch) => sent,
                        // Outputs may take their time: a pager that nobody scrolls, a store that is throttled.
                        never = stream.keep() => match never {},
                    };
                    if sent.is_none() {
                        return Ok(rows);
                    }
                    if told.elapsed() >= TOLD_EVERY {
                        told = Instant::now();
                        events.send(Event::Rows { action: label.clone(), rows, bytes });
                    }
                }
                Some(connect::Event::Progress(progress)) => {
                    events.send(Event::Tasks { action: label.clone(), tasks: progress.into() });
                }
                Some(_) => {}
                None => {
                    let _enough = sender.send(Item::End).await;
                    return Ok(rows);
                }
            }
        }
    }
}

/// Passes a batch on when there is room for it; nothing where nobody wants it any more.
async fn send(sender: &mpsc::Sender<Item>, room: &Arc<Semaphore>, batch: RecordBatch) -> Option<()> {
    let size = (batch.get_array_memory_size() >> 10).clamp(1, BETWEEN_KIB);
    let permit = Arc::clone(room).acquire_many_owned(u32::try_from(size).ok()?).await.ok()?;
    sender.send(Item::Batch(batch, permit)).await.ok()
}

/// Writes what comes; completes the outputs where the result was complete or all have enough.
fn write(
    mut receiver: mpsc::Receiver<Item>,
    target: &Target,
    stop: &CancellationToken,
) -> Result<Vec<sink::Written>, Error> {
    let mut writers: Vec<(Box<dyn Writer>, Flow)> = Vec::new();
    let mut opened = false;
    let site = Site { folder: &target.folder, stores: &target.stores, stop };
    while let Some(item) = receiver.blocking_recv() {
        let (batch, _room) = match item {
            Item::End if opened => return finish(writers),
            // Even a result without rows has a batch, for its columns.
            Item::End => return Err(connect::Error::Protocol("a result without columns".to_owned()).into()),
            Item::Batch(batch, room) => (batch, room),
        };
        if !opened {
            opened = true;
            let schema = batch.schema();
            let mut refusals = target.sinks.iter().flat_map(|sink| sink.refuse(&schema)).collect::<Vec<_>>();
            let mut told = HashSet::new();
            refusals.retain(|refusal| told.insert(refusal.to_string()));
            if !refusals.is_empty() {
                return Err(sink::Error::Refused(refusals).into());
            }
            for sink in &target.sinks {
                writers.push((open(sink, &site, &batch)?, Flow::More));
            }
        }
        for (writer, flow) in &mut writers {
            if *flow == Flow::More {
                *flow = writer.write(&batch)?;
            }
        }
        if writers.iter().all(|(_, flow)| *flow == Flow::Enough) {
            return finish(writers);
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
fn finish(writers: Vec<(Box<dyn Writer>, Flow)>) -> Result<Vec<sink::Written>, Error> {
    let finished = writers.into_iter().map(|(writer, _)| writer.finish());
    let finished = finished.collect::<Result<Vec<Finished>, sink::Error>>()?;
    // What may well fail goes first: a rename on this machine hardly ever does.
    let mut numbered: Vec<(usize, Finished)> = finished.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, output)| !output.is_far());
    let committed = numbered.into_iter().map(|(at, output)| Ok((at, output.commit()?)));
    let mut written = committed.collect::<Result<Vec<_>, sink::Error>>()?;
    written.sort_by_key(|(at, _)| *at);
    Ok(written.into_iter().map(|(_, output)| output).collect())
}
