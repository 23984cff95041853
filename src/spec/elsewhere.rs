//! Owns what keys are called in other tools, for those who come from there.

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
pub(super) fn in_step(key: &str) -> Option<&'static str> {
    let plain = key.to_lowercase().replace(['_', '-', ' '], "");
    Some(match plain.as_str() {
        "dependson" | "needs" | "requires" | "upstream" | "runafter" => {
            "references make the order by themselves; to wait for a step without reading it, write `after`"
        }
        "type" | "kind" | "op" => "a step has no type: its source is the key, as in `from: orders`",
        "ref" | "input" | "inputs" | "parent" | "sources" => {
            "to begin with another step write `from`, and `join` or `union` for more"
        }
        "query" => "write `sql: SELECT …`",
        "transforms" | "transformations" | "steps" | "ops" | "operations" => "here it is called `transform`",
        "output" | "outputs" | "sink" | "sinks" | "target" | "destination" | "dest" => {
            "here it is called `write`"
        }
        "test" | "check" | "checks" | "expectation" | "expectations" | "constraints" | "asserts" => {
            "here it is called `expect`"
        }
        "columns" | "fields" => "write `transform:` and below it `- select: […]`",
        "materialized" | "persist" => {
            "a step has a `write` where its rows are to stay, and `cache` where it is read often"
        }
        "load" | "file" | "path" | "location" => "write `read: { format: parquet, path: … }`",
        _ => return None,
    })
}

/// What is said of keys that are `type` in a contract.
pub(super) const CALLED_TYPE: &str = "here it is called `type`";

/// What a key that a contract does not have means in other tools.
pub(super) fn in_contract(key: &str) -> Option<&'static str> {
    let plain = key.to_lowercase().replace(['_', '-', ' '], "");
    Some(match plain.as_str() {
        "datatype" | "dtype" | "physicaltype" | "logicaltype" => CALLED_TYPE,
        "fields" | "schema" | "properties" => "here it is called `columns`",
        "primarykey" | "keys" | "pk" | "uniquekey" => {
            "here it is called `key`, and stands beside `columns`: `key: [id]`"
        }
        "required" | "notnull" | "mandatory" => "here it is called `nullable`: `nullable: false`",
        "unique" | "isunique" | "primary" => "write `key: [id]` beside `columns`",
        "comment" | "doc" | "docs" => "here it is called `description`",
        "additionalproperties" | "additionalcolumns" | "extracolumns" | "strict" | "evolve" => {
            "here it is called `extra`: `error`, `drop` or `keep`"
        }
        "tests" | "datatests" | "checks" | "quality" | "expect" | "constraints" => {
            "what must hold for rows stands at a step, in `expect`"
        }
        _ => return None,
    })
}
