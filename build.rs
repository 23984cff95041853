//! Generates the Spark Connect messages and their client from `proto/`, with no compiler but Rust's.
//!
//! A server is generated too, into a folder of its own: tests script it. It names the messages `crate::proto::spark::..`, so
//! that whoever includes it says where they are.

use std::{env, error::Error, fs, path::PathBuf};

const ROOT: &str = "proto";
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

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={ROOT}");
    let files = protox::compile(FILES, [ROOT])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);

    let mut client = tonic_prost_build::configure().build_server(false);
    for path in LARGE {
        client = client.boxed(path);
    }
    client
        // Rows and local relations stay in the buffer in which they came.
        .bytes(".")
        // The same plan is the same bytes: servers cache plans by them, and tests compare them.
        .btree_map(".")
        .out_dir(&out)
        .compile_fds(files.clone())?;

    let server = out.join("server");
    fs::create_dir_all(&server)?;
    tonic_prost_build::configure()
        .build_client(false)
        // A test scripts the calls it is about.
        .generate_default_stubs(true)
        .extern_path(".spark.connect", "crate::proto::spark")
        .out_dir(&server)
        .compile_fds(files)?;
    Ok(())
}
