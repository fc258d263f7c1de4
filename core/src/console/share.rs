//! Sharing the memory for histories.
//!
//! Each history grows while there is memory. When there is none left, one that has its fair share (all memory
//! divided by the number of consoles) goes on in its own oldest chunk; one that has less gets the oldest chunk of
//! the longest history, which by then has more than its share. So a domain that prints much loses only its own
//! past, and each keeps its share whatever the others do. Looking for the longest history takes time in
//! proportion to the number of consoles, but happens only while a history grows up to its share.

use super::history::{CHUNK, Chunk, History, new_chunk};

/// The most chunks of one history: 64 KiB, and one that is being filled.
const MOST: usize = 64 * 1024 / CHUNK + 1;

/// The memory for all histories.
#[derive(Debug)]
pub(super) struct Pool {
    /// The most chunks.
    limit: usize,
    used: usize,
}

/// Where the memory for more history comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// From the history's own past.
    Itself,
    /// From the longest history's past.
    Longest,
}

impl Pool {
    pub(super) const fn new(bytes: usize) -> Self {
        Self { limit: bytes / CHUNK, used: 0 }
    }

    /// Finds memory for more of `history`, one of `histories`, and makes sure that it can take a chunk.
    pub(super) fn take(&mut self, history: &mut History, histories: usize) -> Result<Chunk, Source> {
        let chunks = history.chunks();
        if chunks >= MOST || history.reserve().is_err() {
            return Err(Source::Itself);
        }
        if self.used < self.limit
            && let Ok(chunk) = new_chunk()
        {
            self.used += 1;
            return Ok(chunk);
        }
        let share = self.used / histories.max(1);
        if chunks > 0 && chunks >= share { Err(Source::Itself) } else { Err(Source::Longest) }
    }

    /// A history is gone.
    pub(super) fn give_back(&mut self, history: History) {
        self.used = self.used.saturating_sub(history.chunks());
    }
}
