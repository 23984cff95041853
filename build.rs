//! Refuses platforms that pipectl does not support before anything is compiled for them.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_CFG_WINDOWS").is_some() {
        println!(
            "cargo::error=pipectl does not support Windows, because it relies on Unix signals and atomic swaps of folders: build it in WSL"
        );
    }
}
