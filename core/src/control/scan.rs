//! Finding out which domains changed.
//!
//! Xen says only that *some* domain stopped or went away (`VIRQ_DOM_EXC`). The list of domains is read in small
//! batches, one per step, and merged with what is known from the time before, both in order of domid. A change
//! that comes in the middle of a pass starts another one behind it.

use alloc::vec::Vec;

use super::Event;
use crate::hyper::{DomId, DomainFlags, DomainHandle, DomainInfo, Domains, HvError};

/// Domains looked at in one step.
const BATCH: usize = 16;

/// What is remembered of a domain. There is at most one record per domid.
#[derive(Clone, Copy, Debug)]
struct Known {
    domid: DomId,
    /// Tells a domain from a later one with the same id.
    handle: DomainHandle,
    stopped: bool,
    dying: bool,
}

/// Why a step failed. The pass it belonged to ended and has to be asked for again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScanError {
    Refused(HvError),
    OutOfMemory,
}

/// The domains known, and how far the pass in progress has come.
#[derive(Debug)]
pub(super) struct Scan {
    known: Vec<Known>,
    /// Where the pass in progress goes on.
    cursor: Option<DomId>,
    /// Start a pass when none is in progress.
    wanted: bool,
}

impl Scan {
    pub(super) const fn new() -> Self {
        Self { known: Vec::new(), cursor: None, wanted: false }
    }

    /// Asks for a pass that begins after now.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// A domain that had stopped goes on, and may have stopped again by now.
    pub(super) fn resumed(&mut self, domid: DomId) {
        if let Some(known) = self.known.iter_mut().find(|known| known.domid == domid) {
            known.stopped = false;
        }
        self.wanted = true;
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted || self.cursor.is_some()
    }

    /// Reads one batch and reports what changed.
    pub(super) fn step(
        &mut self,
        domains: &impl Domains,
        mut report: impl FnMut(Event),
    ) -> Result<(), ScanError> {
        let from = match self.cursor.take() {
            Some(cursor) => cursor,
            None => {
                self.wanted = false;
                DomId(0)
            }
        };
        let mut batch = [const { None }; BATCH];
        let count = domains.list_domains(from, &mut batch).map_err(ScanError::Refused)?;
        let mut next = from;
        for info in batch.iter().take(count).flatten() {
            self.forget(next, info.domid, &mut report);
            self.update(info, &mut report)?;
            next = DomId(info.domid.0.saturating_add(1));
        }
        if count == BATCH {
            self.cursor = Some(next);
        } else {
            self.forget(next, DomId(DomId::FIRST_RESERVED), &mut report);
        }
        Ok(())
    }

    /// Drops the records from `first` up to but without `end`: Xen listed none of these domains.
    fn forget(&mut self, first: DomId, end: DomId, report: &mut impl FnMut(Event)) {
        let start = self.known.partition_point(|known| known.domid < first);
        let stop = self.known.partition_point(|known| known.domid < end).max(start);
        for gone in self.known.drain(start..stop) {
            report(Event::DomainGone(gone.domid));
        }
    }

    fn update(&mut self, info: &DomainInfo, report: &mut impl FnMut(Event)) -> Result<(), ScanError> {
        let at = self.known.partition_point(|known| known.domid < info.domid);
        if self.known.get(at).is_some_and(|known| known.domid == info.domid && known.handle != info.handle) {
            self.known.remove(at);
            report(Event::DomainGone(info.domid));
        }
        if self.known.get(at).is_none_or(|known| known.domid != info.domid) {
            self.known.try_reserve(1).map_err(|_| ScanError::OutOfMemory)?;
            let fresh = Known { domid: info.domid, handle: info.handle, stopped: false, dying: false };
            self.known.insert(at, fresh);
        }
        let Some(known) = self.known.get_mut(at) else { return Ok(()) };
        let dying = info.flags.contains(DomainFlags::DYING);
        if let (false, Some(reason)) = (known.stopped, info.shutdown) {
            report(Event::DomainShutdown { domid: info.domid, reason });
        }
        if dying && !known.dying {
            report(Event::DomainDying(info.domid));
        }
        known.stopped = info.shutdown.is_some();
        known.dying = dying;
        Ok(())
    }
}
