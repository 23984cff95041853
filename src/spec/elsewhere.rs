//! Owns what keys are called in other tools, for those who come from there.

use crate::diagnostic::Diagnostic;

/// What a key of another tool means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A key that only has another name here.
    Key(&'static str),
    /// Something that is written otherwise, in words.
    Help(&'static str),
}

impl Meaning {
    /// Adds what an unknown key means to its diagnostic.
    pub(super) fn explain(self, diagnostic: Diagnostic) -> Diagnostic {
        match self {
            Self::Key(key) => diagnostic.called_here(key),
            Self::Help(help) => diagnostic.help(help),
        }
    }
}

/// The top-level key that is called so elsewhere.
pub(super) fn at_top(key: &str) -> Option<&'static str> {
    let plain = key.to_lowercase().replace(['_', '-', ' '], "");
    Some(match plain.as_str() {
        "models" | "jobs" | "tasks" | "nodes" | "pipeline" | "transformations" => "steps",
        "params" | "parameters" | "variables" | "arguments" | "args" => "vars",
        "config" | "configuration" | "settings" | "sparkconf" | "options" => "conf",
        "includes" | "imports" | "import" | "extends" => "include",
        "files" | "jars" | "packages" => "artifacts",
        "title" | "id" => "name",
        _ => return None,
    })
}

/// What a key that a step does not have means in other tools.
pub(super) fn in_step(key: &str) -> Option<Meaning> {
    use Meaning::{Help, Key};
    let plain = key.to_lowercase().replace(['_', '-', ' '], "");
    Some(match plain.as_str() {
        "dependson" | "needs" | "requires" | "upstream" | "runafter" => Help(
            "references make the order by themselves; to wait for a step without reading it, write `after`",
        ),
        "type" | "kind" | "op" => Help("a step has no type: its source is the key, as in `from: orders`"),
        "ref" | "input" | "inputs" | "parent" | "sources" => {
            Help("to begin with another step write `from`, and `join` or `union` for more")
        }
        "query" => Help("write `sql: SELECT …`"),
        "transforms" | "transformations" | "steps" | "ops" | "operations" => Key("transform"),
        "output" | "outputs" | "sink" | "sinks" | "target" | "destination" | "dest" => Key("write"),
        "test" | "check" | "checks" | "expectation" | "expectations" | "constraints" | "asserts" => {
            Key("expect")
        }
        "columns" | "fields" => Help("write `transform:` and below it `- select: […]`"),
        "materialized" | "persist" => {
            Help("a step has a `write` where its rows are to stay, and `cache` where it is read often")
        }
        "load" | "file" | "path" | "location" => Help("write `read: { format: parquet, path: … }`"),
        _ => return None,
    })
}

/// What a key that a contract does not have means in other tools.
pub(super) fn in_contract(key: &str) -> Option<Meaning> {
    use Meaning::{Help, Key};
    let plain = key.to_lowercase().replace(['_', '-', ' '], "");
    Some(match plain.as_str() {
        "datatype" | "dtype" | "physicaltype" | "logicaltype" => Key("type"),
        "fields" | "schema" | "properties" => Key("columns"),
        "primarykey" | "keys" | "pk" | "uniquekey" => {
            Help("here it is called `key`, and stands beside `columns`: `key: [id]`")
        }
        "required" | "notnull" | "mandatory" => Help("here it is called `nullable`: `nullable: false`"),
        "unique" | "isunique" | "primary" => Help("write `key: [id]` beside `columns`"),
        "comment" | "doc" | "docs" => Key("description"),
        "additionalproperties" | "additionalcolumns" | "extracolumns" | "strict" | "evolve" => {
            Help("here it is called `extra`: `error`, `drop` or `keep`")
        }
        "tests" | "datatests" | "checks" | "quality" | "expect" | "constraints" => {
            Help("what must hold for rows stands at a step, in `expect`")
        }
        _ => return None,
    })
}
