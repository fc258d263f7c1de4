//! How far an upload is, on a terminal.

use std::io::{self, IsTerminal, Write};

/// Characters of the bar.
const WIDTH: u64 = 30;

/// A line on standard error that is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
    drawn: String,
    /// Characters of the longest line.
    width: usize,
}

impl Progress {
    /// One that is seen if someone looks.
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: !quiet && io::stderr().is_terminal(), drawn: String::new(), width: 0 }
    }

    /// `done` bytes of `total` of `what` are sent.
    pub(super) fn show(&mut self, what: &str, done: u64, total: u64) {
        if !self.shown {
            return;
        }
        let line = line(what, done, total);
        if self.drawn != line {
            self.width = self.width.max(line.len());
            // Nobody has to see it.
            let _ = write!(io::stderr(), "\r{line:0$}", self.width);
            self.drawn = line;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.width > 0 {
            let _ = write!(io::stderr(), "\r{:1$}\r", "", self.width);
        }
    }
}

fn line(what: &str, done: u64, total: u64) -> String {
    let total = total.max(1);
    let full = usize::try_from(done.saturating_mul(WIDTH) / total).unwrap_or(0);
    let bar: String = std::iter::repeat_n('=', full).chain(std::iter::repeat('.')).take(30).collect();
    let percent = done.saturating_mul(100) / total;
    let tenths = total.saturating_mul(10) >> 20;
    format!("{what:<8} [{bar}] {percent:>3} % of {}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_each_other() {
        let lines =
            [(0, 10 << 20), (5 << 20, 10 << 20), (10 << 20, 10 << 20)].map(|(d, t)| line("kernel", d, t));
        assert_eq!(lines[1], "kernel   [===============...............]  50 % of 10.0 MiB");
        assert!(lines.iter().all(|line| line.len() == lines[0].len()));
        assert!(lines[2].contains("[==============================] 100 %"));
        assert!(line("ramdisk", 0, 0).contains("  0 %"));
    }
}
