//! Texts that are read to their end: Xen's messages, and the journal.

use super::super::desk::{Desk, refused};
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::hyper::Hypervisor;
use crate::protocol::{Answer, Down, Failure, RequestId};
use crate::store::service::Local;

/// Bytes read in one step.
const PIECE: usize = 2048;

#[derive(Clone, Copy, Debug)]
enum From {
    /// Xen's console ring, from its index on; it may be cleared at the end.
    Xen { index: u32, clear: bool },
    /// The journal, from its position on.
    Journal { at: u64 },
}

/// A text that is being read.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Text {
    from: From,
    /// Bytes that the peer takes.
    credit: u32,
    cancelled: bool,
}

impl Text {
    pub(in super::super) const fn xen(clear: bool) -> Self {
        Self { from: From::Xen { index: 0, clear }, credit: 0, cancelled: false }
    }

    pub(in super::super) const fn journal() -> Self {
        Self { from: From::Journal { at: 0 }, credit: 0, cancelled: false }
    }

    pub(super) const fn credit(&mut self, bytes: u32) {
        self.credit = self.credit.saturating_add(bytes);
    }

    pub(super) const fn cancel(&mut self) {
        self.cancelled = true;
    }

    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        let result = if self.cancelled {
            Err(Failure::Cancelled)
        } else if self.credit == 0 {
            return Ok(Pump::Idle);
        } else {
            let mut buffer = [0; PIECE];
            let wanted = usize::try_from(self.credit).unwrap_or(PIECE).min(PIECE);
            let (room, _) = buffer.split_at_mut(wanted);
            match self.read(desk, room) {
                Ok(0) => Ok(Answer::Done),
                Ok(count) => {
                    out.push(&Down::Data { id, bytes: room.get(..count).unwrap_or_default() })?;
                    self.credit = self.credit.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
                    return Ok(Pump::Moved);
                }
                Err(failure) => Err(failure),
            }
        };
        out.answer(id, result)?;
        Ok(Pump::Answered)
    }

    /// Reads on; 0 at the end.
    fn read<H: Hypervisor, S>(&mut self, desk: &Desk<'_, H, S>, room: &mut [u8]) -> Result<usize, Failure> {
        match &mut self.from {
            From::Xen { index, clear } => {
                let (count, next) =
                    desk.hv.read_console_ring(*index, room).map_err(|error| refused(&error))?;
                *index = next;
                if count == 0 && *clear {
                    desk.hv.clear_console_ring(*index).map_err(|error| refused(&error))?;
                }
                Ok(count)
            }
            From::Journal { at } => {
                let (count, next) = desk.journal.borrow().read(*at, room);
                *at = next;
                Ok(count)
            }
        }
    }
}
