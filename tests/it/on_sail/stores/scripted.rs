//! A server that speaks as much as an upload needs of what S3, Google's and Azure's stores speak, and does what a test says
//! instead of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Case;

/// How long a request is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Head,
    List,
    Begin,
    Part(u32),
    Put,
    Complete,
    Abort,
}

/// What it answers.
pub(super) enum Answer {
    /// What S3 does.
    Right,
    /// A status, and a code in the body.
    Wrong(u16, &'static str),
    /// The connection breaks after half of the request.
    Reset,
    /// Nothing, for so long; then what is right.
    Slow(Duration),
}

/// A running server; it ends with the test process.
pub(super) struct Scripted {
    port: u16,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// A server that answers by `script`, which is told what is asked and how often it was before.
    pub(super) fn new(script: impl Fn(Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, own) = (Arc::new(script), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, seen) = (Arc::clone(&script), Arc::clone(&own));
                // A client that goes away is no failure.
                thread::spawn(move || stream.map(|stream| drop(serve(stream, &*script, &seen))));
            }
        });
        Self { port, seen }
    }

    /// What was asked, in order.
    pub(super) fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often something was asked.
    pub(super) fn count(&self, asked: Asked) -> usize {
        self.seen().iter().filter(|one| **one == asked).count()
    }

    pub(super) fn wait_for(&self, asked: Asked) {
        let deadline = Instant::now() + LONGEST_WAIT;
        while self.count(asked) == 0 {
            assert!(Instant::now() < deadline, "{asked:?} did not come: {:?}", self.seen());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its URL.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A run that knows the server and has keys for it.
    pub(super) fn with(&self, case: Case) -> Case {
        case.env("AWS_ENDPOINT_URL", self.url())
            .env("AWS_ACCESS_KEY_ID", "a-key-of-tests")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests")
            .env("AWS_MAX_ATTEMPTS", "3")
    }
}

fn serve(
    mut stream: TcpStream,
    script: &(impl Fn(Asked, usize) -> Answer + ?Sized),
    seen: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0_usize;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
    }
    let Some(asked) = asked(&first) else { return Ok(()) };
    let before = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(asked);
        seen.iter().filter(|one| **one == asked).count() - 1
    };
    let answer = script(asked, before);
    let taken = if matches!(answer, Answer::Reset) { length / 2 } else { length };
    reader.read_exact(&mut vec![0; taken])?;
    match answer {
        // What is not read makes it a reset.
        Answer::Reset => return Ok(()),
        Answer::Slow(time) => thread::sleep(time),
        Answer::Right | Answer::Wrong(..) => {}
    }
    let (status, body) = match answer {
        Answer::Wrong(status, code) => {
            (status, format!("<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>"))
        }
        _ => right(asked),
    };
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nETag: \"e\"\r\nLast-Modified: Sat, 01 Jan 2000 00:00:00 GMT\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn asked(first: &str) -> Option<Asked> {
    let mut words = first.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let number = query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
    Some(match (method, number) {
        ("HEAD", _) => Asked::Head,
        ("GET", _) => Asked::List,
        // Azure's: parts have names, and are put together by a list of them.
        ("PUT", _) if query.contains("comp=blocklist") => Asked::Complete,
        ("PUT", _) if query.contains("comp=block") => Asked::Part(0),
        ("POST", _) if query.contains("uploads") => Asked::Begin,
        ("POST", _) => Asked::Complete,
        ("PUT", Some(number)) => Asked::Part(number.parse().ok()?),
        ("PUT", None) => Asked::Put,
        ("DELETE", _) => Asked::Abort,
        _ => return None,
    })
}

fn right(asked: Asked) -> (u16, String) {
    let text = match asked {
        Asked::Head => return (404, String::new()),
        Asked::Begin => {
            "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"
        }
        Asked::Complete => {
            "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>"
        }
        Asked::Abort => return (204, String::new()),
        Asked::List => "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>",
        Asked::Part(_) | Asked::Put => "",
    };
    (200, text.to_owned())
}
