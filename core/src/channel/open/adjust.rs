//! Changes that take more than one step.

use alloc::string::String;

use super::super::desk::{Desk, refused};
use super::super::failures::{not_changed, not_created};
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::config::CpuSet;
use crate::hyper::{CpuMap, DomId, DomainHandle, Hypervisor, VcpuId};
use crate::life::{ManagedId, News};
use crate::protocol::{Answer, Created, Failure, RequestId};
use crate::store::service::Local;

/// Virtual CPUs that are pinned in one step.
const PINS_PER_STEP: u32 = 16;

/// A domain that goes and is made again.
#[derive(Clone, Debug)]
pub(in super::super) struct Reset {
    managed: ManagedId,
    /// What came of it, when that is known.
    over: Option<Result<Created, Failure>>,
}

impl Reset {
    pub(in super::super) const fn new(managed: ManagedId) -> Self {
        Self { managed, over: None }
    }

    /// Something happened to a domain.
    pub(super) fn note(&mut self, news: &News) {
        match news {
            News::Started { id, domid, .. } if *id == self.managed => {
                self.over = Some(Ok(Created { domid: domid.0 }));
            }
            News::Failed { id, why } if *id == self.managed => self.over = Some(Err(not_created(why))),
            News::Gone(id) if *id == self.managed => self.over = Some(Err(Failure::NoSuchDomain)),
            _ => {}
        }
    }

    pub(super) fn pump(&mut self, out: &mut Outbox, id: RequestId) -> Result<Pump, Ended> {
        let Some(result) = self.over.take() else { return Ok(Pump::Idle) };
        out.answer(id, result.map(Answer::Created))?;
        Ok(Pump::Answered)
    }
}

/// Virtual CPUs that are told where to run.
#[derive(Clone, Debug)]
pub(in super::super) struct Pin {
    pub(in super::super) domid: DomId,
    /// The number alone could name another domain by the next step.
    pub(in super::super) handle: DomainHandle,
    /// Whose record says so, too, if it has one.
    pub(in super::super) managed: Option<ManagedId>,
    /// Which one is meant; none for all.
    pub(in super::super) vcpu: Option<u32>,
    /// The next one.
    pub(in super::super) from: u32,
    /// The last one.
    pub(in super::super) last: u32,
    pub(in super::super) map: CpuMap,
    /// The same without CPUs that the machine does not have, if any is left.
    pub(in super::super) kept: Option<CpuSet>,
    /// All that the machine has.
    pub(in super::super) all: CpuSet,
}

impl Pin {
    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        match self.step(desk) {
            Ok(false) => return Ok(Pump::Moved),
            Ok(true) => out.answer(id, Ok(Answer::Done))?,
            Err(failure) => out.answer(id, Err(failure))?,
        }
        Ok(Pump::Answered)
    }

    /// Pins some; says whether that was all.
    fn step<H: Hypervisor, S: Local>(&mut self, desk: &mut Desk<'_, H, S>) -> Result<bool, Failure> {
        let info = desk.info(self.domid)?.filter(|info| info.handle == self.handle);
        info.ok_or(Failure::NoSuchDomain)?;
        let end = self.from.saturating_add(PINS_PER_STEP).min(self.last.saturating_add(1));
        for vcpu in self.from..end {
            let pinned = desk.hv.set_vcpu_affinity(self.domid, VcpuId(vcpu), &self.map);
            pinned.map_err(|error| refused(&error))?;
        }
        self.from = end;
        if end <= self.last {
            return Ok(false);
        }
        if let Some((managed, kept)) = self.managed.zip(self.kept.take()) {
            desk.managed.set_affinity(managed, self.vcpu, kept, &self.all).map_err(not_changed)?;
        }
        Ok(true)
    }
}

/// Debug keys that are pressed one after the other.
#[derive(Clone, Debug)]
pub(in super::super) struct Keys {
    keys: String,
    /// So many were pressed.
    pressed: usize,
}

impl Keys {
    pub(in super::super) fn new(keys: &str) -> Self {
        Self { keys: keys.into(), pressed: 0 }
    }

    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        let result = match self.keys.as_bytes().get(self.pressed) {
            None => Ok(Answer::Done),
            Some(key) => match desk.hv.debug_key(*key) {
                Ok(()) => {
                    self.pressed += 1;
                    return Ok(Pump::Moved);
                }
                Err(error) => Err(refused(&error)),
            },
        };
        out.answer(id, result)?;
        Ok(Pump::Answered)
    }
}
