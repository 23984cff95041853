//! Owns texts with references: what stands between `${` and `}`, and what around it.

/// A part of a text that may hold variables.
pub(super) enum Piece<'t> {
    Text {
        text: &'t str,
        at: usize,
    },
    /// What stands between `${` and `}`, the first of which is at this byte.
    Reference {
        text: &'t str,
        at: usize,
    },
    /// A `${` that nothing closes; the rest of the text is left out.
    Open {
        at: usize,
    },
}

/// A text with its variables apart; `$${` is a literal `${`.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let part =
        |from: usize, to: usize| Piece::Text { text: text.get(from..to).unwrap_or_default(), at: from };
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("${")).map(|at| from + at) {
        if at > from && text.as_bytes()[at - 1] == b'$' {
            pieces.push(part(from, at - 1));
            pieces.push(part(at, at + 2));
            from = at + 2;
            continue;
        }
        pieces.push(part(from, at));
        let Some(length) = text.get(at..).and_then(|rest| rest.find('}')) else {
            pieces.push(Piece::Open { at });
            return pieces;
        };
        let end = at + length + 1;
        pieces.push(Piece::Reference { text: text.get(at + 2..end - 1).unwrap_or_default(), at });
        from = end;
    }
    pieces.push(part(from, text.len()));
    pieces
}

/// Whether a text refers to a secret.
pub(super) fn has_secret(text: &str) -> bool {
    pieces(text).iter().any(|piece| match piece {
        Piece::Reference { text, .. } => text.trim_start().starts_with("secret"),
        Piece::Text { .. } | Piece::Open { .. } => false,
    })
}
