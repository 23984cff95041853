//! Java processes of Spark that a test starts by hand, as an administrator would: masters, workers, Connect servers.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::support;

/// How long one may take to be ready; machines that build beside it are slow.
const LONGEST_START: Duration = Duration::from_secs(120);

/// What runs in the background of a script ignores the terminal's interruption, so it is told to end as any process is.
const SCRIPT: &str =
    "\"$@\" & child=$!; echo \"process $child\" >&2; cat > /dev/null; kill $child; wait $child";

/// What Spark needs of Java's own packages, as its launcher opens them.
const OPENED: [&str; 8] = [
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/sun.nio.ch",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
];

/// For minutes at most it does not pay to compile twice, nor to collect garbage in several threads.
const SHORT_LIVED: [&str; 2] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/// A process of Spark. It ends with this value, and with the test's own process however that ends: a shell stands between them
/// and ends it when its standard input does.
pub(crate) struct Daemon {
    shell: Child,
    stdin: Option<ChildStdin>,
    lines: Mutex<Receiver<String>>,
    process: u32,
}

impl Daemon {
    /// Starts the main class `class`, with Spark's settings as properties of Java.
    #[track_caller]
    pub(crate) fn start(class: &str, settings: &[(&str, &str)], arguments: &[&str]) -> Self {
        let (java, home) = support::installed_spark();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(java);
        command.args(["-Xmx512m", "-XX:+IgnoreUnrecognizedVMOptions", "--add-modules=jdk.incubator.vector"]);
        command.args(SHORT_LIVED);
        command.args(OPENED.map(|package| format!("--add-opens={package}=ALL-UNNAMED")));
        command.args(settings.iter().map(|(name, value)| format!("-D{name}={value}")));
        command.arg("-cp").arg(home.join("jars/*")).arg(class).args(arguments);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPARK_"))
        {
            command.env_remove(name);
        }
        command
            .env("SPARK_HOME", home)
            .env("SPARK_SCALA_VERSION", "2.13")
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut shell = command.spawn().unwrap();
        let (stdin, stderr) = (shell.stdin.take(), shell.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // Once nobody waits for lines, they are read on all the same: a full pipe would stop the server.
                drop(sender.send(line));
            }
        });
        let mut daemon = Self { shell, stdin, lines: Mutex::new(lines), process: 0 };
        daemon.process = daemon.word_after("process ").parse().unwrap();
        daemon
    }

    /// Ends it as nothing can be done against.
    pub(crate) fn kill(&self) {
        support::signal(self.process, "KILL");
    }

    /// Waits for a line that has this text, and gives what follows it there up to the next space.
    pub(crate) fn word_after(&self, text: &str) -> String {
        let deadline = Instant::now() + LONGEST_START;
        let lines = self.lines.lock().unwrap();
        let mut told = String::new();
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some((_, rest)) = line.split_once(text) {
                        return rest.split_whitespace().next().unwrap_or_default().to_owned();
                    }
                    told.push_str(&line);
                    told.push('\n');
                }
                Err(error) => panic!("`{text}` did not come: {error}\n{told}"),
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.shell.wait());
    }
}

/// A Connect server that works by itself or for a master, on a free port of the loopback address.
pub(crate) struct Server {
    pub(crate) daemon: Daemon,
    pub(crate) port: String,
    /// For its warehouse and what it spills.
    _folder: tempfile::TempDir,
}

impl Server {
    #[track_caller]
    pub(crate) fn start(master: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (warehouse, local) = (path("warehouse"), path("local"));
        let mut all = vec![
            ("spark.master", master),
            ("spark.app.name", "by hand"),
            ("spark.ui.enabled", "false"),
            ("spark.driver.bindAddress", "127.0.0.1"),
            ("spark.driver.host", "127.0.0.1"),
            ("spark.connect.grpc.binding.address", "127.0.0.1"),
            ("spark.connect.grpc.binding.port", "0"),
            ("spark.executor.memory", "512m"),
            ("spark.sql.warehouse.dir", &warehouse),
            ("spark.local.dir", &local),
        ];
        all.extend_from_slice(settings);
        let daemon = Daemon::start("org.apache.spark.sql.connect.service.SparkConnectServer", &all, &[]);
        let port = daemon.word_after("Spark Connect server started at: 127.0.0.1:");
        Self { daemon, port, _folder: folder }
    }
}

/// A master and two workers with a core each.
pub(crate) struct Cluster {
    pub(crate) master: String,
    _workers: [Daemon; 2],
    _master: Daemon,
    _folder: tempfile::TempDir,
}

impl Cluster {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let here = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"];
        // Its other door, for submitting over HTTP, has a fixed port.
        let master = Daemon::start(
            "org.apache.spark.deploy.master.Master",
            &[("spark.master.rest.enabled", "false")],
            &here,
        );
        let url = master.word_after("Starting Spark master at ");
        let workers = ["a", "b"].map(|name| {
            let work: PathBuf = folder.path().join(name);
            let work = work.to_string_lossy();
            let more = ["--cores", "1", "--memory", "1g", "--work-dir", &work, &url];
            let worker =
                Daemon::start("org.apache.spark.deploy.worker.Worker", &[], &[&here[..], &more[..]].concat());
            worker.word_after("Successfully registered with master ");
            worker
        });
        Self { master: url, _workers: workers, _master: master, _folder: folder }
    }
}
