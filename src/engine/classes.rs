//! The archive of loaded classes with which Java starts a server in half the time (Java's class-data sharing).
//!
//! It is made once for an installation and a Java, when both are there, by running a server until it is ready. Java looks at
//! it before it believes it, so one that does not fit any more only costs its advantage; and where none can be made, as in an
//! installation that is read-only, everything works without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Serialize;
use tokio::process::Command;

use super::install::{Installation, fingerprint};
use super::java::Java;
use super::managed::{Folder, Launch, Settings};
use super::program::Program;
use super::{Kind, Place, Progress, Report};

const NAME: &str = "classes-";

/// The program's arguments.
#[derive(Serialize)]
struct Order<'a> {
    folder: &'a Path,
    program: &'a Path,
    command: Vec<String>,
    environment: serde_json::Map<String, serde_json::Value>,
    dropped: &'a [&'a str],
    archive: &'a Path,
    prepares: bool,
}

/// Where the archive is, or would be. Empty, it says that this Java can't make one.
pub(super) fn archive(installation: &Installation, java: &Java) -> PathBuf {
    installation.folder.join(format!("{}{}.jsa", prefix(java), java.version))
}

/// The same for all versions that have been at one place.
fn prefix(java: &Java) -> String {
    format!("{NAME}{:016x}-", fingerprint([&*java.program.to_string_lossy()].into_iter()))
}

/// Makes the archive where there is none. A failure is ignored.
pub(super) async fn ensure(
    kind: Kind,
    place: &Place,
    installation: &Installation,
    java: &Java,
    progress: &Report<'_>,
) {
    let archive = archive(installation, java);
    if archive.exists() || is_read_only(installation) {
        return;
    }
    let Ok(folder) = Folder::create(kind, place) else { return };
    let Launch { environment, dropped, files, .. } =
        kind.launch(&Settings::default(), &folder, Some((installation, java)));
    let order = Order {
        folder: folder.path(),
        program: &java.program,
        command: super::spark::command(&installation.site(), folder.path()),
        environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect(),
        dropped,
        archive: &archive,
        prepares: java.program.starts_with(&place.cache),
    };
    let (Ok(order), Ok(())) = (serde_json::to_string(&order), folder.write(&files)) else {
        return folder.remove();
    };
    progress(Progress::Preparing { what: kind.title() });
    let spawned = Command::new(&installation.python.executable)
        .args(["-I", "-S", "-c", &Program::Classes.text(), &order])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let Ok(mut child) = spawned else { return folder.remove() };
    // While this is held the program goes on; dropped with this future, it ends the program and its server.
    let _life = child.stdin.take();
    drop(child.wait().await);
    remove_older(installation, java, &archive);
}

fn is_read_only(installation: &Installation) -> bool {
    let probe = installation.folder.join(format!(".{}", uuid::Uuid::new_v4().simple()));
    fs::File::create_new(&probe).and_then(|_| fs::remove_file(&probe)).is_err()
}

/// Java has been brought up to date: what was made for the one before would only take space.
fn remove_older(installation: &Installation, java: &Java, archive: &Path) {
    let prefix = prefix(java);
    for entry in fs::read_dir(&installation.folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&prefix)
            && Path::new(&name).extension().is_some_and(|end| end == "jsa")
            && path != archive
        {
            drop(fs::remove_file(path));
        }
    }
}
