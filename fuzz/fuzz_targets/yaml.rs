#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pipectl::fuzzing::yaml(input));
