//! What a domain printed last.
//!
//! Bytes are named by their position since the console was made. They lie in chunks, so that memory comes when it
//! is needed and can go to another history; the oldest chunk goes first.

use alloc::collections::{TryReserveError, VecDeque};
use alloc::vec::Vec;

/// Bytes in a chunk.
pub(super) const CHUNK: usize = 1024;

/// Memory for one piece of history.
pub(super) type Chunk = Vec<u8>;

/// Takes memory for a chunk.
pub(super) fn new_chunk() -> Result<Chunk, TryReserveError> {
    let mut chunk = Chunk::new();
    chunk.try_reserve_exact(CHUNK)?;
    Ok(chunk)
}

#[derive(Debug, Default)]
pub(super) struct History {
    /// All are full but the last.
    chunks: VecDeque<Chunk>,
    /// The position of the first byte kept.
    start: u64,
}

impl History {
    /// The position of the oldest byte kept, which is also the number of bytes dropped.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The position of the next byte.
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.len() as u64)
    }

    /// Bytes kept.
    pub(super) fn len(&self) -> usize {
        let last = self.chunks.back().map_or(CHUNK, Vec::len);
        (self.chunks.len() * CHUNK + last).saturating_sub(CHUNK)
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Writes what fits into the last chunk; returns the rest.
    pub(super) fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(last) = self.chunks.back_mut() else { return bytes };
        let room = CHUNK.saturating_sub(last.len());
        let (fits, rest) = bytes.split_at(bytes.len().min(room));
        last.extend_from_slice(fits);
        rest
    }

    /// Makes sure that one more chunk can be added.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        self.chunks.try_reserve(1)
    }

    /// Adds memory behind the last chunk, which has to be full.
    pub(super) fn extend(&mut self, mut chunk: Chunk) {
        chunk.clear();
        self.chunks.push_back(chunk);
    }

    /// Drops the oldest chunk; returns its memory.
    pub(super) fn shrink(&mut self) -> Option<Chunk> {
        let oldest = self.chunks.pop_front()?;
        self.skip(oldest.len());
        Some(oldest)
    }

    /// Counts bytes as dropped that were never kept: there is no memory for them. Nothing older may be kept.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes as u64);
    }

    /// Copies bytes from position `at` on, which has to be kept or be the end; returns how many.
    pub(super) fn read(&self, at: u64, out: &mut [u8]) -> usize {
        let from = usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let mut skip = from % CHUNK;
        let mut done = 0;
        for chunk in self.chunks.iter().skip(from / CHUNK) {
            let (chunk, out) =
                (chunk.get(skip..).unwrap_or_default(), out.get_mut(done..).unwrap_or_default());
            let count = chunk.len().min(out.len());
            for (byte, out) in chunk.iter().zip(out) {
                *out = *byte;
            }
            (skip, done) = (0, done + count);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Print(usize),
        Shrink,
        Skip(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0usize..3000).prop_map(Step::Print),
            1 => Just(Step::Shrink),
        ]
    }

    fn byte(at: u64) -> u8 {
        u8::try_from(at % 251).unwrap()
    }

    proptest! {
        /// The byte at each position is known, so nothing else has to be remembered.
        #[test]
        fn each_byte_stays_at_its_position(
            first in prop::option::of((1usize..5000).prop_map(Step::Skip)),
            steps in prop::collection::vec(step(), 1..20),
            at: prop::sample::Index,
        ) {
            let mut history = History::default();
            for step in first.into_iter().chain(steps) {
                match step {
                    Step::Print(count) => {
                        let end = history.end();
                        let bytes: Vec<u8> = (end..end + count as u64).map(byte).collect();
                        let mut rest = history.fill(&bytes);
                        while !rest.is_empty() {
                            history.extend(new_chunk().unwrap());
                            rest = history.fill(rest);
                        }
                        prop_assert_eq!(history.end(), end + count as u64);
                    }
                    Step::Shrink => {
                        let end = history.end();
                        history.shrink();
                        prop_assert_eq!(history.end(), end);
                    }
                    Step::Skip(count) => history.skip(count),
                }
                let from = history.start() + at.index(history.len() + 1) as u64;
                let mut out = alloc::vec![0; history.len() + 10];
                let count = history.read(from, &mut out);
                prop_assert_eq!(from + count as u64, history.end());
                prop_assert!((from..).zip(&out[..count]).all(|(at, found)| *found == byte(at)));
            }
        }
    }
}
