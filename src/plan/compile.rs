//! Lowers every step for one engine, in order, without recursion.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::look::Look;
use super::order::Sorted;
use super::sharing::{Reach, Sharing};
use super::{Action, ActionId, Expected, Fitting, Plan, Probe, Question, Upload, Work};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::{Dialect, LocalRows, OrderKept};
use crate::expect::OnFail;
use crate::expr::{Template, Type};
use crate::graph::Graph;
use crate::local::Blob;
use crate::lowering::{Branches, Lowering, Masks};
use crate::name::quoted;
use crate::pipeline::{Column, Contract, Extra, Pipeline, Step, StepId};
use crate::proto::expression::{alias, expression_string};
use crate::proto::relation::{aggregate, coalesce, empty, limit, named_table, project, subquery_alias};
use crate::proto::spark::Relation;
use crate::sink::Sink;
use crate::source::{Source, Wanted};
use crate::text::{Span, Spanned};
use crate::transform::{Names, RowOrder, Transform};

/// The plan of all outputs and expectations, or what the engine lacks for it.
pub(crate) fn compile(pipeline: &Pipeline, graph: &Graph, dialect: &Dialect) -> Result<Plan, Diagnostics> {
    compile_scope(pipeline, graph, dialect, Scope::Outputs)
}

/// Which steps a plan is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// Those that outputs and expectations need.
    Outputs,
    /// Also those that feed nothing, so that they are checked too.
    Everything,
    /// Those whose rows one of them is made of, which is shown: nothing else is done, neither outputs nor expectations.
    Look(&'a Look),
}

impl<'a> Scope<'a> {
    fn look(self) -> Option<&'a Look> {
        match self {
            Self::Look(look) => Some(look),
            Self::Outputs | Self::Everything => None,
        }
    }

    /// The transforms of a step that are carried out.
    fn transforms(self, step: &Step, id: StepId) -> &[Spanned<Transform>] {
        self.look().map_or(step.transforms.as_slice(), |look| look.transforms(step, id))
    }
}

/// The same of more steps.
pub(crate) fn compile_scope(
    pipeline: &Pipeline,
    graph: &Graph,
    dialect: &Dialect,
    scope: Scope<'_>,
) -> Result<Plan, Diagnostics> {
    let sharing = match scope {
        Scope::Outputs => Sharing::new(pipeline, graph),
        Scope::Everything => Sharing::of_all(pipeline, graph),
        Scope::Look(look) => Sharing::of_look(pipeline, graph, look),
    };
    let steps = match scope {
        Scope::Outputs | Scope::Everything => pipeline.ids().collect(),
        Scope::Look(_) => sharing.needed.clone(),
    };
    let gaps = gaps(
        pipeline,
        dialect,
        steps.iter().map(|id| {
            let step = pipeline.step(*id);
            (step, scope.transforms(step, *id))
        }),
    );
    if gaps.has_errors() {
        return Err(gaps);
    }
    let mut compiler = Compiler {
        pipeline,
        dialect,
        scope,
        sharing: &sharing,
        done: HashMap::new(),
        names: HashSet::new(),
        last_stdout: None,
        blobs: RefCell::default(),
        branches: Branches::new(dialect),
        taken: sharing
            .needed
            .iter()
            .map(|id| (*id, pipeline.step(*id)))
            .filter(|(id, step)| queries(step, scope.transforms(step, *id)).any(takes_first))
            .flat_map(|(_, step)| step.queried.iter().map(|(_, queried)| *queried))
            .collect(),
        lost: Diagnostics::default(),
        plan: Plan {
            dialect: dialect.clone(),
            steps: match scope {
                // What is wrong behind the rows that are shown is told beside what is wrong before them.
                Scope::Look(look) => look.whole().steps(pipeline, graph),
                Scope::Outputs | Scope::Everything => sharing.needed.clone(),
            },
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

/// Whether a query takes the first rows of an order.
fn takes_first(query: &Template) -> bool {
    let text = query.scanned();
    orders(query) && query.tokens().iter().any(|token| token.is_word(&text, "limit"))
}

/// The queries of a step: its source, and its transforms.
fn queries<'s>(step: &'s Step, transforms: &'s [Spanned<Transform>]) -> impl Iterator<Item = &'s Template> {
    let transforms = transforms.iter().filter_map(|transform| transform.value.kind().query());
    step.source.value.query().into_iter().chain(transforms)
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
    let (blobs, branches) = (RefCell::default(), Branches::default());
    let lowering = lowering((pipeline, step), dialect, masks, input, views, (&blobs, &branches));
    let mut chain = Chain::begin(step, Sorted::Not, &lowering);
    chain.leave_out(&lowering);
    for transform in 0..upto {
        chain.apply(transform, &input_view(step, transform), &lowering);
    }
    // A sort that was put off is analysed where it stands.
    chain.sorted.sort(chain.relation)
}

/// The name under which [`prefix`] has a query read what comes before it.
pub(crate) fn input_view(step: &Step, transform: usize) -> String {
    format!("pipectl_check_{transform}_of_{}", step.name.value.as_str().to_lowercase())
}

/// The source of a step whose data has no names and types of its own, without those that its contract gives.
pub(crate) fn as_found(
    pipeline: &Pipeline,
    dialect: &Dialect,
    id: StepId,
    wanted: Wanted,
) -> Option<Relation> {
    let step = pipeline.step(id);
    let (masks, blobs, branches) = (Masks::default(), RefCell::default(), Branches::default());
    let nothing = |_: &str| Relation::default();
    let lowering = lowering((pipeline, step), dialect, &masks, &nothing, &[], (&blobs, &branches));
    step.source.value.kind().as_found(wanted, &lowering)
}

/// What this engine lacks, for the pipeline and each of these steps with its transforms.
fn gaps<'p>(
    pipeline: &'p Pipeline,
    dialect: &Dialect,
    steps: impl Iterator<Item = (&'p Step, &'p [Spanned<Transform>])>,
) -> Diagnostics {
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
    let of_step = |(step, transforms): (&Step, &[Spanned<Transform>])| {
        let of_kind = |span, gap| diagnostic(span, gap).label(format!("in the step `{}`", step.name));
        let source = step.source.value.kind().gap(dialect).map(|gap| of_kind(step.source.span, gap));
        let transforms = transforms.iter().filter_map(|transform| {
            transform.value.kind().gap(dialect).map(|gap| of_kind(transform.span, gap))
        });
        source.into_iter().chain(transforms).collect::<Vec<_>>()
    };
    let is_set = |key: &str, value: &str| {
        pipeline.conf.iter().any(|(known, text)| known == key && text.shown().eq_ignore_ascii_case(value))
    };
    let times = pipeline.bindings.iter().filter(|(bound, _)| *bound.data_type.item() == Type::Time);
    let times = times.filter_map(|(_, span)| dialect.lacks_time(is_set).map(|gap| diagnostic(span, gap)));
    artifacts.into_iter().chain(times).chain(steps.flat_map(of_step)).collect()
}

/// What a query over a step's own rows calls them.
const INPUT: &str = "input";

/// The names of a step's own rows in a query over them, and the view that they mean.
pub(crate) fn views_of(left: &str, view: &str) -> Vec<(String, String)> {
    let names = [INPUT, left];
    let names = if left.eq_ignore_ascii_case(INPUT) { &names[..1] } else { &names[..] };
    names.iter().map(|name| ((*name).to_owned(), view.to_owned())).collect()
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
        let contract = step.contract.as_ref();
        // What is promised stands in for what is there, where that was found to be other.
        let promised = contract.and_then(|contract| lowering.masks.text(contract.span));
        let relation = match promised {
            Some(columns) => empty(columns),
            None => {
                let schema = contract.filter(|_| step.is_read_with_contract()).map(Contract::ddl);
                step.source.value.kind().lower(schema.as_deref(), lowering)
            }
        };
        Self { step, relation, sorted, qualified: false }
    }

    /// Leaves out the columns that the contract does not name, where it says so.
    fn leave_out(&mut self, lowering: &Lowering<'_>) {
        let Some(contract) = &self.step.contract else { return };
        let is_done = self.step.is_read_with_contract() || lowering.masks.hides(contract.span);
        if is_done || contract.extra() != Extra::Drop {
            return;
        }
        let mut input = std::mem::take(&mut self.relation);
        if lowering.dialect.order() == OrderKept::Not {
            input = self.sorted.before_choice(input, lowering.branches);
        }
        let column = |column: &Column| alias(expression_string(quoted(&column.name)), &column.name);
        self.relation = project(input, contract.columns.iter().map(column).collect());
    }

    /// Applies a transform; a query names its input by `view`.
    fn apply(&mut self, transform: usize, view: &str, lowering: &Lowering<'_>) {
        let kind = self.step.transforms[transform].value.kind();
        let span = self.step.transforms[transform].span;
        let left = self.step.left_name(transform);
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
            Names::Called(_) => self.qualified = true,
            Names::Wanted | Names::Renewed => {
                input = subquery_alias(input, left);
                self.qualified = true;
            }
        }
        let next = self.step.transforms.get(transform + 1);
        let is_limited = next.is_some_and(|next| matches!(next.value, Transform::Limit(_)));
        let lowering = &Lowering { left, order: self.sorted.keys(), is_limited, ..*lowering };
        if kind.query().is_none() {
            self.relation = kind.lower(input, lowering);
            return;
        }
        let views = views_of(left, view);
        self.relation = kind.lower(input, &Lowering { views: &views, ..*lowering });
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
    scope: Scope<'p>,
    sharing: &'p Sharing,
    done: HashMap<StepId, Done>,
    names: HashSet<String>,
    last_stdout: Option<ActionId>,
    /// Rows of the step at hand that travel beside the plan.
    blobs: RefCell<Vec<Blob>>,
    /// The views whose rows come from several branches.
    branches: Branches,
    /// The steps of which queries may take the first rows.
    taken: HashSet<StepId>,
    /// What the engine does not bear: sorts whose order it would lose, rows that are too many.
    lost: Diagnostics,
    plan: Plan,
}

impl<'p> Compiler<'p> {
    fn step(&mut self, id: StepId) {
        let pipeline: &'p Pipeline = self.pipeline;
        let step = pipeline.step(id);
        let look = self.scope.look();
        let first_action = self.plan.actions.len();
        let mut needs: BTreeSet<ActionId> = BTreeSet::new();
        let mut depth = Depth::default();
        let transforms = self.scope.transforms(step, id);
        let mut sorts = queries(step, transforms).any(orders);
        let mut united = transforms.iter().any(|transform| matches!(transform.value, Transform::Union(_)));
        let inputs = look.map_or(Cow::Borrowed(&step.inputs[..]), |look| look.inputs(pipeline, id));
        for input in inputs.iter() {
            let input = &self.done[input];
            needs.extend(&input.needs);
            depth = depth.max(input.depth);
            united |= input.united;
            sorts |= input.sorts;
        }
        // Whoever waits for what a step does waits for nothing where no step does anything.
        for waited in step.after.iter().filter(|_| look.is_none()) {
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
            if reach == Reach::View && self.taken.contains(&id) {
                relation = self.branches.apart(relation);
            }
            let action = self.add(id, work, relation, &needs);
            needs = BTreeSet::from([action]);
            relation = named_table(name.clone());
            depth = Depth { plan: 1, expanded: if reach == Reach::Stored { 1 } else { depth.expanded } };
        }
        if let Some(look) = look.filter(|look| look.step == id) {
            let relation = self.in_order(&sorted, relation, look.stdout.rows_wanted());
            self.add(id, Work::Show { stdout: look.stdout.clone(), lost: sorted.lost() }, relation, &needs);
            return;
        }
        let mut expected = if look.is_none() { self.expected(step) } else { Vec::new() };
        if step.transforms.is_empty() && look.is_none() {
            // Its rows are those of its source.
            expected.splice(0..0, promised(step));
        }
        if !expected.is_empty() {
            let action = self.expect(id, expected, relation.clone(), &needs);
            needs.insert(action);
        }
        let reader = name.is_none().then_some(relation.clone());
        if look.is_none() && !step.sinks.is_empty() {
            self.keep_order(&sorted);
            let named = step.sinks.iter().flat_map(|sink| sink.value.columns_needed());
            let named: Vec<_> = named.map(|column| (column.value.clone(), column.span)).collect();
            if !named.is_empty() {
                self.probe(id, &relation, Question::Named(named));
            }
            self.write(id, step, &sorted, relation, &needs);
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
            let lowering = lowering(
                (pipeline, step),
                self.dialect,
                &masks,
                &input,
                &views,
                (&self.blobs, &self.branches),
            );
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
        self.contract(id, step, &chain.relation, needs);
        {
            let input = |name: &str| self.input(name);
            let lowering = lowering(
                (pipeline, step),
                self.dialect,
                &masks,
                &input,
                &views,
                (&self.blobs, &self.branches),
            );
            chain.leave_out(&lowering);
        }
        let mut repeats = matches!(step.source.value, Source::Sql(_) | Source::Call(_));
        let mut made_by = step.source.span;
        for (at, transform) in self.scope.transforms(step, id).iter().enumerate() {
            let kind = transform.value.kind();
            let needed = kind.columns_needed();
            if !needed.is_empty() {
                let columns = needed.iter().map(|column| (column.value.clone(), column.span)).collect();
                let ask = if kind.spelt_exactly() { Question::Named } else { Question::Has };
                self.probe(id, &chain.relation, ask(columns));
            }
            let values = Fitting::of(kind, &pipeline.bindings);
            if !values.is_empty() {
                self.probe(id, &chain.relation, Question::Fit(values));
            }
            if matches!(kind.order(), RowOrder::Decisive) {
                self.keep_order(&chain.sorted);
            }
            (chain.relation, depth) = self.cut(id, step, std::mem::take(&mut chain.relation), depth, needs);
            let mut view = String::new();
            if let Some(query) = kind.query() {
                let mut relation = std::mem::take(&mut chain.relation);
                if takes_first(query) {
                    relation = self.branches.apart(relation);
                }
                view = self.named(id, step, relation, needs);
                depth.plan = 1;
            }
            let input = |name: &str| self.input(name);
            let lowering = lowering(
                (pipeline, step),
                self.dialect,
                &masks,
                &input,
                &views,
                (&self.blobs, &self.branches),
            );
            chain.apply(at, &view, &lowering);
            depth = depth.deeper(1 + usize::from(kind.names() == Names::Wanted) + kind.depth());
            if kind.may_repeat_columns() {
                (repeats, made_by) = (true, transform.span);
            }
        }
        if repeats {
            self.probe(id, &chain.relation, Question::Distinct(made_by));
        }
        (chain.relation, chain.sorted, depth)
    }

    /// Refuses an order that matters and was lost.
    fn keep_order(&mut self, sorted: &Sorted) {
        self.lost.extend(sorted.lost().map(|by| lost_order(by, self.dialect)));
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

    /// Gives the rows that a query is put over a name.
    fn named(
        &mut self,
        id: StepId,
        step: &Step,
        relation: Relation,
        needs: &mut BTreeSet<ActionId>,
    ) -> String {
        let name = self.unused_name(step.name.value.as_str());
        let action = self.add(id, Work::View { name: name.clone() }, relation, needs);
        *needs = BTreeSet::from([action]);
        name
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

    /// Has the source of a step compared with its contract: its columns before any data is read, its rows before anything is made of
    /// them.
    fn contract(&mut self, id: StepId, step: &Step, source: &Relation, needs: &mut BTreeSet<ActionId>) {
        if step.contract.is_none() {
            return;
        }
        if !step.is_read_with_contract() {
            self.probe(id, source, Question::Kept);
        } else if let Some(is_header) = step.source.value.kind().has_header()
            && let Some(first_line) = as_found(self.pipeline, self.dialect, id, Wanted::FirstLine)
        {
            self.probe(id, &first_line, Question::FirstLine { is_header });
        }
        let promised = promised(step);
        if self.scope.look().is_none() && !promised.is_empty() && !step.transforms.is_empty() {
            let action = self.expect(id, promised, source.clone(), needs);
            needs.insert(action);
        }
    }

    /// What a step expects of its rows, each with the aggregate that counts those that are wrong.
    fn expected(&self, step: &Step) -> Vec<(Expected, String)> {
        let masks = Masks::default();
        let nothing = |_: &str| Relation::default();
        let beside = (&self.blobs, &self.branches);
        let lowering = lowering((self.pipeline, step), self.dialect, &masks, &nothing, &[], beside);
        let all = step.expectations.iter().flat_map(|expected| {
            let violations = expected.check.kind().violations(&lowering).into_iter();
            violations.map(|violation| {
                let count = format!("count_if({})", violation.condition);
                (Expected { text: violation.expected, on_fail: expected.on_fail }, count)
            })
        });
        all.collect()
    }

    fn expect(
        &mut self,
        id: StepId,
        expected: Vec<(Expected, String)>,
        input: Relation,
        needs: &BTreeSet<ActionId>,
    ) -> ActionId {
        let mut columns = vec![alias(expression_string("count(1)"), "rows")];
        let mut violations = Vec::with_capacity(expected.len());
        for (at, (expected, count)) in expected.into_iter().enumerate() {
            columns.push(alias(expression_string(count), format!("wrong_{at}")));
            violations.push(expected);
        }
        self.add(id, Work::Expect { violations }, aggregate(input, Vec::new(), columns), needs)
    }

    /// One action for all outputs of a step: its rows are worked out and sent once.
    fn write(
        &mut self,
        id: StepId,
        step: &Step,
        sorted: &Sorted,
        relation: Relation,
        needs: &BTreeSet<ActionId>,
    ) {
        let wanted: Option<Vec<u64>> = step.sinks.iter().map(|sink| sink.value.rows_wanted()).collect();
        let relation = self.in_order(sorted, relation, wanted.and_then(|wanted| wanted.into_iter().max()));
        let action = self.add(id, Work::Write { sinks: (0..step.sinks.len()).collect() }, relation, needs);
        // Outputs on stdout come whole, one after the other.
        if step.sinks.iter().any(|sink| matches!(sink.value, Sink::Stdout(_))) {
            self.plan.actions[action.0].after.extend(self.last_stdout.replace(action));
        }
    }

    /// At most so many rows of a relation, in its order; more than a plan can say are all.
    fn in_order(&self, sorted: &Sorted, relation: Relation, most: Option<u64>) -> Relation {
        match most.and_then(|rows| i32::try_from(rows).ok()) {
            Some(rows) => limit(sorted.first(relation, &self.branches), rows),
            None => sorted.sort(relation),
        }
    }

    fn add(&mut self, step: StepId, work: Work, relation: Relation, needs: &BTreeSet<ActionId>) -> ActionId {
        let id = ActionId(self.plan.actions.len());
        let needs = needs.iter().copied().collect();
        if let Work::View { name } = &work {
            self.branches.view(name, &relation);
        }
        self.plan.actions.push(Action { id, step, work, relation, needs, after: Vec::new() });
        id
    }

    /// Has the engine look at steps that nobody reads.
    fn probe_unused(&mut self) {
        if self.scope.look().is_some() {
            return;
        }
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

/// What the contract of a step's source promises of its rows, each with the aggregate that counts those that are wrong.
fn promised(step: &Step) -> Vec<(Expected, String)> {
    let promises = step.promises().into_iter();
    promises.map(|(text, count)| (Expected { text, on_fail: OnFail::Fail }, count)).collect()
}

fn lowering<'a>(
    (pipeline, step): (&'a Pipeline, &'a Step),
    dialect: &'a Dialect,
    masks: &'a Masks,
    input: &'a dyn Fn(&str) -> Relation,
    views: &'a [(String, String)],
    (blobs, branches): (&'a RefCell<Vec<Blob>>, &'a Branches),
) -> Lowering<'a> {
    Lowering {
        dialect,
        bindings: &pipeline.bindings,
        root: &step.base.root,
        masks,
        input,
        views,
        left: "",
        blobs,
        branches,
        order: &[],
        is_limited: false,
    }
}
