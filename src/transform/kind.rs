//! Owns the questions that every kind of transform answers.

use std::fmt::Debug;

use super::matching::Matching;
use super::order::RowOrder;
use crate::dialect::Dialect;
use crate::expr::{Bindings, Constant, Expr, Template};
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::spark::Relation;
use crate::text::{Span, Spanned};

/// What doing a step's work again for another reader would mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// Little: it passes rows on.
    Light,
    /// Much: rows are brought together.
    Heavy,
    /// Another result: which rows there are is not determined.
    Undetermined,
}

/// What becomes of the names by which a join has qualified columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names<'a> {
    /// They stay as they are.
    Kept,
    /// The input's columns are qualified by the step they come from, those of earlier joins by theirs.
    Wanted,
    /// All of the input's columns are qualified by the step they come from, those of earlier joins too.
    Renewed,
    /// All columns are qualified by this name, and so is what the step makes of them.
    Called(&'a str),
    /// New columns are made, which have no qualifier.
    Gone,
}

/// A value that goes into columns or is looked for in them. Engines pass over it in silence where their types are others.
#[derive(Debug)]
pub(crate) struct Placed<'a> {
    /// It must fit one of them.
    pub(crate) columns: Vec<&'a Spanned<String>>,
    pub(crate) value: &'a Constant,
    /// Whether the columns must be spelt as they are, capital letters too.
    pub(crate) is_exact: bool,
    /// Whether it takes the place of another one, of which it is told where its kind fits no column.
    pub(crate) is_second: bool,
}

/// The questions that every kind of transform answers.
pub(crate) trait TransformKind: Debug {
    /// Which steps it reads, besides its own input.
    fn inputs(&self) -> Vec<&StepRef> {
        Vec::new()
    }

    /// What is wrong with its settings.
    fn check(&self, checking: &mut Checking<'_>);

    /// What this engine lacks for it: the missing thing, and the engines that have it.
    fn gap(&self, _dialect: &Dialect) -> Option<String> {
        None
    }

    /// Its expressions, so that an engine's complaint can be narrowed down to one. Where they build on each other, `stages` is answered in
    /// place of it.
    fn expressions(&self) -> Vec<&Expr> {
        Vec::new()
    }

    /// Its expressions in groups: whether those of a group are right depends on the groups before it.
    fn stages(&self) -> Vec<Vec<&Expr>> {
        vec![self.expressions()]
    }

    /// Its query, where it is one over its input, which then has a name at the engine.
    fn query(&self) -> Option<&Template> {
        None
    }

    /// Settings besides its expressions that can be left out one by one, for the same purpose.
    fn parts(&self) -> Vec<Span> {
        Vec::new()
    }

    /// Whether it reads the steps beside it twice, so that their rows are better not worked out by each reading.
    fn reads_twice(&self) -> bool {
        false
    }

    /// How its columns are matched with those of the steps beside it, where all of them are.
    fn matching(&self) -> Option<Matching> {
        None
    }

    /// Columns that its input and the step beside it must both have.
    fn columns_shared(&self) -> Vec<&Spanned<String>> {
        Vec::new()
    }

    /// Columns that the last of its stages may name, besides those of its input.
    fn columns_made(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether its columns are known only when its rows are.
    fn columns_come_from_rows(&self) -> bool {
        false
    }

    /// Columns that its input must have, and whose absence engines pass over in silence.
    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        Vec::new()
    }

    /// Values, and the columns that they must fit.
    fn values(&self, _bindings: &Bindings) -> Vec<Placed<'_>> {
        Vec::new()
    }

    /// Columns that it makes, and that its expressions do not see.
    fn columns_beside(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether these must be spelt as the columns are, capital letters too, because an engine passes over others.
    fn spelt_exactly(&self) -> bool {
        false
    }

    /// Whether its result may have two columns of one name.
    fn may_repeat_columns(&self) -> bool {
        false
    }

    fn work(&self) -> Work {
        Work::Light
    }

    fn names(&self) -> Names<'_> {
        Names::Kept
    }

    /// What becomes of the order of rows.
    fn order(&self) -> RowOrder<'_> {
        RowOrder::Kept
    }

    /// How many relations it nests above its input, but for the outermost.
    fn depth(&self) -> usize {
        0
    }

    /// The name by which its further columns are qualified, and where it stands.
    fn new_name(&self) -> Option<(&str, Span)> {
        None
    }

    /// The relation it is, given its input.
    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation;
}
