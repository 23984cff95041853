//! Owns the list of a pipeline's steps, for people and for programs. The keys of the latter are a public contract.

use std::path::Path;

use serde_json::{Value, json};

use crate::expr::Template;
use crate::graph::Graph;
use crate::name::StepRef;
use crate::pipeline::{Pipeline, Step, StepId};
use crate::sink::{OutputPlace, Sink, Table};
use crate::source::{Setting, Source};
use crate::transform::Transform;

/// The names of the steps, one a line.
pub(crate) fn names(pipeline: &Pipeline, graph: &Graph) -> String {
    steps(pipeline, graph).map(|step| format!("{}\n", step.name)).collect()
}

/// What a column of the table says of a step.
type Cell<'a> = &'a dyn Fn(&Step) -> String;

/// A line for each step; what no step has is left out.
pub(crate) fn table(pipeline: &Pipeline, graph: &Graph) -> String {
    let columns: [(&str, Cell<'_>); 8] = [
        ("step", &|step| step.name.to_string()),
        ("source", &|step| source_in_short(pipeline, step)),
        ("transforms", &|step| listed(&step.transforms, |transform| transform_in_short(&transform.value))),
        ("after", &|step| named(pipeline, &step.after).join(", ")),
        ("expects", &|step| listed(&step.expectations, |expectation| expectation.check.key().to_owned())),
        ("outputs", &|step| listed(&step.sinks, |sink| output_in_short(&sink.value, step))),
        ("tags", &|step| step.tags.join(", ")),
        ("description", &|step| one_line(step.description.as_deref().unwrap_or_default())),
    ];
    let is_said = |cell: &Cell<'_>| pipeline.steps.iter().any(|step| !cell(step).is_empty());
    let columns: Vec<_> = columns.into_iter().filter(|(_, cell)| is_said(cell)).collect();
    let rows = steps(pipeline, graph).map(|step| columns.iter().map(|(_, cell)| cell(step)).collect());
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    Table::of_texts(&names, &rows.collect::<Vec<_>>())
}

/// All of it as one object, of the pipeline in `file`.
pub(crate) fn json(pipeline: &Pipeline, graph: &Graph, file: &Path) -> String {
    let ends = pipeline.ids().filter(|id| pipeline.step(*id).is_end());
    let run = graph.needed_for(ends);
    let steps = graph.order().iter().map(|id| {
        let step = pipeline.step(*id);
        let source = pipeline.sources.get(step.name.span.file);
        let outputs = step.sinks.iter().map(|sink| output(&sink.value, step));
        json!({
            "name": step.name.value.as_str(),
            "description": step.description,
            "tags": step.tags,
            "file": source.path().display().to_string(),
            "line": source.position(step.name.span.start).line,
            "source": source_value(step),
            "transforms": step.transforms.iter().map(|transform| transform.value.key()).collect::<Vec<_>>(),
            "inputs": named(pipeline, &unique(&step.inputs)),
            "after": named(pipeline, &step.after),
            "expectations": step.expectations.iter().map(|one| one.check.key()).collect::<Vec<_>>(),
            "outputs": outputs.collect::<Vec<_>>(),
            "runs": run.contains(id),
        })
    });
    let all = json!({
        "pipeline": pipeline.name,
        "description": pipeline.description,
        "file": file.display().to_string(),
        "steps": steps.collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}

/// The steps in their order.
fn steps<'p>(pipeline: &'p Pipeline, graph: &'p Graph) -> impl Iterator<Item = &'p Step> {
    graph.order().iter().map(|id| pipeline.step(*id))
}

fn listed<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn named(pipeline: &Pipeline, ids: &[StepId]) -> Vec<String> {
    ids.iter().map(|id| pipeline.step(*id).name.to_string()).collect()
}

fn unique(ids: &[StepId]) -> Vec<StepId> {
    let mut unique = Vec::new();
    for id in ids {
        if !unique.contains(id) {
            unique.push(*id);
        }
    }
    unique
}

/// A source's key, and what it reads as the file writes it.
fn source_in_short(pipeline: &Pipeline, step: &Step) -> String {
    let source = &step.source.value;
    let kind = source.kind();
    let outside = kind.paths().iter().chain(kind.place_of(Setting::Table)).map(Template::plain);
    let inside = match (source, source.origin()) {
        (_, Some(from)) => vec![from.to_owned()],
        (Source::Sql(_), _) => {
            step.queried.iter().map(|(_, id)| pipeline.step(*id).name.to_string()).collect()
        }
        _ => Vec::new(),
    };
    let reads = inside.into_iter().chain(outside).collect::<Vec<_>>().join(", ");
    let words = [source.key(), kind.format().unwrap_or_default(), &reads];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What a source is and what it reads outside of the pipeline, paths as the engine is told them.
fn source_value(step: &Step) -> Value {
    let source = &step.source.value;
    let kind = source.kind();
    let path = |path: &Template| {
        let text = path.plain();
        step.base.root.join(&text).unwrap_or(text)
    };
    json!({
        "kind": source.key(),
        "format": kind.format(),
        "paths": kind.paths().iter().map(path).collect::<Vec<_>>(),
        "table": kind.place_of(Setting::Table).map(Template::plain),
    })
}

/// A transform's key, and the steps that it reads.
fn transform_in_short(transform: &Transform) -> String {
    let inputs: Vec<&str> = transform.kind().inputs().into_iter().map(StepRef::as_str).collect();
    [transform.key(), &inputs.join(" ")].join(" ").trim_end().to_owned()
}

/// An output's key, and where it goes, in the pipeline's folder without that.
fn output_in_short(sink: &Sink, step: &Step) -> String {
    let place = sink.place(step.folder());
    let Some(location) = place.location() else { return sink.key().to_owned() };
    let path = location.path();
    let path = path.strip_prefix(step.folder()).unwrap_or(path).display();
    let end = if matches!(place, OutputPlace::Folder(_)) { "/" } else { "" };
    format!("{} {}{end}", sink.key(), path.to_string().trim_end_matches('/'))
}

fn output(sink: &Sink, step: &Step) -> Value {
    let place = sink.place(step.folder());
    let path = place.location().map(|location| location.path().display().to_string());
    json!({ "kind": sink.key(), "path": path, "folder": matches!(place, OutputPlace::Folder(_)) })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
