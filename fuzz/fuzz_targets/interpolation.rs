#![no_main]

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| pipectl::fuzzing::interpolation(input.0, input.1));
