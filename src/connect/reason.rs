//! Why a server is not had: one line, and what may help.

use std::fmt::{self, Display, Formatter};
use std::io;

/// One line, and what may help where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    text: String,
    hint: Option<String>,
}

impl Reason {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None }
    }

    /// Why there is no connection, as far as the system tells.
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::new("nothing listens at this port")
                .hint("look whether the server runs, and for a slip in the address"),
            io::ErrorKind::TimedOut => Self::silence(),
            _ => Self::new(error.to_string()).hint("look for a firewall, a VPN that is off"),
        }
    }

    /// Nobody answers.
    pub(super) fn silence() -> Self {
        Self::new("it does not answer").hint("look for a slip in the address, a firewall, a VPN that is off")
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What may help.
    pub(super) fn help(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq<str> for Reason {
    fn eq(&self, text: &str) -> bool {
        self.text == text
    }
}
