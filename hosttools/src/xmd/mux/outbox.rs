//! Messages on their way to one peer.

use serde::Serialize;
use xendless_core::protocol::frame::{self, FrameError};

/// Sent bytes that are kept at the front before the rest is moved there.
const SLACK: usize = 64 << 10;

/// Frames that wait until their stream takes them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// So many of them are gone.
    sent: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, message: &impl Serialize) -> Result<(), FrameError> {
        frame::append(&mut self.bytes, message)
    }

    /// What waits.
    pub(super) fn pending(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.pending().len()
    }

    pub(super) fn wrote(&mut self, count: usize) {
        self.sent = self.bytes.len().min(self.sent + count);
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(SLACK);
            self.sent = 0;
        } else if self.sent >= SLACK {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}
