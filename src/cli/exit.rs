//! Exit codes: a public contract, from which schedulers learn whether another run may succeed.

use crate::error::Class;
use crate::record::{ErrorRecord, RunResults, RunStatus, StopReason};

/// Everything that was asked for was done.
pub(super) const SUCCESS: u8 = 0;
/// A step, an expectation or an output failed, or an input is missing.
pub(super) const FAILED: u8 = 1;
/// The command line is wrong.
pub(super) const USAGE: u8 = 2;
/// The engine could not be reached, started, or was lost: another run may succeed.
pub(super) const UNAVAILABLE: u8 = 69;
/// Another run holds the lock of an output.
pub(super) const LOCKED: u8 = 75;
/// The pipeline or project file is wrong: another run will fail too.
pub(super) const INVALID: u8 = 78;
/// The user interrupted.
pub(super) const INTERRUPTED: u8 = 130;
/// Another process terminated it.
pub(super) const TERMINATED: u8 = 143;

/// Returns the exit code of a run.
pub(super) fn of_run(results: &RunResults) -> u8 {
    match (&results.stopped_by, &results.error, results.status) {
        (Some(reason), _, _) => of_stop(reason),
        (None, Some(error), _) => of_error(error),
        (None, None, RunStatus::Succeeded) => SUCCESS,
        (None, None, RunStatus::Failed | RunStatus::Interrupted) if results.is_engine_lost() => UNAVAILABLE,
        (None, None, RunStatus::Failed | RunStatus::Interrupted) => FAILED,
    }
}

pub(super) fn of_error(error: &ErrorRecord) -> u8 {
    match error.class {
        _ if error.is_locked => LOCKED,
        Class::Transient => UNAVAILABLE,
        Class::Pipeline => INVALID,
        Class::Data | Class::Bug => FAILED,
    }
}

pub(super) fn of_stop(reason: &StopReason) -> u8 {
    match reason {
        StopReason::Interrupted => INTERRUPTED,
        StopReason::Terminated => TERMINATED,
        // The pipeline or its data are at fault: it would have to do less, or be given more time.
        StopReason::TimedOut { .. } => FAILED,
    }
}
