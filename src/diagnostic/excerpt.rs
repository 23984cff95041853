//! Which of many diagnostics are shown: the first of each code, and how many more there are.

use std::collections::BTreeMap;

use super::{Code, Diagnostic, Severity};

/// How many diagnostics are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Ten of a code, and 100 in all.
    #[default]
    Limited,
    All,
}

/// The diagnostics that are shown, in their order, and how many of each code are not.
#[derive(Debug, Default)]
pub(crate) struct Excerpt<'d> {
    pub(crate) shown: Vec<&'d Diagnostic>,
    pub(crate) omitted: BTreeMap<Code, usize>,
}

impl<'d> Excerpt<'d> {
    const OF_A_CODE: usize = 10;
    const IN_ALL: usize = 100;

    /// Errors are chosen before warnings, since they are what has to be fixed.
    pub(crate) fn new(diagnostics: impl IntoIterator<Item = &'d Diagnostic>, extent: Extent) -> Self {
        let all: Vec<&Diagnostic> = diagnostics.into_iter().collect();
        if extent == Extent::All {
            return Self { shown: all, omitted: BTreeMap::new() };
        }
        let mut counts: BTreeMap<Code, usize> = BTreeMap::new();
        let mut chosen = Vec::new();
        let mut omitted = BTreeMap::new();
        for severity in [Severity::Error, Severity::Warning] {
            for (at, one) in all.iter().enumerate().filter(|(_, one)| one.code.severity() == severity) {
                let count = counts.entry(one.code).or_default();
                if *count < Self::OF_A_CODE && chosen.len() < Self::IN_ALL {
                    *count += 1;
                    chosen.push(at);
                } else {
                    *omitted.entry(one.code).or_default() += 1;
                }
            }
        }
        chosen.sort_unstable();
        Self { shown: chosen.into_iter().map(|at| all[at]).collect(), omitted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    fn many(counts: &[(Code, usize)]) -> Vec<Diagnostic> {
        let one = |code| Diagnostic::new(code, Span::default(), "wrong");
        counts.iter().flat_map(|(code, count)| vec![one(*code); *count]).collect()
    }

    #[test]
    fn ten_of_a_code_are_shown_and_the_others_counted() {
        use Code::{LimitWithoutSort as W003, UnknownKey as E003};
        for (counts, shown, omitted) in [
            (vec![], 0, vec![]),
            (vec![(W003, 10), (E003, 10)], 20, vec![]),
            (vec![(W003, 11)], 10, vec![(W003, 1)]),
            (vec![(W003, 10_000), (E003, 12)], 20, vec![(E003, 2), (W003, 9_990)]),
        ] {
            let all = many(&counts);
            let excerpt = Excerpt::new(&all, Extent::Limited);
            assert_eq!(excerpt.shown.len(), shown, "{counts:?}");
            assert_eq!(excerpt.omitted, omitted.into_iter().collect(), "{counts:?}");
            let everything = Excerpt::new(&all, Extent::All);
            assert_eq!((everything.shown.len(), everything.omitted.len()), (all.len(), 0));
        }
    }

    #[test]
    fn warnings_take_no_place_from_errors() {
        let each = |severity| Code::ALL.iter().filter(move |code| code.severity() == severity);
        let warnings = each(Severity::Warning).map(|code| (*code, 10));
        let errors = each(Severity::Error).take(10).map(|code| (*code, 10));
        let all = many(&warnings.chain(errors).collect::<Vec<_>>());
        let excerpt = Excerpt::new(&all, Extent::Limited);
        assert_eq!(excerpt.shown.len(), 100);
        assert!(excerpt.shown.iter().all(|one| one.is_error()));
        assert!(excerpt.omitted.keys().all(|code| code.severity() == Severity::Warning));
    }
}
