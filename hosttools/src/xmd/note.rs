//! The daemon's own log: one line for each event, on standard error, without anything that a terminal would obey.

use std::fmt::{self, Write};

use crate::shown::is_harmless;

/// Writes one line. Parts of it may come from others.
pub(super) fn note(text: fmt::Arguments<'_>) {
    eprintln!("xmd: {}", escaped(&text.to_string()));
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
}
