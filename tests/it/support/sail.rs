//! A Sail server that a test starts by hand, as an administrator would.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::support::installed;

/// A Sail server that was started by hand, and ends with this value.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) port: u16,
}

impl Server {
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With Sail's settings, as variables of its environment.
    #[track_caller]
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let (python, site) = installed();
        let mut child = Command::new(python)
            .args(["-m", "pysail", "spark", "server", "--port", "0"])
            .env("PYTHONPATH", site)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("127.0.0.1:")?;
            Some(port.chars().take_while(char::is_ascii_digit).collect::<String>())
        });
        // Whoever writes into a pipe that nobody reads is ended by it.
        thread::spawn(move || lines.for_each(drop));
        let port = port.unwrap();
        Self { child, address: format!("sc://127.0.0.1:{port}"), port: port.parse().unwrap() }
    }

    /// Ends it as nothing can be done against.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
