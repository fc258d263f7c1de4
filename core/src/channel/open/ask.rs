//! Something that XenStore is asked, again while it is busy.

use super::super::desk::Desk;
use super::super::failures::not_changed;
use super::super::session::{Ended, Outbox};
use super::Pump;
use crate::config::{DomainName, MemorySize};
use crate::hyper::Hypervisor;
use crate::life::{ChangeError, ManagedId, Wish};
use crate::protocol::{Answer, RequestId};
use crate::store::service::{Local, Refused};

/// What is asked.
#[derive(Clone, Debug)]
pub(in super::super) enum Ask {
    /// A domain is to end itself.
    Shutdown(ManagedId, Wish),
    /// A domain gets another name.
    Rename(ManagedId, DomainName),
    /// A domain is to have so much memory.
    Memory(ManagedId, MemorySize),
    /// A domain may have so much memory.
    Maximum(ManagedId, MemorySize),
    /// A domain is to use so many virtual CPUs; those below `from` know.
    Online { managed: ManagedId, vcpus: u32, from: u32 },
    /// A domain's kernel gets a key.
    SysRq(ManagedId, char),
}

impl Ask {
    pub(in super::super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        let outcome = match self {
            Self::Shutdown(managed, wish) => desk.managed.ask_shutdown(desk.store, *managed, *wish),
            Self::Rename(managed, name) => {
                let outcome = desk.managed.set_name(desk.store, *managed, name);
                let domid = desk.managed.status(*managed).and_then(|status| status.domid);
                if let (Ok(()), Some(domid)) = (outcome, domid) {
                    desk.chronicle.borrow_mut().renamed(desk.now, domid, name);
                }
                outcome
            }
            Self::Memory(managed, target) => desk.managed.set_target(desk.store, *managed, *target),
            Self::Maximum(managed, maximum) => desk.managed.set_maximum(desk.store, *managed, *maximum),
            Self::Online { managed, vcpus, from } => {
                match desk.managed.set_online(desk.store, *managed, *vcpus, *from) {
                    Ok(Some(next)) => {
                        *from = next;
                        return Ok(Pump::Moved);
                    }
                    other => other.map(drop),
                }
            }
            Self::SysRq(managed, key) => desk.managed.press_sysrq(desk.store, *managed, *key),
        };
        let result = match outcome {
            // The store goes on meanwhile, and will not be busy for long.
            Err(ChangeError::Store(Refused::Later)) => return Ok(Pump::Moved),
            Ok(()) => Ok(Answer::Done),
            Err(error) => Err(not_changed(error)),
        };
        out.answer(id, result)?;
        Ok(Pump::Answered)
    }
}
