//! A stream downwards that is read somewhere piece by piece.

use alloc::vec::Vec;

use super::super::session::{Ended, Outbox};
use crate::protocol::{CHUNK, Down, Failure, RequestId};

/// Bytes on their way, and how many the peer takes.
#[derive(Debug)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    /// So many of them are gone.
    sent: usize,
    credit: u32,
}

impl Outgoing {
    pub(super) fn new() -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(CHUNK).map_err(|_| Failure::ControlMemory)?;
        Ok(Self { bytes, sent: 0, credit: 0 })
    }

    /// The peer takes so many bytes more.
    pub(super) const fn add_credit(&mut self, bytes: u32) {
        self.credit = self.credit.saturating_add(bytes);
    }

    pub(super) const fn has_credit(&self) -> bool {
        self.credit > 0
    }

    /// Whether all is gone.
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// What comes next, to be filled, when all before it is gone.
    pub(super) fn refill(&mut self) -> &mut Vec<u8> {
        self.bytes.clear();
        self.sent = 0;
        self.more()
    }

    /// What comes next, to be added to.
    pub(super) const fn more(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Sends what the peer takes.
    pub(super) fn send(&mut self, out: &mut Outbox, id: RequestId) -> Result<(), Ended> {
        let rest = self.bytes.get(self.sent..).unwrap_or_default();
        let count = rest.len().min(usize::try_from(self.credit).unwrap_or(usize::MAX)).min(CHUNK);
        out.push(&Down::Data { id, bytes: rest.get(..count).unwrap_or_default() })?;
        self.sent += count;
        self.credit = self.credit.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        Ok(())
    }
}
