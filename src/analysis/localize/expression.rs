//! Searches one expression, or one query, for all that is wrong in it: what is found is masked, and the engine is asked again.

use std::collections::HashSet;
use std::ops::Range;

use super::diagnosis::{Diagnosis, Edit, Text, With, overlap};
use super::engine_error::Complaint;
use super::names::{Chain, alias_behind, alike, chains};
use super::scope::Scope;
use crate::analysis::context::Analysed;
use crate::connect::{Error, ServerError};
use crate::diagnostic::Diagnostics;
use crate::expr::{Sent, Template};

/// A table that exists, in place of those that do not.
pub(super) const SOME_TABLE: &str = "pipectl_check_some";

/// Mistakes that are looked for in one expression.
const MOST: usize = 40;

/// Values in place of what is wrong: one of them has a type that fits what is around it.
const VALUES: [&str; 6] = [
    "NULL",
    "CAST(NULL AS INT)",
    "CAST(NULL AS STRING)",
    "CAST(NULL AS DATE)",
    "CAST(NULL AS BOOLEAN)",
    "array(CAST(NULL AS STRING))",
];

/// An expression or a query, to be searched.
pub(super) struct Inside<'a> {
    pub(super) template: &'a Template,
    pub(super) sent: Sent,
    /// What stands before it in what the engine is sent.
    pub(super) before: &'a str,
    pub(super) scope: &'a Scope,
    pub(super) steps: &'a [&'a str],
    edits: Vec<Edit>,
    is_query: bool,
    /// Names of tables that do not exist: what their columns are is not known.
    unknown: HashSet<String>,
}

impl<'a> Inside<'a> {
    pub(super) fn new(
        template: &'a Template,
        sent: Sent,
        before: &'a str,
        scope: &'a Scope,
        steps: &'a [&'a str],
    ) -> Self {
        Self {
            template,
            sent,
            before,
            scope,
            steps,
            edits: Vec::new(),
            is_query: false,
            unknown: HashSet::new(),
        }
    }

    /// A query, in which tables may have other names.
    pub(super) fn of_query(self) -> Self {
        Self { is_query: true, ..self }
    }

    /// All mistakes that can be told apart, beginning with the one of `first`; `analyse` asks the engine about another text.
    pub(super) async fn search(
        mut self,
        first: Box<ServerError>,
        analyse: impl AsyncFn(String) -> Analysed,
    ) -> Result<Diagnostics, Error> {
        let mut found = Diagnostics::default();
        let mut error = first;
        let mut sent = self.sent.clone();
        for _ in 0..MOST {
            let diagnosis = self.text(&sent).diagnose(&error);
            if self.is_news(&diagnosis) {
                found.push(diagnosis.diagnostic.clone());
            }
            if !self.mask(&diagnosis) {
                break;
            }
            let mut next = None;
            for value in VALUES {
                sent = self.masked(value);
                match analyse(sent.text()).await? {
                    Ok(_) => return Ok(found),
                    Err(refusal) => {
                        let again = self.text(&sent).diagnose(&refusal);
                        let is_clear = again.complaint.is_about_a_name() || self.is_apart(&again);
                        if is_clear {
                            next = Some(refusal);
                            break;
                        }
                    }
                }
                if !self.edits.iter().any(|edit| edit.with == With::Value) {
                    break;
                }
            }
            match next {
                Some(refusal) => error = refusal,
                // What is left may be no more than what the masks bring about.
                None => break,
            }
        }
        Ok(found)
    }

    fn text<'t>(&'t self, sent: &'t Sent) -> Text<'t> {
        Text {
            template: self.template,
            sent,
            before: self.before,
            scope: self.scope,
            steps: self.steps,
            is_query: self.is_query,
        }
    }

    fn masked(&self, value: &str) -> Sent {
        let mut sent = self.sent.clone();
        for edit in &self.edits {
            let text = match edit.with {
                With::Value => value,
                With::Table => SOME_TABLE,
                With::Text(text) => text,
            };
            sent.mask(&edit.range, text);
        }
        sent
    }

    /// Remembers what is to be masked; false where nothing new is.
    fn mask(&mut self, diagnosis: &Diagnosis) -> bool {
        let mut is_new = false;
        for edit in &diagnosis.edits {
            if edit.with == With::Table {
                self.forget_columns_of(edit);
            }
            // A larger one swallows those inside it.
            if self.edits.iter().any(|known| contains(&known.range, &edit.range)) {
                continue;
            }
            self.edits.retain(|known| !contains(&edit.range, &known.range));
            self.edits.push(edit.clone());
            is_new = true;
        }
        is_new
    }

    fn forget_columns_of(&mut self, edit: &Edit) {
        let chains = chains(self.template);
        let Some(chain) = chains.iter().find(|chain| chain.range() == edit.range) else { return };
        self.unknown.extend(chain.parts.last().map(|(name, _)| name.to_lowercase()));
        self.unknown.extend(alias_behind(self.template, chain).map(|name| name.to_lowercase()));
    }

    /// Whether it is a mistake of its own, and not one that follows from another.
    fn is_news(&self, diagnosis: &Diagnosis) -> bool {
        let Complaint::Column(names) = &diagnosis.complaint else { return true };
        if self.unknown.is_empty() {
            return true;
        }
        // A column without a qualifier may be one of the table that is missing.
        let qualifier = names.iter().rev().nth(1);
        qualifier.is_some_and(|name| !self.unknown.contains(&name.to_lowercase()))
    }

    /// Whether it is known to be about something else than what is masked.
    fn is_apart(&self, diagnosis: &Diagnosis) -> bool {
        if matches!(diagnosis.complaint, Complaint::Ungrouped(_)) {
            return false;
        }
        let is_whole = |range: &Range<usize>| *range == (0..self.template.scanned().len());
        diagnosis.range.as_ref().is_some_and(|range| {
            !is_whole(range) && !self.edits.iter().any(|edit| overlap(range, &edit.range))
        })
    }
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Whether a name may be a column that stands in for something wrong.
pub(super) fn names_a_mask(template: &Template, scope: &Scope) -> bool {
    chains(template).iter().filter(|chain: &&Chain| chain.is_value()).any(|chain| scope.is_masked(chain))
}

/// Whether one of the names of a list is this one.
pub(super) fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| alike(known, name))
}
