//! Turns an engine's complaint about an expression or a query into a diagnostic at its place, and says what to mask so that the
//! analysis goes on behind it.

use std::ops::Range;

use super::engine_error::Complaint;
use super::names::{Chain, alias_behind, alike, chains};
use super::scope::{Missing, Scope};
use crate::connect::ServerError;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::expr::{Sent, Template, Token, TokenKind};
use crate::name::is_name;
use crate::text::Span;

/// An expression or a query as it was sent.
pub(super) struct Text<'a> {
    pub(super) template: &'a Template,
    pub(super) sent: &'a Sent,
    /// What stands before it in what the engine was sent.
    pub(super) before: &'a str,
    pub(super) scope: &'a Scope,
    /// The names of the steps, which a query may have meant.
    pub(super) steps: &'a [&'a str],
    /// Whether it may give tables other names.
    pub(super) is_query: bool,
}

/// What is wrong, and how to get around it.
pub(super) struct Diagnosis {
    pub(super) complaint: Complaint,
    pub(super) diagnostic: Diagnostic,
    /// The bytes of the scanned text that it is about, where that is known exactly.
    pub(super) range: Option<Range<usize>>,
    pub(super) edits: Vec<Edit>,
}

/// Something to put in place of bytes of the scanned text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) with: With,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum With {
    /// A value of a type that is to be found out.
    Value,
    /// A table that exists.
    Table,
    Text(&'static str),
}

/// A mask for a call: its arguments are still looked at.
const CALL: [&str; 2] = ["if(isnull(struct(", ")), NULL, NULL)"];

impl Text<'_> {
    pub(super) fn diagnose(&self, error: &ServerError) -> Diagnosis {
        let complaint = Complaint::of(error);
        let place = self.place(error);
        let chains = chains(self.template);
        let diagnosis = match &complaint {
            Complaint::Column(names) => self.column(names, place.clone(), &chains, error),
            Complaint::Field(name) => self.field(name, place.as_ref(), &chains),
            Complaint::Ambiguous { name, meanings } => self.ambiguous(name, meanings, place.clone(), &chains),
            Complaint::Function(names) => function(names, place.clone(), &chains).map(|(chain, edits)| {
                let message = format!("there is no function `{}`", names.join("."));
                self.told(Code::Analysis, &chain.range(), message, edits)
            }),
            Complaint::Table(names) => self.table(names, &chains),
            Complaint::DataType(name) => self.data_type(name, place.clone()),
            Complaint::Ungrouped(Some(name)) => self.ungrouped(name, &chains),
            Complaint::Ungrouped(None)
            | Complaint::NotBoolean(_)
            | Complaint::Types(_)
            | Complaint::Syntax
            | Complaint::Other => None,
        };
        let (diagnostic, range, edits) = diagnosis.unwrap_or_else(|| {
            let range = place.filter(|range| !range.is_empty());
            let span = range.as_ref().map_or(self.template.span(), |range| self.template.place(range));
            let part = range.clone().filter(|range| *range != (0..self.template.scanned().len()));
            if complaint == Complaint::Syntax {
                let text = self.template.scanned();
                let word = range.clone().and_then(|range| text.get(range)).filter(|it| !it.is_empty());
                let message = match word {
                    Some(word) => format!("a syntax error at or near `{word}`"),
                    None => "a syntax error: something is missing at the end".to_owned(),
                };
                return (Diagnostic::new(Code::Analysis, span, message), range, Vec::new());
            }
            let edits = match (&complaint, part) {
                (Complaint::Types(_) | Complaint::Other, Some(range)) => {
                    vec![Edit { range, with: With::Value }]
                }
                _ => Vec::new(),
            };
            (Diagnostic::new(Code::Analysis, span, words(&complaint, error)), range, edits)
        });
        let diagnostic = diagnostic.called(error.class.clone(), error.sql_state.clone());
        Diagnosis { complaint, diagnostic, range, edits }
    }

    fn told(
        &self,
        code: Code,
        range: &Range<usize>,
        message: impl Into<String>,
        edits: Vec<Edit>,
    ) -> (Diagnostic, Option<Range<usize>>, Vec<Edit>) {
        (Diagnostic::new(code, self.template.place(range), message), Some(range.clone()), edits)
    }

    /// Where the engine says that it is, in the scanned text; where it says a point, the token there.
    fn place(&self, error: &ServerError) -> Option<Range<usize>> {
        let place = error.place.as_ref()?;
        let text = self.sent.text();
        let full = format!("{}{text}", self.before);
        let bytes = place.bytes(&full);
        let start = bytes.start.checked_sub(self.before.len())?;
        let end = bytes.end.checked_sub(self.before.len())?.min(text.len());
        let range = self.sent.scanned(&(start..end.max(start)));
        if end < text.len() && !matches!(place, crate::connect::ErrorPosition::Line { .. }) {
            return Some(range);
        }
        // An end that is not said, or one behind the last letter.
        let tokens = self.template.tokens();
        let at = tokens.iter().find(|token| token.range.contains(&range.start));
        let is_point = matches!(place, crate::connect::ErrorPosition::Line { .. }) || range.is_empty();
        match at.or(tokens.last()) {
            Some(token) if is_point => Some(token.range.clone()),
            _ => Some(range),
        }
    }

    fn column(
        &self,
        names: &[String],
        place: Option<Range<usize>>,
        chains: &[Chain],
        error: &ServerError,
    ) -> Option<(Diagnostic, Option<Range<usize>>, Vec<Edit>)> {
        let chain = column_at(names, place, chains)?;
        let mut missing = self.scope.missing(chain, |name| self.is_alias(name, chains));
        if missing.known.is_empty() && missing.what == "columns" {
            missing.known = proposed(error);
        }
        let code = Code::UnknownColumn;
        let (diagnostic, range, edits) =
            self.told(code, &missing.range, missing.message.clone(), everywhere(names, chain, chains));
        Some((with_help(diagnostic, &missing), range, edits))
    }

    fn field(
        &self,
        name: &str,
        place: Option<&Range<usize>>,
        chains: &[Chain],
    ) -> Option<(Diagnostic, Option<Range<usize>>, Vec<Edit>)> {
        let has = |chain: &&Chain| {
            chain.is_value() && chain.parts.iter().skip(1).any(|(part, _)| alike(part, name))
        };
        let at_place = |chain: &&Chain| place.is_none_or(|place| overlap(place, &chain.range()));
        let chain = chains.iter().filter(has).find(at_place)?;
        let missing = self.scope.missing(chain, |name| self.is_alias(name, chains));
        let names: Vec<String> = chain.parts.iter().map(|(name, _)| name.clone()).collect();
        let edits = everywhere(&names, chain, chains);
        let (diagnostic, range, edits) =
            self.told(Code::UnknownColumn, &missing.range, missing.message.clone(), edits);
        Some((with_help(diagnostic, &missing), range, edits))
    }

    fn ambiguous(
        &self,
        name: &[String],
        meanings: &[Vec<String>],
        place: Option<Range<usize>>,
        chains: &[Chain],
    ) -> Option<(Diagnostic, Option<Range<usize>>, Vec<Edit>)> {
        let chain = column_at(name, place, chains)?;
        let column = name.last()?;
        let mut sides = self.scope.sides_with(column);
        if sides.len() < 2 {
            sides = meanings.iter().filter_map(|meaning| meaning.iter().rev().nth(1).cloned()).collect();
            sides.sort_unstable();
            sides.dedup();
        }
        let message = format!("the column `{column}` is ambiguous: more than one input has it");
        let (diagnostic, range, edits) =
            self.told(Code::Analysis, &chain.range(), message, everywhere(name, chain, chains));
        let qualified: Vec<String> = sides.iter().map(|side| format!("`{side}.{column}`")).collect();
        let diagnostic = match qualified.as_slice() {
            [] | [_] => diagnostic.help("say which one: `step.column`"),
            some => diagnostic.help(format!("say which one: {}", some.join(" or "))),
        };
        Some((diagnostic, range, edits))
    }

    fn table(
        &self,
        names: &[String],
        chains: &[Chain],
    ) -> Option<(Diagnostic, Option<Range<usize>>, Vec<Edit>)> {
        // Sail says the last of the names alone.
        let is_meant = |chain: &&Chain| {
            chain.call.is_none()
                && (chain.is(names)
                    || names.len() == 1 && chain.parts.last().is_some_and(|(name, _)| alike(name, &names[0])))
        };
        let text = self.template.scanned();
        let tokens = self.template.tokens();
        let is_table = |chain: &&Chain| is_table(chain, &tokens, &text);
        let all: Vec<&Chain> = chains.iter().filter(is_meant).filter(is_table).collect();
        let chain = all.first()?;
        let shown: Vec<&str> = chain.parts.iter().map(|(name, _)| name.as_str()).collect();
        let edits = all.iter().map(|chain| Edit { range: chain.range(), with: With::Table }).collect();
        let message = format!("there is no table or view `{}`", shown.join("."));
        let (diagnostic, range, edits) = self.told(Code::Analysis, &chain.range(), message, edits);
        let diagnostic = if self.is_query {
            meant_step(diagnostic, &shown.join("."), self.steps)
        } else {
            diagnostic.help(
                "an expression can't read steps: `join` with `how: semi` or `anti`, or write a `sql` step",
            )
        };
        Some((diagnostic, range, edits))
    }

    fn data_type(
        &self,
        name: &str,
        place: Option<Range<usize>>,
    ) -> Option<(Diagnostic, Option<Range<usize>>, Vec<Edit>)> {
        let text = self.template.scanned();
        let tokens = self.template.tokens();
        let word = |token: &&Token| alike(token.text(&text), name);
        let range = place.or_else(|| tokens.iter().find(word).map(|token| token.range.clone()))?;
        let shown = text.get(range.clone()).unwrap_or(name);
        let message = format!("there is no data type `{shown}`");
        let edits = vec![Edit { range: range.clone(), with: With::Text("STRING") }];
        Some(self.told(Code::Analysis, &range, message, edits))
    }

    fn ungrouped(
        &self,
        name: &str,
        chains: &[Chain],
    ) -> Option<(Diagnostic, Option<Range<usize>>, Vec<Edit>)> {
        let is_meant = |chain: &&Chain| {
            chain.is_value() && chain.parts.last().is_some_and(|(last, _)| alike(last, name))
        };
        let chain = chains.iter().find(is_meant)?;
        let (diagnostic, range, edits) =
            self.told(Code::Analysis, &chain.range(), ungrouped(name), Vec::new());
        Some((diagnostic.help(help_for_ungrouped(name)), range, edits))
    }

    /// Whether a query gives a table this name: there it stands behind another name, or a bracket.
    fn is_alias(&self, name: &str, chains: &[Chain]) -> bool {
        if !self.is_query {
            return false;
        }
        let text = self.template.scanned();
        let tokens = self.template.tokens();
        let is_alone = |chain: &&Chain| chain.parts.len() == 1 && alike(&chain.parts[0].0, name);
        let is_called = |chain: &Chain| alias_behind(self.template, chain).is_some_and(|it| alike(&it, name));
        if chains.iter().any(|chain| is_table(chain, &tokens, &text) && is_called(chain)) {
            return true;
        }
        chains.iter().filter(is_alone).any(|chain| {
            let before = tokens.iter().rfind(|token| token.range.end <= chain.range().start);
            before.is_some_and(|before| before.kind == TokenKind::Symbol(')'))
        })
    }
}

/// Whether a name stands where a query names tables.
fn is_table(chain: &Chain, tokens: &[Token], text: &str) -> bool {
    let before = tokens
        .iter()
        .rfind(|token| token.range.end <= chain.range().start && token.kind != TokenKind::Comment);
    before.is_some_and(|before| {
        before.kind == TokenKind::Symbol(',')
            || ["from", "join", "table"].iter().any(|word| before.is_word(text, word))
    })
}

pub(super) fn ungrouped(name: &str) -> String {
    format!("`{name}` is neither grouped by nor inside an aggregate function")
}

pub(super) fn help_for_ungrouped(name: &str) -> String {
    format!("group by it too, or take any of a group's values: `any_value({name})`")
}

/// Proposes what a name could mean.
pub(super) fn with_help(diagnostic: Diagnostic, missing: &Missing) -> Diagnostic {
    /// Names that are shown.
    const MOST: usize = 20;
    let known = &missing.known;
    let steps: Vec<String> = missing.steps.iter().map(|step| format!("`{step}`")).collect();
    let diagnostic = match steps.split_last() {
        None => diagnostic,
        Some((only, [])) => diagnostic.label(format!("not found in {only}")),
        Some((last, others)) => diagnostic.label(format!("not found in {} or {last}", others.join(", "))),
    };
    if missing.is_beside {
        let name = &missing.name;
        return diagnostic.help(format!(
            "entries of one item do not see each other: make `{name}` in an item above this one"
        ));
    }
    if let Some(near) = nearest(&missing.name, known.iter().map(String::as_str)) {
        let diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        return in_place(diagnostic, &missing.name, near);
    }
    if known.is_empty() {
        return diagnostic;
    }
    let shown: Vec<String> = known.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if known.len() > shown.len() { ", …" } else { "" };
    diagnostic.help(format!("the {} are {}{more}", missing.what, shown.join(", ")))
}

/// Proposes the step that a table's name could mean.
pub(super) fn meant_step(diagnostic: Diagnostic, name: &str, steps: &[&str]) -> Diagnostic {
    match nearest(name, steps.iter().copied()) {
        Some(near) => in_place(diagnostic.help(format!("did you mean the step `{near}`?")), name, near),
        None => diagnostic,
    }
}

/// Proposes a name in place of a wrong one, where both are plain words and the place has nothing else.
fn in_place(diagnostic: Diagnostic, wrong: &str, near: &str) -> Diagnostic {
    let is_plain = is_name(wrong) && is_name(near) && diagnostic.span.len() == wrong.len();
    if is_plain { diagnostic.instead(near) } else { diagnostic }
}

/// What an engine says, in the words that all of them share.
pub(super) fn words(complaint: &Complaint, error: &ServerError) -> String {
    match complaint {
        Complaint::NotBoolean(found) => {
            format!("the condition is neither true nor false: its type is {found}")
        }
        Complaint::Ungrouped(Some(name)) => ungrouped(name),
        Complaint::Ungrouped(None) => {
            "a column is used where there is none, perhaps one that is neither grouped by nor inside an aggregate function".to_owned()
        }
        Complaint::Types(reason) => shortened(reason),
        Complaint::Column(names) => format!("there is no column `{}`", names.join(".")),
        Complaint::Function(names) => format!("there is no function `{}`", names.join(".")),
        Complaint::Table(names) => format!("there is no table or view `{}`", names.join(".")),
        Complaint::DataType(name) => format!("there is no data type `{}`", name.to_lowercase()),
        Complaint::Field(_) | Complaint::Ambiguous { .. } | Complaint::Syntax | Complaint::Other => {
            shortened(&error.to_string())
        }
    }
}

fn shortened(text: &str) -> String {
    /// Characters of an engine's message that are shown.
    const LONGEST: usize = 600;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// What the engine finds wrong at a place, under the names that it has for that.
pub(in crate::analysis) fn refused(
    error: &ServerError,
    span: Span,
    message: impl Into<String>,
) -> Diagnostic {
    Diagnostic::new(Code::Analysis, span, message).called(error.class.clone(), error.sql_state.clone())
}

/// The names that Spark proposes, without their qualifiers.
fn proposed(error: &ServerError) -> Vec<String> {
    let proposal = error.parameters.get("proposal").map(String::as_str).unwrap_or_default();
    let last = |text: &str| super::names::unquoted(text).pop();
    proposal.split(", ").filter_map(last).filter(|name| !name.is_empty()).collect()
}

/// The name that is meant: the one at the place, else the first that is written so.
fn column_at<'c>(names: &[String], place: Option<Range<usize>>, chains: &'c [Chain]) -> Option<&'c Chain> {
    let is_meant = |chain: &&Chain| chain.is_value() && (chain.is(names) || chain.begins_with(names));
    let at_place =
        place.and_then(|place| chains.iter().filter(is_meant).find(|chain| overlap(&place, &chain.range())));
    let exact = || chains.iter().find(|chain| chain.is_value() && chain.is(names));
    at_place.or_else(exact).or_else(|| chains.iter().find(is_meant))
}

/// The name wherever it stands.
fn everywhere(names: &[String], chain: &Chain, chains: &[Chain]) -> Vec<Edit> {
    let is_same = |other: &&Chain| *other == chain || (other.is_value() && other.is(names));
    chains.iter().filter(is_same).map(|chain| Edit { range: chain.range(), with: With::Value }).collect()
}

/// The call of a function that does not exist, and masks for all of its calls.
fn function<'c>(
    names: &[String],
    place: Option<Range<usize>>,
    chains: &'c [Chain],
) -> Option<(&'c Chain, Vec<Edit>)> {
    let is_meant = |chain: &&Chain| chain.call.is_some() && chain.is(names);
    let at_place =
        place.and_then(|place| chains.iter().filter(is_meant).find(|chain| overlap(&place, &chain.range())));
    let chain = at_place.or_else(|| chains.iter().find(is_meant))?;
    let mut edits = Vec::new();
    for chain in chains.iter().filter(is_meant) {
        let Some(call) = &chain.call else { continue };
        if call.len() <= "()".len() {
            edits.push(Edit { range: chain.range().start..call.end, with: With::Value });
            continue;
        }
        let [open, close] = CALL;
        edits.push(Edit { range: chain.range().start..call.start + 1, with: With::Text(open) });
        edits.push(Edit { range: call.end - 1..call.end, with: With::Text(close) });
    }
    Some((chain, edits))
}

pub(super) fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}
