//! Standard output: collected, and harmless when it goes to a terminal.

use std::io::{self, BufWriter, Stdout, Write};

use crate::shown::is_harmless;

/// Standard output.
pub(super) struct Out(BufWriter<Stdout>);

impl Out {
    /// The one there is.
    pub(super) fn new() -> Self {
        Self(BufWriter::with_capacity(16 << 10, io::stdout()))
    }

    /// Prints a line.
    ///
    /// # Errors
    ///
    /// When standard output does not take it.
    pub(super) fn line(&mut self, line: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.0, "{line}")
    }
}

impl Default for Out {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Bytes that others made up, in pieces, on their way to a person: lines and tabs stay, the rest of what a terminal
/// would obey is escaped.
#[derive(Debug, Default)]
pub(super) struct Harmless {
    /// The start of a character whose end is still to come.
    open: Vec<u8>,
}

impl Harmless {
    /// The next piece, as it may be shown.
    pub(super) fn next(&mut self, piece: &[u8]) -> String {
        let mut bytes = std::mem::take(&mut self.open);
        bytes.extend_from_slice(piece);
        let mut shown = String::with_capacity(bytes.len());
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for c in chunk.valid().chars() {
                if is_harmless(c) || matches!(c, '\n' | '\t') {
                    shown.push(c);
                } else {
                    shown.extend(c.escape_default());
                }
            }
            if chunks.peek().is_none() && is_start(chunk.invalid()) {
                self.open = chunk.invalid().to_vec();
            } else {
                shown.push_str(&chunk.invalid().escape_ascii().to_string());
            }
        }
        shown
    }

    /// What is left when nothing more comes.
    pub(super) fn end(self) -> String {
        self.open.escape_ascii().to_string()
    }
}

/// Whether more bytes can make a character of these.
fn is_start(bytes: &[u8]) -> bool {
    let needed = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => 0,
    };
    bytes.len() < needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_e06_logs_are_shown_without_what_a_terminal_would_obey() {
        let mut harmless = Harmless::default();
        let shown = [&b"a\x1b[2J\tb\r\n\x9b1m\xc2"[..], b"\x9b\xc3", b"\xbc \xe2\x82", b"x\xe2"]
            .map(|piece| harmless.next(piece));
        assert_eq!(shown, ["a\\u{1b}[2J\tb\\r\n\\x9b1m", "\\u{9b}", "ü ", "\\xe2\\x82x"]);
        assert_eq!(harmless.end(), "\\xe2");
    }
}
