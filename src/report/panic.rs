//! What is told of a panic, which is a fault of pipectl's own: its message may quote anything.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::thread;

use super::escape::escaped;
use super::stderr::write_line;
use crate::secret::scrubbed;

/// From here on panics are told as everything is: without secrets.
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| write_line(&told(panic))));
}

/// Where and why, and with `RUST_BACKTRACE` the calls that led to it.
fn told(panic: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let mut text = format!("thread `{}` {panic}", thread.name().unwrap_or_default());
    let calls = Backtrace::capture();
    if calls.status() == BacktraceStatus::Captured {
        text.push_str(&format!("\n{calls}"));
    }
    text.push_str("\nthis is a fault of pipectl; please report it with what you did");
    escaped(&scrubbed(&text)).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::told;
    use crate::secret::Secret;

    static TOLD: Mutex<Option<String>> = Mutex::new(None);

    #[test]
    fn a_panic_is_told_without_secrets() {
        let secret = Secret::new("p4n1c-c4n4ry");
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(|panic| {
            if panic.location().is_some_and(|place| place.file() == file!()) {
                *TOLD.lock().unwrap() = Some(told(panic));
            }
        }));
        let result = std::panic::catch_unwind(|| panic!("the value {:?} is odd", secret.expose()));
        std::panic::set_hook(usual);
        assert!(result.is_err());
        let told = TOLD.lock().unwrap().take().unwrap();
        assert!(told.contains("panicked at") && told.contains("the value \"***\" is odd"), "{told}");
    }
}
