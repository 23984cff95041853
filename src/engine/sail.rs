//! Sail: <https://github.com/lakehq/sail>, a Spark Connect server in Rust, in `PyPI`'s package `pysail`.
//!
//! It runs without `PySpark`, whose features it would only need for Python functions. But it takes its version and its defaults
//! from `PySpark`'s version (without one those of Spark 3.5: ANSI off), so a package of that name stands in for it.

use super::folder::Folder;
use super::launch::{Launch, LaunchSettings};
use super::packages::{Beside, Packages};

pub(super) static PACKAGES: Packages = Packages {
    name: "sail",
    version: "0.7.2",
    title: "Sail 0.7.2",
    install: "pipectl engine install",
    megabytes: 300,
    requirements: "\
pysail==0.7.2 \
--hash=sha256:0b89b32c0f81b263c138291580ce0ae3a98607a173e1c16b16cbb9ca1d3fbe27 \
--hash=sha256:0c1557ece17e5e277c6f16fa54697e2546717f463add2b8e2f0d5e10a9d92012 \
--hash=sha256:741f7f714d32fd16fbcddca31994b898b81eb123a00f43c4307076a416426c48 \
--hash=sha256:e32420e38a301888b4ec9166a39fecb64e39ded3b560817ea99c1d7f885812e4 \
--hash=sha256:51565ea3d840467f8a02bffa9e70f90688021822c0acd7749a2c2bb21c18e80c
",
    wheels: &[
        ("linux-x86_64", 63_071_356),
        ("linux-aarch64", 59_768_564),
        ("macos-x86_64", 61_763_478),
        ("macos-aarch64", 57_498_108),
    ],
    beside: Some(Beside { name: "pysail", versions: &[("pyspark", "4.2.0")] }),
    archives: &[],
    files: &[("pyspark/__init__.py", "__version__ = \"4.2.0\"\n")],
    proof: "from pysail.spark import SparkConnectServer",
};

/// Deeply nested plans overflow Sail's stack, which kills the server: 8 MiB bear 300 relations, 64 MiB 1,000, 256 MiB more than
/// 8,000. It is address space; only what is used becomes memory.
const STACK_SIZE: u64 = 256 << 20;
/// Sail drops a session that has been silent for so long, with its running queries.
const SESSION_TIMEOUT_SECS: u64 = 30 * 24 * 60 * 60;
/// How often a silent stream shows that it is alive.
const HEARTBEAT_SECS: u64 = 15;

/// Variables of the user's environment that could change what it does, by the beginning of their names. Everything else reaches
/// it: proxies, certificates and the credentials of clouds are needed there.
const DROPPED: &[&str] =
    &["PIPECTL_", "PYTHON", "SAIL_", "SPARK_", "PYSPARK_", "VIRTUAL_ENV", "CONDA_", "RUST_"];

/// The settings, in the form of Sail's configuration guide: the keys in upper case, two underscores for a dot.
pub(super) fn launch(settings: &LaunchSettings, folder: &Folder) -> Launch {
    // Values are TOML, whose strings are written as JSON's are.
    let text = |value: String| serde_json::Value::from(value).to_string();
    let mut variables = vec![
        ("SAIL_RUNTIME__STACK_SIZE", STACK_SIZE.to_string()),
        ("SAIL_SPARK__SESSION_TIMEOUT_SECS", SESSION_TIMEOUT_SECS.to_string()),
        ("SAIL_SPARK__EXECUTION_HEARTBEAT_INTERVAL_SECS", HEARTBEAT_SECS.to_string()),
        // Spills to disk instead of taking the machine's memory; the program finds out how much there is.
        ("SAIL_RUNTIME__MEMORY_POOL__TYPE", text("fair".to_owned())),
        ("SAIL_RUNTIME__TEMPORARY_FILES__PATHS", format!("[{}]", text(folder.spill().display().to_string()))),
        ("SAIL_EXECUTION__CHECKPOINT__PATH", text(format!("file://{}", folder.checkpoint().display()))),
        ("RUST_LOG", "warn".to_owned()),
    ];
    if let Some(bytes) = settings.memory {
        variables.push(("SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE", bytes.to_string()));
    }
    Launch { environment: variables, dropped: DROPPED, ..Launch::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is the same engine, whether it was installed or is in the program's environment.
    #[test]
    fn one_version_stands_in_everywhere() {
        let versions = PACKAGES.beside.as_ref().unwrap().versions;
        let files: Vec<_> = versions
            .iter()
            .map(|(name, version)| (format!("{name}/__init__.py"), format!("__version__ = \"{version}\"\n")))
            .collect();
        let own: Vec<_> =
            PACKAGES.files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        assert_eq!(files, own);
    }
}
