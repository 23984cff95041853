//! Owns the questions that every kind of source answers.

use std::fmt::Debug;

use crate::dialect::Dialect;
use crate::expr::{Expr, Template};
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::spark::Relation;
use crate::text::{Span, Spanned};

/// Settings that engines complain about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Table,
    Function,
    /// The version of a table.
    History,
    Path,
    Schema,
}

/// What an engine shall find out of data that has no names and types of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What its first line tells.
    FirstLine,
    /// What all of it tells.
    Types,
}

/// The questions that every kind of source answers.
pub(crate) trait SourceKind: Debug {
    /// The steps it reads.
    fn inputs(&self) -> Vec<&StepRef> {
        Vec::new()
    }

    /// Names that are steps where there is a step of that name, and something else where not.
    fn mentions(&self) -> Vec<Spanned<String>> {
        Vec::new()
    }

    /// What is wrong with its settings.
    fn check(&self, checking: &mut Checking<'_>);

    /// Settings that can be left out one by one, so that an engine's complaint can be narrowed down to one.
    fn parts(&self) -> Vec<Span> {
        Vec::new()
    }

    /// Expressions that see no columns, and are right or wrong by themselves.
    fn arguments(&self) -> Vec<&Expr> {
        Vec::new()
    }

    /// Where a setting stands that an engine may complain about.
    fn place_of(&self, _setting: Setting) -> Option<&Template> {
        None
    }

    /// What this engine lacks for it.
    fn gap(&self, _dialect: &Dialect) -> Option<String> {
        None
    }

    /// The paths it reads at the engine.
    fn paths(&self) -> &[Template] {
        &[]
    }

    /// The format of what it reads, where it says one.
    fn format(&self) -> Option<&str> {
        None
    }

    /// Whether its data has no names and types of its own, so that a contract gives them.
    fn takes_schema(&self) -> bool {
        false
    }

    /// Whether the first line of its data is a header; nothing where there is no such line, or the data has types of its own.
    fn has_header(&self) -> Option<bool> {
        None
    }

    /// It without names and types that anybody gives, where its data has none of its own.
    fn as_found(&self, _wanted: Wanted, _lowering: &Lowering<'_>) -> Option<Relation> {
        None
    }

    /// Whether it does work that is worth keeping when several steps read it.
    fn is_heavy(&self) -> bool {
        false
    }

    /// The relation it is; `schema` is the contract's, as DDL.
    fn lower(&self, schema: Option<&str>, lowering: &Lowering<'_>) -> Relation;
}
