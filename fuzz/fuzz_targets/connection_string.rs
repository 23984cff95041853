#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| pipectl::fuzzing::connection_string(input));
