//! Waiting for a domain to stop, or to be gone.

use super::super::desk::{Desk, refused};
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::abi::errno::Errno;
use crate::hyper::{DomId, DomainFlags, DomainHandle, Hypervisor, Progress};
use crate::life::ManagedId;
use crate::protocol::{Answer, Failure, RequestId, Until};
use crate::store::service::Local;

/// A domain that somebody waits for. The number alone could name another one by then.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Wait {
    domid: DomId,
    handle: DomainHandle,
    until: Until,
    /// Something changed since the last look.
    look: bool,
    cancelled: bool,
}

impl Wait {
    pub(in super::super) const fn new((domid, handle): (DomId, DomainHandle), until: Until) -> Self {
        Self { domid, handle, until, look: true, cancelled: false }
    }

    pub(super) const fn look_again(&mut self) {
        self.look = true;
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
        if !core::mem::take(&mut self.look) && !self.cancelled {
            return Ok(Pump::Idle);
        }
        let result = match desk.info(self.domid) {
            _ if self.cancelled => Err(Failure::Cancelled),
            Err(failure) => Err(failure),
            Ok(None) => Ok(Answer::Done),
            Ok(Some(info)) if info.handle != self.handle => Ok(Answer::Done),
            Ok(Some(info)) => {
                let stopped = info.flags.intersects(DomainFlags::SHUTDOWN | DomainFlags::DYING);
                if self.until == Until::Gone || !stopped {
                    return Ok(Pump::Idle);
                }
                Ok(Answer::Done)
            }
        };
        out.answer(id, result)?;
        Ok(Pump::Answered)
    }
}

/// A domain that is being taken down.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Ending {
    /// By the manager.
    Managed(ManagedId),
    /// One that only Xen knows, here and now.
    Unmanaged(DomId),
}

impl Ending {
    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        let result = match *self {
            Self::Managed(managed) if desk.managed.status(managed).is_some() => return Ok(Pump::Idle),
            Self::Managed(_) => Ok(Answer::Done),
            Self::Unmanaged(domid) => match desk.hv.destroy_domain(domid) {
                Ok(Progress::Again) => return Ok(Pump::Moved),
                Err(error) if error.errno != Errno::ESRCH => Err(refused(&error)),
                Ok(Progress::Done) | Err(_) => Ok(Answer::Done),
            },
        };
        out.answer(id, result)?;
        Ok(Pump::Answered)
    }
}
