//! `table`: a table or view of the engine's catalog.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Setting};
use crate::expr::Template;
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::scalar::Segment;

/// Begins with a table or view of the engine's catalog: `sales.orders`, `${database}.orders`.
///
/// A variable in the name has the type `identifier`. The catalog of a private engine begins empty with each run, but a file is a table
/// too, under its format and its path at the engine. Sail has a catalog for each session.
///
/// ```json data/members.json
/// {"age": 34, "name": "Ann"}
/// {"age": 12, "name": "Bob"}
/// ```
///
/// ```yaml
/// version: 1
/// steps:
///   oldest:
///     table: json.`/data/members.json`
///     transform:
///       - sort: [age DESC]
///       - limit: 1
///     write: stdout
/// ```
///
/// ```text
/// age | name
/// ----+-----
///  34 | Ann
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minLength" = 1))]
pub(crate) struct Table(Template);

impl Kind for Table {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.table(&self.0);
    }

    fn place_of(&self, setting: Setting) -> Option<&Template> {
        (setting == Setting::Table).then_some(&self.0)
    }

    fn lower(&self, _schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        let name: String = self
            .0
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Text { text, .. } => text.clone(),
                Segment::Variable { index, .. } => lowering.bindings.get(*index).literal(),
            })
            .collect();
        relation::named_table(name)
    }
}
