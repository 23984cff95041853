//! Reads the events of a YAML file and drops them: the baseline of `pipectl validate`.

use std::process::ExitCode;

use serde_yaml::granit_parser::Parser;

fn main() -> ExitCode {
    let Some(text) = std::env::args_os().nth(1).and_then(|path| std::fs::read_to_string(path).ok()) else {
        return ExitCode::from(2);
    };
    let mut parser = Parser::new_from_str(&text);
    let mut events = 0_u64;
    while let Some(event) = parser.next_event() {
        if std::hint::black_box(event).is_err() {
            return ExitCode::FAILURE;
        }
        events += 1;
    }
    ExitCode::from(u8::from(events == 0))
}
