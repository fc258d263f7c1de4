//! Which frames a domain has, one number each.

use core::fmt;

use crate::hyper::{FrameUse, TableLevel};

/// A frame of a saved domain: the domain's number for it, and what it was used for. In the stream it is one word: the
/// number, and above 60 bits of it the level of a page table, 0 when it is none, with 8 added when it was pinned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The domain's number.
    pub number: u64,
    /// The page table that it was, for a PV domain.
    pub table: Option<TableLevel>,
    /// It was pinned as that.
    pub pinned: bool,
}

/// A word that is no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameError;

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it lists a frame that cannot be")
    }
}

/// Where the use begins.
const SHIFT: u32 = 60;
const NUMBER: u64 = (1 << SHIFT) - 1;
const PINNED: u64 = 8;
const LEVELS: [TableLevel; 4] = [TableLevel::L1, TableLevel::L2, TableLevel::L3, TableLevel::L4];

impl Frame {
    /// Memory that is no page table.
    #[must_use]
    pub const fn plain(number: u64) -> Self {
        Self { number, table: None, pinned: false }
    }

    /// A frame that the hypervisor says is used so; `None` when it is no memory of the domain.
    #[must_use]
    pub const fn used(number: u64, what: FrameUse) -> Option<Self> {
        match what {
            FrameUse::Plain => Some(Self::plain(number)),
            FrameUse::Table { level, pinned } => Some(Self { number, table: Some(level), pinned }),
            FrameUse::Absent => None,
        }
    }

    /// As a word.
    #[must_use]
    pub fn encode(self) -> u64 {
        let level = self
            .table
            .map_or(0, |table| (1..).zip(LEVELS).find(|(_, level)| *level == table).map_or(0, |(n, _)| n));
        let used = level | if self.pinned { PINNED } else { 0 };
        (self.number & NUMBER) | used << SHIFT
    }

    /// From a word.
    ///
    /// # Errors
    /// When there is no such use.
    pub fn decode(word: u64) -> Result<Self, FrameError> {
        let used = word >> SHIFT;
        let (level, pinned) = (used & !PINNED, used & PINNED != 0);
        let table = match level {
            0 if pinned => return Err(FrameError),
            0 => None,
            _ => Some((1..).zip(LEVELS).find(|(number, _)| *number == level).ok_or(FrameError)?.1),
        };
        Ok(Self { number: word & NUMBER, table, pinned })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn attack_d03_words_are_frames_or_refused(word: u64) {
            match Frame::decode(word) {
                Ok(frame) => prop_assert_eq!(frame.encode(), word),
                Err(FrameError) => prop_assert!(matches!(word >> SHIFT, 5..=8 | 13..=15)),
            }
        }
    }

    #[test]
    fn numbers_and_uses_are_kept_apart() {
        assert_eq!(Frame::plain(7).encode(), 7);
        let table = Frame { number: 9, table: Some(TableLevel::L4), pinned: true };
        assert_eq!(table.encode(), 0xc000_0000_0000_0009);
        assert_eq!(Frame::decode(0xc000_0000_0000_0009), Ok(table));
    }
}
