//! Holds the committed code of the protocol to `proto/`: the messages with their client, and the server that tests script.
//!
//! The code is committed, so that nobody who builds pipectl compiles and waits for a code generator. After a change in `proto/`
//! write it again with `PIPECTL_BLESS=1 cargo test --test it generated`.

use std::fs;
use std::path::Path;

use prost_types::FileDescriptorSet;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FILES: [&str; 8] = [
    "spark/connect/base.proto",
    "spark/connect/catalog.proto",
    "spark/connect/commands.proto",
    "spark/connect/common.proto",
    "spark/connect/expressions.proto",
    "spark/connect/pipelines.proto",
    "spark/connect/relations.proto",
    "spark/connect/types.proto",
];
/// What would make every plan as large as the largest command, and every expression as large as its origin.
const LARGE: [&str; 5] = [
    ".spark.connect.AnalyzePlanRequest.analyze.same_semantics",
    ".spark.connect.Command.command_type.pipeline_command",
    ".spark.connect.Command.command_type.write_stream_operation_start",
    ".spark.connect.Expression.common",
    ".spark.connect.Plan.op_type.command",
];
const GENERATED: &str = "spark.connect.rs";

#[test]
fn the_messages_and_their_client_are_those_of_proto() {
    hold("src/proto/generated", client);
}

#[test]
fn the_scripted_server_is_that_of_proto() {
    hold("tests/scripted/generated", server);
}

fn client(files: FileDescriptorSet, folder: &Path) {
    let mut client = tonic_prost_build::configure().build_server(false);
    for path in LARGE {
        client = client.boxed(path);
    }
    client
        // Rows and local relations stay in the buffer in which they came.
        .bytes(".")
        // The same plan is the same bytes: servers cache plans by them, and tests compare them.
        .btree_map(".")
        .out_dir(folder)
        .compile_fds(files)
        .unwrap();
}

fn server(files: FileDescriptorSet, folder: &Path) {
    tonic_prost_build::configure()
        .build_client(false)
        // A test scripts the calls it is about.
        .generate_default_stubs(true)
        .extern_path(".spark.connect", "crate::proto::spark")
        .out_dir(folder)
        .compile_fds(files)
        .unwrap();
}

/// Compares the generated file of a folder with what is generated now, or writes it where that is asked for.
fn hold(folder: &str, generate: fn(FileDescriptorSet, &Path)) {
    let made = TempDir::new().unwrap();
    let root = Path::new(ROOT);
    generate(protox::compile(FILES, [root.join("proto")]).unwrap(), made.path());
    let generated = fs::read_to_string(made.path().join(GENERATED)).unwrap();
    let committed = root.join(folder).join(GENERATED);
    if std::env::var_os("PIPECTL_BLESS").is_some() {
        fs::write(committed, generated).unwrap();
        return;
    }
    assert!(
        generated == fs::read_to_string(committed).unwrap(),
        "`{folder}/{GENERATED}` is out of date; write it again with `PIPECTL_BLESS=1 cargo test --test it generated`"
    );
}
