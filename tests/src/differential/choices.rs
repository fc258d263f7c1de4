//! What a session is made up from: a seed, or bytes that a fuzzer chose.

use std::collections::VecDeque;

use fastrand::Rng;

/// Where a session's choices come from.
pub(super) enum Choices {
    Random(Rng),
    /// Bytes, one for a choice, two where one cannot reach. Behind the last all choices are the first.
    Given(VecDeque<u8>),
}

impl Choices {
    pub(super) fn byte(&mut self) -> u8 {
        match self {
            Self::Random(rng) => rng.u8(..),
            Self::Given(bytes) => bytes.pop_front().unwrap_or_default(),
        }
    }

    pub(super) fn below(&mut self, end: u32) -> u32 {
        match self {
            Self::Random(rng) => rng.u32(..end),
            Self::Given(_) if end <= 256 => u32::from(self.byte()) % end,
            Self::Given(_) => u32::from(u16::from_le_bytes([self.byte(), self.byte()])) % end,
        }
    }

    pub(super) fn size(&mut self, end: usize) -> usize {
        self.below(u32::try_from(end).expect("a small number")) as usize
    }

    pub(super) fn are_over(&self) -> bool {
        matches!(self, Self::Given(bytes) if bytes.is_empty())
    }
}
