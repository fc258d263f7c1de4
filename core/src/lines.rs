//! The few plain lines on Xen's console that people and scripts rely on, each written and read in this one place.
#![forbid(unsafe_code)]

use alloc::vec::Vec;
use core::fmt::{self, Write};

use heapless::String;

use crate::hyper::{Console, Result};

/// The longest line written; what is longer ends in `...`.
const LONGEST: usize = 240;
const ELLIPSIS: &str = "...";

/// This version of xendless.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Heap in use and at most, in KiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeapUsage {
    /// In use.
    pub used_kib: u64,
    /// The hard limit.
    pub limit_kib: u64,
}

impl fmt::Display for HeapUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "heap {} of {} KiB", self.used_kib, self.limit_kib)
    }
}

impl HeapUsage {
    fn parse(text: &str) -> Option<Self> {
        let (used, limit) = text.strip_prefix("heap ")?.strip_suffix(" KiB")?.split_once(" of ")?;
        Some(Self { used_kib: used.parse().ok()?, limit_kib: limit.parse().ok()? })
    }
}

/// Boot is done: `xendless: ready, version 0.1.0, 3.214 ms after hand-over, heap 412 of 24576 KiB`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ready<'a> {
    /// The version of xendless.
    pub version: &'a str,
    /// Microseconds since Xen handed over.
    pub after_us: u64,
    /// Heap in use now.
    pub heap: HeapUsage,
}

impl fmt::Display for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = Thousandths(self.after_us);
        write!(f, "xendless: ready, version {}, {after} ms after hand-over, {}", self.version, self.heap)
    }
}

impl<'a> Ready<'a> {
    /// Reads the line back; `None` when it is another one.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        let (version, rest) = line.strip_prefix("xendless: ready, version ")?.split_once(", ")?;
        let (after, heap) = rest.split_once(" ms after hand-over, ")?;
        Some(Self { version, after_us: Thousandths::parse(after)?, heap: HeapUsage::parse(heap)? })
    }
}

/// The answer to debug key `q`: `xendless: status: up 12.345 s, 3 wake-ups, heap 412 of 24576 KiB`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// Milliseconds since Xen handed over.
    pub up_ms: u64,
    /// How often the control domain woke from sleep, this time included.
    pub wake_ups: u64,
    /// Heap in use now.
    pub heap: HeapUsage,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let up = Thousandths(self.up_ms);
        write!(f, "xendless: status: up {up} s, {} wake-ups, {}", self.wake_ups, self.heap)
    }
}

impl Status {
    /// Reads the line back; `None` when it is another one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (up, rest) = line.strip_prefix("xendless: status: up ")?.split_once(" s, ")?;
        let (wake_ups, heap) = rest.split_once(" wake-ups, ")?;
        Some(Self {
            up_ms: Thousandths::parse(up)?,
            wake_ups: wake_ups.parse().ok()?,
            heap: HeapUsage::parse(heap)?,
        })
    }
}

/// The control domain cannot go on: `xendless: fatal: …`.
#[derive(Clone, Copy, Debug)]
pub struct Fatal<T>(pub T);

/// How [`Fatal`] begins, for those who look for it.
pub const FATAL_PREFIX: &str = "xendless: fatal: ";

impl<T: fmt::Display> fmt::Display for Fatal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FATAL_PREFIX}{}", self.0)
    }
}

/// A frame of the control domain's log, for those who read it on the console: `xendless: log: 0a1b…`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogFrame<'a>(pub &'a [u8]);

const LOG_PREFIX: &str = "xendless: log: ";

impl fmt::Display for LogFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(LOG_PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl LogFrame<'_> {
    /// Reads the line back, as the frame's bytes; `None` when it is another one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Vec<u8>> {
        let digits = line.strip_prefix(LOG_PREFIX)?.as_bytes();
        if digits.len() % 2 != 0 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
    }
}

/// Writes `line` and a line break in one go, so that no other output splits it.
pub fn print(console: &impl Console, line: impl fmt::Display) -> Result<()> {
    let mut text = Line::default();
    // Writing fails only when the line is full, and then says so at its end.
    let _ = write!(text, "{line}");
    console.console_write(text.finish().as_bytes())
}

/// A line that keeps room for its end.
#[derive(Default)]
struct Line {
    text: String<LONGEST>,
    cut: bool,
}

impl Line {
    fn finish(mut self) -> String<LONGEST> {
        let end = if self.cut { "...\n" } else { "\n" };
        // `write_str` left room for this.
        let _ = self.text.push_str(end);
        self.text
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            let room = LONGEST - self.text.len() - ELLIPSIS.len() - 1;
            if self.cut || char.len_utf8() > room {
                self.cut = true;
                return Err(fmt::Error);
            }
            self.text.push(char).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}

/// A number shown with three decimals.
struct Thousandths(u64);

impl fmt::Display for Thousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

impl Thousandths {
    fn parse(text: &str) -> Option<u64> {
        let (whole, part) = text.split_once('.')?;
        if part.len() != 3 {
            return None;
        }
        whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(part.parse().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use core::cell::RefCell;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Screen(RefCell<alloc::vec::Vec<String>>);

    impl Console for Screen {
        fn console_write(&self, text: &[u8]) -> Result<()> {
            self.0.borrow_mut().push(String::from_utf8(text.to_vec()).unwrap());
            Ok(())
        }

        fn console_read(&self, _: &mut [u8]) -> Result<usize> {
            Ok(0)
        }
    }

    fn printed(line: impl fmt::Display) -> String {
        let screen = Screen::default();
        print(&screen, line).unwrap();
        let mut writes = screen.0.into_inner();
        assert_eq!(writes.len(), 1, "a line is one write");
        writes.remove(0)
    }

    const HEAP: HeapUsage = HeapUsage { used_kib: 412, limit_kib: 24576 };

    #[test]
    fn the_lines_are_those_that_are_documented() {
        assert_eq!(
            printed(Ready { version: "0.1.0", after_us: 3214, heap: HEAP }),
            "xendless: ready, version 0.1.0, 3.214 ms after hand-over, heap 412 of 24576 KiB\n"
        );
        assert_eq!(
            printed(Status { up_ms: 12_345, wake_ups: 3, heap: HEAP }),
            "xendless: status: up 12.345 s, 3 wake-ups, heap 412 of 24576 KiB\n"
        );
        assert_eq!(printed(Fatal("no such thing")), "xendless: fatal: no such thing\n");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_says_so() {
        let line = printed("ä".repeat(LONGEST));
        assert!(line.ends_with("ä...\n"), "{line}");
        assert!(line.len() <= LONGEST);
        assert_eq!(printed("x".repeat(LONGEST - 4)).len(), LONGEST - 3);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(a in 0u64..1 << 50, b in any::<u64>(), used_kib: u64, limit_kib: u64) {
            let heap = HeapUsage { used_kib, limit_kib };
            let ready = Ready { version: "10.20.30-rc.1", after_us: a, heap };
            let text = ready.to_string();
            prop_assert_eq!(Ready::parse(&text), Some(ready));
            let status = Status { up_ms: a, wake_ups: b, heap };
            prop_assert_eq!(Status::parse(&status.to_string()), Some(status));
        }

        #[test]
        fn a_frame_of_the_log_reads_back(bytes: Vec<u8>) {
            prop_assert_eq!(LogFrame::parse(&LogFrame(&bytes).to_string()), Some(bytes));
        }

        #[test]
        fn other_lines_are_not_taken_for_these(line: String) {
            prop_assert_eq!(LogFrame::parse(&line), None);
            prop_assert_eq!(Ready::parse(&line), None);
            prop_assert_eq!(Status::parse(&line), None);
        }
    }
}
