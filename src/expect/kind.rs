//! Owns the questions that every kind of expectation answers.

use std::fmt::Debug;

use crate::expr::Expr;
use crate::lowering::{Checking, Lowering};
use crate::text::Spanned;

/// A condition, true for the rows that are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// What was expected, for the report.
    pub(crate) expected: String,
    /// SQL, for one engine.
    pub(crate) condition: String,
}

/// The questions that every kind of expectation answers.
pub(crate) trait ExpectationKind: Debug {
    /// What is wrong with its settings.
    fn check(&self, checking: &mut Checking<'_>);

    fn expressions(&self) -> Vec<&Expr> {
        Vec::new()
    }

    /// Columns that it names by themselves.
    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        Vec::new()
    }

    /// What makes a row wrong; one or more.
    fn violations(&self, lowering: &Lowering<'_>) -> Vec<Violation>;
}
