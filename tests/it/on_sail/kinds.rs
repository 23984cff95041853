//! Every kind on the real engines: each file of `tests/specs/kinds` prints what stands in the text file beside it, which somebody has
//! worked out who did not run it, and writes the same rows to files. A file that begins with `# engines: spark` is refused by Sail. One
//! that begins with `# engines: none` needs a plug-in or a catalog that neither has here: both refuse it, at its place.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

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

/// A pipeline beside the data of the cases, on an engine that is kept.
fn command(text: &str, verb: &str, kind: &str, runtime: &Path) -> Case {
    // A few rows need no two hundred tasks.
    let target = format!("engine: {kind}, conf: {{ spark.sql.shuffle.partitions: 2 }}");
    let project = format!("default_target: here\ntargets: {{ here: {{ {target} }} }}\n");
    let mut command = Case::new([verb, "p.yaml", "--quiet"]).env("XDG_RUNTIME_DIR", runtime);
    command = command.file("pipectl.yaml", project);
    // A table may be a file, whose path is a whole one.
    let text = text.replace("`/data/", &format!("`{}/data/", command.path("").display()));
    command = command.file("p.yaml", text);
    for (path, bytes) in files(&Path::new(CASES).join("data")) {
        command = command.file(&format!("data/{path}"), bytes);
    }
    command.any_stdout().any_stderr()
}

/// Runs one case on an engine that is kept; says what is not as it should be.
fn run(case: &Path, kind: &str, runtime: &Path) -> Option<String> {
    let name = case.file_name().unwrap().to_string_lossy();
    let text = fs::read_to_string(case).unwrap();
    let is_refused = engines(&text).is_some_and(|named| !named.contains(kind));
    let is_for_none = engines(&text).is_some_and(|named| named.contains("none"));
    let command = command(&text, if is_refused { "check" } else { "run" }, kind, runtime);
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

/// The same case with a Parquet file beside each table, which asks for all rows and so is another plan. The table is made of the rows that
/// the file has; what the file holds is compared by itself.
fn run_to_files(case: &Path, kind: &str, runtime: &Path) -> Option<String> {
    let name = case.file_name().unwrap().to_string_lossy();
    let text = fs::read_to_string(case).unwrap();
    if engines(&text).is_some_and(|named| !named.contains(kind)) {
        return None;
    }
    let mut parts = text.split("write: stdout\n");
    let mut rewritten = parts.next().unwrap_or_default().to_owned();
    let mut files = 0;
    for part in parts {
        rewritten.push_str(&format!("write: [stdout, {{ parquet: out/{files}.parquet }}]\n{part}"));
        files += 1;
    }
    let outcome = command(&rewritten, "run", kind, runtime).any_code().run();
    let expected = fs::read_to_string(case.with_extension("txt")).unwrap_or_default();
    if outcome.stdout != expected || outcome.code != Some(0) {
        return Some(format!(
            "{name} on {kind}, with files, prints\n{}and not\n{expected}{}",
            outcome.stdout, outcome.stderr
        ));
    }
    let found: Vec<Vec<String>> =
        (0..files).map(|file| parquet_lines(&outcome.path(&format!("out/{file}.parquet")))).collect();
    let tables = tables(&expected);
    (found != tables).then(|| format!("{name} on {kind}: files hold\n{found:#?}\nand not\n{tables:#?}"))
}

/// The rows of each table of a text, as lines without padding.
fn tables(text: &str) -> Vec<Vec<String>> {
    let is_rule = |line: &&str| line.starts_with("--") && line.chars().all(|c| c == '-' || c == '+');
    let mut tables: Vec<Vec<String>> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if lines.next_if(is_rule).is_some() {
            tables.push(Vec::new());
        } else if let Some(table) = tables.last_mut() {
            table.push(bare_line(line));
        }
    }
    tables
}

/// A line of a table without the padding of its cells. Values within values are JSON in a table, and are compared without its quotes.
fn bare_line(line: &str) -> String {
    let bare = line.split('|').map(str::trim).collect::<Vec<_>>().join("|");
    bare.replace('"', "").replace(", ", ",").replace(": ", ":").replace("NULL", "null")
}

/// The rows of a Parquet file, written as tables write them.
fn parquet_lines(path: &Path) -> Vec<String> {
    let options = FormatOptions::default()
        .with_null("NULL")
        .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.fZ"));
    let mut lines = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap()
    {
        let batch = batch.unwrap();
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            lines.push(bare_line(&cells.join(" | ").replace('\n', "\\n")));
        }
    }
    lines
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
    let warm = Warm::shared(kind);
    let wrong: Vec<String> = thread::scope(|scope| {
        let part = |part: usize| {
            let (cases, runtime) = (&cases, warm.runtime());
            scope.spawn(move || {
                cases
                    .iter()
                    .skip(part)
                    .step_by(THREADS)
                    .flat_map(|case| [run(case, kind, runtime), run_to_files(case, kind, runtime)])
                    .flatten()
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
