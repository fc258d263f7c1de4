//! What happened lately, as text: the control domain's own log, for `xm log`.
//!
//! The oldest goes first. Lines begin with the time since Xen booted; control characters are escaped, for names come
//! from people and from guests.
#![forbid(unsafe_code)]

use alloc::collections::{TryReserveError, VecDeque};
use alloc::format;
use core::fmt;

/// Bytes kept.
const KEPT: usize = 32 << 10;

/// Text of which the last part is kept.
#[derive(Debug)]
pub struct Journal {
    bytes: VecDeque<u8>,
    /// The position of the first byte kept, since the beginning.
    start: u64,
}

impl Journal {
    /// Nothing yet. All its memory is taken here.
    pub fn new() -> Result<Self, TryReserveError> {
        let mut bytes = VecDeque::new();
        bytes.try_reserve_exact(KEPT)?;
        Ok(Self { bytes, start: 0 })
    }

    /// Adds a line.
    pub fn add(&mut self, now: u64, event: &impl fmt::Display) {
        let text = format!("{event}");
        let (seconds, micros) = (now / 1_000_000_000, now / 1000 % 1_000_000);
        let line = format!("[{seconds:6}.{micros:06}] {}\n", text.escape_debug());
        let excess = (self.bytes.len() + line.len()).saturating_sub(KEPT).min(self.bytes.len());
        self.bytes.drain(..excess);
        self.start = self.start.saturating_add(excess as u64);
        self.bytes.extend(line.as_bytes().iter().take(KEPT));
    }

    /// Copies text from position `at` on, or from the oldest that is kept; returns how many bytes, and where to go on.
    pub fn read(&self, at: u64, out: &mut [u8]) -> (usize, u64) {
        let at = at.max(self.start);
        let skip = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        let mut count = 0;
        for (out, byte) in out.iter_mut().zip(self.bytes.iter().skip(skip)) {
            *out = *byte;
            count += 1;
        }
        (count, at.saturating_add(count as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;

    fn all(journal: &Journal) -> String {
        let mut out = vec![0; 2 * KEPT];
        let (count, _) = journal.read(0, &mut out);
        String::from_utf8(out[..count].to_vec()).unwrap()
    }

    #[test]
    fn lines_have_their_time_and_no_control_characters() {
        let mut journal = Journal::new().unwrap();
        journal.add(1_002_003_999, &"a\x1b[2Jb");
        assert_eq!(all(&journal), "[     1.002003] a\\u{1b}[2Jb\n");
    }

    #[test]
    fn the_oldest_goes_and_readers_go_on() {
        let mut journal = Journal::new().unwrap();
        for number in 0..3000 {
            journal.add(0, &format!("line {number}"));
        }
        let text = all(&journal);
        assert!(text.len() <= KEPT && text.ends_with("line 2999\n"));
        let mut out = [0; 16];
        let (count, next) = journal.read(0, &mut out);
        assert_eq!(out[..count], text.as_bytes()[..16]);
        journal.read(next, &mut out);
        assert_eq!(out, text.as_bytes()[16..32]);
        let (count, end) = journal.read(u64::MAX, &mut out);
        assert_eq!((count, end), (0, u64::MAX));
    }
}
