//! An engine beside the program: the binary in a Python environment that has `pysail`, as the wheel's extra `[sail]` installs it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{CACHE, Case, Outcome, installed};

const NUMBERS: &str = "version: 1\nsteps: { numbers: { range: 3, write: { stdout: csv } } }\n";

/// A Python environment with this binary, the engine, and packages of others.
struct Prefix(TempDir);

impl Prefix {
    fn new() -> Self {
        let (_, engine) = installed();
        // On the disk of the engine's installation: files are linked, not copied.
        let prefix = Self(TempDir::new_in(Path::new(CACHE).parent().unwrap()).unwrap());
        let status =
            Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(prefix.path("")).status();
        assert!(status.unwrap().success());
        fs::hard_link(env!("CARGO_BIN_EXE_pipectl"), prefix.path("bin/pipectl")).unwrap();
        let site = prefix.site();
        for name in ["pysail", "pysail-0.7.2.dist-info"] {
            link(&engine.join(name), &site.join(name));
        }
        // What other programs need there must not be taken for the engine's: this one would end every session.
        fs::create_dir(site.join("pyspark")).unwrap();
        fs::write(site.join("pyspark/__init__.py"), "raise RuntimeError('foreign')\n").unwrap();
        prefix
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn site(&self) -> PathBuf {
        let lib = fs::read_dir(self.path("lib")).unwrap().next().unwrap().unwrap();
        lib.path().join("site-packages")
    }

    /// Runs a case with its binary.
    fn run(&self, case: Case) -> Outcome {
        let script = format!("shift; exec '{}' \"$@\"", self.path("bin/pipectl").display());
        case.any_stderr().run_in_shell(&script)
    }

    /// A text without where it is.
    fn redacted(&self, text: &str) -> String {
        text.replace(&*self.0.path().canonicalize().unwrap().to_string_lossy(), "[prefix]")
    }
}

/// The same files under other names.
fn link(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            link(&entry.path(), &target);
        } else {
            fs::hard_link(entry.path(), target).unwrap();
        }
    }
}

fn case(arguments: &[&str]) -> Case {
    Case::new(arguments).file("p.yaml", NUMBERS).any_stdout().env("PIPECTL_CACHE_DIR", "empty")
}

#[test]
fn it_is_used_and_nothing_is_downloaded() {
    let prefix = Prefix::new();
    let daily = Case::new(["run", "pipelines/daily.yaml", "--offline"]).examples().any_stdout();
    let outcome = prefix.run(daily.env("PIPECTL_CACHE_DIR", "empty"));
    let engine = outcome.stderr.lines().find(|line| line.contains("engine")).unwrap_or_default();
    assert!(
        engine.contains("Sail 0.7.2, beside pipectl, private to this run, ready in"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stdout.contains("AUTOMOBILE"), "{}", outcome.stdout);
    assert!(!outcome.path("empty/engines").exists());

    let outcome = prefix.run(case(&["engine", "status"]));
    let line = prefix.redacted(outcome.stdout.lines().next().unwrap());
    assert!(line.starts_with("Sail 0.7.2  beside pipectl  "), "{line}");
    assert!(line.ends_with("([prefix])"), "{line}");
    let outcome = prefix.run(case(&["doctor", "--offline"]));
    let told = prefix.redacted(&outcome.stdout);
    assert!(told.contains("ok  engine     Sail 0.7.2 is beside pipectl, in `[prefix]`\n"), "{told}");
    assert!(told.contains("ok  rows"), "{told}");
    let outcome = prefix.run(case(&["engine", "install"]));
    let told = prefix.redacted(&outcome.stderr);
    assert_eq!(told, "Sail 0.7.2 is beside pipectl, in `[prefix]`: nothing is downloaded\n");
}

#[test]
fn the_version_that_the_engine_asks_for_is_ours() {
    let prefix = Prefix::new();
    let text =
        "version: 1\nsteps: { a: { sql: \"SELECT CAST('x' AS INT) AS x\", write: { stdout: csv } } }\n";
    // With the settings of Spark 3.5, which it has without a version, this would be NULL.
    let run = Case::new(["run", "-q", "p.yaml", "--offline"]).file("p.yaml", text).code(78);
    let outcome = prefix.run(run.env("PIPECTL_CACHE_DIR", "empty"));
    assert!(outcome.stderr.contains("[CAST_INVALID_INPUT]"), "{}", outcome.stderr);
}

/// Fails unless what is beside is ignored for this reason: offline that is an error, and with a cache a note.
fn assert_ignored(prefix: &Prefix, reason: &str) {
    let told = format!("`pysail` beside pipectl, in `[prefix]`, is ignored: {reason}");
    let outcome = prefix.run(case(&["run", "-q", "p.yaml", "--offline"]).code(69));
    let expected = format!(
        "error: Sail 0.7.2 is not installed and downloads are off; {told}\n  help: run `pipectl engine install`\n"
    );
    assert_eq!(prefix.redacted(&outcome.stderr), expected);
    let run = Case::new(["run", "p.yaml"]).file("p.yaml", NUMBERS).engine().stdout("id\n0\n1\n2\n");
    let outcome = prefix.run(run);
    let stderr = prefix.redacted(&outcome.stderr);
    assert!(stderr.contains(&format!("note  {told}\n")), "{stderr}");
    assert!(stderr.contains("Sail 0.7.2, private to this run"), "{stderr}");
    for arguments in [["engine", "status"], ["doctor", "p.yaml"]] {
        let outcome = prefix.run(Case::new(arguments).file("p.yaml", NUMBERS).any_stdout());
        let stdout = prefix.redacted(&outcome.stdout);
        assert!(stdout.contains(&told), "{stdout}");
    }
}

#[test]
fn another_version_is_ignored_by_name() {
    let prefix = Prefix::new();
    let site = prefix.site();
    let other = site.join("pysail-0.7.1.dist-info");
    fs::rename(site.join("pysail-0.7.2.dist-info"), &other).unwrap();
    let metadata = fs::read_to_string(other.join("METADATA")).unwrap();
    // The file is the installed engine's too.
    fs::remove_file(other.join("METADATA")).unwrap();
    fs::write(other.join("METADATA"), metadata.replace("\nVersion: 0.7.2\n", "\nVersion: 0.7.1\n")).unwrap();
    assert_ignored(&prefix, "its version is 0.7.1, and this pipectl needs 0.7.2");
}

#[test]
fn what_others_may_change_is_ignored_by_name() {
    let prefix = Prefix::new();
    let folder = prefix.site().join("pysail/spark");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let place = prefix.redacted(&folder.canonicalize().unwrap().to_string_lossy());
    assert_ignored(&prefix, &format!("others may write `{place}` (mode 777)"));
}

#[test]
fn what_cannot_be_loaded_is_replaced_by_what_can() {
    let prefix = Prefix::new();
    let module = prefix.site().join("pysail/spark/__init__.py");
    fs::remove_file(&module).unwrap();
    fs::write(&module, "raise ImportError('no native module')\n").unwrap();
    let run = Case::new(["run", "p.yaml"]).file("p.yaml", NUMBERS).engine().stdout("id\n0\n1\n2\n");
    let stderr = prefix.redacted(&prefix.run(run).stderr);
    let told = "is ignored: it cannot be loaded: ImportError: no native module\n";
    assert!(stderr.contains(told), "{stderr}");
}
