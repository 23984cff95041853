//! Holds `schemas/pipeline.schema.json` to what the binary prints.

use std::fs;

use crate::support::Case;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/pipeline.schema.json");

#[test]
fn the_schema_is_the_one_of_this_version() {
    let printed = Case::new(["schema"]).any_stdout().run().stdout;
    let committed = fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(
        printed == committed,
        "`schemas/pipeline.schema.json` is out of date; write it again with \
         `cargo run -- schema > schemas/pipeline.schema.json`"
    );
}
