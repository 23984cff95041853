//! Owns the finding of one value in a list or mapping in brackets that is no YAML.

/// Where the bracket is closed with which a text begins, one byte on.
pub(super) fn flow_end(value: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in value.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// The part of a list or mapping in brackets that holds the byte `at`: what stands between its commas.
pub(super) fn part_at(value: &str, at: usize) -> &str {
    let (mut start, mut end) = (0, value.len());
    let (mut depth, mut quote) = (0_usize, None);
    for (here, c) in value.char_indices() {
        let next = here + c.len_utf8();
        let is_empty = value.get(start..here).is_none_or(|part| part.trim().is_empty());
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '[' | '{') if depth == 0 && is_empty => start = next,
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth > 0 => depth -= 1,
            (None, ',' | ']' | '}') if depth == 0 => {
                if here >= at && !is_empty {
                    end = here;
                    break;
                }
                // What can't begin a value may stand where one is missing.
                start = if here >= at { here } else { next };
                if here >= at {
                    end = next;
                    break;
                }
            }
            (None, ':')
                if depth == 0 && here < at && value.get(next..).is_some_and(|rest| rest.starts_with(' ')) =>
            {
                start = next;
            }
            (Some(_) | None, _) => {}
        }
    }
    let part = value.get(start..end).unwrap_or_default().trim();
    if matches!(part, "," | "]" | "}") { "" } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_between_commas_is_found() {
        for (value, at, part) in [
            ("[a, data/${d}.csv, b]", 11, "data/${d}.csv"),
            ("{ path: data/${d}.csv }", 15, "data/${d}.csv"),
            ("[{ filter: x > ${n} }, { sort: x }]", 16, "x > ${n}"),
            ("[a, b[0], c]", 5, "b[0]"),
            ("[a, f(b, c)[0], d]", 11, "f(b, c)[0]"),
            ("[@x, b]", 1, "@x"),
            ("[, a]", 1, ""),
            ("['a' || b, c]", 5, "'a' || b"),
        ] {
            assert_eq!(part_at(value, at), part, "{value}");
        }
        assert_eq!(flow_end("{a} > 1"), Some(3));
        assert_eq!(flow_end("[a, [b]"), None);
    }
}
