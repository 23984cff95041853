//! Owns what is wrong with the user's file: what, where, why, and how to fix it.
//!
//! This is data. Producers return it, `report` prints it.

mod code;
mod excerpt;
mod suggestion;

use crate::text::Span;

pub(crate) use code::{Code, Severity};
pub(crate) use excerpt::{Excerpt, Extent};
pub(crate) use suggestion::{Applicability, Suggestion};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) code: Code,
    pub(crate) span: Span,
    /// One sentence: what is wrong.
    pub(crate) message: String,
    /// A few words beside the caret.
    pub(crate) label: Option<String>,
    /// Other places that belong to it.
    pub(crate) related: Vec<(Span, String)>,
    /// What belongs to it, a line each.
    pub(crate) notes: Vec<String>,
    /// How to fix it, in words.
    pub(crate) help: Vec<String>,
    /// How to fix it, as edits: each is an alternative to the others.
    pub(crate) suggestions: Vec<Suggestion>,
    /// What the engine calls it, where it is the engine that has found it: the error's class, and the SQL state.
    pub(crate) class: Option<String>,
    pub(crate) sql_state: Option<String>,
}

impl Diagnostic {
    /// A secret at a place where it would be seen.
    pub(crate) fn secret(span: Span) -> Self {
        Self::new(Code::Secret, span, "a secret would be seen here: messages, files or processes show this text").help(
            "secrets stand in expressions, queries, rows of `values`, options and `conf`; in a target in `token`, `conf` and `vars`",
        )
    }

    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            label: None,
            related: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            suggestions: Vec::new(),
            class: None,
            sql_state: None,
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.code.severity() == Severity::Error
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// What the engine calls it.
    pub(crate) fn called(mut self, class: Option<String>, sql_state: Option<String>) -> Self {
        (self.class, self.sql_state) = (class, sql_state);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds an edit that fixes it.
    pub(crate) fn suggestion(mut self, suggestion: Suggestion) -> Self {
        self.suggestions.push(suggestion);
        self
    }

    /// Says what a key is called here, and proposes it in place of the whole span.
    pub(crate) fn called_here(self, key: &str) -> Self {
        let suggestion = Suggestion::machine_applicable(self.span, key);
        self.help(format!("here it is called `{key}`")).suggestion(suggestion)
    }

    /// Proposes a text in place of the whole span, as one can type it.
    pub(crate) fn write(self, text: &str) -> Self {
        let suggestion = Suggestion::machine_applicable(self.span, text);
        self.help(format!("write `{text}`")).suggestion(suggestion)
    }

    /// Proposes another name in place of the whole span, which the heading calls wrong.
    pub(crate) fn instead(self, name: &str) -> Self {
        let suggestion = Suggestion::name(self.span, name);
        self.suggestion(suggestion)
    }

    /// Proposes the nearest of `known` names in place of the whole span, where one is near, and otherwise lists them
    /// where they are few.
    pub(crate) fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let near = nearest(wrong, known.iter().copied());
        let diagnostic = self.near(wrong, known);
        if let Some(near) = near { diagnostic.instead(near) } else { diagnostic }
    }

    /// The same in words alone, for a name that is not the whole span.
    pub(crate) fn near<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        const FEW: usize = 12;
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(near) = nearest(wrong, known.iter().copied()) {
            return self.help(format!("did you mean `{near}`?"));
        }
        if known.is_empty() || known.len() > FEW {
            return self;
        }
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.help(format!("expected one of {list}"))
    }
}

/// The name nearest to `wrong`, where it is near enough for a slip of the finger.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    let length = lower.chars().count();
    let allowed = match length {
        0 => return None,
        1..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .filter(|name| name.chars().count().abs_diff(length) <= allowed)
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Returns how many errors there are, in words; of warnings that are errors, how many these are.
pub(crate) fn counted(diagnostics: &[Diagnostic]) -> String {
    match diagnostics.iter().filter(|one| one.is_error()).count() {
        0 if diagnostics.len() == 1 => "1 warning, and `--deny-warnings` takes it for a mistake".to_owned(),
        0 => format!("{} warnings, and `--deny-warnings` takes them for mistakes", diagnostics.len()),
        1 => "1 mistake".to_owned(),
        errors => format!("{errors} mistakes"),
    }
}

/// All that was found, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(diagnostics);
    }

    /// Those that were found since there were so many.
    pub(crate) fn since(&mut self, count: usize) -> impl Iterator<Item = &mut Diagnostic> {
        self.0.iter_mut().skip(count)
    }

    pub(crate) fn contains(&self, diagnostic: &Diagnostic) -> bool {
        self.0.contains(diagnostic)
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Whether a source is other than its contract says.
    pub(crate) fn has_contract(&self) -> bool {
        self.0.iter().any(|one| one.code == Code::Contract)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn without(mut self, codes: &[Code]) -> Self {
        self.0.retain(|one| !codes.contains(&one.code));
        self
    }

    /// Sorts by place and drops exact repetitions.
    pub(crate) fn sorted(mut self) -> Vec<Diagnostic> {
        self.0.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        self.0.dedup();
        self.0
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, items: I) {
        self.0.extend(items);
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names_are_proposed() {
        let known = ["orders", "customers", "id"];
        for (wrong, near) in [
            ("ordres", Some("orders")),
            ("ORDERS", Some("orders")),
            ("custmer", Some("customers")),
            ("ids", Some("id")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known), near, "{wrong}");
        }
    }
}
