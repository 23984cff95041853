//! The archive of loaded classes with which Java starts a server in half the time (Java's class-data sharing).
//!
//! It is made once for an installation and a Java, when both are there, by running a server until it is ready. Java looks at
//! it before it believes it, so one that does not fit any more only costs its advantage; and where none can be made, as in an
//! installation that is read-only, everything works without.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde::Serialize;
use tokio::process::Command;

use super::class_data::{archive, remove_older};
use super::folder::Folder;
use super::installation::Installation;
use super::java::Java;
use super::kind::EngineKind;
use super::launch::{Launch, LaunchSettings};
use super::paths::EnginePaths;
use super::program::Program;
use super::progress::{Progress, Report};
use super::spark;

/// The program's arguments.
#[derive(Serialize)]
struct ArchiveInput<'a> {
    folder: &'a Path,
    program: &'a Path,
    command: Vec<String>,
    environment: serde_json::Map<String, serde_json::Value>,
    dropped: &'a [&'a str],
    archive: &'a Path,
    prepares: bool,
}

/// Makes the archive where there is none. A failure is ignored.
pub(super) async fn ensure(
    kind: EngineKind,
    place: &EnginePaths,
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
        kind.launch(&LaunchSettings::default(), &folder, Some((installation, java)));
    let order = ArchiveInput {
        folder: folder.path(),
        program: &java.program,
        command: spark::command(&installation.site(), folder.path()),
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
