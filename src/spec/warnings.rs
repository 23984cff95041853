//! Owns what is legal and probably wrong, as far as several parts of a file together show it.

use std::collections::{BTreeMap, HashSet};

use super::step::StepSpec;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{Template, TokenKind};
use crate::lowering::normal;
use crate::pipeline::StepId;
use crate::sink::{OutputPlace, Sink};
use crate::text::Span;
use crate::transform::{Names, RowOrder, Transform};

/// Words of a condition that are no columns.
const NO_COLUMNS: [&str; 13] = [
    "and", "or", "not", "is", "null", "true", "false", "between", "in", "like", "distinct", "from", "escape",
];

/// Warns of limits that no sort stands before: which rows they keep is chance. `from` is the step that each one begins with.
pub(super) fn limits(specs: &[StepSpec], from: impl Fn(usize) -> Option<StepId>, found: &mut Diagnostics) {
    let mut known: Vec<Option<bool>> = vec![None; specs.len()];
    for at in 0..specs.len() {
        // From the step outward to one whose order is known; a circle, which was reported, ends at its second visit.
        let mut chain = vec![at];
        while let Some(StepId(next)) = chain.last().and_then(|last| from(*last))
            && known[next].is_none()
            && !chain.contains(&next)
        {
            chain.push(next);
        }
        for at in chain.into_iter().rev().filter(|at| known[*at].is_none()).collect::<Vec<_>>() {
            let before = from(at).and_then(|StepId(before)| known[before]).unwrap_or_default();
            known[at] = Some(limits_of(&specs[at], before, found));
        }
    }
}

/// Whether the step's rows are in an order, told whether its input's are.
fn limits_of(spec: &StepSpec, is_sorted: bool, found: &mut Diagnostics) -> bool {
    let query = spec.source.as_ref().and_then(|source| source.value.query());
    let mut is_sorted = query.map_or(is_sorted, orders);
    for transform in &spec.transforms {
        match transform.value.kind().order() {
            RowOrder::Made(_) | RowOrder::Own { .. } => is_sorted = true,
            RowOrder::Gone => is_sorted = transform.value.kind().query().is_some_and(orders),
            RowOrder::Decisive if !is_sorted => {
                let message = "without a `sort` before it this takes any rows, and others in the next run";
                found.push(
                    Diagnostic::new(Code::LimitWithoutSort, transform.span, message)
                        .help("say which rows: `- sort: [column]` above it"),
                );
                // The same rows are cut down further.
                is_sorted = true;
            }
            RowOrder::Decisive | RowOrder::Kept | RowOrder::Renamed | RowOrder::Changed(_) => {}
        }
    }
    is_sorted
}

/// Whether a query puts its rows in order.
fn orders(query: &Template) -> bool {
    let text = query.scanned();
    let tokens: Vec<_> =
        query.tokens().into_iter().filter(|token| token.kind != TokenKind::Comment).collect();
    tokens.windows(2).any(|pair| pair[0].is_word(&text, "order") && pair[1].is_word(&text, "by"))
}

/// Warns of joins whose conditions do not tell which rows belong together.
pub(super) fn joins(spec: &StepSpec, found: &mut Diagnostics) {
    let mut left = spec.source.as_ref().and_then(|source| source.value.origin()).unwrap_or(&spec.written);
    // The names that qualify columns on the left side, those of earlier joins among them.
    let mut names: Vec<&str> = Vec::new();
    for transform in &spec.transforms {
        match transform.value.kind().names() {
            Names::Gone => names.clear(),
            Names::Wanted if names.is_empty() => names.push(left),
            Names::Kept | Names::Wanted => {}
            Names::Renewed => names = vec![left],
            Names::Called(name) => {
                left = name;
                names = vec![name];
            }
        }
        let Transform::Join(join) = &transform.value else { continue };
        let right = join.right_name();
        if let Some(condition) = join.condition()
            && !names.iter().any(|name| name.eq_ignore_ascii_case(right))
            && let Some(message) = relates_nothing(condition.template(), &names, right)
        {
            found.push(unrelated(condition.span(), message, names.last().unwrap_or(&left), right));
        }
        names.push(right);
    }
}

fn unrelated(span: Span, message: String, left: &str, right: &str) -> Diagnostic {
    Diagnostic::new(Code::JoinWithoutCondition, span, message)
        .help(format!("compare a column of each side: `{left}.column = {right}.column`"))
        .help("for every row with every row write `how: cross`")
}

/// Why a condition relates no sides; nothing where it may, as far as that can be seen without the columns.
fn relates_nothing(condition: &Template, left: &[&str], right: &str) -> Option<String> {
    let text = condition.scanned();
    let mut tokens = condition.tokens();
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let is_symbol = |at: Option<usize>, symbol| {
        at.and_then(|at| tokens.get(at)).is_some_and(|token| token.kind == TokenKind::Symbol(symbol))
    };
    let (mut is_left, mut is_right) = (false, false);
    for (at, token) in tokens.iter().enumerate() {
        let is_name = match token.kind {
            TokenKind::QuotedName => true,
            TokenKind::Word => !NO_COLUMNS.iter().any(|word| token.is_word(&text, word)),
            _ => false,
        };
        if !is_name || is_symbol(at.checked_sub(1), '.') || is_symbol(Some(at + 1), '(') {
            continue;
        }
        let name = token.name(&text)?;
        let qualifies = |side: &str| side.eq_ignore_ascii_case(&name) && is_symbol(Some(at + 1), '.');
        match (left.iter().any(|side| qualifies(side)), qualifies(right)) {
            (true, _) => is_left = true,
            (_, true) => is_right = true,
            // A column of either side.
            (false, false) => return None,
        }
    }
    match (is_left, is_right) {
        (true, true) => None,
        (false, false) => {
            Some("the condition compares no columns: every row meets every row, or none".to_owned())
        }
        (false, true) => {
            Some(format!("the condition is about `{right}` alone: each of its rows meets every row, or none"))
        }
        (true, false) => {
            Some(format!("the condition does not name `{right}`: its rows meet every row, or none"))
        }
    }
}

/// Warns of outputs on standard output that are for programs, where there are several: they come one after the other.
pub(super) fn stdout(specs: &[StepSpec], found: &mut Diagnostics) {
    let mut for_programs = specs
        .iter()
        .flat_map(|spec| &spec.sinks)
        .filter(|sink| matches!(&sink.value, Sink::Stdout(stdout) if stdout.is_for_programs()));
    let Some(first) = for_programs.next() else { return };
    for other in for_programs {
        let message = "two steps print on standard output, one after the other, for a program to read";
        found.push(
            Diagnostic::new(Code::SharedStdout, other.span, message)
                .related(first.span, "the other one")
                .help("write one of them into a file, or unite the steps"),
        );
    }
}

/// Warns of files that a step reads and the same run writes, unless the step comes after that. `needed` are the steps that come before
/// one.
pub(super) fn overwritten(
    specs: &[StepSpec],
    needed: impl Fn(usize) -> Vec<StepId>,
    found: &mut Diagnostics,
) {
    let sinks = specs.iter().enumerate().flat_map(|(at, spec)| spec.sinks.iter().map(move |sink| (at, sink)));
    let outputs: Vec<_> = sinks
        .filter_map(|(at, sink)| {
            let place = sink.value.place(&specs[at].base.folder);
            Some((place.key()?, matches!(place, OutputPlace::Folder(_)), at, sink.span))
        })
        .collect();
    if outputs.is_empty() {
        return;
    }
    let mut places = Places::new();
    for (at, (place, is_folder, ..)) in outputs.iter().enumerate() {
        places.entry(place).or_default().push((at, *is_folder));
    }
    let comes_after = |later: usize, earlier: usize| {
        let mut seen = HashSet::new();
        let mut further: Vec<StepId> = needed(later);
        while let Some(StepId(at)) = further.pop() {
            if seen.insert(at) {
                further.extend(needed(at));
            }
        }
        seen.contains(&earlier)
    };
    for (reader, spec) in specs.iter().enumerate() {
        for path in spec.source.iter().flat_map(|source| source.value.kind().paths()) {
            let Some(input) = spec.base.root.shared(&path.plain()) else { continue };
            let input = normal(&input).to_string_lossy().into_owned();
            let mut met = met(&places, &input).into_iter().map(|at| &outputs[at]);
            let same = met.find(|(_, _, writer, _)| !comes_after(reader, *writer));
            let Some((_, _, writer, span)) = same else { continue };
            let (own, other) = (&spec.name, &specs[*writer].name);
            let message = format!("`{own}` reads `{}`, which this pipeline replaces", path.plain());
            let diagnostic = Diagnostic::new(Code::OverwrittenInput, path.span(), message)
                .related(*span, format!("`{other}` writes it here"))
                .help("the next run reads what this one has written: let the output go somewhere else");
            found.push(if reader == *writer || comes_after(*writer, reader) {
                diagnostic
            } else {
                diagnostic
                    .help(format!("to read what this run writes, begin with that step: `from: {other}`"))
            });
        }
    }
}

/// The outputs by their places: their numbers, and whether each is a folder.
type Places<'a> = BTreeMap<&'a str, Vec<(usize, bool)>>;

/// The outputs at the place of an input, in it, or in whose folder it is, in their order. With thousands of steps, comparing each
/// input with each output takes as long as reading the file.
fn met(places: &Places<'_>, input: &str) -> Vec<usize> {
    let at = |place: &str| places.get(place).into_iter().flatten();
    let inside = format!("{input}/");
    let inside = places.range(inside.as_str()..).take_while(|(place, _)| place.starts_with(&inside));
    let folders = input.match_indices('/').filter_map(|(end, _)| input.get(..end));
    let around = folders.flat_map(at).filter(|(_, is_folder)| *is_folder);
    let mut found: Vec<usize> =
        at(input).chain(inside.flat_map(|(_, outputs)| outputs)).chain(around).map(|(at, _)| *at).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_meets_what_is_at_its_place_in_it_and_around_it() {
        let outputs = [
            ("/a/b", true),
            ("/a", false),
            ("/a/b/c", false),
            ("/a/bc", true),
            ("/a/b", false),
            ("s3://x", true),
        ];
        let mut places = Places::new();
        for (at, (place, is_folder)) in outputs.into_iter().enumerate() {
            places.entry(place).or_default().push((at, is_folder));
        }
        for (input, expected) in [
            ("/a/b", vec![0, 2, 4]),
            ("/a/b/c", vec![0, 2]),
            ("/a/b/d", vec![0]),
            ("/a/b/c/d", vec![0]),
            ("/a", vec![0, 1, 2, 3, 4]),
            ("/a/x", vec![]),
            ("s3://x/y", vec![5]),
            ("s3://xy", vec![]),
        ] {
            assert_eq!(met(&places, input), expected, "{input}");
        }
    }

    #[test]
    fn a_condition_names_both_sides() {
        for (condition, is_wrong) in [
            ("a.id = c.id", false),
            ("b.id = c.id AND a.x > 1", false),
            ("C.id <=> `a`.id", false),
            ("upper(a.id) = upper(c.id)", false),
            ("id = c.id", false),
            ("payload.id = c.id", false),
            ("1 = c.id", true),
            ("true", true),
            ("1 = 1", true),
            ("a.id = b.id", true),
            ("c.id IS NOT NULL", true),
            ("c.id = 'a.id'", true),
        ] {
            let template = Template::of_text(condition);
            assert_eq!(relates_nothing(&template, &["a", "b"], "c").is_some(), is_wrong, "{condition}");
        }
    }
}
