//! `doctor` without an engine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use crate::on_sail::doctor::doctor;

/// A package index that answers, and has nothing.
fn index() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _asked = stream.read(&mut [0; 1000]);
            let _gone =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    format!("http://{address}/simple")
}

#[test]
fn an_engine_that_is_missing_needs_an_index_that_answers() {
    let cache = doctor(&[]).path("cache");
    let index = |url: &str| {
        doctor(&[]).env("PIPECTL_CACHE_DIR", &cache).env("PIP_INDEX_URL", url).env("PIP_RETRIES", "0")
    };
    let outcome = index("http://127.0.0.1:9/simple").env("PIP_NO_CACHE_DIR", "1").code(69).run();
    assert!(outcome.stdout.contains("Sail 0.7.2 is not installed"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("problem  network"), "{}", outcome.stdout);
}

#[test]
fn nothing_is_downloaded_unasked() {
    let case = doctor(&["p.yaml"]).env("PIP_INDEX_URL", index()).env("no_proxy", "127.0.0.1");
    let cache = case.path("cache");
    let outcome = case.env("PIPECTL_CACHE_DIR", &cache).run();
    let told = "Sail 0.7.2 is not installed; it will be in `[cache]/engines/sail-0.7.2-";
    assert!(
        outcome.stdout.replace(&*cache.to_string_lossy(), "[cache]").contains(told),
        "{}",
        outcome.stdout
    );
    let how = "; the first run, or `pipectl engine install`, downloads 6";
    assert!(outcome.stdout.contains(how), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("ok  network"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("note  rows       no engine was asked for rows"), "{}", outcome.stdout);
    assert!(!cache.exists());
}

#[test]
fn what_a_run_without_downloads_would_miss_is_a_problem() {
    let outcome = doctor(&["--offline"]).env("PIPECTL_CACHE_DIR", "none").code(69).run();
    let told = "problem  engine     Sail 0.7.2 is not installed and downloads are off\n";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("network"), "{}", outcome.stdout);
}

#[test]
fn the_interpreter_has_its_path_where_there_is_no_search_path() {
    let case = doctor(&["--offline"]).env("PIPECTL_CACHE_DIR", "none").any_code();
    let outcome =
        case.run_in_shell("exec env -i PIPECTL_CACHE_DIR=none PIPECTL_STATE_DIR=state TMPDIR=tmp \"$@\"");
    let line = outcome.stdout.lines().find(|line| line.contains("  python ")).unwrap_or_default();
    let is_there = |folder: &str| Path::new(folder).join("python3").exists();
    if ["/usr/local/bin", "/usr/bin", "/bin"].into_iter().any(is_there) {
        assert!(line.contains(" at `/") || line.contains("no Python fits the engine (CPython"), "{line}");
    } else {
        assert!(line.contains("no Python 3 is found"), "{line}");
    }
}
