//! Owns what may be missing where a client is made: above all, who we are.

use std::time::Duration;

use tokio::time::timeout;

use super::{failure, http};

/// How long whoever gives credentials may take.
pub(super) const CREDENTIALS_LIMIT: Duration = Duration::from_secs(20);

/// Why there is no client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing says who we are.
    Nothing,
    /// What is said of us can not be used.
    Wrong(String),
    /// Something else that is set can not be used.
    Setting(String),
}

impl Missing {
    pub(super) fn half(given: &str, other: &str) -> Self {
        Self::Wrong(format!("`{given}` is set and `{other}` is not"))
    }

    pub(super) fn unusable(error: &object_store::Error) -> Self {
        Self::Wrong(failure::reason(error))
    }
}

/// Awaits credentials, not for long.
pub(super) async fn bounded<T>(
    credentials: impl Future<Output = object_store::Result<T>>,
) -> Result<(), Missing> {
    match timeout(CREDENTIALS_LIMIT, credentials).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            let reason = failure::reason(&error);
            // A machine that no cloud knows.
            let is_nowhere = http::METADATA.iter().any(|host| reason.contains(host));
            Err(if is_nowhere { Missing::Nothing } else { Missing::Wrong(reason) })
        }
        Err(_) => Err(Missing::Nothing),
    }
}
