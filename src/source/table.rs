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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
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
