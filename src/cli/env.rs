//! The only reader of the process's environment.

use std::path::PathBuf;

use crate::engine::{Downloads, EnginePaths, default_cache};
use crate::sink::StoreSettings;

/// A variable's text; nothing where it is not set, empty, or not UTF-8.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
}

/// All variables; those that are not UTF-8 left out.
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// A variable's text, which may be empty, as a value is; nothing where it is not set, or not UTF-8.
pub(super) fn value(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok())
}

/// The first variable whose name begins so and whose text is not UTF-8.
pub(super) fn not_text(prefix: &str) -> Option<String> {
    let mut names = std::env::vars_os().filter(|(_, value)| value.to_str().is_none());
    names.find_map(|(name, _)| name.into_string().ok().filter(|name| name.starts_with(prefix)))
}

/// As whom a run acts, where the connection string does not say.
pub(super) fn user() -> Option<String> {
    variable("SPARK_USER").or_else(|| variable("USER"))
}

/// Where managed engines are installed, and with what they run. Without a home, in the temporary folder.
pub(super) fn engine_place(downloads: Downloads) -> EnginePaths {
    let cache = cache();
    // A folder of this user on this machine, emptied when it starts, where the system has such.
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
    EnginePaths {
        program: std::env::current_exe().and_then(std::fs::canonicalize).ok(),
        search_path: search_path(),
        warm: runtime.map_or_else(|| cache.join("warm"), |folder| folder.join("pipectl")),
        cache,
        temporary: std::env::temp_dir(),
        python: variable("PIPECTL_PYTHON").map(PathBuf::from),
        java: variable("PIPECTL_JAVA").map(PathBuf::from),
        java_home: variable("JAVA_HOME").map(PathBuf::from),
        downloads,
    }
}

/// Where programs are looked for. An empty name is left out: the working directory may be anybody's.
fn search_path() -> Vec<PathBuf> {
    let Some(folders) = std::env::var_os("PATH") else {
        return ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from).to_vec();
    };
    std::env::split_paths(&folders).filter(|folder| folder.is_absolute()).collect()
}

/// What is said about object stores, under the names that their own tools have.
pub(super) fn store_settings() -> StoreSettings {
    let home = variable("HOME").map(PathBuf::from);
    StoreSettings::new(variables(), home, std::env::temp_dir(), cache().join("locks"))
}

/// Where what may be lost is kept. Without a home, in the temporary folder.
fn cache() -> PathBuf {
    let cache = variable("PIPECTL_CACHE_DIR").map(PathBuf::from).or_else(default_cache);
    cache.unwrap_or_else(|| std::env::temp_dir().join("pipectl-cache"))
}
