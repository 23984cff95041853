//! What a status says about operations and sessions, which servers tell by their text alone.

use tonic::Status;

const STOPPED: &str = "Cannot call methods on a stopped SparkContext";

/// What a status means before anything is known about the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Handle {
    OperationUnknown,
    /// The same from a server that may run an operation twice if it is sent twice.
    OperationGone,
    /// Sail has sent the result to its end, whether or not it has arrived.
    OperationSent,
    SessionGone,
    Cancelled,
    /// The server is shutting down, or does not know yet that it is dead.
    ServerGone,
    Other,
}

impl Handle {
    /// Reads the errors about operations and sessions, which servers tell by their text.
    pub(in crate::connect) fn read(status: &Status) -> Self {
        let message = status.message();
        let table = [
            ("INVALID_HANDLE.OPERATION_NOT_FOUND", Self::OperationUnknown),
            ("INVALID_HANDLE.OPERATION_ABANDONED", Self::OperationGone),
            ("INVALID_CURSOR.POSITION_NOT_AVAILABLE", Self::OperationGone),
            ("INVALID_CURSOR.POSITION_NOT_FOUND", Self::OperationGone),
            ("INVALID_CURSOR.NOT_REATTACHABLE", Self::OperationGone),
            ("INVALID_HANDLE.SESSION_", Self::SessionGone),
            ("OPERATION_CANCELED", Self::Cancelled),
        ];
        // Spark names the class first; a class further on may be part of a user's text.
        let named = table.iter().find(|(class, _)| {
            message.starts_with('[') && message.trim_start_matches('[').starts_with(class)
        });
        if let Some((_, handle)) = named {
            return *handle;
        }
        // A JVM that has run out of memory, or was told to end, answers for some seconds more.
        if message.contains(STOPPED) {
            return Self::ServerGone;
        }
        // These are Sail's.
        if message == "internal error: task context not found for operation" {
            return Self::OperationSent;
        }
        let text = message.strip_prefix("invalid argument: ").unwrap_or_default();
        if text.starts_with("operation not found: ") {
            Self::OperationGone
        } else if text.starts_with("session ") && text.ends_with(" is not running") {
            Self::SessionGone
        } else {
            Self::Other
        }
    }
}
