//! Listening to what happens to domains.

use alloc::vec::Vec;

use super::super::desk::Desk;
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::hyper::Hypervisor;
use crate::protocol::frame;
use crate::protocol::{Down, Failure, Happening, RequestId, What};
use crate::store::service::Local;

/// Somebody who listens.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Events {
    /// The serial number of the last happening that was told.
    told: u64,
    /// That of the last one that is in the past, until it is told that those behind it are new.
    past: Option<u64>,
    /// Bytes that the peer takes.
    credit: u32,
    cancelled: bool,
}

impl Events {
    /// Begins with what comes behind the happening with number `after`; without one, with what is still to come.
    pub(in super::super) fn new<H: Hypervisor, S>(desk: &Desk<'_, H, S>, after: Option<u64>) -> Self {
        let last = desk.chronicle.borrow().next().saturating_sub(1);
        Self { told: after.unwrap_or(last).min(last), past: Some(last), credit: 0, cancelled: false }
    }

    pub(super) const fn credit(&mut self, bytes: u32) {
        self.credit = self.credit.saturating_add(bytes);
    }

    pub(super) const fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Tells one happening, when there is one and the peer takes it whole.
    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        if self.cancelled {
            out.answer(id, Err(Failure::Cancelled))?;
            return Ok(Pump::Answered);
        }
        let Some(happening) = self.next(desk) else { return Ok(Pump::Idle) };
        let mut bytes = Vec::new();
        frame::append(&mut bytes, &happening)?;
        let Some(left) = u32::try_from(bytes.len()).ok().and_then(|size| self.credit.checked_sub(size))
        else {
            return Ok(Pump::Idle);
        };
        out.push(&Down::Data { id, bytes: &bytes })?;
        (self.credit, self.told) = (left, happening.serial);
        if happening.what == What::Now {
            self.past = None;
        }
        Ok(Pump::Moved)
    }

    fn next<H: Hypervisor, S>(&self, desk: &Desk<'_, H, S>) -> Option<Happening> {
        if self.past.is_some_and(|last| last <= self.told) {
            return Some(Happening::now(self.told));
        }
        desk.chronicle.borrow().read(desk.now, self.told)
    }
}
