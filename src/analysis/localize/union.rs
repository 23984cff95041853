//! Which sides of a union, an intersection or a difference do not fit, as far as their columns' names and numbers tell.

use super::expression::has;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::text::Span;
use crate::transform::Matching;

/// A step that is added.
pub(super) struct Side<'a> {
    pub(super) step: &'a str,
    pub(super) span: Span,
    /// Nothing where they are not known.
    pub(super) columns: Option<Vec<String>>,
}

/// Sides whose columns are not those of what they are added to.
pub(super) fn unfit(
    key: &str,
    matching: Matching,
    mut before: Vec<String>,
    sides: &[Side<'_>],
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for side in sides {
        let Some(columns) = &side.columns else { continue };
        match matching {
            Matching::Name => found.extend(by_name(key, &before, side, columns)),
            Matching::Position => found.extend(by_position(key, &before, side, columns)),
            Matching::NameOrNull => {
                let more: Vec<String> =
                    columns.iter().filter(|column| !has(&before, column)).cloned().collect();
                before.extend(more);
            }
        }
    }
    found
}

fn by_name(key: &str, before: &[String], side: &Side<'_>, columns: &[String]) -> Option<Diagnostic> {
    let lacking: Vec<&String> = before.iter().filter(|column| !has(columns, column)).collect();
    let more: Vec<&String> = columns.iter().filter(|column| !has(before, column)).collect();
    let step = side.step;
    let message = match (lacking.is_empty(), more.is_empty()) {
        (true, true) => return None,
        (false, true) => format!("`{step}` has no {} for this {key}", listed(&lacking)),
        (true, false) => format!("`{step}` has {} too much for this {key}", listed(&more)),
        (false, false) => {
            format!("`{step}` has no {} for this {key}, and {} too much", listed(&lacking), listed(&more))
        }
    };
    let diagnostic = Diagnostic::new(Code::Analysis, side.span, message);
    let near = lacking.iter().find_map(|column| {
        Some((nearest(column, more.iter().map(|column| column.as_str()))?, column.as_str()))
    });
    Some(match near {
        Some((near, column)) => diagnostic.help(format!("rename `{near}` of `{step}` to `{column}`?")),
        None if key == "union" => diagnostic.help("with `missing: null`, what one side lacks is NULL there"),
        None => diagnostic.help("`select` the columns that both sides have"),
    })
}

fn by_position(key: &str, before: &[String], side: &Side<'_>, columns: &[String]) -> Option<Diagnostic> {
    let (had, has) = (before.len(), columns.len());
    let count = |count: usize| if count == 1 { "1 column".to_owned() } else { format!("{count} columns") };
    let article = if key == "union" { "a" } else { "an" };
    let message = format!("`{}` has {} for {article} {key} of {}", side.step, count(has), count(had));
    (had != has).then(|| {
        Diagnostic::new(Code::Analysis, side.span, message)
            .help("by position both sides have as many columns; `select` those that are wanted")
    })
}

fn listed(columns: &[&String]) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    let what = if names.len() == 1 { "column" } else { "columns" };
    format!("{what} {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_that_do_not_fit_are_named() {
        let columns = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (matching, before, sides, messages) in [
            (Matching::Name, "a b", vec!["B A"], vec![]),
            (
                Matching::Name,
                "id name",
                vec!["id nme"],
                vec![
                    "`s0` has no column `name` for this union, and column `nme` too much: rename `nme` of `s0` to `name`?",
                ],
            ),
            (
                Matching::Name,
                "a",
                vec!["a b c"],
                vec![
                    "`s0` has columns `b`, `c` too much for this union: with `missing: null`, what one side lacks is NULL there",
                ],
            ),
            (Matching::NameOrNull, "a", vec!["b", "a b"], vec![]),
            (
                Matching::Position,
                "a b",
                vec!["x y", "x"],
                vec![
                    "`s1` has 1 column for a union of 2 columns: by position both sides have as many columns; `select` those that are wanted",
                ],
            ),
        ] {
            let names: Vec<String> = (0..sides.len()).map(|at| format!("s{at}")).collect();
            let sides: Vec<Side<'_>> = sides
                .iter()
                .zip(&names)
                .map(|(it, step)| Side { step, span: Span::default(), columns: Some(columns(it)) })
                .collect();
            let found: Vec<String> = unfit("union", matching, columns(before), &sides)
                .iter()
                .map(|one| format!("{}: {}", one.message, one.help.join("; ")))
                .collect();
            assert_eq!(found, messages);
        }
    }
}
