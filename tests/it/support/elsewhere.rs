//! Runs that go where a project file says, and not to a private engine.

use std::cell::RefCell;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Where runs go that do not say it themselves: a project file, and the folder in which engines are found that are kept.
pub(super) struct Elsewhere {
    pub(super) project: String,
    pub(super) runtime: PathBuf,
}

thread_local! {
    /// Nothing for a private engine.
    pub(super) static ELSEWHERE: RefCell<Option<Elsewhere>> = const { RefCell::new(None) };
}

/// Carries out tests whose runs go where the only target of a project file says; gives the names of those that fail.
pub(crate) fn elsewhere(target: &str, runtime: &Path, tests: &[(&'static str, fn())]) -> Vec<&'static str> {
    let project = format!("default_target: here\ntargets: {{ here: {{ {target} }} }}\n");
    ELSEWHERE.set(Some(Elsewhere { project, runtime: runtime.to_path_buf() }));
    let failed =
        tests.iter().filter(|(_, test)| catch_unwind(test).is_err()).map(|(name, _)| *name).collect();
    ELSEWHERE.set(None);
    failed
}
