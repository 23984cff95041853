//! The Python parts (`src/engine/python`): their unit tests, which need no engine.

use std::path::Path;
use std::process::Command;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_python_parts_do_what_their_tests_say() {
    let tests = Path::new(REPOSITORY).join("tests/python");
    let output = Command::new("python3")
        .args(["-B", "-m", "unittest", "discover", "-s"])
        .arg(&tests)
        .env("PYTHONPATH", Path::new(REPOSITORY).join("src/engine/python"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    // A folder in which nothing is found is no success.
    let count = text.lines().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse().ok());
    assert!(count.is_some_and(|count: usize| count > 40), "{text}");
}
