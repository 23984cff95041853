//! Pins the plan of every case: hashes in `tests/specs/plans.sha256`, a line for each case and engine. Code that moves leaves
//! the file as it is; a commit that changes a plan also changes its line, which `.ci/bless` deliberately does not write.
//!
//! The hashes depend on what a server would receive, and on neither the names of Rust's types nor the texts for people. After
//! an intended change write the file again with `PIPECTL_BLESS=1 cargo test --lib lowered::plans`.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;

use prost::Message as _;
use ring::digest::{SHA256, digest};

use super::{ROOT, files, load, parse};
use crate::diagnostic::Diagnostics;
use crate::dialect::{Dialect, Implementation};
use crate::expect::OnFail;
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::plan::{Look, Plan, Question, Scope, Work, compile_scope};
use crate::proto::spark::Relation;
use crate::sink::Stdout;
use crate::text::Span;

const PINNED: &str = "tests/specs/plans.sha256";
const HEAD: &str = "\
# Case, engine, and the first half of the SHA-256 of its plans: of `run`, of `check`, and of `show` for every step after each of its
# transforms; or the codes of what the engine lacks. Written by `PIPECTL_BLESS=1 cargo test --lib lowered::plans`.
";
/// The folders of the cases. No file of `tests/specs/invalid` has a plan.
const FOLDERS: [&str; 4] = ["pipelines", "tests/specs/kinds", "tests/specs/valid", "tests/tpch"];
/// An included file, which has no output.
const PART: &str = "tests/tpch/sources.yaml";
/// A step that is deeper than any engine's plan may be, so that it is cut; its part is repeated.
const DEEP_HEAD: &str = "version: 1\nsteps:\n  deep:\n    range: 9\n    write: stdout\n    transform:\n";
const DEEP_PART: &str = "      - filter: id > 0\n      - sort: [id DESC]\n      - limit: 9\n";

#[test]
fn every_plan_is_the_pinned_one() {
    let made = format!("{HEAD}{}", lines().into_iter().collect::<Vec<_>>().concat());
    let path = Path::new(ROOT).join(PINNED);
    if env::var_os("PIPECTL_BLESS").is_some() {
        fs::write(path, made).unwrap();
        return;
    }
    let pinned = fs::read_to_string(path).unwrap();
    let [old, new] = [&pinned, &made].map(|text| text.lines().collect::<BTreeSet<_>>());
    let mut different: Vec<(&str, char)> = old.difference(&new).map(|line| (*line, '-')).collect();
    different.extend(new.difference(&old).map(|line| (*line, '+')));
    different.sort_unstable();
    let lines: String = different.iter().map(|(line, sign)| format!("{sign} {line}\n")).collect();
    assert!(
        pinned == made,
        "plans differ from `{PINNED}`; if they should, write it with `PIPECTL_BLESS=1 cargo test --lib lowered::plans`:\n{lines}"
    );
}

/// A line for each case and engine, in order.
fn lines() -> BTreeSet<String> {
    let engines = [
        ("sail", Dialect::sail()),
        ("spark", Dialect::spark()),
        ("spark-4.0", Dialect::new(Implementation::Spark, "4.0.5")),
    ];
    let mut lines = BTreeSet::new();
    for (case, pipeline) in cases() {
        for (engine, dialect) in &engines {
            lines.insert(format!("{case} {engine} {}\n", columns(&pipeline, dialect).join(" ")));
        }
    }
    lines
}

fn cases() -> Vec<(String, Pipeline)> {
    let files = FOLDERS.iter().flat_map(|folder| files(&Path::new(ROOT).join(folder)));
    let mut cases: Vec<_> = files
        .map(|file| (file.strip_prefix(ROOT).unwrap().display().to_string(), file))
        .filter(|(case, _)| case != PART)
        .map(|(case, file)| (case, load(&file)))
        .collect();
    let deep = format!("{DEEP_HEAD}{}", DEEP_PART.repeat(80));
    cases.push(("deep.yaml".to_owned(), parse(&Path::new(ROOT).join("deep.yaml"), deep.into_bytes())));
    cases
}

/// What a line says of a pipeline and an engine.
fn columns(pipeline: &Pipeline, dialect: &Dialect) -> [String; 3] {
    let graph = Graph::new(pipeline);
    let looks = pipeline.ids().flat_map(|step| {
        let upto = 0..=pipeline.step(step).transforms.len();
        upto.map(move |transforms| Look { step, transforms, stdout: Stdout::default() })
    });
    let shown: Vec<u8> = looks
        .flat_map(|look| match compile_scope(pipeline, &graph, dialect, Scope::Look(&look)) {
            Ok(plan) => bytes(pipeline, &plan),
            Err(gaps) => codes(&gaps).into_bytes(),
        })
        .collect();
    let [run, check] = [Scope::Outputs, Scope::Everything].map(|scope| {
        let plan = compile_scope(pipeline, &graph, dialect, scope);
        plan.map_or_else(|gaps| codes(&gaps), |plan| hash(&bytes(pipeline, &plan)))
    });
    [run, check, hash(&shown)]
}

fn codes(gaps: &Diagnostics) -> String {
    gaps.clone().sorted().iter().map(|gap| gap.code.as_str()).collect::<Vec<_>>().join("+")
}

fn hash(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// All that a plan is, in words that stay as they are when the code is renamed.
fn bytes(pipeline: &Pipeline, plan: &Plan) -> Vec<u8> {
    let mut bytes = Vec::new();
    let name = |step| &pipeline.step(step).name.value;
    for upload in &plan.uploads {
        let hashes: Vec<&str> = upload.blobs.iter().map(|blob| blob.hash.as_str()).collect();
        bytes.extend(format!("upload {} {hashes:?}\n", name(upload.step)).into_bytes());
    }
    let mut add = |line: String, relation: &Relation| {
        bytes.extend(line.into_bytes());
        bytes.extend(relation.encode_length_delimited_to_vec());
    };
    for action in &plan.actions {
        let [needs, after] =
            [&action.needs, &action.after].map(|ids| ids.iter().map(|id| id.0).collect::<Vec<_>>());
        let line = format!("{} {} needs {needs:?} after {after:?}\n", name(action.step), work(&action.work));
        add(line, &action.relation);
    }
    for probe in &plan.probes {
        add(format!("probe {} {}\n", name(probe.step), question(&probe.question)), &probe.relation);
    }
    bytes
}

fn work(work: &Work) -> String {
    let on_fail = |on_fail| match on_fail {
        OnFail::Fail => "fail",
        OnFail::Warn => "warn",
    };
    match work {
        Work::View { name } => format!("view {name}"),
        Work::Store { name } => format!("store {name}"),
        Work::Expect { violations } => {
            format!(
                "expect {:?}",
                violations.iter().map(|violation| on_fail(violation.on_fail)).collect::<Vec<_>>()
            )
        }
        Work::Write { sinks } => format!("write {sinks:?}"),
        Work::Show { lost, .. } => format!("show, order lost: {}", lost.is_some()),
    }
}

fn question(question: &Question) -> String {
    let names = |columns: &[(String, Span)]| columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    match question {
        Question::Has(columns) => format!("has {:?}", names(columns)),
        Question::Fit(values) => format!("fit {}", values.len()),
        Question::Named(columns) => format!("named {:?}", names(columns)),
        Question::Distinct(_) => "distinct".to_owned(),
        Question::Any(_) => "any".to_owned(),
        Question::Kept => "kept".to_owned(),
        Question::FirstLine { is_header } => format!("first line, header: {is_header}"),
        Question::Nothing => "nothing".to_owned(),
    }
}
