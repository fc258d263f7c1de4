//! What requests are worked on with, who asks, and which domain is meant.

use alloc::format;
use core::cell::RefCell;

use crate::chronicle::Chronicle;
use crate::config::Uuid;
use crate::console::Consoles;
use crate::hyper::{DomId, DomainHandle, DomainInfo, Hypervisor};
use crate::images::Images;
use crate::journal::Journal;
use crate::life::{ManagedId, Manager};
use crate::lines::HeapUsage;
use crate::pools::Pools;
use crate::protocol::Failure;
use crate::rights::Rights;
use crate::store::service::Local;

/// What a person calls the control domain.
pub(super) const CONTROL_NAME: &str = "Domain-0";

/// All that requests are about.
pub struct Desk<'a, H: Hypervisor, S> {
    /// The hypervisor.
    pub hv: &'a H,
    /// XenStore.
    pub store: &'a mut S,
    /// The consoles of all domains.
    pub consoles: &'a mut Consoles<H::Granted>,
    /// The managed domains.
    pub managed: &'a mut Manager,
    /// CPU pools.
    pub pools: &'a mut Pools,
    /// Kernels and ramdisks.
    pub images: &'a mut Images,
    /// What happened lately.
    pub journal: &'a RefCell<Journal>,
    /// What happened to domains lately.
    pub chronicle: &'a RefCell<Chronicle>,
    /// The state of the heap.
    pub heap: HeapUsage,
    /// Nanoseconds since Xen booted.
    pub now: u64,
    /// When the control domain began.
    pub entered_at: u64,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Caller {
    pub(super) domid: DomId,
    pub(super) managed: ManagedId,
    pub(super) rights: Rights,
}

/// A domain that is meant.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// As a managed one, if it is.
    pub(super) managed: Option<ManagedId>,
    /// As Xen knows it, if it does.
    pub(super) info: Option<DomainInfo>,
}

impl Target {
    /// Its id and UUID, when Xen knows it.
    pub(super) fn running(&self) -> Result<(DomId, DomainHandle), Failure> {
        self.info.as_ref().map(|info| (info.domid, info.handle)).ok_or(Failure::NotRunning)
    }
}

/// The id of the control domain.
pub(super) const CONTROL: DomId = DomId(0);

impl<H: Hypervisor, S: Local> Desk<'_, H, S> {
    /// The domain that a person means by `word`: the one of that name, else of that id, else of that UUID.
    pub(super) fn find(&self, word: &str) -> Result<Target, Failure> {
        if let Some(managed) = self.managed.find(word) {
            return self.of_managed(managed);
        }
        if word == CONTROL_NAME {
            return self.of_domid(CONTROL);
        }
        if let Ok(number) = word.parse() {
            return self.of_domid(DomId(number));
        }
        let uuid: Uuid = word.parse().map_err(|_| Failure::NoSuchDomain)?;
        self.of_managed(self.managed.find_uuid(&uuid.handle()).ok_or(Failure::NoSuchDomain)?)
    }

    fn of_managed(&self, managed: ManagedId) -> Result<Target, Failure> {
        let status = self.managed.status(managed).ok_or(Failure::NoSuchDomain)?;
        let info = match status.domid {
            Some(domid) => self.info(domid)?,
            None => None,
        };
        Ok(Target { managed: Some(managed), info })
    }

    fn of_domid(&self, domid: DomId) -> Result<Target, Failure> {
        if !domid.is_domain() {
            return Err(Failure::NoSuchDomain);
        }
        let info = self.info(domid)?.ok_or(Failure::NoSuchDomain)?;
        Ok(Target { managed: self.managed.find_uuid(&info.handle), info: Some(info) })
    }

    /// What Xen knows of a domain; `None` when there is none.
    pub(super) fn info(&self, domid: DomId) -> Result<Option<DomainInfo>, Failure> {
        match self.hv.domain_info(domid) {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.errno == crate::abi::errno::Errno::ESRCH => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }
}

impl Caller {
    /// The one place that says who may do what with which domain.
    pub(super) fn check<H: Hypervisor, S>(
        &self,
        desk: &Desk<'_, H, S>,
        needs: Rights,
        target: Option<&Target>,
    ) -> Result<(), Failure> {
        if self.rights < needs {
            return Err(Failure::Forbidden { needs });
        }
        let Some(target) = target.filter(|_| needs > Rights::Observe && self.rights < Rights::Everything)
        else {
            return Ok(());
        };
        // Whoever has a say over its own children only has none over anybody else's.
        let parent = target.managed.and_then(|managed| desk.managed.parent(managed));
        if parent == Some(self.managed) {
            Ok(())
        } else {
            Err(Failure::Forbidden { needs: Rights::Everything })
        }
    }
}

/// A refusal of the hypervisor as a failure.
pub(super) fn refused(error: &crate::hyper::HvError) -> Failure {
    Failure::Refused { errno: error.errno.0, text: format!("{error}") }
}
