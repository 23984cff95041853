//! The installer: source distributions that come from an index, whole or broken.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

/// The Python program that installs an engine, as it is in the checkout.
const INSTALLER: &str = concat!(
    "import sys; sys.path.insert(0, '",
    env!("CARGO_MANIFEST_DIR"),
    "/src/engine/python'); from pipectl_engine import install; sys.exit(install.main(sys.argv[1:]))"
);
const NAME: &str = "tiny-1.0.tar.gz";

/// What an index does when it is asked for the archive.
#[derive(Clone, Copy)]
enum Manner {
    /// It sends so many bytes at most, whatever it has announced.
    Pieces(usize),
    Whole,
    Missing,
}

/// Serves an archive at an address of its own, by HTTP/1, for as long as the test runs.
fn index(archive: Vec<u8>, manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/simple", listener.local_addr().unwrap());
    let archive = Arc::new(archive);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let archive = Arc::clone(&archive);
            thread::spawn(move || answer(stream.unwrap(), &archive, manner));
        }
    });
    address
}

fn answer(mut stream: TcpStream, archive: &[u8], manner: Manner) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let range = head.iter().find_map(|line| line.strip_prefix("Range: bytes="));
    let from: usize = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
    let (status, body) = match (head[0].contains(NAME), manner) {
        (true, Manner::Missing) => ("404 Not Found", Vec::new()),
        (true, _) if from >= archive.len() => ("416 Range Not Satisfiable", Vec::new()),
        (true, _) if range.is_some() => ("206 Partial Content", archive[from..].to_vec()),
        (true, _) => ("200 OK", archive.to_vec()),
        (false, _) => ("200 OK", format!("<a href=\"../files/{NAME}#sha256=0\">{NAME}</a>").into_bytes()),
    };
    let sent = match manner {
        Manner::Pieces(bytes) if head[0].contains(NAME) => bytes.min(body.len()),
        _ => body.len(),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _gone = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..sent]));
}

/// A source distribution, with a program that leaves a trace where it is run, and its hash.
fn archive() -> (Vec<u8>, String) {
    let script = "
import base64, hashlib, io, random, sys, tarfile
made = io.BytesIO()
random.seed(1)
with tarfile.open(fileobj=made, mode='w:gz') as archive:
    for name, content in [
        ('tiny-1.0/setup.py', b'open(\"trace\", \"w\").close()'),
        ('tiny-1.0/jars/one.jar', random.randbytes(300_000)),
        ('tiny-1.0/jars/shell/two.jar', b'2'),
        ('tiny-1.0/jars/../../../out.jar', b'out'),
        ('tiny-1.0/LICENSE', b'free'),
    ]:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    link = tarfile.TarInfo('tiny-1.0/jars/link.jar')
    link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
    archive.addfile(link)
sys.stdout.buffer.write(made.getvalue())
sys.stderr.write(hashlib.sha256(made.getvalue()).hexdigest())
";
    let output = Command::new("python3").args(["-c", script]).output().unwrap();
    (output.stdout, String::from_utf8(output.stderr).unwrap())
}

/// Lets the script install from there, and gives its last word.
fn install(folder: &Path, index: &str, bytes: usize, sha256: &str) -> Value {
    let order = json!({
        "folder": folder,
        "requirements": "",
        "archives": [{
            "name": NAME, "project": "tiny", "bytes": bytes, "sha256": sha256,
            "members": [["tiny-1.0/jars/", "jars/"], ["tiny-1.0/LICENSE", "LICENSE"]],
        }],
        "files": {},
    });
    let mut command = Command::new("python3");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PIP_")) {
        command.env_remove(name);
    }
    let mut child = command
        .args(["-I", "-B", "-c", INSTALLER, &order.to_string()])
        .env("PIP_INDEX_URL", index)
        .env("PIP_CONFIG_FILE", "/dev/null")
        .env("PIP_RETRIES", "1")
        .env("no_proxy", "127.0.0.1")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let last = lines.map(Result::unwrap).last().unwrap();
    child.wait().unwrap();
    serde_json::from_str(&last).unwrap()
}

fn failure(word: &Value) -> (String, String) {
    let part = |name: &str| word["failed"][name].as_str().unwrap().to_owned();
    (part("why"), part("detail"))
}

#[test]
fn only_what_is_wanted_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, sha256) = archive();
    let word = install(folder.path(), &index(archive.clone(), Manner::Whole), archive.len(), &sha256);
    assert!(word["done"]["bytes"].as_u64().unwrap() > 300_000, "{word}");
    let mut found = crate::support::files(folder.path());
    found.retain(|path| !path.contains("__pycache__"));
    assert_eq!(found, ["site/LICENSE", "site/content.json", "site/jars/one.jar"]);
}

#[test]
fn a_connection_that_breaks_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, sha256) = archive();
    let index = index(archive.clone(), Manner::Pieces(200_000));
    let word = install(folder.path(), &index, archive.len(), &sha256);
    assert!(word["done"].is_object(), "{word}");
}

#[test]
fn what_is_broken_says_how() {
    let (archive, sha256) = archive();
    let length = archive.len();
    let other = "0".repeat(64);
    let mut damaged = archive.clone();
    damaged[length / 2] ^= 1;
    for (content, manner, bytes, sha256, why, what) in [
        (
            archive.clone(),
            Manner::Whole,
            length,
            &other,
            "hash",
            "has another hash than the one that is pinned",
        ),
        (damaged, Manner::Whole, length, &sha256, "hash", "pinned"),
        (
            b"<html>sign in</html>".repeat(1000),
            Manner::Whole,
            20_000,
            &sha256,
            "hash",
            "is damaged, or not the",
        ),
        (archive.clone(), Manner::Pieces(0), length, &sha256, "download", "the connection ended after 0 of"),
        (archive[..1000].to_vec(), Manner::Whole, length, &sha256, "download", "416"),
        (archive.clone(), Manner::Missing, length, &sha256, "download", "404"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let word = install(folder.path(), &index(content, manner), bytes, sha256);
        let (found, detail) = failure(&word);
        assert_eq!(found, why, "{detail}");
        assert!(detail.contains(what), "{detail}");
    }
    let folder = tempfile::tempdir().unwrap();
    let (why, detail) = failure(&install(folder.path(), "http://127.0.0.1:9/simple", length, &sha256));
    assert_eq!(why, "download");
    assert!(detail.contains("http://127.0.0.1:9/simple/tiny/"), "{detail}");
}
