//! The last lines of what a process writes: bounded, whatever and however much it writes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::secret::scrubbed;

const LINES: usize = 40;
const BYTES_OF_A_LINE: usize = 2_000;

/// A shared window on the last lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Tail {
    pub(super) fn push(&self, line: &[u8]) {
        let text = scrubbed(String::from_utf8_lossy(line).trim_end()).into_owned();
        if text.is_empty() {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(text);
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Calls `take` with every line until the end of the stream, or until it can not be read any more. Of a long line only the
/// beginning arrives, so that the process never waits for its reader and the reader never runs out of memory.
pub(super) async fn each_line(mut stream: impl AsyncRead + Unpin, mut take: impl FnMut(&[u8])) {
    let mut block = vec![0; 8 * 1024];
    let mut line = Vec::new();
    while let Ok(length @ 1..) = stream.read(&mut block).await {
        for piece in block[..length].split_inclusive(|&byte| byte == b'\n') {
            let room = BYTES_OF_A_LINE.saturating_sub(line.len());
            line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                take(&line);
                line.clear();
            }
        }
    }
    if !line.is_empty() {
        take(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_last_lines_and_the_beginning_of_long_ones() {
        let tail = Tail::default();
        let mut lines: Vec<_> = (0..100).map(|number| format!("line {number}")).collect();
        lines.extend(["x".repeat(100_000), String::new(), "without an end".to_owned()]);
        let text = lines.join("\n");
        each_line(text.as_bytes(), |line| tail.push(line)).await;
        let lines = tail.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0], "line 62");
        assert_eq!(lines[LINES - 2].len(), BYTES_OF_A_LINE);
        assert_eq!(lines[LINES - 1], "without an end");
    }
}
