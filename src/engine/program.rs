//! The Python programs: the modules of the package `pipectl_engine`, embedded, and the one way to start one of them.
//!
//! A program is a single text: the sources of its modules, and `start.py`, which imports from them. So there is no folder from
//! which modules are read, and no other user can put one there. It is passed as an argument, or written into a private folder.

use serde_json::{Map, Value};

const START: &str = include_str!("python/start.py");
const PACKAGE: &str = "pipectl_engine";
/// The module that makes it a package.
const ROOT: &str = include_str!("python/pipectl_engine/__init__.py");

/// Every module that is imported within the package, by its name.
const MODULES: [(&str, &str); 18] = [
    ("archive", include_str!("python/pipectl_engine/archive.py")),
    ("classes", include_str!("python/pipectl_engine/classes.py")),
    ("content", include_str!("python/pipectl_engine/content.py")),
    ("environment", include_str!("python/pipectl_engine/environment.py")),
    ("failure", include_str!("python/pipectl_engine/failure.py")),
    ("index", include_str!("python/pipectl_engine/index.py")),
    ("install", include_str!("python/pipectl_engine/install.py")),
    ("keep", include_str!("python/pipectl_engine/keep.py")),
    ("launch", include_str!("python/pipectl_engine/launch.py")),
    ("memory", include_str!("python/pipectl_engine/memory.py")),
    ("messages", include_str!("python/pipectl_engine/messages.py")),
    ("packages", include_str!("python/pipectl_engine/packages.py")),
    ("private", include_str!("python/pipectl_engine/private.py")),
    ("probe", include_str!("python/pipectl_engine/probe.py")),
    ("prove", include_str!("python/pipectl_engine/prove.py")),
    ("sail", include_str!("python/pipectl_engine/sail.py")),
    ("spark", include_str!("python/pipectl_engine/spark.py")),
    ("wheels", include_str!("python/pipectl_engine/wheels.py")),
];

/// A module that is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Classes,
    Install,
    Keep,
    Launch,
    Probe,
    Prove,
    Sail,
    Spark,
}

impl Program {
    fn module(self) -> &'static str {
        match self {
            Self::Classes => "classes",
            Self::Install => "install",
            Self::Keep => "keep",
            Self::Launch => "launch",
            Self::Probe => "probe",
            Self::Prove => "prove",
            Self::Sail => "sail",
            Self::Spark => "spark",
        }
    }

    /// Its text, with all that it imports.
    pub(super) fn text(self) -> String {
        let mut sources = Map::from_iter([(PACKAGE.to_owned(), Value::from(ROOT))]);
        let mut waiting = vec![self.module()];
        while let Some(module) = waiting.pop() {
            let name = format!("{PACKAGE}.{module}");
            if !sources.contains_key(&name) {
                let source = source(module);
                waiting.extend(imported(source));
                sources.insert(name, source.into());
            }
        }
        // What JSON writes for texts and mappings of them means the same in Python.
        let sources = Value::from(sources);
        format!("SOURCES = {sources}\nMODULE = \"{PACKAGE}.{}\"\n{START}", self.module())
    }
}

fn source(module: &str) -> &'static str {
    MODULES.iter().find(|(name, _)| *name == module).map_or("", |(_, source)| source)
}

/// The modules of the package that one imports.
fn imported(source: &'static str) -> impl Iterator<Item = &'static str> {
    source.lines().filter_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["from", PACKAGE, "import", module] => Some(module),
        ["from", module, "import", ..] => module.strip_prefix(PACKAGE)?.strip_prefix('.'),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::{Command, Stdio};

    use super::*;

    const ALL: [Program; 8] = [
        Program::Classes,
        Program::Install,
        Program::Keep,
        Program::Launch,
        Program::Probe,
        Program::Prove,
        Program::Sail,
        Program::Spark,
    ];
    /// The longest argument that Linux takes.
    const LONGEST: usize = 128 * 1024;

    /// Everything that a program imports is in it: a module that is missing would only be missed when it runs.
    #[test]
    fn every_program_has_what_it_imports() {
        for program in ALL {
            let text = program.text();
            assert!(text.len() < LONGEST, "{program:?}: {} bytes", text.len());
            let imports = format!("{text}\n")
                .replace("sys.exit(import_module(MODULE).main(sys.argv[1:]))", "import_module(MODULE)");
            let mut command = Command::new("python3");
            command.args(["-I", "-S", "-c", &imports]).stdin(Stdio::null());
            let output = command.output().unwrap();
            assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let probe = Program::Probe.text();
        assert!(!probe.contains("def install"), "{probe}");
    }

    #[test]
    fn every_module_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine/python/pipectl_engine");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".py").map(str::to_owned))
            .filter(|name| name != "__init__")
            .collect();
        files.sort();
        assert_eq!(files, MODULES.map(|(name, _)| name));
    }
}
