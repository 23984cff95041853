//! Every file in `tests/specs`: the plan of the valid ones, what is said of the invalid ones. A case is a file, not code.
//!
//! A file may begin with comments that say how it is read: `# arguments: --var n=3`, `# environment: PIPECTL_VAR_N=3`. An
//! invalid one begins with `# mistakes: 2`, which somebody has counted who has read it, and not the program.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use insta::{Settings, assert_snapshot};

const SPECS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs");
pub(super) const INVALID: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs/invalid");

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
        let (code, text) = run(&["validate", "--all-diagnostics"], file);
        assert_eq!(code, Some(78), "{text}");
        assert!(!text.contains(SPECS), "paths are shown as they were written: {text}");
        let count = said(file, "mistakes").first().and_then(|count| count.parse::<usize>().ok());
        let count = count.unwrap_or_else(|| panic!("{} begins with `# mistakes: N`", file.display()));
        let heads = |head: &str| text.lines().filter(|line| line.starts_with(head)).count();
        assert_eq!(heads("error["), count, "every mistake is told once:\n{text}");
        let places: Vec<&str> =
            text.lines().filter_map(|line| line.trim_start().strip_prefix("--> ")).collect();
        assert_eq!(places.len(), count + heads("warning["), "each has a place:\n{text}");
        for place in places {
            let mut numbers = place.rsplit(':').map(|number| number.parse::<usize>().unwrap());
            let (column, line) = (numbers.next().unwrap(), numbers.next().unwrap());
            assert!(line > 0 && column > 0, "{place} is nowhere:\n{text}");
        }
        hold(file, &text);
    });
}

/// Tests every file of a folder, those after one that fails too. insta's `glob!` mixes up tests that run side by side.
pub(super) fn each(folder: &str, test: impl Fn(&Path)) {
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

/// The words that a file's comments say of one thing.
fn said(file: &Path, what: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    let prefix = format!("# {what}: ");
    let lines = text.lines().filter_map(|line| line.trim_start_matches('\u{FEFF}').strip_prefix(&prefix));
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Exit code, and what was printed: messages, then data.
fn run(verb: &[&str], file: &Path) -> (Option<i32>, String) {
    let output = command(verb, file.parent().unwrap(), file).output().unwrap();
    let [stderr, stdout] = [output.stderr, output.stdout].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), stderr + &stdout)
}

/// The messages of a file as it stands in a copy of its folder.
pub(super) fn validated(folder: &Path, file: &Path, arguments: &[&str]) -> String {
    let output = command(&["validate"], folder, file).args(arguments).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

/// Runs a verb in a folder as the comments of a file say.
fn command(verb: &[&str], folder: &Path, file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipectl"));
    command.env_clear().current_dir(folder);
    command.args(verb).arg(file.file_name().unwrap()).args(said(file, "arguments"));
    // `O'Brien` is one word here: there is no shell.
    command.envs(said(file, "environment").iter().filter_map(|pair| pair.split_once('=')));
    command
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
