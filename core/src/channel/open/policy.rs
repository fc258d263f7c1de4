//! A policy that is put in force: its bytes come first.

use alloc::format;
use alloc::vec::Vec;

use super::super::desk::Desk;
use super::super::labels::failed;
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::hyper::Hypervisor;
use crate::protocol::{Answer, Down, Failure, POLICY, Rejection, RequestId};

/// Bytes that may be on their way.
const WINDOW: usize = 64 << 10;

/// A policy on its way.
#[derive(Debug)]
pub(in super::super) struct Policy {
    /// Has room for all of it.
    bytes: Vec<u8>,
    size: usize,
    /// Bytes that the peer was told to send.
    asked: usize,
    cancelled: bool,
}

impl Policy {
    pub(in super::super) fn new(size: u32) -> Result<Self, Failure> {
        if size == 0 || size > POLICY {
            return Err(Failure::Invalid(format!("a policy has from 1 to {POLICY} bytes")));
        }
        let size = usize::try_from(size).map_err(|_| Failure::ControlMemory)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size).map_err(|_| Failure::ControlMemory)?;
        Ok(Self { bytes, size, asked: 0, cancelled: false })
    }

    pub(super) const fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Takes bytes of it; there are no more than were asked for.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        if bytes.len() > self.asked.saturating_sub(self.bytes.len()) {
            return Err(Rejection::Misuse.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn pump<H: Hypervisor, S>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        let result = if self.cancelled {
            Err(Failure::Cancelled)
        } else if self.bytes.len() == self.size {
            desk.hv.load_policy(&self.bytes).map(|()| Answer::Done).map_err(failed)
        } else {
            return self.ask(out, id);
        };
        out.answer(id, result)?;
        Ok(Pump::Answered)
    }

    /// Has the peer send more, if half of what may be on its way has come.
    fn ask(&mut self, out: &mut Outbox, id: RequestId) -> Result<Pump, Ended> {
        let coming = self.asked.saturating_sub(self.bytes.len());
        let more = WINDOW.saturating_sub(coming).min(self.size.saturating_sub(self.asked));
        if more == 0 || coming > WINDOW / 2 {
            return Ok(Pump::Idle);
        }
        out.push(&Down::Credit { id, bytes: u32::try_from(more).map_err(|_| Rejection::Misuse)? })?;
        self.asked = self.asked.saturating_add(more);
        Ok(Pump::Moved)
    }
}
