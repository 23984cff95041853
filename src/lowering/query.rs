//! A query as it is sent: its values as arguments, and names for the rows that it may call as if they were tables.

use std::collections::BTreeMap;

use super::Lowering;
use crate::expr::{Sent, Template, without_end};
use crate::name::quoted;
use crate::proto::relation;
use crate::proto::spark::{Expression, Relation};

impl Lowering<'_> {
    /// A query of the user's, which may name the views of this lowering.
    pub(crate) fn query(&self, query: &Template) -> Relation {
        let (sent, arguments) = self.sent(query);
        let text = self.masks.text(query.span()).map_or_else(|| sent.text(), str::to_owned);
        let (before, behind) = around(self.views);
        relation::sql(format!("{before}{text}{behind}"), arguments)
    }

    /// The user's query as it is sent, its values as arguments.
    pub(crate) fn sent(&self, query: &Template) -> (Sent, BTreeMap<String, Expression>) {
        let mut arguments = BTreeMap::new();
        let mut sent = query.sent(self.dialect.quotes(), |index| self.marker(index, &mut arguments));
        sent.truncate(without_end(&sent.text()).len());
        (sent, arguments)
    }

    /// A variable in a query: the name of its argument, or its own text where the grammar takes no argument.
    fn marker(&self, index: u32, arguments: &mut BTreeMap<String, Expression>) -> String {
        let bound = self.bindings.get(index);
        let Some(value) = Self::argument(bound) else { return bound.literal() };
        let name = format!("pipectl_{index}");
        let marker = format!(":{name}");
        arguments.insert(name, value);
        marker
    }
}

/// What stands before the user's query and behind it: a name for each view that it may name.
pub(crate) fn around(views: &[(String, String)]) -> (String, &'static str) {
    if views.is_empty() {
        return (String::new(), "");
    }
    let names: Vec<String> =
        views.iter().map(|(name, view)| format!("{} AS (SELECT * FROM {view})", quoted(name))).collect();
    // The line break ends a comment on the query's last line.
    (format!("WITH {} (", names.join(", ")), "\n)")
}
