//! Searches one step: its source, its transforms from top to bottom, what it expects.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::diagnosis::{help_for_ungrouped, meant_step, refused, words};
use super::engine_error::Complaint;
use super::expression::{Inside, SOME_TABLE, has, names_a_mask};
use super::known::Known;
use super::scope::{Scope, fields};
use super::union::{Side, unfit};
use crate::analysis::columns::{Columns, column_names, found_missing, found_misspelt, found_repeated};
use crate::analysis::concurrent::all;
use crate::analysis::context::{Analysed, CONCURRENT, Context};
use crate::analysis::contract::{differences, first_line, of_one_file};
use crate::analysis::values::found_unfit;
use crate::connect::{Error, ServerError};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expect::Expectation;
use crate::expr::{Expr, Template};
use crate::lowering::{Branches, Lowering, Masks, around};
use crate::pipeline::{Step, StepId};
use crate::plan::{Fitting, as_found, input_view, prefix, views_of};
use crate::proto::ddl::columns_text;
use crate::proto::expression::expression_string;
use crate::proto::relation::{self, empty, filter};
use crate::proto::spark::data_type::StructField;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{DataType, Project, Relation};
use crate::source::{Setting, Source, Wanted};
use crate::text::Span;
use crate::transform::{Names, Transform};

/// Columns by the name that qualifies them.
type Sides = Vec<(String, DataType)>;

/// Searches a step whose inputs have these columns.
pub(super) async fn search(
    context: &Context<'_>,
    id: StepId,
    inputs: HashMap<StepId, Arc<Known>>,
) -> Result<(Known, Diagnostics), Error> {
    let step = context.pipeline.step(id);
    if step.inputs.iter().any(|input| inputs.get(input).is_none_or(|known| known.schema.is_none())) {
        return Ok((Known::default(), Diagnostics::default()));
    }
    let mut search = Search::new(context, id, inputs);
    search.views = search.make_views().await?;
    search.contract().await?;
    let schema = search.columns().await?;
    if let Some(schema) = &schema {
        search.repetitions(schema);
        search.expectations(schema).await?;
        search.outputs(schema);
    }
    let is_doubtful = search.is_doubtful || search.found.has_errors();
    Ok((Known { schema, is_doubtful }, search.found))
}

/// The columns of a step's source, whatever its contract says, or what is wrong with it.
pub(super) async fn source(
    context: &Context<'_>,
    id: StepId,
    inputs: HashMap<StepId, Arc<Known>>,
) -> Result<Result<DataType, Diagnostics>, Error> {
    let mut search = Search::new(context, id, inputs);
    search.views = search.make_views().await?;
    let found = as_found(context.pipeline, context.dialect, id, Wanted::Types);
    let analysed = match found {
        Some(relation) => context.analyse(relation).await?,
        None => search.analyse(0, &search.as_it_is()).await?,
    };
    match analysed {
        Ok(schema) => Ok(Ok(schema)),
        Err(error) => {
            search.source(error).await?;
            Ok(Err(search.found))
        }
    }
}

struct Search<'a> {
    context: &'a Context<'a>,
    id: StepId,
    step: &'a Step,
    inputs: HashMap<StepId, Arc<Known>>,
    /// Names for the steps that the query names.
    views: Vec<(String, String)>,
    masks: Masks,
    /// The columns by what qualifies them.
    sides: Vec<(String, DataType)>,
    is_doubtful: bool,
    found: Diagnostics,
}

impl<'a> Search<'a> {
    fn new(context: &'a Context<'a>, id: StepId, inputs: HashMap<StepId, Arc<Known>>) -> Self {
        Self {
            context,
            id,
            step: context.pipeline.step(id),
            is_doubtful: inputs.values().any(|known| known.is_doubtful),
            inputs,
            views: Vec::new(),
            masks: Masks::default(),
            sides: Vec::new(),
            found: Diagnostics::default(),
        }
    }

    /// The masks, and one that lets all columns of the source through.
    fn as_it_is(&self) -> Masks {
        let mut masks = self.masks.clone();
        self.step.contract.iter().for_each(|contract| masks.hide(contract.span));
        masks
    }

    /// Compares the source with its contract. Where they differ the search goes on with what is promised: what follows is right or wrong
    /// by that.
    async fn contract(&mut self) -> Result<(), Error> {
        let step = self.step;
        let Some(contract) = &step.contract else { return Ok(()) };
        let context = self.context;
        if step.is_read_with_contract() {
            let Some(is_header) = step.source.value.kind().has_header() else { return Ok(()) };
            let Some(line) = as_found(context.pipeline, context.dialect, self.id, Wanted::FirstLine) else {
                return Ok(());
            };
            let Some(line) = of_one_file(step, &line) else { return Ok(()) };
            // Why it can't be read is told of the source.
            if let Ok(schema) = context.analyse(line).await? {
                self.found.extend(first_line(step, &schema, is_header, context.dialect));
            }
            return Ok(());
        }
        let Ok(schema) = self.analyse(0, &self.as_it_is()).await? else { return Ok(()) };
        if fields(&schema).is_empty() {
            return Ok(());
        }
        if let Some(difference) = differences(step, &schema) {
            self.found.push(difference);
            self.masks.replace(contract.span, contract.ddl());
        }
        Ok(())
    }

    /// The columns of the step, its mistakes masked; nothing where these make them unknowable.
    async fn columns(&mut self) -> Result<Option<DataType>, Error> {
        let step = self.step;
        let is_silent = |transform: &Transform| {
            let kind = transform.kind();
            !kind.columns_needed().is_empty()
                || !kind.columns_shared().is_empty()
                || kind.columns_come_from_rows()
                || kind.query().is_some()
        };
        if !step.transforms.iter().any(|transform| is_silent(&transform.value))
            && !matches!(step.source.value, Source::Read(_))
            && let Ok(schema) = self.analyse(step.transforms.len(), &self.masks).await?
        {
            return Ok(Some(schema));
        }
        let schema = match self.analyse(0, &self.masks).await? {
            Ok(schema) => Some(schema),
            Err(error) => self.source(error).await?,
        };
        let Some(mut schema) = schema else { return Ok(None) };
        if matches!(step.source.value, Source::Read(_)) && fields(&schema).is_empty() {
            let message = format!("the source of `{}` has no columns: is there any data?", step.name);
            self.found.push(Diagnostic::new(Code::NoInput, step.source.span, message));
            return Ok(None);
        }
        for at in 0..step.transforms.len() {
            match self.transform(at, &schema).await? {
                // Without rows its columns are not known.
                Some(_) if step.transforms[at].value.kind().columns_come_from_rows() => return Ok(None),
                Some(next) => schema = next,
                None => return Ok(None),
            }
        }
        Ok(Some(schema))
    }

    /// The columns of a source that is refused, without what is wrong with it.
    async fn source(&mut self, error: Box<ServerError>) -> Result<Option<DataType>, Error> {
        let step = self.step;
        let source = &step.source;
        if let Some(query) = source.value.query() {
            let views = self.views.clone();
            let sides = step.queried.iter().map(|(name, id)| (name.clone(), self.schema_of(*id))).collect();
            self.query(0, query, (&views, sides), error).await?;
            return Ok(None);
        }
        if self.arguments(&source.value.kind().arguments()).await? {
            return Ok(None);
        }
        let parts = source.value.kind().parts();
        if self.parts(0, &parts).await? {
            return Ok(self.analyse(0, &self.masks).await?.ok());
        }
        let complaint = Complaint::of(&error);
        let kind = source.value.kind();
        let places = (kind.place_of(Setting::Table), kind.place_of(Setting::Function));
        let diagnostic = match (&complaint, places) {
            (Complaint::Table(_), (Some(table), _)) => {
                let name = table.plain();
                let message = format!("there is no table or view `{name}`");
                let diagnostic = refused(&error, table.span(), message);
                meant_step(diagnostic, &name, &self.step_names())
            }
            (Complaint::Function(names), (_, Some(function))) => {
                let message = format!("there is no table function `{}`", names.join("."));
                refused(&error, function.span(), message)
            }
            _ => {
                let class = error.class.as_deref().unwrap_or_default();
                let is_of_type = matches!(complaint, Complaint::DataType(_) | Complaint::Syntax);
                let span = if class == "PATH_NOT_FOUND" {
                    kind.place_of(Setting::Path)
                } else if is_of_type {
                    kind.place_of(Setting::Schema)
                } else {
                    kind.place_of(Setting::Function).or_else(|| kind.place_of(Setting::History))
                };
                let contract = step.contract.as_ref().filter(|_| is_of_type && step.is_read_with_contract());
                let otherwise = contract.map_or(source.span, |contract| contract.span);
                let span = span.map_or(otherwise, Template::span);
                let message = format!(
                    "the `{}` of `{}` is refused: {}",
                    self.written(source.span),
                    step.name,
                    words(&complaint, &error)
                );
                refused(&error, span, message)
            }
        };
        self.found.push(diagnostic);
        Ok(None)
    }

    /// Searches the arguments of a call; whether any is wrong.
    async fn arguments(&mut self, arguments: &[&Expr]) -> Result<bool, Error> {
        const BEFORE: &str = "isnull(";
        let scope = Scope::default();
        let analyse = async |text: String| {
            let value = expression_string(format!("{BEFORE}{text}\n)"));
            let alone = Project { input: None, expressions: vec![value] };
            self.context.analyse(relation::of(RelType::Project(Box::new(alone)))).await
        };
        let mut found = Diagnostics::default();
        let steps = self.step_names();
        for argument in arguments {
            let sent = argument.sent(&self.context.pipeline.bindings, self.context.dialect.quotes());
            if let Err(error) = analyse(sent.text()).await? {
                let inside = Inside::new(argument.template(), sent, BEFORE, &scope, &steps);
                found.append(inside.search(error, analyse).await?);
            }
        }
        let is_found = found.has_errors();
        self.found.append(found);
        Ok(is_found)
    }

    /// Searches a query.
    async fn query(
        &mut self,
        upto: usize,
        query: &Template,
        (views, sides): (&[(String, String)], Sides),
        error: Box<ServerError>,
    ) -> Result<(), Error> {
        self.context.create_view(empty("`pipectl_check` STRING"), SOME_TABLE).await?;
        let columns = sides.iter().flat_map(|(_, schema)| fields(schema)).collect();
        let scope = Scope { columns, sides, ..Scope::default() };
        let (before, _) = around(views);
        let blobs = RefCell::default();
        let nothing = |_: &str| Relation::default();
        let lowering = Lowering {
            dialect: self.context.dialect,
            bindings: &self.context.pipeline.bindings,
            root: &self.step.base.root,
            masks: &self.masks,
            input: &nothing,
            views,
            left: "",
            blobs: &blobs,
            branches: &Branches::default(),
            order: &[],
            is_limited: false,
        };
        let (sent, _) = lowering.sent(query);
        // A query over the step's own rows can't name other steps.
        let steps = if upto == 0 { self.step_names() } else { Vec::new() };
        let inside = Inside::new(query, sent, &before, &scope, &steps).of_query();
        let found = inside
            .search(error, async |text| {
                let mut masks = self.masks.clone();
                masks.replace(query.span(), text);
                self.analyse(upto, &masks).await
            })
            .await?;
        self.found.append(found);
        Ok(())
    }

    /// The columns behind a transform, its mistakes masked.
    async fn transform(&mut self, at: usize, before: &DataType) -> Result<Option<DataType>, Error> {
        let step = self.step;
        let transform = &step.transforms[at];
        let kind = transform.value.kind();
        let names = column_names(before);
        for column in kind.columns_needed() {
            let is_missing = if kind.spelt_exactly() { found_misspelt } else { found_missing };
            let columns = Columns { step: None, names: &names };
            if is_missing(&column.value, column.span, columns, &mut self.found) {
                self.masks.hide(column.span);
            }
        }
        if kind.names() == Names::Renewed {
            self.sides.clear();
        }
        for value in Fitting::of(kind, &self.context.pipeline.bindings) {
            if found_unfit(&value, before, &mut self.found) {
                self.masks.hide(value.span);
            }
        }
        let beside = kind.inputs().first().and_then(|input| self.context.pipeline.find(input.as_str()));
        self.shared_columns(at, &names, beside);
        if let Some(matching) = kind.matching()
            && !self.is_doubtful
            && !self.found.has_errors()
        {
            let sides: Vec<Side<'_>> = kind
                .inputs()
                .into_iter()
                .map(|input| Side {
                    step: input.as_str(),
                    span: input.span(),
                    columns: self
                        .context
                        .pipeline
                        .find(input.as_str())
                        .map(|id| column_names(&self.schema_of(id))),
                })
                .collect();
            for diagnostic in unfit(self.written(transform.span), matching, names, &sides) {
                self.masks.hide(diagnostic.span);
                self.found.push(diagnostic);
            }
        }
        let view = input_view(step, at);
        if kind.query().is_some() {
            self.context.create_view(empty(columns_text(before)), &view).await?;
        }
        let scope = self.scope(at, before, beside);
        let schema = match self.analyse(at + 1, &self.masks).await? {
            Ok(schema) => Some(schema),
            Err(error) => match kind.query() {
                Some(query) => {
                    let views = views_of(step.left_name(at), &view);
                    let sides = views.iter().map(|(name, _)| (name.clone(), before.clone())).collect();
                    self.query(at + 1, query, (&views, sides), error).await?;
                    None
                }
                None => self.refused(at, error, &scope).await?,
            },
        };
        match kind.names() {
            Names::Kept => {}
            Names::Gone => self.sides.clear(),
            Names::Called(name) => {
                let columns = schema.clone().unwrap_or_default();
                self.sides = vec![(name.to_owned(), columns)];
            }
            Names::Wanted | Names::Renewed => {
                self.sides = scope.sides;
                // Some joins leave the other side's columns out.
                if !kind.may_repeat_columns() {
                    self.sides.pop();
                }
            }
        }
        Ok(schema)
    }

    /// Columns that both sides of a join must have.
    fn shared_columns(&mut self, at: usize, names: &[String], beside: Option<StepId>) {
        let kind = self.step.transforms[at].value.kind();
        let Some(beside) = beside else { return };
        let left = self.step.left_name(at);
        let right = self.context.pipeline.step(beside).name.value.as_str();
        let right_names = column_names(&self.schema_of(beside));
        for column in kind.columns_shared() {
            let name = &column.value;
            let all = || names.iter().chain(&right_names);
            let (message, known) = match (has(names, name), has(&right_names, name)) {
                (true, true) => continue,
                (false, true) => (format!("there is no column `{name}` in `{left}`"), names.to_vec()),
                (true, false) => (format!("there is no column `{name}` in `{right}`"), right_names.clone()),
                (false, false) => {
                    let both = all().filter(|it| has(names, it) && has(&right_names, it)).cloned();
                    (format!("there is no column `{name}` in `{left}`, nor in `{right}`"), both.collect())
                }
            };
            let diagnostic = Diagnostic::new(Code::UnknownColumn, column.span, message);
            self.found.push(diagnostic.suggest(name, known.iter().map(String::as_str)));
            self.masks.hide(column.span);
        }
    }

    /// What the expressions of a transform can mean.
    fn scope(&self, at: usize, before: &DataType, beside: Option<StepId>) -> Scope {
        let kind = self.step.transforms[at].value.kind();
        let mut scope = Scope { sides: self.sides.clone(), ..Scope::of(before) };
        // Behind a transform the step's columns are no longer those of the one that it reads.
        scope.step = (at == 0).then(|| self.step.left_name(at).to_owned());
        scope.beside = kind.columns_beside().into_iter().map(str::to_owned).collect();
        if let (Some((right, _)), Some(beside)) = (kind.new_name(), beside) {
            if scope.sides.is_empty() {
                scope.sides.push((self.step.left_name(at).to_owned(), before.clone()));
            }
            let schema = self.schema_of(beside);
            scope.columns.extend(fields(&schema));
            scope.sides.push((right.to_owned(), schema));
        }
        scope
    }

    /// Finds what is wrong with a transform that is refused; the columns behind it where the rest of it is right.
    async fn refused(
        &mut self,
        at: usize,
        error: Box<ServerError>,
        scope: &Scope,
    ) -> Result<Option<DataType>, Error> {
        let step = self.step;
        let transform = &step.transforms[at];
        let kind = transform.value.kind();
        let mut is_found = false;
        let stages = kind.stages();
        let made = kind.columns_made().into_iter();
        let made = made.map(|name| StructField { name, ..StructField::default() });
        let mut last = scope.clone();
        last.columns.extend(made);
        for (number, stage) in stages.iter().enumerate() {
            let later = stages.get(number + 1..).unwrap_or_default().iter().flatten();
            let later: Vec<Span> = later.map(|expr| expr.span()).collect();
            let scope = if number + 1 == stages.len() { &last } else { scope };
            is_found |= self.stage(at, stage, &later, is_found, scope).await?;
        }
        is_found |= self.parts(at + 1, &kind.parts()).await?;
        if is_found {
            match self.analyse(at + 1, &self.masks).await? {
                Ok(schema) => return Ok(Some(schema)),
                // What is left may be no more than what the masks bring about.
                Err(_) => return Ok(None),
            }
        }
        if !self.is_doubtful && !self.found.has_errors() {
            let key = self.written(transform.span);
            let message = format!("this `{key}` is refused: {}", words(&Complaint::of(&error), &error));
            self.found.push(refused(&error, transform.span, message));
        }
        Ok(None)
    }

    /// Searches expressions, each with the others masked; whether any is wrong.
    async fn stage(
        &mut self,
        at: usize,
        stage: &[&Expr],
        later: &[Span],
        is_after_mistakes: bool,
        scope: &Scope,
    ) -> Result<bool, Error> {
        let search = &*self;
        let one = |expr: &Expr| {
            let mut masks = search.masks.clone();
            for other in stage.iter().map(|other| other.span()).chain(later.iter().copied()) {
                if other != expr.span() {
                    masks.hide(other);
                }
            }
            let expr = expr.clone();
            async move { search.expression(at, &expr, masks, is_after_mistakes, scope).await }
        };
        let results = all(stage.iter().map(|expr| one(expr)), CONCURRENT).await;
        let mut is_found = false;
        for (expr, result) in stage.iter().zip(results) {
            if let Some(found) = result? {
                is_found = true;
                self.masks.hide(expr.span());
                self.is_doubtful |= found.len() == 0;
                self.found.append(found);
            }
        }
        Ok(is_found)
    }

    /// What is wrong with an expression; nothing where it is right.
    async fn expression(
        &self,
        at: usize,
        expr: &Expr,
        masks: Masks,
        is_after_mistakes: bool,
        scope: &Scope,
    ) -> Result<Option<Diagnostics>, Error> {
        let Err(error) = self.analyse(at + 1, &masks).await? else { return Ok(None) };
        let complaint = Complaint::of(&error);
        let may_follow = is_after_mistakes || self.is_doubtful || names_a_mask(expr.template(), scope);
        if may_follow && !complaint.is_about_a_name() {
            return Ok(Some(Diagnostics::default()));
        }
        if matches!(complaint, Complaint::Ungrouped(_))
            && let Some(found) = self.ungrouped(at, expr, &masks, (&error, scope)).await?
        {
            return Ok(Some(found));
        }
        let steps = self.step_names();
        if matches!(complaint, Complaint::Table(_)) {
            // It stands in for the table that the expression asks for.
            self.context.create_view(empty("`pipectl_check` STRING"), SOME_TABLE).await?;
        }
        let sent = expr.sent(&self.context.pipeline.bindings, self.context.dialect.quotes());
        let inside = Inside::new(expr.template(), sent, "", scope, &steps);
        let found = inside
            .search(error, async |text| {
                let mut masks = masks.clone();
                masks.replace(expr.span(), text);
                self.analyse(at + 1, &masks).await
            })
            .await?;
        Ok(Some(found))
    }

    /// Which columns of an aggregate are not grouped by, of which engines name one at most: those that are refused by themselves and in
    /// every call around them.
    async fn ungrouped(
        &self,
        at: usize,
        expr: &Expr,
        masks: &Masks,
        (error, scope): (&ServerError, &Scope),
    ) -> Result<Option<Diagnostics>, Error> {
        let columns = scope.names();
        let template = expr.template();
        let text = template.scanned();
        let chains = super::names::chains(template);
        let mut found = Diagnostics::default();
        let mut told: Vec<String> = Vec::new();
        let is_refused = async |part: &str| {
            let mut masks = masks.clone();
            masks.replace(expr.span(), part.to_owned());
            Ok::<bool, Error>(self.analyse(at + 1, &masks).await?.is_err())
        };
        for chain in chains.iter().filter(|chain| chain.is_value()) {
            let Some((name, _)) = chain.parts.last() else { continue };
            let written = text.get(chain.range()).unwrap_or_default();
            if !has(&columns, name) || has(&told, name) || !is_refused(written).await? {
                continue;
            }
            let around = chains.iter().filter_map(|call| {
                let arguments = call.call.clone()?;
                let is_around = arguments.start < chain.range().start && chain.range().end <= arguments.end;
                is_around.then(|| call.range().start..arguments.end)
            });
            let mut is_aggregated = false;
            for range in around {
                is_aggregated |= !is_refused(text.get(range).unwrap_or_default()).await?;
            }
            if !is_aggregated {
                let message = super::diagnosis::ungrouped(written);
                let diagnostic = Diagnostic::new(Code::Analysis, template.place(&chain.range()), message)
                    .called(error.class.clone(), error.sql_state.clone())
                    .help(help_for_ungrouped(written));
                found.push(diagnostic);
                told.push(name.clone());
            }
        }
        Ok(found.has_errors().then_some(found))
    }

    /// Searches settings, each with the others left out; whether any is wrong.
    async fn parts(&mut self, upto: usize, parts: &[Span]) -> Result<bool, Error> {
        let search = &*self;
        let kept: Vec<Span> = parts.iter().copied().filter(|part| !search.masks.hides(*part)).collect();
        let one = |part: Span| {
            let mut masks = search.masks.clone();
            kept.iter().filter(|other| **other != part).for_each(|other| masks.hide(*other));
            async move { search.analyse(upto, &masks).await }
        };
        let results = all(kept.iter().map(|part| one(*part)), CONCURRENT).await;
        let mut is_found = false;
        for (part, result) in kept.iter().zip(results) {
            if let Err(error) = result? {
                is_found = true;
                self.masks.hide(*part);
                let complaint = Complaint::of(&error);
                if !self.is_doubtful || complaint.is_about_a_name() {
                    self.found.push(refused(&error, *part, self.told_of_part(*part, &complaint, &error)));
                }
            }
        }
        Ok(is_found)
    }

    /// What stands in the file.
    fn written(&self, span: Span) -> &str {
        let text = self.context.pipeline.sources.get(span.file).text();
        text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn told_of_part(&self, part: Span, complaint: &Complaint, error: &ServerError) -> String {
        let written = self.written(part).trim_matches(['"', '\'']);
        match complaint {
            Complaint::DataType(_) | Complaint::Syntax => format!("there is no data type `{written}`"),
            complaint => {
                let words = words(complaint, error);
                let words = words.strip_prefix("the types do not fit: ").unwrap_or(&words);
                format!("`{written}` does not fit: {words}")
            }
        }
    }

    /// Columns of one name at the step's end.
    fn repetitions(&mut self, schema: &DataType) {
        let step = self.step;
        // A column by which sides were to be joined, and which is not there, leaves others of theirs that are no mistake.
        let mut shared = step.transforms.iter().flat_map(|transform| transform.value.kind().columns_shared());
        if shared.any(|column| self.masks.hides(column.span)) {
            return;
        }
        let may_repeat =
            |transform: &&crate::text::Spanned<Transform>| transform.value.kind().may_repeat_columns();
        let made_by = match step.transforms.iter().rfind(may_repeat) {
            Some(transform) => transform.span,
            None if matches!(step.source.value, Source::Sql(_) | Source::Call(_)) => step.source.span,
            None => return,
        };
        found_repeated(made_by, step.name.value.as_str(), &column_names(schema), &mut self.found);
    }

    async fn expectations(&mut self, schema: &DataType) -> Result<(), Error> {
        let names = column_names(schema);
        let search = &*self;
        let one = |expectation: &Expectation| {
            let expectation = expectation.clone();
            async move { search.expectation(&expectation, schema).await }
        };
        let results = all(search.step.expectations.iter().map(one), CONCURRENT).await;
        for result in results {
            self.found.append(result?);
        }
        for expectation in &self.step.expectations {
            for column in expectation.check.kind().columns_needed() {
                let columns = Columns { step: None, names: &names };
                found_missing(&column.value, column.span, columns, &mut self.found);
            }
        }
        Ok(())
    }

    /// Columns that outputs name.
    fn outputs(&mut self, schema: &DataType) {
        let names = column_names(schema);
        for column in self.step.sinks.iter().flat_map(|sink| sink.value.columns_needed()) {
            let columns = Columns { step: Some(self.step.name.value.as_str()), names: &names };
            found_misspelt(&column.value, column.span, columns, &mut self.found);
        }
    }

    async fn expectation(&self, expectation: &Expectation, schema: &DataType) -> Result<Diagnostics, Error> {
        const BEFORE: &str = "NOT (";
        let step = Some(self.step.name.value.as_str().to_owned());
        let scope = Scope { step, ..Scope::of(schema) };
        let mut found = Diagnostics::default();
        let steps = self.step_names();
        for expr in expectation.check.kind().expressions() {
            let sent = expr.sent(&self.context.pipeline.bindings, self.context.dialect.quotes());
            let analyse = async |text: String| {
                let condition = expression_string(format!("{BEFORE}{text}\n)"));
                self.context.analyse(filter(empty(columns_text(schema)), condition)).await
            };
            if let Err(error) = analyse(sent.text()).await? {
                let may_follow = self.is_doubtful || names_a_mask(expr.template(), &scope);
                if may_follow && !Complaint::of(&error).is_about_a_name() {
                    continue;
                }
                let inside = Inside::new(expr.template(), sent, BEFORE, &scope, &steps);
                found.append(inside.search(error, analyse).await?);
            }
        }
        Ok(found)
    }

    /// Names for the steps that the query names, each an empty table with the step's columns.
    async fn make_views(&self) -> Result<Vec<(String, String)>, Error> {
        let mut views = Vec::new();
        for (name, id) in &self.step.queried {
            let view = format!("pipectl_check_{}", name.to_lowercase());
            self.context.create_view(self.input(*id), &view).await?;
            views.push((name.clone(), view));
        }
        Ok(views)
    }

    fn step_names(&self) -> Vec<&str> {
        self.context.pipeline.steps.iter().map(|step| step.name.value.as_str()).collect()
    }

    fn schema_of(&self, id: StepId) -> DataType {
        self.inputs.get(&id).and_then(|known| known.schema.clone()).unwrap_or_default()
    }

    fn input(&self, id: StepId) -> Relation {
        empty(columns_text(&self.schema_of(id)))
    }

    /// Analyses the step up to, and without, a transform.
    async fn analyse(&self, upto: usize, masks: &Masks) -> Analysed {
        let pipeline = self.context.pipeline;
        let input = |name: &str| pipeline.find(name).map(|id| self.input(id)).unwrap_or_default();
        let relation = prefix(pipeline, self.context.dialect, self.id, upto, masks, &input, &self.views);
        self.context.analyse(relation).await
    }
}
