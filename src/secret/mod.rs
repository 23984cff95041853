//! Owns secrets: texts that nothing prints. Whoever sends one to where it belongs asks for it by name.
//!
//! A secret is kept in two ways. By type: neither [`Secret`] nor [`Plain`] shows one. And by value: each is known from the moment
//! at which it is made, and [`scrubbed`] takes it out of a text, however it came there.

mod encoded;
mod known;
mod named;

use std::fmt;

pub(crate) use known::{came_from_variable, scrubbed, scrubbed_with_range, variables};
pub(crate) use named::{learn_from_text, learn_literal};

/// A password, token or key. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// From here on the text is known, and no report has it.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        known::learn(&text);
        Self(text)
    }

    /// The text itself, for the one who sends it to where it belongs.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A text that may be secret, or have a secret in it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Plain {
    Shown(String),
    Hidden(Secret),
}

impl Plain {
    /// The text itself, for the one who sends it to where it belongs.
    pub(crate) fn expose(&self) -> &str {
        match self {
            Self::Shown(text) => text,
            Self::Hidden(secret) => secret.expose(),
        }
    }

    /// The text as it may be shown.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Shown(text) => text,
            Self::Hidden(_) => "…",
        }
    }

    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Hidden(_))
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(text) => text.fmt(f),
            Self::Hidden(secret) => secret.fmt(f),
        }
    }
}

impl From<&str> for Plain {
    fn from(text: &str) -> Self {
        Self::Shown(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2");
        let plain = Plain::Hidden(secret.clone());
        assert!(!format!("{secret} {secret:?} {plain:?} {}", plain.shown()).contains("hunter2"));
        assert_eq!((secret.expose(), plain.expose()), ("hunter2", "hunter2"));
    }
}
