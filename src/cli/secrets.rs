//! Which secrets the command line and the environment bring along, known before anything is told: even what is wrong with the command
//! line quotes it.

use std::ffi::OsString;

use super::env::variables;
use crate::secret::{learn_from_text, learn_literal};

/// What the names of variables begin with that may hold secrets which pipectl uses; stores look through their own.
const PREFIXES: [&str; 2] = ["PIPECTL_", "SPARK_"];

/// Takes note of all of them.
pub(super) fn learn(arguments: &[OsString]) {
    let mut flag = None;
    for argument in arguments.iter().filter_map(|argument| argument.to_str()) {
        learn_from_text(argument);
        // The value of a flag that is written apart from it.
        if let Some(flag) = flag.filter(|_| !argument.starts_with('-')) {
            learn_literal(flag, argument);
        }
        flag = argument.strip_prefix("--").filter(|flag| !flag.contains('='));
    }
    for (name, value) in variables() {
        if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            learn_literal(&name, &value);
            learn_from_text(&value);
        } else if name.to_ascii_lowercase().ends_with("_proxy") {
            learn_from_text(&value);
        }
    }
}
