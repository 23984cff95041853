//! Owns the resolution of names: which step a reference means, and what follows from it for several steps.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::step::StepSpec;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::Bindings;
use crate::graph;
use crate::lowering::{Checking, Root};
use crate::name::StepRef;
use crate::pipeline::{Step, StepId};
use crate::sink::Place;
use crate::source::Source;
use crate::text::Span;

/// The steps with their references resolved; nothing where a step lacks a part.
pub(super) fn resolve(
    specs: Vec<StepSpec>,
    bindings: &Bindings,
    (root, folder): (&Root, &Path),
    found: &mut Diagnostics,
) -> Option<Vec<Step>> {
    let names = Names::of(&specs);
    let mut checking = Checking { bindings, root, found };
    for spec in &specs {
        check(spec, &mut checking);
    }
    if !specs.is_empty() && specs.iter().all(|spec| spec.sinks.is_empty() && !spec.incomplete) {
        let last = &specs[specs.len() - 1].name;
        checking.report(
            Diagnostic::new(
                Code::NoOutput,
                last.span,
                "the pipeline has no output: its rows would go nowhere",
            )
            .help(format!("give a step one: `write: {{ parquet: out/{last}.parquet }}`, or `write: stdout`")),
        );
    }
    let outputs = specs.iter().flat_map(|spec| &spec.sinks);
    same_outputs(outputs.map(|sink| (sink.value.place(folder), sink.span)), checking.found);
    let references: Vec<References> =
        specs.iter().map(|spec| names.references(spec, checking.found)).collect();
    for circle in graph::circles(references.iter().map(References::needed)) {
        checking.report(describe(&circle, &specs));
    }
    let count = specs.len();
    let steps = specs.into_iter().zip(references).filter_map(|(spec, references)| references.into_step(spec));
    let steps: Vec<Step> = steps.collect();
    (steps.len() == count).then_some(steps)
}

fn describe(circle: &[StepId], specs: &[StepSpec]) -> Diagnostic {
    let names: Vec<String> = circle.iter().map(|id| format!("`{}`", specs[id.0].name)).collect();
    let message = match names.as_slice() {
        [only] => format!("the step {only} needs itself"),
        names => format!("the steps {} need each other in a circle", names.join(" → ")),
    };
    let place = |id: &StepId| specs[id.0].name.span;
    let diagnostic = Diagnostic::new(Code::Cycle, place(&circle[0]), message);
    circle[1..].iter().fold(diagnostic, |diagnostic, id| diagnostic.related(place(id), "part of the circle"))
}

/// What is wrong with the settings of a step's parts.
fn check(spec: &StepSpec, checking: &mut Checking<'_>) {
    if let Some(source) = &spec.source {
        source.value.kind().check(checking);
        if let Some(contract) = &spec.contract
            && !source.value.kind().takes_schema()
        {
            let message = "a contract gives names and types to `read`s of csv and json without a `schema`";
            checking.report(
                Diagnostic::new(Code::Unsupported, contract.span, message)
                    .help("comparing other sources with a contract is not available in this version"),
            );
        }
    }
    for transform in &spec.transforms {
        transform.value.kind().check(checking);
    }
    for expectation in &spec.expectations {
        expectation.check.kind().check(checking);
    }
    for sink in &spec.sinks {
        sink.value.check(checking);
    }
}

/// The steps by name, in lower case.
struct Names {
    ids: HashMap<String, StepId>,
    exact: Vec<String>,
}

impl Names {
    fn of(specs: &[StepSpec]) -> Self {
        let exact: Vec<String> = specs.iter().map(|spec| spec.name.value.as_str().to_owned()).collect();
        let ids = exact.iter().enumerate().map(|(at, name)| (name.to_lowercase(), StepId(at))).collect();
        Self { ids, exact }
    }

    fn get(&self, reference: &StepRef, found: &mut Diagnostics) -> Option<StepId> {
        let id = self.ids.get(&reference.as_str().to_lowercase()).copied();
        if id.is_some_and(|id| self.exact[id.0] == reference.as_str()) {
            return id;
        }
        let message = format!("there is no step `{reference}`", reference = reference.as_str());
        let diagnostic = Diagnostic::new(Code::UnknownStep, reference.span(), message);
        found.push(diagnostic.suggest(reference.as_str(), self.exact.iter().map(String::as_str)));
        None
    }

    /// The steps that a step refers to; references that mean none are reported.
    fn references(&self, spec: &StepSpec, found: &mut Diagnostics) -> References {
        let mut references = References::default();
        if let Some(source) = &spec.source {
            for reference in source.value.kind().inputs() {
                let Some(id) = self.get(reference, found) else { continue };
                references.inputs.push(id);
                if matches!(source.value, Source::Sql(_)) {
                    references.queried.push((reference.as_str().to_owned(), id));
                }
            }
        }
        for transform in &spec.transforms {
            references
                .inputs
                .extend(transform.value.kind().inputs().into_iter().filter_map(|step| self.get(step, found)));
        }
        references.after = spec.after.iter().filter_map(|step| self.get(step, found)).collect();
        let own = spec.name.value.as_str().to_lowercase();
        let mut seen = HashSet::from([own.clone()]);
        for mention in spec.source.iter().flat_map(|source| source.value.kind().mentions()) {
            let name = mention.value.to_lowercase();
            let Some(id) = self.ids.get(&name).filter(|_| name != own) else { continue };
            if seen.insert(name) {
                references.inputs.push(*id);
            }
            // As the query spells it: not every engine ignores case here.
            if !references.queried.iter().any(|(known, _)| known.eq_ignore_ascii_case(&mention.value)) {
                references.queried.push((mention.value, *id));
            }
        }
        references
    }
}

/// The steps that one step refers to.
#[derive(Default)]
struct References {
    inputs: Vec<StepId>,
    queried: Vec<(String, StepId)>,
    after: Vec<StepId>,
}

impl References {
    fn needed(&self) -> impl Iterator<Item = StepId> {
        self.inputs.iter().chain(&self.after).copied()
    }

    fn into_step(self, spec: StepSpec) -> Option<Step> {
        Some(Step {
            name: spec.name,
            source: spec.source?,
            contract: spec.contract.map(|contract| contract.value),
            transforms: spec.transforms,
            expectations: spec.expectations,
            sinks: spec.sinks,
            cache: spec.cache,
            inputs: self.inputs,
            queried: self.queried,
            after: self.after,
        })
    }
}

/// Reports outputs that go to one place.
fn same_outputs(outputs: impl Iterator<Item = (Place, Span)>, found: &mut Diagnostics) {
    let mut seen: HashMap<Place, Span> = HashMap::new();
    for (place, span) in outputs {
        if place == Place::Stdout {
            continue;
        }
        if let Some(first) = seen.insert(place.clone(), span) {
            let message = format!("two outputs go to {place}");
            found.push(Diagnostic::new(Code::SameOutput, span, message).related(first, "the other one"));
        }
    }
}
