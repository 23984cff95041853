//! `union`: adds the rows of other steps.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{Matching, Names, RowOrder, TransformKind, Work};
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::{Many, Short, Shorthand};
use crate::text::Span;

/// Adds the rows of other steps; rows that occur several times are kept. In short: `union: [a, b]`.
///
/// Add `- distinct` to keep one of equal rows. Rows come in no order. Columns that are matched need types that go together; a number
/// and a string fail on Spark, and become strings on Sail.
///
/// ```yaml
/// version: 1
/// steps:
///   here:
///     values: { columns: { name: string, age: int }, rows: [[Ann, 34]] }
///   there:
///     values: { columns: { name: string, town: string }, rows: [[Bob, Ulm]] }
///   both:
///     from: here
///     transform:
///       - union: { with: there, missing: null }
///       - sort: [name]
///     write: stdout
/// ```
///
/// ```text
/// name |  age | town
/// -----+------+-----
/// Ann  |   34 | NULL
/// Bob  | NULL | Ulm
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Union(Short<UnionSettings>);

/// The settings of a union.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct UnionSettings {
    /// The steps whose rows are added, in this order.
    #[schemars(extend("minItems" = 1))]
    with: Many<StepRef>,
    /// How columns are matched.
    #[serde(default)]
    #[schemars(extend("default" = "name"))]
    by: By,
    /// What becomes of columns that one side lacks, when they are matched by name.
    #[serde(default, deserialize_with = "missing")]
    #[schemars(with = "Missing", extend("default" = "error"))]
    missing: Missing,
}

impl Shorthand for UnionSettings {
    const NAME: &'static str = "$pipectl::short:with";
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// By their names, whatever their order.
    #[default]
    Name,
    /// By their order, whatever their names.
    Position,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Missing {
    /// It is an error.
    #[default]
    Error,
    /// They are NULL there.
    Null,
}

/// YAML's own `null` is how `null` is naturally written.
fn missing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Missing, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(Missing::Null))
}

impl UnionSettings {
    fn matching(&self) -> Matching {
        match (self.by, self.missing) {
            (By::Position, _) => Matching::Position,
            (By::Name, Missing::Error) => Matching::Name,
            (By::Name, Missing::Null) => Matching::NameOrNull,
        }
    }
}

impl TransformKind for Union {
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

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let settings = &self.0.0;
        let kept = settings.with.iter().filter(|step| !lowering.masks.hides(step.span()));
        let unite = match settings.matching() {
            Matching::Name => relation::union_by_name,
            Matching::NameOrNull => relation::union_or_null,
            Matching::Position => relation::union_by_position,
        };
        kept.fold(input, |left, step| unite(left, lowering.input(step.as_str())))
    }
}
