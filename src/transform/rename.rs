//! `rename`: gives columns new names.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Order};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::Entries;
use crate::text::Spanned;

/// Gives columns new names: `old: new`. A column that does not exist is a mistake.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Rename(Entries<String>);

impl Kind for Rename {
    fn check(&self, _checking: &mut Checking<'_>) {}

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.iter().map(|(old, _)| old).collect()
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> Order<'_> {
        let both = self.0.iter().flat_map(|(old, new)| [old.value.as_str(), new.as_str()]);
        Order::Changed(Some(both.collect()))
    }

    fn lower(&self, input: Relation, _lowering: &Lowering<'_>) -> Relation {
        relation::renamed(input, self.0.iter().map(|(old, new)| (old.value.clone(), new.clone())))
    }
}
