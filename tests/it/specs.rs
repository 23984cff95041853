//! Every file in `tests/specs`: the plan of the valid ones, what is said of the invalid ones. A case is a file, not code.
//!
//! A file may begin with comments that say how it is read: `# arguments: --var n=3`, `# environment: PIPECTL_VAR_N=3`.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use insta::{Settings, assert_snapshot};

const SPECS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs");

#[test]
fn a_valid_file_has_a_plan() {
    each("valid", |file| {
        // A root of its own makes the plans as long on every machine.
        let (code, text) = run(&["plan", "--root", "/root"], file);
        assert_eq!(code, Some(0), "{text}");
        hold(file, &text);
    });
}

#[test]
fn of_an_invalid_file_everything_wrong_is_said() {
    each("invalid", |file| {
        let (code, text) = run(&["validate"], file);
        assert_eq!(code, Some(78), "{text}");
        assert!(!text.contains(SPECS), "paths are shown as they were written: {text}");
        hold(file, &text);
    });
}

/// Tests every file of a folder, those after one that fails too. insta's `glob!` mixes up tests that run side by side.
fn each(folder: &str, test: impl Fn(&Path)) {
    let folder = Path::new(SPECS).join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    assert!(files.len() > 30, "the files are gone");
    let fails = |file: &&PathBuf| catch_unwind(AssertUnwindSafe(|| test(file))).is_err();
    let failed: Vec<&PathBuf> = files.iter().filter(fails).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Exit code, and what was printed: messages, then data.
fn run(verb: &[&str], file: &Path) -> (Option<i32>, String) {
    let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    let said = |what: &str| {
        let prefix = format!("# {what}: ");
        let words =
            text.lines().filter_map(move |line| line.strip_prefix(&prefix)).flat_map(str::split_whitespace);
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipectl"));
    command.env_clear().current_dir(file.parent().unwrap());
    command.args(verb).arg(file.file_name().unwrap()).args(said("arguments"));
    // `O'Brien` is one word here: there is no shell.
    command.envs(said("environment").iter().filter_map(|pair| pair.split_once('=')));
    let output = command.output().unwrap();
    let [stderr, stdout] = [output.stderr, output.stdout].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), stderr + &stdout)
}

/// Compares with the snapshot beside the file.
fn hold(file: &Path, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(file.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.remove_snapshot_suffix();
    settings.set_omit_expression(true);
    settings.add_filter(&format!("{SPECS}/"), "");
    // What a step becomes is held beside its kind; here only which actions there are.
    settings.add_filter(r"\d+ bytes", "[n] bytes");
    settings.add_filter(r"\d{4}-\d\d-\d\d\.parquet", "[date].parquet");
    settings.bind(|| assert_snapshot!(file.file_stem().unwrap().to_string_lossy().into_owned(), text));
}
