//! Installs an engine's packages into the cache, and says what is there.
//!
//! A folder is published by a rename: it is filled in a temporary folder next to it. Its name says what is in it, so a newer
//! pipectl with other packages makes another one. Its Python part downloads, wheels with pip, and every file has a pinned hash.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::sleep;

use super::beside;
use super::error::Error;
use super::fingerprint::fingerprint;
use super::installation::{Installation, Trust, entry, prove};
use super::packages::{Archive, Packages};
use super::paths::{Downloads, EnginePaths};
use super::program::Program;
use super::progress::{Progress, Report};
use super::python::{self, Interpreter};
use super::tail::{Tail, each_line};
use crate::atomic::{self, Existing, Readers};

const RECORD: &str = "engine.json";
const TIME_BETWEEN_LOCK_TRIES: Duration = Duration::from_millis(100);

/// What is known about an engine on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Missing { folder: PathBuf },
    Damaged { folder: PathBuf, reason: String },
    Installed(Installation),
}

/// What the folder says about itself, so that a start need not look for a Python again.
#[derive(Serialize, Deserialize)]
struct Record {
    python: Interpreter,
    /// The Python that was asked for, if one was.
    asked_for: Option<PathBuf>,
    bytes: u64,
}

pub(super) async fn status(packages: &'static Packages, place: &EnginePaths) -> Status {
    let folder = folder(packages, place);
    if let beside::Found::Whole(installation) = beside::find(packages, place, Trust::Verify).await {
        return Status::Installed(installation);
    }
    match find(packages, place, Trust::Verify).await {
        Found::Nothing => Status::Missing { folder },
        Found::Damaged(reason) => Status::Damaged { folder, reason },
        Found::Whole(installation) => Status::Installed(installation),
    }
}

/// Gives the installed engine, and installs it first where that is needed and allowed.
pub(super) async fn ensure(
    packages: &'static Packages,
    place: &EnginePaths,
    trust: Trust,
    progress: &Report<'_>,
) -> Result<Installation, Error> {
    let (what, install) = (packages.title, packages.install);
    let ignored = match beside::find(packages, place, trust).await {
        beside::Found::Whole(installation) => return Ok(installation),
        beside::Found::Ignored(reason) => Some(reason),
        beside::Found::Nothing => None,
    };
    let found = find(packages, place, trust).await;
    if let (Found::Nothing, Downloads::Off) = (&found, place.downloads) {
        return Err(Error::NotInstalled { what, install, ignored });
    }
    if let Some(reason) = ignored {
        progress(Progress::Ignored { reason });
    }
    match (found, place.downloads) {
        (Found::Whole(installation), _) => return Ok(installation),
        (Found::Damaged(reason), Downloads::Off) => {
            return Err(Error::Damaged { folder: folder(packages, place), reason, install });
        }
        (Found::Nothing | Found::Damaged(_), _) => {}
    }

    let python = python::find(place.python.as_deref(), &place.search_path).await?;
    let engines = place.cache.join("engines");
    fs::create_dir_all(&engines).map_err(|error| unwritable(packages, &engines, error))?;
    let path = engines.join(format!(".{}.lock", folder_name(packages)));
    let _lock = lock(&path, packages, progress).await?;
    // Whoever held the lock has probably done the work.
    if let Found::Whole(installation) = find(packages, place, Trust::Verify).await {
        return Ok(installation);
    }
    self::install(packages, place, python, progress).await
}

enum Found {
    Nothing,
    Damaged(String),
    Whole(Installation),
}

async fn find(packages: &Packages, place: &EnginePaths, trust: Trust) -> Found {
    let folder = folder(packages, place);
    let record = match fs::read(folder.join(RECORD)) {
        Ok(record) => record,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.exists() => return Found::Nothing,
        Err(error) => return Found::Damaged(format!("`{RECORD}`: {error}")),
    };
    let mut record: Record = match serde_json::from_slice(&record) {
        Ok(record) => record,
        Err(error) => return Found::Damaged(format!("`{RECORD}`: {error}")),
    };
    if record.asked_for != place.python || !record.python.executable.exists() {
        match python::find(place.python.as_deref(), &place.search_path).await {
            Ok(python) if python.platform == record.python.platform => {
                record.python = python;
                record.asked_for.clone_from(&place.python);
                // A cache that is read-only works too, it only has to look again the next time.
                drop(write_record(&folder, &record));
            }
            Ok(python) => return Found::Damaged(format!("it was made for another Python than {python}")),
            Err(error) => return Found::Damaged(error.to_string()),
        }
    }
    let installation = Installation::own(folder, record.bytes, record.python);
    if trust == Trust::Verify
        && let Err(reason) = installation.prove(packages).await
    {
        return Found::Damaged(reason);
    }
    Found::Whole(installation)
}

/// Writes the record; another process may be reading it.
fn write_record(folder: &Path, record: &Record) -> io::Result<()> {
    let text = serde_json::to_vec(record).map_err(io::Error::other)?;
    atomic::write(&folder.join(RECORD), &text, Existing::Replaced, Readers::Umask)
}

fn folder(packages: &Packages, place: &EnginePaths) -> PathBuf {
    place.cache.join("engines").join(folder_name(packages))
}

fn folder_name(packages: &Packages) -> String {
    let Packages { name, version, requirements, archives, files, proof, .. } = packages;
    let content = files.iter().flat_map(|&(path, content)| [path, content]).chain([*requirements, *proof]);
    let members = archives.iter().flat_map(|archive| archive.members).flat_map(|&(from, to)| [from, to]);
    let content = content.chain(archives.iter().map(|archive| archive.sha256)).chain(members);
    let machine = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    format!("{name}-{version}-{machine}-{:016x}", fingerprint(content))
}

/// Keeps other processes from installing the same engine until the file is dropped, or this process ends.
pub(super) async fn lock(
    path: &Path,
    packages: &'static Packages,
    progress: &Report<'_>,
) -> Result<File, Error> {
    let file = File::create(path).map_err(|error| unwritable(packages, path, error))?;
    let mut told = false;
    // Waiting in `File::lock` could not be interrupted.
    while let Err(TryLockError::WouldBlock) = file.try_lock() {
        if !told {
            progress(Progress::Waiting { what: packages.title });
            told = true;
        }
        sleep(TIME_BETWEEN_LOCK_TRIES).await;
    }
    // A file system without locks is no reason to fail: renaming keeps two installations apart too.
    Ok(file)
}

async fn install(
    packages: &'static Packages,
    place: &EnginePaths,
    python: Interpreter,
    progress: &Report<'_>,
) -> Result<Installation, Error> {
    let what = packages.title;
    let folder = folder(packages, place);
    let staging = Staging::create(&folder).map_err(|error| unwritable(packages, &folder, error))?;
    progress(Progress::Fetching { what: format!("{what} from PyPI") });
    let bytes = fill(&staging.path, packages, &python, progress).await?;
    let record = Record { python, asked_for: place.python.clone(), bytes };
    write_record(&staging.path, &record).map_err(|error| unwritable(packages, &staging.path, error))?;
    staging.publish(&folder).map_err(|error| unwritable(packages, &folder, error))?;
    progress(Progress::Installed { what });
    Ok(Installation::own(folder, bytes, record.python))
}

/// A folder in the making, removed if it does not become one.
struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Makes it next to `folder`, and removes what killed installations have left there.
    fn create(folder: &Path) -> io::Result<Self> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let parent = folder.parent().unwrap_or(folder);
        for entry in fs::read_dir(parent)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&format!(".{name}.new-")) {
                drop(fs::remove_dir_all(entry.path()));
            }
        }
        let path = parent.join(format!(".{name}.new-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&path)?;
        Ok(Self { path })
    }

    /// Puts it in the place of `folder`. A damaged one gives way; engines that still run from it keep their open files.
    fn publish(self, folder: &Path) -> io::Result<()> {
        if folder.exists() {
            let old = self.path.with_extension(format!("new-{}-old", uuid::Uuid::new_v4().simple()));
            fs::rename(folder, &old)?;
            drop(fs::remove_dir_all(&old));
        }
        fs::rename(&self.path, folder)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
    }
}

/// The program's arguments.
#[derive(Serialize)]
struct InstallInput<'a> {
    folder: &'a Path,
    requirements: &'a str,
    archives: &'a [Archive],
    files: serde_json::Map<String, serde_json::Value>,
}

/// What the program says.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    FetchingPip(String),
    Downloading(u64),
    Unpacking(String),
    Done { bytes: u64 },
    Failed { why: Why, detail: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Why {
    Download,
    Hash,
    NoWheel,
    DiskFull,
    Other,
}

/// Fills a folder, shows that the engine can be loaded from there, and gives its size.
async fn fill(
    folder: &Path,
    packages: &Packages,
    python: &Interpreter,
    progress: &Report<'_>,
) -> Result<u64, Error> {
    let files = packages.files.iter().map(|&(path, content)| (path.to_owned(), content.into())).collect();
    let order =
        InstallInput { folder, requirements: packages.requirements, archives: packages.archives, files };
    let bytes = carry_out(&order, folder, packages, python, progress).await?;
    let proven = prove(packages, python, &entry(&folder.join("site"))).await;
    proven.map_err(|reason| Error::Unloadable { reason })?;
    Ok(bytes)
}

/// Asks Python's package index, as pip is set to reach it, whether it is there.
pub(super) async fn reach_index(packages: &Packages, python: &Interpreter) -> Result<(), Error> {
    let project = packages.archives.first().map_or("pysail", |archive| archive.project);
    let order = serde_json::json!({ "reach": project });
    carry_out(&order, Path::new(""), packages, python, &|_| {}).await.map(drop)
}

/// Runs the program with an order; the number that it ends with comes back.
async fn carry_out(
    order: &impl Serialize,
    folder: &Path,
    packages: &Packages,
    python: &Interpreter,
    progress: &Report<'_>,
) -> Result<u64, Error> {
    let order = serde_json::to_string(order).map_err(|error| Error::Install { reason: error.to_string() })?;
    let spawned = Command::new(&python.executable)
        .args(["-I", "-c", &Program::Install.text(), &order])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn();
    let mut child = spawned.map_err(|source| Error::Spawn { program: python.executable.clone(), source })?;
    // While this is held the program goes on; dropped with this future, it ends the program and pip.
    let _life = child.stdin.take();
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::Install { reason: "its pipes are missing".to_owned() });
    };

    let tail = Tail::default();
    let mut result = None;
    let of = packages.download();
    let hear = |line: &[u8]| match serde_json::from_slice(line) {
        Ok(Message::FetchingPip(what)) => progress(Progress::Fetching { what }),
        // What pip has not tidied away yet would be counted twice.
        Ok(Message::Downloading(bytes)) => {
            let bytes = of.map_or(bytes, |of| bytes.min(of));
            progress(Progress::Fetched { what: packages.title, bytes, of });
        }
        Ok(Message::Unpacking(what)) => progress(Progress::Unpacking { what }),
        Ok(Message::Done { bytes }) => result = Some(Ok(bytes)),
        Ok(Message::Failed { why, detail }) => {
            result = Some(Err(failure(&why, detail, folder, packages, python)));
        }
        Err(_) => tail.push(line),
    };
    tokio::join!(each_line(stdout, hear), each_line(stderr, |line| tail.push(line)));
    let status = child.wait().await;
    result.unwrap_or_else(|| {
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let reason = tail.lines().last().map_or_else(|| how.clone(), |line| format!("{line} ({how})"));
        Err(Error::Install { reason })
    })
}

fn failure(why: &Why, reason: String, folder: &Path, packages: &Packages, python: &Interpreter) -> Error {
    match why {
        Why::Download => Error::Download { reason },
        Why::Hash => Error::Hash { reason },
        Why::NoWheel => Error::NoBuild { platform: format!("{}, {python}", python.platform), reason },
        Why::DiskFull => {
            let path = folder.parent().unwrap_or(folder).to_owned();
            Error::DiskFull { path, megabytes: packages.megabytes }
        }
        Why::Other => Error::Install { reason },
    }
}

fn unwritable(packages: &Packages, path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::DiskFull { path: path.to_owned(), megabytes: packages.megabytes }
        }
        _ => Error::Cache { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::sail::PACKAGES;
    use super::super::{EngineKind, LaunchSettings, search_path};
    use super::*;

    fn place(cache: &Path, downloads: Downloads) -> EnginePaths {
        EnginePaths {
            program: None,
            search_path: search_path(),
            cache: cache.to_owned(),
            temporary: std::env::temp_dir(),
            python: None,
            java: None,
            java_home: None,
            warm: std::env::temp_dir().join("none"),
            downloads,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Downloads for real, once, and then uses and damages what it has got.
    #[tokio::test]
    async fn installs_once_and_repairs() {
        let cache = tempfile::tempdir().unwrap();
        let place = place(cache.path(), Downloads::Allowed);
        let offline = EnginePaths { downloads: Downloads::Off, ..place.clone() };
        let error = ensure(&PACKAGES, &offline, Trust::Record, &|_| {}).await.unwrap_err();
        insta::assert_snapshot!(error, @"Sail 0.7.2 is not installed and downloads are off");
        insta::assert_snapshot!(error.hint().unwrap(), @"run `pipectl engine install`");
        assert!(matches!(status(&PACKAGES, &place).await, Status::Missing { .. }));
        // What a killed installation leaves.
        let folder = folder(&PACKAGES, &place);
        let left = place.cache.join(format!("engines/.{}.new-left", folder_name(&PACKAGES)));
        fs::create_dir_all(left.join("site")).unwrap();

        let told = Mutex::new(Vec::new());
        let progress = |progress| told.lock().unwrap().push(progress);
        let (one, other) = tokio::join!(
            ensure(&PACKAGES, &place, Trust::Record, &progress),
            ensure(&PACKAGES, &place, Trust::Record, &progress)
        );
        let installation = one.unwrap();
        assert_eq!(installation, other.unwrap());
        assert_eq!(installation.folder, folder);
        assert!(installation.bytes > 50_000_000, "{}", installation.bytes);
        {
            let told = told.lock().unwrap();
            let count = |wanted: &Progress| told.iter().filter(|&progress| progress == wanted).count();
            assert_eq!(count(&Progress::Installed { what: "Sail 0.7.2" }), 1);
            assert_eq!(count(&Progress::Waiting { what: "Sail 0.7.2" }), 1);
            assert_eq!(count(&Progress::Fetching { what: "Sail 0.7.2 from PyPI".to_owned() }), 1);
            // The size that is pinned is that of the wheel.
            let last = told.iter().rfind(|progress| matches!(progress, Progress::Fetched { .. }));
            let Some(Progress::Fetched { bytes, of: Some(of), .. }) = last else { panic!("{told:?}") };
            assert_eq!(bytes, of);
        }
        assert_eq!(names(&folder), [RECORD, "site"]);
        let name = folder_name(&PACKAGES);
        assert_eq!(names(&place.cache.join("engines")), [format!(".{name}.lock"), name]);
        assert_eq!(status(&PACKAGES, &offline).await, Status::Installed(installation.clone()));

        fs::remove_file(installation.site().join("pysail/spark/__init__.py")).unwrap();
        let Status::Damaged { reason, .. } = status(&PACKAGES, &offline).await else { panic!("not damaged") };
        assert!(reason.contains("pysail"), "{reason}");
        let error = EngineKind::Sail.start(&offline, &LaunchSettings::default(), &|_| {}).await.unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        let engine = EngineKind::Sail.start(&place, &LaunchSettings::default(), &progress).await.unwrap();
        engine.stop().await;
        assert_eq!(status(&PACKAGES, &offline).await, Status::Installed(installation));
    }

    /// Makes a small package with the given module, and says with which requirement it is installed.
    fn wheel(folder: &Path, module: &str) -> String {
        let script = "
import hashlib, pathlib, sys, zipfile
path = pathlib.Path(sys.argv[1]) / 'tiny-1.0-py3-none-any.whl'
with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('tiny.py', sys.argv[2])
    archive.writestr('tiny-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')
    archive.writestr('tiny-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    archive.writestr('tiny-1.0.dist-info/RECORD', '')
print(f'tiny @ {path.as_uri()} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}')
";
        let output =
            std::process::Command::new("python3").args(["-c", script]).arg(folder).arg(module).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    async fn fill_with(requirements: String) -> Result<u64, Error> {
        let folder = tempfile::tempdir().unwrap();
        let requirements: &'static str = requirements.leak();
        let files = &[("beside/it.py", "")];
        let packages = Packages { requirements, files, proof: "import tiny", wheels: &[], ..PACKAGES };
        let python = python::find(None, &search_path()).await.unwrap();
        let result = fill(folder.path(), &packages, &python, &|_| {}).await;
        if result.is_ok() {
            assert_eq!(names(folder.path()), ["site"]);
            assert_eq!(
                names(&folder.path().join("site")),
                ["__pycache__", "beside", "tiny-1.0.dist-info", "tiny.py"]
            );
        }
        result
    }

    #[tokio::test]
    async fn unpacks_what_has_the_pinned_hash() {
        let folder = tempfile::tempdir().unwrap();
        assert!(fill_with(wheel(folder.path(), "")).await.unwrap() > 100);
    }

    #[tokio::test]
    async fn refuses_another_hash() {
        let folder = tempfile::tempdir().unwrap();
        let requirement = wheel(folder.path(), "");
        let (start, _) = requirement.rsplit_once(':').unwrap();
        let error = fill_with(format!("{start}:{}\n", "0".repeat(64))).await.unwrap_err();
        assert!(matches!(error, Error::Hash { .. }), "{error}");
    }

    #[tokio::test]
    async fn says_what_cannot_be_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let error =
            fill_with(wheel(folder.path(), "raise ImportError('GLIBC_2.99 not found')")).await.unwrap_err();
        insta::assert_snapshot!(error, @"the engine was installed but cannot be loaded: ImportError: GLIBC_2.99 not found");
    }

    #[tokio::test]
    async fn says_what_cannot_be_downloaded() {
        let error =
            fill_with(format!("tiny @ file:///nowhere/tiny-1.0-py3-none-any.whl --hash=sha256:{:064}", 0));
        let error = error.await.unwrap_err();
        assert!(matches!(error, Error::Download { .. }), "{error}");
    }

    #[tokio::test]
    async fn says_where_it_cannot_write() {
        let cache = tempfile::NamedTempFile::new().unwrap();
        let place = place(cache.path(), Downloads::Allowed);
        let error = ensure(&PACKAGES, &place, Trust::Record, &|_| {}).await.unwrap_err();
        assert!(matches!(error, Error::Cache { .. }), "{error}");
    }

    #[tokio::test]
    async fn finds_another_python_where_the_recorded_one_is_gone() {
        let cache = tempfile::tempdir().unwrap();
        let place = place(cache.path(), Downloads::Off);
        let folder = folder(&PACKAGES, &place);
        fs::create_dir_all(&folder).unwrap();
        let python = python::find(None, &search_path()).await.unwrap();
        let mut gone = python.clone();
        gone.executable = PathBuf::from("/nowhere/python3");
        write_record(&folder, &Record { python: gone, asked_for: None, bytes: 1 }).unwrap();
        let installation = ensure(&PACKAGES, &place, Trust::Record, &|_| {}).await.unwrap();
        assert_eq!(installation.python, python);
        assert_eq!(names(&folder), [RECORD]);
    }

    #[tokio::test]
    async fn shows_the_last_words_of_an_engine_that_does_not_start() {
        let (cache, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let python = cache.path().join("python3");
        fs::write(&python, "#!/bin/sh\necho 'no more processes' >&2\nexit 3\n").unwrap();
        fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let place =
            EnginePaths { temporary: temporary.path().to_owned(), ..place(cache.path(), Downloads::Off) };
        let folder = folder(&PACKAGES, &place);
        fs::create_dir_all(&folder).unwrap();
        let mut broken = python::find(None, &search_path()).await.unwrap();
        broken.executable = python;
        write_record(&folder, &Record { python: broken, asked_for: None, bytes: 1 }).unwrap();
        let error = EngineKind::Sail.start(&place, &LaunchSettings::default(), &|_| {}).await.unwrap_err();
        insta::assert_snapshot!(error, @"the engine ended while it was starting: its launcher ended without a word");
        assert_eq!(error.last_lines(), ["no more processes"]);
        assert!(names(temporary.path()).is_empty());
    }
}
