//! moto: a server from `PyPI` that speaks S3. It is installed once for all test runs and started once for each.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::support::{Case, installed};

/// What is installed, all of it.
const PACKAGES: &str = "\
blinker==1.9.0 boto3==1.44.5 botocore==1.44.5 certifi==2026.10.18 cffi==2.1.1 charset-normalizer==3.5.2 click==8.5.1 \
cryptography==50.0.2 Flask==3.1.3 flask-cors==6.0.5 idna==3.20 itsdangerous==2.2.0 Jinja2==3.1.6 jmespath==1.1.0 \
MarkupSafe==3.0.4 moto==5.2.5 py-partiql-parser==0.6.3 pycparser==3.12 python-dateutil==2.9.0.post0 PyYAML==6.0.3 \
requests==2.34.2 responses==0.26.3 s3transfer==0.19.3 six==1.17.0 urllib3==2.8.0 Werkzeug==3.1.9 xmltodict==1.0.4";

const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/moto-5.2.5");

static SERVER: LazyLock<Mutex<Moto>> = LazyLock::new(|| Mutex::new(Moto::start()));

/// A running server.
struct Moto {
    /// Held, so that it has somebody.
    _process: Child,
    /// When the test process ends, so does this, and the server with it.
    words: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u64,
}

impl Moto {
    fn start() -> Self {
        let (python, _) = installed();
        install(&python);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/on_sail/stores/server.py");
        let mut process = Command::new(&python)
            .arg(script)
            .env("PYTHONPATH", FOLDER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let words = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut moto = Self { _process: process, words, answers, port: 0 };
        moto.port = moto.answer().as_u64().unwrap();
        moto
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the server ended: {error}: {line}"))
    }
}

/// Installs what is needed; a folder of this name is whole.
fn install(python: &Path) {
    if Path::new(FOLDER).exists() {
        return;
    }
    let partial = format!("{FOLDER}.{}", std::process::id());
    let output = Command::new(python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--target",
            &partial,
        ])
        .args(PACKAGES.split(' '))
        .output()
        .unwrap();
    assert!(output.status.success(), "moto: {}", String::from_utf8_lossy(&output.stderr));
    if fs::rename(&partial, FOLDER).is_err() {
        // Another process of the tests was first.
        fs::remove_dir_all(&partial).unwrap();
    }
}

fn server() -> MutexGuard<'static, Moto> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ask(words: &Value) -> Value {
    let mut server = server();
    writeln!(server.words, "{words}").unwrap();
    server.answer()
}

/// A bucket of a test's own.
pub(super) struct Bucket(&'static str);

impl Bucket {
    pub(super) fn new(name: &'static str) -> Self {
        ask(&json!(["create", name]));
        Self(name)
    }

    pub(super) fn put(&self, key: &str, text: &str) {
        ask(&json!(["put", self.0, key, text]));
    }

    /// The objects and their sizes.
    pub(super) fn objects(&self) -> Value {
        ask(&json!(["objects", self.0]))
    }

    /// The keys of the objects.
    pub(super) fn keys(&self) -> Vec<String> {
        self.objects().as_object().unwrap().keys().cloned().collect()
    }

    /// The keys of uploads that are neither complete nor ended.
    pub(super) fn uploads(&self) -> Value {
        ask(&json!(["uploads", self.0]))
    }

    pub(super) fn download(&self, key: &str, path: &Path) {
        ask(&json!(["download", self.0, key, path]));
    }
}

/// A run that knows the server and has keys for it.
pub(super) fn with_moto(case: Case) -> Case {
    let endpoint = format!("http://127.0.0.1:{}", server().port);
    case.env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
}
