//! Values that try to be more than values, in every place that takes one: what comes back is the value, bit for bit, or the value is
//! refused by name.
//!
//! The values are in `injection_values.txt`. Each test puts all of them into one run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Component, Path};
use std::time::Duration;

use arrow_array::cast::AsArray as _;
use arrow_cast::cast::cast;
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::Warm;
use crate::support::{Case, Outcome, files};

/// The longest value that is one argument or one variable of the environment, and several of which are.
const LONGEST_ARGUMENT: usize = 100_000;

/// Hundreds of columns take Spark its time.
const LONGEST_RUN: Duration = Duration::from_secs(300);

/// The values of the file: those between the bars of its lines.
pub(crate) fn values() -> Vec<String> {
    let lines = include_str!("injection_values.txt").lines();
    let values: Vec<String> =
        lines.filter_map(|line| Some(read(line.strip_prefix('|')?.strip_suffix('|')?))).collect();
    assert!(values.len() >= 500, "values are missing: there are {}", values.len());
    assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len(), "each stands once");
    values
}

/// A value with its escapes resolved.
pub(crate) fn read(line: &str) -> String {
    let (times, mut rest) = match line.strip_prefix("\\*{").and_then(|rest| rest.split_once('}')) {
        Some((times, rest)) => (times.parse().unwrap(), rest),
        None => (1, line),
    };
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        rest = match after.strip_prefix('{') {
            Some(number) => {
                let (number, rest) = number.split_once('}').unwrap();
                text.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
                rest
            }
            None => {
                text.push('\\');
                after.strip_prefix('\\').unwrap()
            }
        };
    }
    text.push_str(rest);
    text.repeat(times)
}

/// A text as YAML writes it between double quotes.
pub(crate) fn yaml(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted + "\""
}

/// Where values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Flag,
    Yaml,
    File,
    Environment,
    Target,
    Default,
}

impl From {
    const ALL: [Self; 6] =
        [Self::Flag, Self::Yaml, Self::File, Self::Environment, Self::Target, Self::Default];

    /// Whether such a place can hold the text: neither arguments nor the environment hold the character 0.
    fn holds(self, text: &str) -> bool {
        match self {
            Self::Flag | Self::Environment => !text.contains('\0') && text.len() < LONGEST_ARGUMENT,
            Self::Yaml | Self::File | Self::Target | Self::Default => true,
        }
    }

    /// A run with the variables `v0`, `v1`, …, and their declarations.
    fn give(self, case: Case, engine: &str, values: &[String]) -> (Case, String) {
        let named = || values.iter().enumerate().map(|(at, value)| (format!("v{at}"), value));
        let lines = |indent: &str| -> String {
            named().map(|(name, value)| format!("{indent}{name}: {}\n", yaml(value))).collect()
        };
        let declared: String = named().map(|(name, _)| format!("  {name}: {{ type: string }}\n")).collect();
        let case = match self {
            Self::Flag => {
                case.args(named().flat_map(|(name, value)| ["--var".to_owned(), format!("{name}={value}")]))
            }
            Self::Yaml => {
                let mut parts: Vec<String> = vec![String::new()];
                for (name, value) in named() {
                    let part = format!("{name}: {}, ", yaml(value));
                    if parts[parts.len() - 1].len() + part.len() > LONGEST_ARGUMENT {
                        parts.push(String::new());
                    }
                    parts.last_mut().unwrap().push_str(&part);
                }
                case.args(parts.iter().flat_map(|part| ["--vars".to_owned(), format!("{{{part}}}")]))
            }
            Self::File => case.file("given.yaml", lines("")).args(["--vars", "given.yaml"]),
            Self::Environment => named().fold(case, |case, (name, value)| {
                case.env(&format!("PIPECTL_VAR_{}", name.to_uppercase()), value)
            }),
            Self::Target => {
                // In a project file `${` would be a variable too.
                let lines = lines("      ").replace("${", "$${");
                let target = format!("targets:\n  here:\n    engine: {engine}\n    vars:\n{lines}");
                case.file("pipectl.yaml", target).args(["--target", "here"])
            }
            Self::Default => {
                let declared = lines("  ").replace("${", "$${");
                let declared: String = declared
                    .lines()
                    .map(|line| line.replacen(": ", ": { type: string, default: ", 1) + " }\n")
                    .collect();
                return (case, declared);
            }
        };
        (case, declared)
    }
}

/// A run of `p.yaml` at an engine that is kept.
fn run(warm: &Warm, engine: &str) -> Case {
    let case = Case::new(["run", "-q", "p.yaml", "--engine", engine]).at_most(LONGEST_RUN);
    case.env("XDG_RUNTIME_DIR", warm.runtime())
}

/// The texts of a Parquet file's columns, by name.
fn columns(outcome: &Outcome, path: &str) -> BTreeMap<String, Vec<String>> {
    let file = File::open(outcome.path(path)).unwrap();
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let texts = cast(column, &DataType::Utf8).unwrap();
            let texts = texts.as_string::<i32>().iter().map(|text| text.unwrap().to_owned());
            columns.entry(field.name().clone()).or_default().extend(texts);
        }
    }
    columns
}

/// The rows of a file of JSON lines.
fn lines(outcome: &Outcome, path: &str) -> Vec<Value> {
    let text = fs::read_to_string(outcome.path(path)).unwrap();
    text.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn assert_same<'t>(what: &str, values: &[String], found: impl Iterator<Item = &'t str>) {
    let found: Vec<&str> = found.collect();
    assert_eq!(found.len(), values.len(), "{what}");
    for (value, found) in values.iter().zip(found) {
        assert_eq!(found.as_bytes(), value.as_bytes(), "{what}: {value:?} came back as {found:?}");
    }
}

/// Cells, expressions and queries, with values from everywhere.
pub(crate) fn values_arrive(warm: &Warm, engine: &str) {
    for from in From::ALL {
        let values: Vec<String> = values().into_iter().filter(|value| from.holds(value)).collect();
        let (case, declared) = from.give(run(warm, engine), engine, &values);
        let each = |part: &dyn Fn(usize) -> String| (0..values.len()).map(part).collect::<String>();
        let rows = each(&|at| format!("        - [{at}, \"${{v{at}}}\"]\n"));
        let items = each(&|at| format!("          - ${{v{at}}} AS c{at}\n"));
        let entries = each(&|at| format!("          c{at}: ${{v{at}}}\n"));
        let query = each(&|at| format!("{}${{v{at}}} AS c{at}", if at == 0 { "" } else { ", " }));
        let mut pipeline = format!(
            "version: 1
vars:
{declared}
steps:
  cells:
    values:
      columns: {{ i: int, v: string }}
      rows:
{rows}
    transform: [ sort: i ]
    write: [ parquet: out/cells.parquet, ndjson: out/cells.ndjson ]
"
        );
        // Where values come from is nothing to the engine, and Spark takes its time for so many columns.
        let is_whole = engine == "sail" || from == From::File;
        if is_whole {
            pipeline += &format!(
                "  expressions:
    range: 1
    transform:
      - select:
{items}
    write: [ parquet: out/expressions.parquet ]
  columns:
    range: 1
    transform:
      - with_columns:
{entries}
      - drop: [ id ]
    write: [ parquet: out/columns.parquet ]
  query:
    sql: SELECT {query}
    write: [ parquet: out/query.parquet ]
"
            );
        }
        let outcome = case.file("p.yaml", pipeline).run();
        let what = |place: &str| format!("{engine}, {from:?}, {place}");
        assert_same(
            &what("cells"),
            &values,
            columns(&outcome, "out/cells.parquet")["v"].iter().map(String::as_str),
        );
        let json = lines(&outcome, "out/cells.ndjson");
        assert_same(&what("JSON"), &values, json.iter().map(|row| row["v"].as_str().unwrap()));
        for place in ["expressions", "columns", "query"].into_iter().filter(|_| is_whole) {
            let columns = columns(&outcome, &format!("out/{place}.parquet"));
            let found = (0..values.len()).map(|at| columns[&format!("c{at}")][0].as_str());
            assert_same(&what(place), &values, found);
        }
    }
}

/// Lists, conditions and expectations.
pub(crate) fn values_are_found(warm: &Warm, engine: &str) {
    let values = values();
    let list = |item: &dyn Fn(&String) -> String| values.iter().map(item).collect::<Vec<_>>().join(", ");
    let rows: String = values
        .iter()
        .enumerate()
        .map(|(at, value)| format!("        - [{at}, {}]\n", yaml(&value.replace("${", "$${"))))
        .collect();
    let declared: String = (0..values.len()).map(|at| format!("  v{at}: {{ type: string }}\n")).collect();
    // The other side is written by hand, without pipectl's literals.
    let conditions: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let digits: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("${{v{at}}} = decode(unhex('{digits}'), 'UTF-8')")
        })
        .collect();
    let conditions: String = conditions
        .chunks(32)
        .map(|chunk| format!("      - filter: {}\n", yaml(&chunk.join(" AND "))))
        .collect();
    let pipeline = format!(
        "version: 1
vars:
  list: {{ type: array<string> }}
  same: {{ type: array<string>, default: [{}] }}
{declared}
steps:
  rows:
    values:
      columns: {{ i: int, v: string }}
      rows:
{rows}
  inside:
    from: rows
    transform: [ filter: \"v IN ${{list}} AND v IN ${{same}}\" ]
    expect:
      - that: v IN ${{list}}
      - that: NOT v NOT IN ${{same}}
    write: [ parquet: out/inside.parquet ]
  outside:
    from: rows
    transform: [ filter: \"v NOT IN ${{list}} OR v NOT IN ${{same}}\" ]
    write: [ ndjson: out/outside.ndjson ]
  queried:
    sql: SELECT v FROM rows WHERE v IN ${{list}}
    write: [ parquet: out/queried.parquet ]
  compared:
    range: 1
    transform:
{conditions}
    write: [ ndjson: out/compared.ndjson ]
",
        list(&|value| yaml(&value.replace("${", "$${"))),
    );
    let named: String =
        values.iter().enumerate().map(|(at, value)| format!("v{at}: {}\n", yaml(value))).collect();
    let given = format!("list: [{}]\n{named}", list(&|value| yaml(value)));
    let outcome = run(warm, engine)
        .args(["--vars", "given.yaml"])
        .file("given.yaml", given)
        .file("p.yaml", pipeline)
        .run();
    for place in ["inside", "queried"] {
        let mut found = columns(&outcome, &format!("out/{place}.parquet")).remove("v").unwrap();
        let mut values = values.clone();
        found.sort();
        values.sort();
        assert_same(&format!("{engine}, {place}"), &values, found.iter().map(String::as_str));
    }
    assert_eq!(lines(&outcome, "out/outside.ndjson"), Vec::<Value>::new(), "{engine}");
    assert_eq!(lines(&outcome, "out/compared.ndjson").len(), 1, "{engine}");
}

/// Whether a value may not stand in the middle of a path, told without pipectl's own reading of paths.
fn is_no_part(value: &str) -> bool {
    let mut decoded = value.to_lowercase();
    for _ in 0..3 {
        decoded = decoded.replace("%25", "%");
    }
    let decoded = decoded.replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    let climbs = |text: &str| text.split(['/', '\\']).any(|part| part == "..");
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let scheme = value.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.chars().all(is_scheme))
        || climbs(value)
        || climbs(&decoded)
        || value.contains(|c: char| c.is_control())
        || value.split('/').all(|part| ["", "."].contains(&part))
        || value.split('/').any(|part| part.len() > 255)
}

/// The steps that `validate` refuses, by number.
fn refused(case: Case, pipeline: &str) -> BTreeSet<usize> {
    let outcome = case.file("p.yaml", pipeline).code(78).any_stderr().run();
    let mut refused = BTreeSet::new();
    let lines: Vec<&str> = pipeline.lines().collect();
    for line in outcome.stderr.lines() {
        let told: Value = serde_json::from_str(line).unwrap();
        // Two that are refused may lead to one place, which is told too.
        let Some(at) = told["line"].as_u64().filter(|_| told["code"] == "E019") else { continue };
        let (_, number) = lines[usize::try_from(at).unwrap() - 1].split_once("# ").unwrap();
        refused.insert(number.parse().unwrap());
    }
    refused
}

/// Steps of which each has a value in the path of what it writes, or reads.
pub(crate) fn steps(
    values: &[String],
    which: impl Fn(usize) -> bool,
    step: impl Fn(usize) -> String,
) -> String {
    let steps: String = (0..values.len()).filter(|at| which(*at)).map(step).collect();
    let declared: String = (0..values.len()).map(|at| format!("  v{at}: {{ type: string }}\n")).collect();
    format!("version: 1\nvars:\n{declared}steps:\n{steps}")
}

/// In the paths of outputs and inputs.
pub(crate) fn values_are_parts_of_paths(warm: &Warm, engine: &str) {
    let values = values();
    let named: String =
        values.iter().enumerate().map(|(at, value)| format!("v{at}: {}\n", yaml(value))).collect();
    let validate = || {
        Case::new(["validate", "--all-diagnostics", "--log-format", "json", "p.yaml", "--vars", "given.yaml"])
            .file("given.yaml", &named)
    };

    // At the beginning of a path, nothing may lead elsewhere.
    let first = |at: usize| {
        format!("  s{at}:\n    range: 1\n    write:\n      ndjson: ${{v{at}}}/{at}.ndjson  # {at}\n")
    };
    let not_first = refused(validate(), &steps(&values, |_| true, first));
    for (at, value) in values.iter().enumerate() {
        let leads_away = value.starts_with('/') || value.contains("://");
        if leads_away || is_no_part(value) {
            assert!(not_first.contains(&at), "{value:?} may begin a path");
        }
    }

    let write = |at: usize| {
        format!("  s{at}:\n    range: 1\n    write:\n      ndjson: out/{at}/${{v{at}}}/f.ndjson  # {at}\n")
    };
    let not_written = refused(validate(), &steps(&values, |_| true, write));
    for (at, value) in values.iter().enumerate() {
        assert_eq!(not_written.contains(&at), is_no_part(value), "{value:?}");
    }
    let read = |at: usize| {
        format!(
            "  s{at}:\n    read:\n      format: json\n      schema: n INT\n      path: in/{at}/${{v{at}}}/f.json  # {at}\n    write: stdout\n"
        )
    };
    let not_read = refused(validate(), &steps(&values, |_| true, read));
    assert!(not_read.is_superset(&not_written));
    let patterns = ['*', '?', '[', ']', '{', '}', '\\', '%'];
    for at in not_read.difference(&not_written) {
        assert!(values[*at].contains(patterns), "{:?} is refused and is no pattern", values[*at]);
    }

    // What is not refused is written to exactly that file, and read from it.
    let path = |folder: &str, at: usize, file: &str| -> String {
        let path = format!("{folder}/{at}/{}/{file}", values[at]);
        let parts = Path::new(&path).components().filter(|part| *part != Component::CurDir);
        parts.map(|part| part.as_os_str().to_str().unwrap()).collect::<Vec<_>>().join("/")
    };
    let given = || run(warm, engine).args(["--vars", "given.yaml"]).file("given.yaml", &named);
    // Files are written where pipectl runs, whatever the engine is.
    if engine == "sail" {
        let is_written = |at: usize| !not_written.contains(&at);
        let pipeline = steps(&values, is_written, write);
        let outcome = given().args(["-j", "8"]).file("p.yaml", pipeline).any_leftovers().run();
        let found = files(&outcome.path("out")).into_iter().map(|path| format!("out/{path}"));
        let expected = (0..values.len()).filter(|at| is_written(*at)).map(|at| path("out", at, "f.ndjson"));
        assert_eq!(found.collect::<BTreeSet<_>>(), expected.collect());
    }

    let readable: Vec<usize> = (0..values.len()).filter(|at| !not_read.contains(at)).collect();
    assert!(readable.len() > 200, "{}", readable.len());
    let read = |group: &[usize]| {
        let paths: String = group.iter().map(|at| format!("        - in/{at}/${{v{at}}}/f.json\n")).collect();
        format!(
            "  s{0}:\n    read:\n      format: json\n      schema: n INT\n      path:\n{paths}    write: {{ ndjson: back/{0}.ndjson }}\n",
            group[0],
        )
    };
    let groups = || readable.chunks(64);
    let reads: String = groups().map(read).collect();
    let case = given().file("p.yaml", steps(&values, |_| false, |_| String::new()) + &reads).any_leftovers();
    let case = readable
        .iter()
        .fold(case, |case, at| case.file(&path("in", *at, "f.json"), format!("{{\"n\": {at}}}\n")));
    let outcome = case.run();
    for group in groups() {
        let rows = lines(&outcome, &format!("back/{}.ndjson", group[0]));
        let found: BTreeSet<u64> = rows.iter().map(|row| row["n"].as_u64().unwrap()).collect();
        let lost: Vec<&String> =
            group.iter().filter(|at| !found.contains(&(**at as u64))).map(|at| &values[*at]).collect();
        assert!(lost.is_empty() && rows.len() == group.len(), "{engine}: {lost:?}");
    }
}

#[test]
fn sail_gets_values() {
    let warm = Warm::shared("sail");
    values_arrive(&warm, "sail");
    values_are_found(&warm, "sail");
}

#[test]
fn sail_reads_what_paths_say() {
    values_are_parts_of_paths(&Warm::shared("sail"), "sail");
}
