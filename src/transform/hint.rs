//! `hint`: tells the engine how to go about its work.
//!
//! Sail takes no columns in its hints, so that it is told by a relation where those of a hint shall decide.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::dialect::Implementation;
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Hint as Told, Relation};
use crate::proto::{expression, relation};
use crate::shape::{Many, Short, Shorthand};
use crate::text::Spanned;

/// Tells the engine how to go about its work; the rows stay as they are. In short: `hint: broadcast`.
///
/// Spark knows `broadcast`, `merge`, `shuffle_hash` and `shuffle_replicate_nl` for the joins of these rows, best said last in the step
/// that is joined, and `coalesce`, `repartition`, `repartition_by_range` and `rebalance` for their partitions, with a number and columns
/// as parameters. Sail passes over those for joins. Engines pass over what they don't know, and say nothing.
///
/// ```yaml
/// version: 1
/// steps:
///   sales:
///     values: { columns: { town: int, price: int }, rows: [[1, 5], [1, 7]] }
///   towns:
///     values: { columns: { id: int, town: string }, rows: [[1, Ulm]] }
///     transform:
///       - hint: broadcast
///   by_town:
///     from: sales
///     transform:
///       - join: { with: towns, on: sales.town = towns.id }
///       - aggregate: { by: towns.town, columns: { total: sum(price) } }
///     write: stdout
/// ```
///
/// ```text
/// town | total
/// -----+------
/// Ulm  |    12
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Hint(Short<HintSettings>);

/// The settings of a hint.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct HintSettings {
    /// What the engine calls it.
    #[schemars(extend("examples" = KNOWN))]
    name: Spanned<String>,
    /// What it takes: numbers, columns.
    parameters: Option<Many<Expr>>,
}

impl Shorthand for HintSettings {
    const NAME: &'static str = "$pipectl::short:name";
}

/// Those of Spark, without their further names.
const KNOWN: [&str; 8] = [
    "broadcast",
    "merge",
    "shuffle_hash",
    "shuffle_replicate_nl",
    "coalesce",
    "repartition",
    "repartition_by_range",
    "rebalance",
];
/// Its further names.
const ALSO: [&str; 5] = ["broadcastjoin", "mapjoin", "shuffle_merge", "mergejoin", "skew"];

impl HintSettings {
    fn parameters(&self) -> impl Iterator<Item = &Expr> {
        self.parameters.iter().flat_map(|parameters| parameters.iter())
    }
}

/// Hints that bring rows elsewhere, so that nobody may rely on their order.
const MOVING: [&str; 4] = ["repartition", "repartition_by_range", "rebalance", "coalesce"];

impl TransformKind for Hint {
    fn check(&self, checking: &mut Checking<'_>) {
        let name = &self.0.0.name;
        let plain = name.value.to_lowercase();
        let is_known = KNOWN.iter().chain(&ALSO).any(|known| *known == plain);
        if name.value.trim().is_empty() {
            checking.report(Diagnostic::new(Code::Settings, name.span, "the hint is empty"));
        } else if !is_known && let Some(near) = nearest(&plain, KNOWN) {
            let message = format!("`{}` is no hint that Spark knows", name.value);
            checking.report(
                Diagnostic::new(Code::Settings, name.span, message)
                    .label("engines would pass over it, and say nothing")
                    .help(format!("did you mean `{near}`?"))
                    .instead(near),
            );
        }
        for parameter in self.0.0.parameters() {
            parameter.check(Role::Value, checking.found);
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.0.0.parameters().collect()
    }

    fn order(&self) -> RowOrder<'_> {
        let name = self.0.0.name.value.to_lowercase();
        if MOVING.iter().any(|moving| name == *moving) { RowOrder::Gone } else { RowOrder::Kept }
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let kept = || self.0.0.parameters().filter(|parameter| !lowering.masks.hides(parameter.span()));
        let name = self.0.0.name.value.to_lowercase();
        let moves = ["repartition", "repartition_by_range"].contains(&name.as_str());
        if moves && lowering.dialect.implementation() == Implementation::Sail {
            let number = |parameter: &&Expr| parameter.template().plain().trim().parse::<i32>().ok();
            let count = kept().next().as_ref().and_then(number);
            let columns: Vec<_> = kept().skip(usize::from(count.is_some())).collect();
            if !columns.is_empty() {
                let column = |expr: &Expr| match name.as_str() {
                    "repartition" => lowering.expr(expr),
                    _ => expression::sorted(lowering.expr(expr)),
                };
                let columns = columns.into_iter().map(column).collect();
                return relation::repartition_by(input, columns, count);
            }
        }
        relation::of(RelType::Hint(Box::new(Told {
            input: Some(Box::new(input)),
            name: self.0.0.name.value.clone(),
            parameters: kept().map(|parameter| lowering.expr(parameter)).collect(),
        })))
    }
}
