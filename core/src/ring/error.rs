//! What can go wrong at an end of a ring.

use core::fmt;

use embedded_io::ErrorKind;

use super::BadIndex;

/// Why bytes did not move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RingError {
    /// The peer broke the ring; it cannot be used further.
    Peer(BadIndex),
    /// Nothing to read, or no room to write: ask readiness first, and wait for the event channel. An end of a ring
    /// cannot block by itself.
    NotReady,
}

impl From<BadIndex> for RingError {
    fn from(bad: BadIndex) -> Self {
        Self::Peer(bad)
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(bad) => bad.fmt(f),
            Self::NotReady => f.write_str("the ring is not ready"),
        }
    }
}

impl core::error::Error for RingError {}

impl embedded_io::Error for RingError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Peer(_) => ErrorKind::InvalidData,
            Self::NotReady => ErrorKind::Interrupted,
        }
    }
}
