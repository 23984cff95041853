//! Lowers every step for one engine, in order, without recursion.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::order::Sorted;
use super::sharing::{Reach, Sharing};
use super::{Action, ActionId, Expected, Plan, Probe, Question, Upload, Work};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::{Dialect, LocalRows, OrderKept};
use crate::expr::{Template, Type};
use crate::graph::Graph;
use crate::local::Blob;
use crate::lowering::{Lowering, Masks};
use crate::pipeline::{Contract, Pipeline, Step, StepId};
use crate::proto::expression::{alias, expression_string};
use crate::proto::relation::{aggregate, coalesce, limit, named_table, subquery_alias};
use crate::proto::spark::Relation;
use crate::sink::Sink;
use crate::source::Source;
use crate::text::Span;
use crate::transform::{Names, Order, Transform};

/// The plan of all outputs and expectations, or what the engine lacks for it.
pub(crate) fn compile(pipeline: &Pipeline, graph: &Graph, dialect: &Dialect) -> Result<Plan, Diagnostics> {
    compile_scope(pipeline, graph, dialect, Scope::Outputs)
}

/// Which steps a plan is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those that outputs and expectations need.
    Outputs,
    /// Also those that feed nothing, so that they are looked at too.
    Everything,
}

/// The same of more steps.
pub(crate) fn compile_scope(
    pipeline: &Pipeline,
    graph: &Graph,
    dialect: &Dialect,
    scope: Scope,
) -> Result<Plan, Diagnostics> {
    let gaps = gaps(pipeline, dialect);
    if gaps.has_errors() {
        return Err(gaps);
    }
    let sharing = match scope {
        Scope::Outputs => Sharing::new(pipeline, graph),
        Scope::Everything => Sharing::of_all(pipeline, graph),
    };
    let mut compiler = Compiler {
        pipeline,
        dialect,
        sharing: &sharing,
        done: HashMap::new(),
        names: HashSet::new(),
        last_stdout: None,
        blobs: RefCell::default(),
        lost: Diagnostics::default(),
        plan: Plan {
            dialect: dialect.clone(),
            steps: sharing.needed.clone(),
            uploads: Vec::new(),
            actions: Vec::new(),
            probes: Vec::new(),
        },
    };
    for id in &sharing.needed {
        compiler.step(*id);
    }
    compiler.probe_unused();
    if compiler.lost.has_errors() { Err(compiler.lost) } else { Ok(compiler.plan) }
}

fn lost_order(by: Span, dialect: &Dialect) -> Diagnostic {
    Diagnostic::new(
        Code::Gap,
        by,
        format!("{dialect} would lose the order of this `sort` behind what comes after it; Spark keeps it"),
    )
    .help("put the `sort` last, or directly before the `limit` that needs it")
}

/// Whether a query puts its rows in order.
fn orders(query: &Template) -> bool {
    let text = query.scanned();
    query.tokens().windows(2).any(|pair| pair[0].is_word(&text, "order") && pair[1].is_word(&text, "by"))
}

/// A step's relation up to, and without, the transform `upto`, its inputs as given; what `masks` hide is left out.
pub(crate) fn prefix(
    pipeline: &Pipeline,
    dialect: &Dialect,
    id: StepId,
    upto: usize,
    masks: &Masks,
    input: &dyn Fn(&str) -> Relation,
    views: &[(String, String)],
) -> Relation {
    let step = pipeline.step(id);
    // What is put beside the plan is there already.
    let blobs = RefCell::default();
    let lowering = lowering((pipeline, step), dialect, masks, input, views, &blobs);
    let mut chain = Chain::begin(step, Sorted::Not, &lowering);
    for transform in 0..upto {
        chain.apply(transform, &lowering);
    }
    // A sort that was put off is analysed where it stands.
    chain.sorted.sort(chain.relation)
}

/// What this engine lacks, for every step.
fn gaps(pipeline: &Pipeline, dialect: &Dialect) -> Diagnostics {
    let diagnostic = |span, gap: String| Diagnostic::new(Code::Gap, span, gap);
    let artifacts = pipeline.artifacts.first().filter(|_| !dialect.takes_artifacts()).map(|first| {
        let others = match pipeline.artifacts.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message =
            format!("{dialect} takes no artifacts: `{}`{others} can't be sent to it", first.written);
        diagnostic(first.span, message).help("Spark takes them: `--engine spark`, or a Spark server")
    });
    let of_step = |step: &Step| {
        let of_kind = |span, gap| diagnostic(span, gap).label(format!("in the step `{}`", step.name));
        let source = step.source.value.kind().gap(dialect).map(|gap| of_kind(step.source.span, gap));
        let transforms = step.transforms.iter().filter_map(|transform| {
            transform.value.kind().gap(dialect).map(|gap| of_kind(transform.span, gap))
        });
        source.into_iter().chain(transforms).collect::<Vec<_>>()
    };
    let is_set = |key: &str, value: &str| {
        pipeline.conf.iter().any(|(known, text)| known == key && text.shown().eq_ignore_ascii_case(value))
    };
    let times = pipeline.bindings.iter().filter(|(bound, _)| *bound.data_type.item() == Type::Time);
    let times = times.filter_map(|(_, span)| dialect.lacks_time(is_set).map(|gap| diagnostic(span, gap)));
    artifacts.into_iter().chain(times).chain(pipeline.steps.iter().flat_map(of_step)).collect()
}

/// A step's relation as it grows, transform by transform.
struct Chain<'s> {
    step: &'s Step,
    relation: Relation,
    /// The order that its rows should have.
    sorted: Sorted,
    /// Whether the columns are qualified for a join's condition.
    qualified: bool,
}

impl<'s> Chain<'s> {
    fn begin(step: &'s Step, sorted: Sorted, lowering: &Lowering<'_>) -> Self {
        let schema = step.contract.as_ref().map(Contract::ddl);
        let relation = step.source.value.kind().lower(schema.as_deref(), lowering);
        Self { step, relation, sorted, qualified: false }
    }

    fn apply(&mut self, transform: usize, lowering: &Lowering<'_>) {
        let kind = self.step.transforms[transform].value.kind();
        let span = self.step.transforms[transform].span;
        let mut input = std::mem::take(&mut self.relation);
        if lowering.dialect.order() == OrderKept::Not {
            input = match self.sorted.before(&kind.order(), span, input, lowering) {
                Ok(input) => input,
                Err(input) => {
                    self.relation = input;
                    return;
                }
            };
        }
        match kind.names() {
            Names::Kept => {}
            Names::Gone => self.qualified = false,
            Names::Wanted if self.qualified => {}
            Names::Wanted => {
                input = subquery_alias(input, self.step.left_name());
                self.qualified = true;
            }
        }
        self.relation = kind.lower(input, lowering);
    }
}

/// How a finished step is read.
struct Done {
    /// Its relation, until its only reader takes it.
    relation: RefCell<Option<Relation>>,
    /// Its name at the engine, where it has one.
    name: Option<String>,
    /// The actions that must have succeeded before it is read.
    needs: BTreeSet<ActionId>,
    /// How many relations the plan nests, and how many once names are put in.
    depth: Depth,
    /// The order that its rows should have, and have not yet.
    sorted: Sorted,
    /// Whether a sort is part of its relation.
    sorts: bool,
    /// Whether rows of several inputs were united since they were last stored.
    united: bool,
    /// All actions that belong to the step, for those that wait for it without reading it.
    actions: Vec<ActionId>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    plan: usize,
    expanded: usize,
}

impl Depth {
    fn max(self, other: Self) -> Self {
        Self { plan: self.plan.max(other.plan), expanded: self.expanded.max(other.expanded) }
    }

    fn deeper(self, by: usize) -> Self {
        Self { plan: self.plan + by, expanded: self.expanded + by }
    }
}

struct Compiler<'p> {
    pipeline: &'p Pipeline,
    dialect: &'p Dialect,
    sharing: &'p Sharing,
    done: HashMap<StepId, Done>,
    names: HashSet<String>,
    last_stdout: Option<ActionId>,
    /// Rows of the step at hand that travel beside the plan.
    blobs: RefCell<Vec<Blob>>,
    /// What the engine does not bear: sorts whose order it would lose, rows that are too many.
    lost: Diagnostics,
    plan: Plan,
}

impl<'p> Compiler<'p> {
    fn step(&mut self, id: StepId) {
        let pipeline: &'p Pipeline = self.pipeline;
        let step = pipeline.step(id);
        let first_action = self.plan.actions.len();
        let mut needs: BTreeSet<ActionId> = BTreeSet::new();
        let mut depth = Depth::default();
        let mut sorts = step.source.value.query().is_some_and(orders);
        let mut united =
            step.transforms.iter().any(|transform| matches!(transform.value, Transform::Union(_)));
        for input in &step.inputs {
            let input = &self.done[input];
            needs.extend(&input.needs);
            depth = depth.max(input.depth);
            united |= input.united;
            sorts |= input.sorts;
        }
        for waited in &step.after {
            needs.extend(&self.done[waited].actions);
        }

        let (mut relation, sorted, mut depth) = self.lower(id, step, depth, &mut needs);
        self.upload(id, step);
        sorts |= sorted.is_within();
        let mut reach = self.sharing.reach(id);
        if reach == Reach::Stored && sorts && self.dialect.order() == OrderKept::Not {
            // Sorts that come after stored rows that were sorted do nothing there, so these are worked out again.
            reach = Reach::View;
        }
        let name = (reach != Reach::Inlined).then(|| self.unused_name(step.name.value.as_str()));
        if let Some(name) = &name {
            let work = match reach {
                Reach::Stored => Work::Store { name: name.clone() },
                Reach::Inlined | Reach::View => Work::View { name: name.clone() },
            };
            if reach == Reach::Stored && united {
                relation = coalesce(relation, self.dialect.most_stored_partitions());
                united = false;
            }
            let action = self.add(id, work, relation, &needs);
            needs = BTreeSet::from([action]);
            relation = named_table(name.clone());
            depth = Depth { plan: 1, expanded: if reach == Reach::Stored { 1 } else { depth.expanded } };
        }
        if !step.expectations.is_empty() {
            let action = self.expect(id, step, relation.clone(), &needs);
            needs.insert(action);
        }
        let reader = name.is_none().then_some(relation.clone());
        if !step.sinks.is_empty() {
            if let Some(by) = sorted.lost() {
                self.lost.push(lost_order(by, self.dialect));
            }
            self.write(id, step, sorted.sort(relation), &needs);
        }
        let actions = (first_action..self.plan.actions.len()).map(ActionId).collect();
        self.done.insert(
            id,
            Done {
                relation: RefCell::new(reader),
                name,
                needs,
                depth,
                sorted,
                sorts: sorts && reach != Reach::Stored,
                united,
                actions,
            },
        );
    }

    /// The step's relation, cut where it would be deeper than the engine bears, and the probes of its columns.
    fn lower(
        &mut self,
        id: StepId,
        step: &Step,
        depth: Depth,
        needs: &mut BTreeSet<ActionId>,
    ) -> (Relation, Sorted, Depth) {
        let views: Vec<(String, String)> = step
            .queried
            .iter()
            .map(|(name, input)| (name.clone(), self.done[input].name.clone().unwrap_or_default()))
            .collect();
        let masks = Masks::default();
        let pipeline = self.pipeline;
        let mut depth = depth;
        let mut chain = {
            let input = |name: &str| self.input(name);
            let lowering = lowering((pipeline, step), self.dialect, &masks, &input, &views, &self.blobs);
            let from = step.source.value.origin().and_then(|name| self.pipeline.find(name));
            let sorted = from.map(|id| self.done[&id].sorted.clone()).unwrap_or_default();
            Chain::begin(step, sorted, &lowering)
        };
        if step.source.value.origin().is_none() {
            depth = depth.deeper(1);
        }
        if matches!(step.source.value, Source::Read(_)) {
            self.probe(id, &chain.relation, Question::Any(step.source.span));
        }
        let mut repeats = matches!(step.source.value, Source::Sql(_) | Source::Call(_));
        let mut made_by = step.source.span;
        for (at, transform) in step.transforms.iter().enumerate() {
            let kind = transform.value.kind();
            let needed = kind.columns_needed();
            if !needed.is_empty() {
                let columns = needed.iter().map(|column| (column.value.clone(), column.span));
                self.probe(id, &chain.relation, Question::Has(columns.collect()));
            }
            if matches!(kind.order(), Order::Decisive)
                && let Some(by) = chain.sorted.lost()
            {
                self.lost.push(lost_order(by, self.dialect));
            }
            (chain.relation, depth) = self.cut(id, step, std::mem::take(&mut chain.relation), depth, needs);
            let input = |name: &str| self.input(name);
            let lowering = lowering((pipeline, step), self.dialect, &masks, &input, &views, &self.blobs);
            chain.apply(at, &lowering);
            depth = depth.deeper(1 + usize::from(kind.names() == Names::Wanted));
            if kind.may_repeat_columns() {
                (repeats, made_by) = (true, transform.span);
            }
        }
        if repeats {
            self.probe(id, &chain.relation, Question::Distinct(made_by));
        }
        (chain.relation, chain.sorted, depth)
    }

    /// Takes the rows of a step that travel beside the plan.
    fn upload(&mut self, id: StepId, step: &Step) {
        let blobs = self.blobs.take();
        let bytes: u64 = blobs.iter().map(|blob| blob.data.len() as u64).sum();
        if let LocalRows::Chunked { in_all, .. } = self.dialect.local_rows()
            && bytes > in_all
        {
            let message = format!(
                "the rows of `{}` are {bytes} bytes, and {} takes {in_all} at most",
                step.name, self.dialect
            );
            self.lost.push(
                Diagnostic::new(Code::Gap, step.source.span, message)
                    .help("put them into a file that the engine reads: `read`"),
            );
        }
        if !blobs.is_empty() {
            self.plan.uploads.push(Upload { step: id, blobs });
        }
    }

    /// Names or stores what has become too deep.
    fn cut(
        &mut self,
        id: StepId,
        step: &Step,
        relation: Relation,
        depth: Depth,
        needs: &mut BTreeSet<ActionId>,
    ) -> (Relation, Depth) {
        let too_much = depth.expanded >= self.dialect.deepest_expansion();
        if depth.plan < self.dialect.deepest_plan() && !too_much {
            return (relation, depth);
        }
        let name = self.unused_name(step.name.value.as_str());
        let (work, expanded) = if too_much {
            (Work::Store { name: name.clone() }, 1)
        } else {
            (Work::View { name: name.clone() }, depth.expanded)
        };
        let action = self.add(id, work, relation, needs);
        *needs = BTreeSet::from([action]);
        (named_table(name), Depth { plan: 1, expanded })
    }

    /// How a reader reads a step: by its name, or by taking its relation.
    fn input(&self, name: &str) -> Relation {
        let id = self.pipeline.find(name).expect("references of a pipeline resolve");
        let done = &self.done[&id];
        match &done.name {
            Some(name) => named_table(name.clone()),
            None => done.relation.borrow_mut().take().expect("a step without a name has one reader"),
        }
    }

    fn expect(&mut self, id: StepId, step: &Step, input: Relation, needs: &BTreeSet<ActionId>) -> ActionId {
        let masks = Masks::default();
        let nothing = |_: &str| Relation::default();
        let lowering = lowering((self.pipeline, step), self.dialect, &masks, &nothing, &[], &self.blobs);
        let mut columns = vec![alias(expression_string("count(1)"), "rows")];
        let mut violations = Vec::new();
        for (expectation, expected) in step.expectations.iter().enumerate() {
            for violation in expected.check.kind().violations(&lowering) {
                let count = expression_string(format!("count_if({})", violation.condition));
                columns.push(alias(count, format!("wrong_{}", violations.len())));
                violations.push(Expected { expectation, text: violation.expected });
            }
        }
        self.add(id, Work::Expect { violations }, aggregate(input, Vec::new(), columns), needs)
    }

    /// One action for all outputs of a step: its rows are worked out and sent once.
    fn write(&mut self, id: StepId, step: &Step, relation: Relation, needs: &BTreeSet<ActionId>) {
        let wanted: Option<Vec<u64>> = step.sinks.iter().map(|sink| sink.value.rows_wanted()).collect();
        let most =
            wanted.and_then(|wanted| wanted.into_iter().max()).and_then(|rows| i32::try_from(rows).ok());
        let relation = match most {
            Some(rows) => limit(relation, rows),
            None => relation,
        };
        let action = self.add(id, Work::Write { sinks: (0..step.sinks.len()).collect() }, relation, needs);
        // Outputs on stdout come whole, one after the other.
        if step.sinks.iter().any(|sink| matches!(sink.value, Sink::Stdout(_))) {
            self.plan.actions[action.0].after.extend(self.last_stdout.replace(action));
        }
    }

    fn add(&mut self, step: StepId, work: Work, relation: Relation, needs: &BTreeSet<ActionId>) -> ActionId {
        let id = ActionId(self.plan.actions.len());
        let needs = needs.iter().copied().collect();
        self.plan.actions.push(Action { id, step, work, relation, needs, after: Vec::new() });
        id
    }

    /// Has the engine look at steps that nobody reads.
    fn probe_unused(&mut self) {
        for id in &self.sharing.needed {
            let step = self.pipeline.step(*id);
            if step.is_end() {
                continue;
            }
            if let Some(relation) = self.done[id].relation.borrow_mut().take() {
                self.plan.probes.push(Probe { step: *id, relation, question: Question::Nothing });
            }
        }
    }

    fn probe(&mut self, step: StepId, relation: &Relation, question: Question) {
        self.plan.probes.push(Probe { step, relation: relation.clone(), question });
    }

    /// A name for the engine: letters, digits and `_` alone, and different also where case is ignored.
    fn unused_name(&mut self, step: &str) -> String {
        let mut name = format!("pipectl_{}", step.to_lowercase());
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

fn lowering<'a>(
    (pipeline, step): (&'a Pipeline, &'a Step),
    dialect: &'a Dialect,
    masks: &'a Masks,
    input: &'a dyn Fn(&str) -> Relation,
    views: &'a [(String, String)],
    blobs: &'a RefCell<Vec<Blob>>,
) -> Lowering<'a> {
    Lowering { dialect, bindings: &pipeline.bindings, root: &step.base.root, masks, input, views, blobs }
}
