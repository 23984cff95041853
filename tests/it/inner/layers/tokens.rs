//! Rust code as tokens, without comments, literals and test code.

/// An identifier or a single character of punctuation; `::` is one token. Of literals only a string that is a path is kept,
/// because derive macros take paths in strings.
pub(super) fn tokens(code: &str) -> Vec<String> {
    without_tests(&all(code))
}

fn all(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '"' => {
                let length = string(rest);
                let content = rest.get(1..length - 1).unwrap_or_default();
                if content.contains("::") && content.chars().all(|c| is_part(c) || c == ':') {
                    found.extend(all(content));
                }
                length
            }
            'r' | 'b' | 'c' if raw(rest).is_some() => raw(rest).unwrap_or(1),
            '\'' => character(rest),
            _ if rest.starts_with("::") => 2,
            _ if is_part(first) => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let is_token = (is_part(first) && !token.contains('"')) || token == "::";
        if is_token || (token.chars().count() == 1 && !first.is_whitespace()) {
            found.push(token.to_owned());
        }
        rest = after;
    }
    found
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a string in quotes.
fn string(code: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in code.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The length of a string with a prefix, if one begins here.
fn raw(code: &str) -> Option<usize> {
    let (prefix, _) = code.split_once('"')?;
    let letters = prefix.trim_end_matches('#');
    if !["r", "b", "c", "br", "cr"].contains(&letters) {
        return None;
    }
    let body = code.get(prefix.len()..)?;
    if !letters.contains('r') {
        return Some(prefix.len() + string(body));
    }
    let end = format!("\"{}", "#".repeat(prefix.len() - letters.len()));
    Some(prefix.len() + 1 + body.get(1..)?.find(&end)? + end.len())
}

/// The length of a character in quotes, or of a lifetime's quote.
fn character(code: &str) -> usize {
    let mut inner = code.chars().skip(1);
    match (inner.next(), inner.next()) {
        (Some('\\'), Some(_)) => {
            code.char_indices().skip(3).find(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 1)
        }
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 1,
    }
}

/// Leaves out every item below `#[cfg(test)]`.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        match rest.get(..attribute.len()) {
            Some(next) if next == attribute => rest = rest.get(end_of_item(rest)..).unwrap_or_default(),
            _ => {
                kept.push(first.clone());
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    kept
}

/// Where the first item ends, which may have attributes: at its semicolon, or at the end of its block.
fn end_of_item(tokens: &[String]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth == 1 => return at + 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}
