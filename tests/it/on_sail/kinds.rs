//! Every kind on the real engines: each file of `tests/specs/kinds` prints what stands in the text file beside it, which somebody has
//! worked out who did not run it. A file that begins with `# engines: spark` is refused by Sail. One that begins with `# engines: none`
//! needs a plug-in or a catalog that neither has here: both refuse it, at its place.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::support::Case;
use crate::support::Warm;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/specs/kinds");
/// How many cases run side by side.
const THREADS: usize = 4;

pub(crate) fn cases() -> Vec<PathBuf> {
    let paths = fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    files
}

/// The engines that a file's first line names; all where it names none.
fn engines(text: &str) -> Option<BTreeSet<&str>> {
    let named = text.lines().next()?.strip_prefix("# engines: ")?;
    Some(named.split_whitespace().collect())
}

/// Runs one case on an engine that is kept; says what is not as it should be.
fn run(case: &Path, kind: &str, runtime: &Path) -> Option<String> {
    let name = case.file_name().unwrap().to_string_lossy();
    let text = fs::read_to_string(case).unwrap();
    let is_refused = engines(&text).is_some_and(|named| !named.contains(kind));
    let is_for_none = engines(&text).is_some_and(|named| named.contains("none"));
    // A few rows need no two hundred tasks.
    let target = format!("engine: {kind}, conf: {{ spark.sql.shuffle.partitions: 2 }}");
    let project = format!("default_target: here\ntargets: {{ here: {{ {target} }} }}\n");
    let verb = if is_refused { "check" } else { "run" };
    let mut command = Case::new([verb, "p.yaml", "--quiet"]).env("XDG_RUNTIME_DIR", runtime);
    command = command.file("pipectl.yaml", project);
    // A table may be a file, whose path is a whole one.
    let text = text.replace("`/data/", &format!("`{}/data/", command.path("").display()));
    command = command.file("p.yaml", text);
    for (path, bytes) in files(&Path::new(CASES).join("data")) {
        command = command.file(&format!("data/{path}"), bytes);
    }
    let command = command.any_stdout().any_stderr();
    if is_refused {
        let outcome = command.code(78).run();
        // What it lacks may be known to the engine alone.
        let codes: &[&str] = if is_for_none { &["error[E022]", "error[E023]"] } else { &["error[E022]"] };
        let all = outcome
            .stderr
            .lines()
            .filter(|line| line.starts_with("error["))
            .all(|line| codes.iter().any(|code| line.starts_with(code)));
        return (!all).then(|| format!("{name} on {kind} is refused otherwise:\n{}", outcome.stderr));
    }
    let expected = fs::read_to_string(case.with_extension("txt")).unwrap_or_default();
    let outcome = command.any_code().run();
    let is_right = outcome.stdout == expected && outcome.code == Some(0);
    (!is_right)
        .then(|| format!("{name} on {kind} prints\n{}and not\n{expected}{}", outcome.stdout, outcome.stderr))
}

/// The files of the folder that cases read.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

pub(crate) fn hold_on(kind: &str) {
    let cases = cases();
    assert!(cases.len() > 15, "the cases are gone");
    let warm = Warm::start(kind.to_owned());
    let wrong: Vec<String> = thread::scope(|scope| {
        let part = |part: usize| {
            let (cases, runtime) = (&cases, warm.runtime());
            scope.spawn(move || {
                cases
                    .iter()
                    .skip(part)
                    .step_by(THREADS)
                    .filter_map(|case| run(case, kind, runtime))
                    .collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(part).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_prints_on_sail_what_it_should() {
    hold_on("sail");
}
