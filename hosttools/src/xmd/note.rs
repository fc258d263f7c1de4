//! The daemon's own log: one line for each event, on standard error, without anything that a terminal would obey. Its
//! last part is also kept here, for `xm log`.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::shown::is_harmless;

/// Bytes kept. It has to fit into one answer.
const KEPT: usize = 16 << 10;

/// The log of this process.
static LOG: Mutex<Log> = Mutex::new(Log { lines: VecDeque::new(), bytes: 0 });

/// Lines of which the last are kept.
#[derive(Debug)]
struct Log {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Log {
    fn add(&mut self, line: String) {
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.bytes > KEPT
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= oldest.len();
        }
    }

    fn text(&self) -> String {
        self.lines.iter().map(String::as_str).collect()
    }
}

/// Writes one line. Parts of it may come from others.
pub(super) fn note(text: fmt::Arguments<'_>) {
    let line = format!("xmd: {}\n", escaped(&text.to_string()));
    eprint!("{line}");
    LOG.lock().unwrap_or_else(PoisonError::into_inner).add(line);
}

/// What was noted lately.
pub(super) fn noted() -> String {
    LOG.lock().unwrap_or_else(PoisonError::into_inner).text()
}

fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmless(c) {
            line.push(c);
        } else {
            let _ = write!(line, "{}", c.escape_default());
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_e06_a_line_of_the_log_stays_one_and_obeys_nobody() {
        assert_eq!(
            escaped("web\u{1b}[2J\nxmd: all is well\u{9b}"),
            "web\\u{1b}[2J\\nxmd: all is well\\u{9b}"
        );
    }

    #[test]
    fn the_oldest_lines_go_and_the_rest_stays_whole() {
        let mut log = Log { lines: VecDeque::new(), bytes: 0 };
        for number in 0..5000 {
            log.add(format!("line {number}\n"));
        }
        let text = log.text();
        assert!(text.len() <= KEPT && text.len() > KEPT - 20);
        assert!(text.starts_with("line ") && text.ends_with("line 4999\n"));
        log.add("x".repeat(KEPT + 1));
        assert_eq!(log.text(), "", "a line longer than all is not kept");
    }
}
