//! Owns the resolution of names: which step a reference means, and what follows from it for several steps.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use super::contract;
use super::include::{Extent, is_main};
use super::step::StepSpec;
use super::warnings;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::Bindings;
use crate::graph;
use crate::lowering::{Base, Checking, SettingKeys};
use crate::name::StepRef;
use crate::pipeline::{Step, StepId};
use crate::sink::OutputPlace;
use crate::source::{self, Source};
use crate::text::{Sources, Span};
use crate::transform::Names as Qualifiers;

/// The steps with their references resolved; nothing where a step lacks a part.
pub(super) fn resolve(
    specs: Vec<StepSpec>,
    bindings: &Bindings,
    (main, extent): (&Base, Extent),
    sources: &Sources,
    found: &mut Diagnostics,
) -> Option<Vec<Step>> {
    let names = Names::of(&specs, extent);
    let (item, none) = (Span::default(), SettingKeys::default());
    let mut checking = Checking { bindings, root: &main.root, item, keys: &none, sources, found };
    for spec in &specs {
        checking.root = &spec.base.root;
        checking.keys = &spec.keys;
        check(spec, &mut checking);
        qualifiers(spec, &mut checking);
        warnings::joins(spec, checking.found);
    }
    let is_complete = specs.iter().all(|spec| !spec.incomplete) && !checking.found.has_errors();
    let outputs = specs.iter().flat_map(|spec| spec.sinks.iter().map(move |sink| (spec, sink)));
    let outputs = outputs.map(|(spec, sink)| (sink.value.place(&spec.base.folder), sink.span));
    same_outputs(outputs, &main.folder, checking.found);
    let references: Vec<References> =
        specs.iter().map(|spec| names.references(spec, checking.found)).collect();
    for circle in graph::circles(references.iter().map(References::needed)) {
        checking.report(names.cycle(&circle, &specs));
    }
    if is_complete && !checking.found.has_errors() {
        unused(&specs, &references, checking.found);
        warnings::limits(&specs, |at| references[at].from, checking.found);
        warnings::stdout(&specs, checking.found);
        warnings::overwritten(&specs, |at| references[at].needed().collect(), checking.found);
    }
    if extent == Extent::Whole
        && !specs.is_empty()
        && specs.iter().all(|spec| spec.sinks.is_empty() && !spec.incomplete)
    {
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
    let count = specs.len();
    let steps = specs.into_iter().zip(references).filter_map(|(spec, references)| references.into_step(spec));
    let steps: Vec<Step> = steps.collect();
    (steps.len() == count).then_some(steps)
}

/// Warns of steps that no output and no expectation needs.
fn unused(specs: &[StepSpec], references: &[References], found: &mut Diagnostics) {
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); specs.len()];
    for (at, references) in references.iter().enumerate() {
        for read in &references.inputs {
            readers[read.0].push(at);
        }
    }
    let is_end = |at: &usize| !specs[*at].sinks.is_empty() || !specs[*at].expectations.is_empty();
    let mut is_needed = vec![false; specs.len()];
    let mut further: Vec<usize> = (0..specs.len()).filter(is_end).collect();
    while let Some(at) = further.pop() {
        if !std::mem::replace(&mut is_needed[at], true) {
            further.extend(references[at].inputs.iter().map(|id| id.0));
        }
    }
    if specs.iter().all(|spec| spec.sinks.is_empty()) {
        return;
    }
    // A file that is included may serve several pipelines.
    let own = specs.iter().enumerate().filter(|(_, spec)| is_main(spec.name.span.file));
    for (at, spec) in own.filter(|(at, _)| !is_needed[*at]) {
        let reason = match readers[at].as_slice() {
            [] => "no step reads it, and it has no output of its own".to_owned(),
            [only] => format!("only `{}` reads it, which feeds no output either", specs[*only].written),
            _ => "the steps that read it feed no output either".to_owned(),
        };
        let message = format!("the step `{}` does not run: {reason}", spec.written);
        found.push(
            Diagnostic::new(Code::UnusedStep, spec.name.span, message)
                .help("give it a `write`, let another step read it, or remove it"),
        );
    }
}

/// Reports joins whose sides have one name: their columns could not be told apart.
fn qualifiers(spec: &StepSpec, checking: &mut Checking<'_>) {
    let mut left = spec.source.as_ref().and_then(|source| source.value.origin()).unwrap_or(&spec.written);
    let mut names: Vec<&str> = Vec::new();
    for transform in &spec.transforms {
        match transform.value.kind().names() {
            Qualifiers::Kept => continue,
            Qualifiers::Gone => names.clear(),
            Qualifiers::Wanted if names.is_empty() => names.push(left),
            Qualifiers::Wanted => {}
            Qualifiers::Renewed => names = vec![left],
            Qualifiers::Called(name) => {
                left = name;
                names = vec![name];
            }
        }
        let Some((name, span)) = transform.value.kind().new_name() else { continue };
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let message = format!("two sides of the join are called `{name}`");
            checking.report(
                Diagnostic::new(Code::Settings, span, message)
                    .label("columns of this one can't be told from those of the other")
                    .help(format!("give this one a name of its own: `as: other_{name}`")),
            );
        } else {
            names.push(name);
        }
    }
}

/// What is wrong with the settings of a step's parts.
fn check(spec: &StepSpec, checking: &mut Checking<'_>) {
    if let Some(source) = &spec.source {
        checking.item = source.span;
        source.value.kind().check(checking);
        if let Some(contract) = spec.contract.as_ref().filter(|_| source.value.kind().takes_schema()) {
            let has_lines = source.value.kind().has_header().is_some();
            contract::check_extra(contract, has_lines, checking.found);
        }
    }
    for transform in &spec.transforms {
        checking.item = transform.span;
        transform.value.kind().check(checking);
    }
    for expectation in &spec.expectations {
        checking.item = expectation.span;
        expectation.check.kind().check(checking);
    }
    for sink in &spec.sinks {
        checking.item = sink.span;
        sink.value.check(checking);
    }
}

/// The steps by name, in lower case.
struct Names {
    ids: HashMap<String, StepId>,
    exact: Vec<String>,
    extent: Extent,
}

impl Names {
    fn of(specs: &[StepSpec], extent: Extent) -> Self {
        let exact: Vec<String> = specs.iter().map(|spec| spec.written.clone()).collect();
        let mut ids = HashMap::with_capacity(exact.len());
        for (at, name) in exact.iter().enumerate() {
            // Of two steps with one name, which was reported, the first is meant.
            ids.entry(name.to_ascii_lowercase()).or_insert(StepId(at));
        }
        Self { ids, exact, extent }
    }

    fn get(&self, reference: &StepRef, found: &mut Diagnostics) -> Option<StepId> {
        let id = self.ids.get(&reference.as_str().to_ascii_lowercase()).copied();
        if id.is_some_and(|id| self.exact[id.0] == reference.as_str()) {
            return id;
        }
        if self.extent == Extent::Partial {
            return None;
        }
        let message = format!("there is no step `{reference}`", reference = reference.as_str());
        let diagnostic = Diagnostic::new(Code::UnknownStep, reference.span(), message);
        if reference.as_str().contains("{{") {
            found.push(diagnostic.help("there are no templates: write the step's name"));
            return None;
        }
        found.push(diagnostic.suggest(reference.as_str(), self.exact.iter().map(String::as_str)));
        None
    }

    /// Describes a cycle, whose steps come in the order in which data would flow, by the references that make it.
    fn cycle(&self, flow: &[StepId], specs: &[StepSpec]) -> Diagnostic {
        let first = flow.first().copied().into_iter();
        // From each step to the one that it reads.
        let way: Vec<StepId> = first.clone().chain(flow.iter().skip(1).rev().copied()).chain(first).collect();
        let references = way.windows(2).map(|pair| {
            let (step, needed) = (&specs[pair[0].0], &specs[pair[1].0]);
            let (span, verb) = self.reference(step, pair[1]).unwrap_or((step.name.span, "needs"));
            (span, format!("`{}` {verb} `{}` here", step.written, needed.written))
        });
        let mut references = references.collect::<Vec<_>>().into_iter();
        let names: Vec<String> = way.iter().map(|id| format!("`{}`", specs[id.0].written)).collect();
        let message = format!("dependency cycle: {}", names.join(" -> "));
        let (span, label) = references.next().unwrap_or_default();
        let diagnostic = Diagnostic::new(Code::Cycle, span, message)
            .label(label)
            .help("remove one of these references, or let it name another step");
        references.fold(diagnostic, |diagnostic, (span, label)| diagnostic.related(span, label))
    }

    /// Where a step refers to another one, and what it does with it.
    fn reference(&self, spec: &StepSpec, wanted: StepId) -> Option<(Span, &'static str)> {
        let is_wanted = |name: &str| self.ids.get(&name.to_ascii_lowercase()) == Some(&wanted);
        let source = || spec.source.iter().map(|source| source.value.kind());
        let transforms = spec.transforms.iter().map(|transform| transform.value.kind());
        let inputs = source().flat_map(|kind| kind.inputs()).chain(transforms.flat_map(|kind| kind.inputs()));
        let named =
            inputs.map(|step| (step, "reads")).chain(spec.after.iter().map(|step| (step, "waits for")));
        let named = named.map(|(step, verb)| (step.as_str().to_owned(), step.span(), verb));
        let mentioned = source().flat_map(source::SourceKind::mentions);
        let mut all = named.chain(mentioned.map(|mention| (mention.value, mention.span, "reads")));
        all.find(|(name, ..)| is_wanted(name)).map(|(_, span, verb)| (span, verb))
    }

    /// The steps that a step refers to; references that mean none are reported.
    fn references(&self, spec: &StepSpec, found: &mut Diagnostics) -> References {
        let mut references = References::default();
        if let Some(source) = &spec.source {
            for reference in source.value.kind().inputs() {
                let Some(id) = self.get(reference, found) else { continue };
                references.inputs.push(id);
                match source.value {
                    Source::Sql(_) => references.queried.push((reference.as_str().to_owned(), id)),
                    _ => references.from = Some(id),
                }
            }
        }
        for transform in &spec.transforms {
            let kind = transform.value.kind();
            let inputs: Vec<StepId> =
                kind.inputs().into_iter().filter_map(|step| self.get(step, found)).collect();
            if kind.reads_twice() {
                references.inputs.extend(&inputs);
            }
            references.inputs.extend(inputs);
        }
        references.after = spec.after.iter().filter_map(|step| self.get(step, found)).collect();
        for mention in spec.source.iter().flat_map(|source| source.value.kind().mentions()) {
            let is_own = mention.value.eq_ignore_ascii_case(&spec.written);
            let id = self.ids.get(&mention.value.to_ascii_lowercase()).filter(|_| !is_own);
            let Some(id) = id else { continue };
            if !references.inputs.contains(id) {
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
    /// The step whose rows this one begins with.
    from: Option<StepId>,
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
            description: spec.description,
            tags: spec.tags,
            source: spec.source?,
            contract: spec.contract,
            transforms: spec.transforms,
            expectations: spec.expectations,
            sinks: spec.sinks,
            cache: spec.cache,
            timeout: spec.timeout,
            inputs: self.inputs,
            queried: self.queried,
            after: self.after,
            base: spec.base,
        })
    }
}

/// Reports outputs that go to one place, or into the folder that is another one.
fn same_outputs(outputs: impl Iterator<Item = (OutputPlace, Span)>, folder: &Path, found: &mut Diagnostics) {
    let mut seen: HashMap<String, (OutputPlace, Span)> = HashMap::new();
    let places = outputs.filter_map(|(place, span)| Some((place.key()?, place, span)));
    let mut others = Vec::new();
    for (key, place, span) in places {
        match seen.entry(key) {
            Entry::Vacant(entry) => {
                others.push(entry.key().clone());
                entry.insert((place, span));
            }
            Entry::Occupied(first) => {
                let path = Path::new(first.key());
                let path = path.strip_prefix(folder).unwrap_or(path);
                let message = format!("two outputs go to `{}`", path.display());
                found.push(
                    Diagnostic::new(Code::SameOutput, span, message)
                        .related(first.get().1, "the other one")
                        .help("give each output a file of its own"),
                );
            }
        }
    }
    for key in others {
        let (_, span) = seen[&key];
        let around = key.match_indices('/').filter_map(|(at, _)| seen.get(key.get(..at)?));
        for (_, outer) in around.filter(|(place, _)| matches!(place, OutputPlace::Folder(_))) {
            let path = Path::new(&key);
            let path = path.strip_prefix(folder).unwrap_or(path);
            let message = format!("`{}` is in the folder that is another output", path.display());
            found.push(
                Diagnostic::new(Code::SameOutput, span, message)
                    .related(*outer, "this folder is replaced as a whole")
                    .help("let the one output be beside the other"),
            );
        }
    }
}
