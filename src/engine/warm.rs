//! An engine that is kept between runs: started once in the background, found by later runs, ended by hand.
//!
//! It runs as a private one does, but for `keep` of the Python part, which stands where pipectl is during a run. A file says where it is and what
//! it takes to be let in. Whoever could write that file could have runs send their data anywhere, and whoever could read it
//! could use the engine, so file and folder count only where they are the user's own and nobody else may enter.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::net::unix::pipe;
use tokio::time::{sleep, timeout};

use super::error::Error;
use super::install;
use super::kind::EngineKind;
use super::launch::LaunchSettings;
use super::managed::Managed;
use super::paths::EnginePaths;
use super::progress::Report;
use crate::atomic::{self, Existing, Readers};
use crate::connect::{Endpoint, Token};

const HOST: &str = "127.0.0.1";
/// The timeout for its port to answer on the same machine.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const STOP_LIMIT: Duration = Duration::from_secs(10);
const TIME_BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// Different after every start of the machine, and on every machine: a home may be on several.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// What the file says.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    kind: String,
    version: String,
    host: String,
    port: u16,
    token: Option<String>,
    /// Of the process that keeps it.
    pid: u32,
    boot: String,
    /// Where a byte means that it is to end.
    control: PathBuf,
}

/// An engine that is kept, and lives.
pub(crate) struct Warm {
    file: PathBuf,
    record: Record,
}

/// What a look for one gives.
pub(crate) enum Found {
    Nothing,
    Warm(Warm),
    /// There was one, which is gone; it has been tidied away.
    Gone,
    /// There is a file that can't be trusted, and why.
    Refused(String),
}

impl Warm {
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::loopback(self.record.port, self.record.token.clone().and_then(Token::new))
    }

    /// The process that keeps it.
    pub(crate) fn pid(&self) -> u32 {
        self.record.pid
    }

    pub(crate) fn port(&self) -> u16 {
        self.record.port
    }

    /// Ends it, and waits until it is gone with its folder and its file.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        let ending = async {
            while let Ok(control) = pipe::OpenOptions::new().open_sender(&self.record.control) {
                // Written again and again, it does no harm.
                let _ended_meanwhile = control.try_write(b".");
                sleep(TIME_BETWEEN_LOOKS).await;
            }
        };
        timeout(STOP_LIMIT, ending).await.map_err(|_| Error::Unstoppable { pid: self.record.pid })?;
        self.tidy();
        Ok(())
    }

    /// Removes what an engine that was killed could not.
    fn tidy(&self) {
        drop(fs::remove_file(&self.file));
        let folder = self.record.control.parent().filter(|folder| {
            let name = folder.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with("pipectl-")
        });
        if let Some(folder) = folder {
            drop(fs::remove_dir_all(folder));
        }
    }

    async fn is_alive(&self) -> bool {
        // It opens where a process holds the other end.
        let is_kept = pipe::OpenOptions::new().open_sender(&self.record.control).is_ok();
        let answer = timeout(ANSWER_LIMIT, TcpStream::connect((HOST, self.record.port)));
        is_kept && matches!(answer.await, Ok(Ok(_)))
    }
}

/// Looks for one of a kind.
pub(super) async fn find(kind: EngineKind, place: &EnginePaths) -> Found {
    let file = file(kind, place);
    if fs::symlink_metadata(&file).is_err() {
        return Found::Nothing;
    }
    let record = match read(&file, place) {
        Ok(record) => record,
        Err(reason) => return Found::Refused(format!("`{}` {reason}", file.display())),
    };
    if record.boot != boot() {
        // Of another machine, perhaps, where it is alive.
        return Found::Nothing;
    }
    let warm = Warm { file, record };
    if warm.is_alive().await {
        return Found::Warm(warm);
    }
    warm.tidy();
    Found::Gone
}

/// Starts one that stays, unless there is one: the second value says whether this one is new.
pub(super) async fn keep(
    kind: EngineKind,
    place: &EnginePaths,
    settings: &LaunchSettings,
    progress: &Report<'_>,
) -> Result<(Warm, Age), Error> {
    let file = file(kind, place);
    let failed = |source: io::Error| Error::Cache { path: place.warm.clone(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&place.warm).map_err(failed)?;
    check(&place.warm).map_err(|reason| Error::Unsafe { path: place.warm.clone(), reason })?;
    let _lock = install::lock(&file.with_extension("lock"), kind.packages(), progress).await?;
    match find(kind, place).await {
        Found::Warm(warm) => return Ok((warm, Age::Old)),
        Found::Refused(reason) => return Err(Error::Unsafe { path: file, reason }),
        Found::Nothing | Found::Gone => {}
    }
    let kept = Managed::start_kept(kind, place, settings, &file, progress).await?;
    let record = Record {
        kind: kind.packages().name.to_owned(),
        version: kind.packages().version.to_owned(),
        host: HOST.to_owned(),
        port: kept.port(),
        token: kept.token(),
        pid: kept.pid(),
        boot: boot(),
        control: kept.control(),
    };
    if let Err(source) = write(&file, &record) {
        kept.stop().await;
        return Err(failed(source));
    }
    kept.let_go().await.map_err(failed)?;
    Ok((Warm { file, record }, Age::New))
}

/// Whether an engine was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Old,
    New,
}

fn file(kind: EngineKind, place: &EnginePaths) -> PathBuf {
    let packages = kind.packages();
    place.warm.join(format!("{}-{}.json", packages.name, packages.version))
}

fn boot() -> String {
    fs::read_to_string(BOOT).unwrap_or_default().trim().to_owned()
}

fn read(file: &Path, place: &EnginePaths) -> Result<Record, String> {
    check(&place.warm)?;
    check(file)?;
    let text = fs::read(file).map_err(|error| format!("cannot be read: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("is damaged: {error}"))
}

/// Says why a file or folder can't be trusted.
fn check(path: &Path) -> Result<(), String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if metadata.is_symlink() {
        return Err("is a link".to_owned());
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(format!("is open to others (mode {:o})", metadata.mode() & 0o777));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("belongs to another user".to_owned());
    }
    Ok(())
}

/// Writes the record; no other process sees half of it.
fn write(file: &Path, record: &Record) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(record).map_err(io::Error::other)?;
    atomic::write(file, &text, Existing::Replaced, Readers::Owner)
}
