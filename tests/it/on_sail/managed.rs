//! `run --engine` and `engine` with Sail: engines that stay, and who is believed about them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::Value;

use crate::on_spark::managed::{RESULT, ROWS, run};
use crate::support::Home;
use crate::support::{Case, signal};

#[test]
fn an_engine_that_stayed_and_was_killed_is_tidied_away() {
    let home = Home::new();
    run(ROWS, "sail").engine();
    home.says(&["engine", "start"]);
    let record: Value = serde_json::from_slice(&fs::read(home.record("sail-0.7.2.json")).unwrap()).unwrap();
    signal(u32::try_from(record["pid"].as_u64().unwrap()).unwrap(), "KILL");
    let said = home.runs("sail");
    // A process that is just being killed may still accept a connection, and close it.
    assert!(said.contains("the Sail 0.7.2 of `pipectl engine start` "), "{said}");
    assert!(said.contains("; this run starts its own"), "{said}");
    assert!(said.contains("private to this run"), "{said}");
    if home.record("sail-0.7.2.json").exists() {
        // It was met while it was just being killed, and left to the next run.
        home.runs("sail");
    }
    home.assert_nothing_is_left();

    // An end from outside is as good as `engine stop`.
    home.says(&["engine", "start"]);
    let record: Value = serde_json::from_slice(&fs::read(home.record("sail-0.7.2.json")).unwrap()).unwrap();
    signal(u32::try_from(record["pid"].as_u64().unwrap()).unwrap(), "TERM");
    home.assert_nothing_is_left();
}

#[test]
fn what_others_could_have_written_is_not_believed() {
    let home = Home::new();
    run(ROWS, "sail").engine();
    home.says(&["engine", "start", "sail"]);
    let record = home.record("sail-0.7.2.json");
    let folder = record.parent().unwrap();
    for (path, mode, normal) in [(&*record, 0o644, 0o600), (folder, 0o755, 0o700)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let said = home.runs("sail");
        assert!(said.contains(&format!("is open to others (mode {mode:o})")), "{said}");
        assert!(said.contains("private to this run"), "{said}");
        let output = home.pipectl(&["engine", "start", "sail"]);
        assert_eq!(output.status.code(), Some(69), "{}", String::from_utf8_lossy(&output.stderr));
        fs::set_permissions(path, fs::Permissions::from_mode(normal)).unwrap();
    }
    let aside = home.path("aside.json");
    fs::rename(&record, &aside).unwrap();
    symlink(&aside, &record).unwrap();
    assert!(home.runs("sail").contains("is a link"));
    fs::rename(&aside, &record).unwrap();
    assert!(home.runs("sail").contains("kept warm"));
}

#[test]
fn the_flag_goes_before_the_environment() {
    let case = run(ROWS, "sail").engine().env("PIPECTL_REMOTE", "sc://127.0.0.1:9");
    case.env("PIPECTL_ENGINE", "duck").stdout(RESULT).run();
    let case = Case::new(["run", "p.yaml"]).file("p.yaml", ROWS).env("SPARK_REMOTE", "sc://127.0.0.1:9");
    case.engine().env("PIPECTL_ENGINE", "sail").any_stderr().stdout(RESULT).run();
}
