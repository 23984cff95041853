//! `intersect` and `except`: the rows that other steps have too, or have not.
//!
//! By position both are relations of the protocol. By name no engine has them: the sides are united by name, each row as one value
//! beside the side it comes from, and equal rows are counted. Sail takes no heed of how often a row occurs in `INTERSECT ALL`: there the
//! copies of a row are numbered, which makes them different.

use schemars::JsonSchema;
use serde::Deserialize;

use super::union::By;
use super::{Matching, Names, RowOrder, TransformKind, Work};
use crate::dialect::Implementation;
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::spark::set_operation::SetOpType;
use crate::proto::spark::{Relation, SetOperation};
use crate::proto::{expression, relation};
use crate::shape::{Many, Short, Shorthand};
use crate::text::Span;

/// Keeps the rows that other steps have too, each once. In short: `intersect: [a, b]`.
///
/// Rows are equal where all their columns are; for this NULL equals NULL. With `all: true` a row stays as often as every side has it.
/// Rows come in no order. Columns that are matched need types that go together.
///
/// ```yaml
/// version: 1
/// steps:
///   members:
///     values: { columns: { name: string, town: string }, rows: [[Ann, Ulm], [Bob, null], [Bob, null], [Cem, Jena]] }
///   buyers:
///     values: { columns: { town: string, name: string }, rows: [[Ulm, Ann], [null, Bob], [Bonn, Cem]] }
///   both:
///     from: members
///     transform:
///       - intersect: buyers
///       - sort: [name]
///     write: stdout
/// ```
///
/// ```text
/// name | town
/// -----+-----
/// Ann  | Ulm
/// Bob  | NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Intersect(Short<SetOperationSettings>);

/// Removes the rows that other steps have, and keeps the others, each once. In short: `except: [a, b]`.
///
/// Rows are equal where all their columns are; for this NULL equals NULL. With `all: true` each row of the others removes one that is
/// equal to it, and the rest stays as it is. To compare some columns alone, `join` with `how: anti`. Rows come in no order. Columns that
/// are matched need types that go together.
///
/// ```yaml
/// version: 1
/// steps:
///   members:
///     values: { columns: { name: string }, rows: [[Ann], [Bob], [Bob], [null]] }
///   gone:
///     values: { columns: { name: string }, rows: [[Bob], [null]] }
///   left_over:
///     from: members
///     transform:
///       - except: { with: gone, all: true }
///       - sort: [name]
///     write: stdout
/// ```
///
/// ```text
/// name
/// ----
/// Ann
/// Bob
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Except(Short<SetOperationSettings>);

/// The settings of an intersection or a difference.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct SetOperationSettings {
    /// The steps whose rows are compared, one after the other.
    #[schemars(extend("minItems" = 1))]
    with: Many<StepRef>,
    /// How columns are matched.
    #[serde(default)]
    #[schemars(extend("default" = "name"))]
    by: By,
    /// Whether rows count as often as they occur; else each is kept once.
    #[serde(default)]
    all: bool,
}

impl Shorthand for SetOperationSettings {
    const NAME: &'static str = "$pipectl::short:with";
}

/// The side that a row comes from: 0 for the left, 1 for the right.
const SIDE: &str = "__pipectl_side";
/// A row as one value.
const ROW: &str = "__pipectl_row";
/// Which of several equal rows of a side it is.
const COPY: &str = "__pipectl_copy";
const FIRST: &str = "__pipectl_first";
const LAST: &str = "__pipectl_last";

impl SetOperationSettings {
    fn matching(&self) -> Matching {
        match self.by {
            By::Name => Matching::Name,
            By::Position => Matching::Position,
        }
    }

    fn lower(&self, operation: SetOpType, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let kept = self.with.iter().filter(|step| !lowering.masks.hides(step.span()));
        kept.fold(input, |left, step| {
            let right = lowering.input(step.as_str());
            match self.by {
                By::Name => self.by_name(operation, left, right),
                By::Position => self.by_position(operation, left, right, lowering),
            }
        })
    }

    fn by_position(
        &self,
        operation: SetOpType,
        left: Relation,
        right: Relation,
        lowering: &Lowering<'_>,
    ) -> Relation {
        let loses_count =
            operation == SetOpType::Intersect && lowering.dialect.implementation() == Implementation::Sail;
        if !(self.all && loses_count) {
            return set(operation, self.all, left, right);
        }
        let numbered = |input| {
            let copy = format!("row_number() OVER (PARTITION BY struct(*) ORDER BY 1) AS {COPY}");
            relation::project(input, ["*", &copy].map(expression::expression_string).to_vec())
        };
        relation::drop(set(operation, false, numbered(left), numbered(right)), vec![COPY.to_owned()])
    }

    fn by_name(&self, operation: SetOpType, left: Relation, right: Relation) -> Relation {
        let text = |text: String| expression::expression_string(text);
        let side =
            |input, side: &str| relation::with_columns(input, [(SIDE.to_owned(), text(side.to_owned()))]);
        let both = relation::union_by_name(side(left, "0"), side(right, "1"));
        let row = expression::without_field(text("struct(*)".to_owned()), SIDE);
        let mut rows =
            relation::project(both, vec![expression::alias(row, ROW), expression::attribute(SIDE)]);
        let mut keys = vec![expression::attribute(ROW)];
        if self.all {
            let copy = format!("row_number() OVER (PARTITION BY {ROW}, {SIDE} ORDER BY {SIDE})");
            rows = relation::with_columns(rows, [(COPY.to_owned(), text(copy))]);
            keys.push(expression::attribute(COPY));
        }
        let counts = [("min", FIRST), ("max", LAST)];
        let counts =
            counts.map(|(function, name)| expression::alias(text(format!("{function}({SIDE})")), name));
        let last = i32::from(operation == SetOpType::Intersect);
        let kept = text(format!("{FIRST} = 0 AND {LAST} = {last}"));
        let groups = relation::filter(relation::aggregate(rows, keys, counts.to_vec()), kept);
        relation::project(groups, vec![text(format!("{ROW}.*"))])
    }
}

fn set(operation: SetOpType, all: bool, left: Relation, right: Relation) -> Relation {
    let settings =
        SetOperation { set_op_type: operation.into(), is_all: Some(all), ..SetOperation::default() };
    relation::set_operation(left, right, settings)
}

/// The questions that both kinds answer alike.
macro_rules! set_operation {
    ($kind:ty, $operation:expr) => {
        impl TransformKind for $kind {
            fn inputs(&self) -> Vec<&StepRef> {
                self.0.0.with.iter().collect()
            }

            fn check(&self, checking: &mut Checking<'_>) {
                checking.not_empty(self.0.0.with.is_empty(), "the steps");
            }

            fn matching(&self) -> Option<Matching> {
                Some(self.0.0.matching())
            }

            fn parts(&self) -> Vec<Span> {
                self.0.0.with.iter().map(StepRef::span).collect()
            }

            fn order(&self) -> RowOrder<'_> {
                RowOrder::Gone
            }

            fn work(&self) -> Work {
                Work::Heavy
            }

            fn names(&self) -> Names<'_> {
                Names::Gone
            }

            fn depth(&self) -> usize {
                match self.0.0.by {
                    By::Name => 7 * self.0.0.with.len(),
                    By::Position => self.0.0.with.len(),
                }
            }

            fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
                self.0.0.lower($operation, input, lowering)
            }
        }
    };
}

set_operation!(Intersect, SetOpType::Intersect);
set_operation!(Except, SetOpType::Except);
