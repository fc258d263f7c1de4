//! Domains that suspend themselves to be saved, that go on, and that are made again from what was saved.

use super::managed::{Building, Managed, Stage};
use super::work::{Failed, Turn};
use super::{ChangeError, ManagedId, Manager, News, World};
use crate::builder::BuildHypervisor;
use crate::builder::restore::Overfull;
use crate::hyper::{HvError, ShutdownReason, VcpuId, set_return_value};
use crate::store::service::{Local, Refused};
use crate::store::wire::Request;

/// What a domain's hypercall to suspend itself returns when it goes on as if nothing had been.
const CANCELLED: u64 = 1;

/// Whether a domain is wanted to stand still.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Still {
    /// If it suspends itself, it stays so: somebody asked for it, or nobody has to do with it.
    Wanted,
    /// It was asked to suspend itself, and that has to be taken back.
    TakeBack,
    /// That was taken back. It may have begun to all the same.
    Unwanted,
}

impl Manager {
    /// Asks a domain to suspend itself.
    ///
    /// # Errors
    /// When it does not run, or XenStore refuses or is busy.
    pub fn ask_suspend(&mut self, store: &mut impl Local, id: ManagedId) -> Result<(), ChangeError> {
        self.wish(store, id, b"suspend")?;
        if let Some(managed) = self.domains.get_mut(id.0) {
            managed.still = Still::Wanted;
        }
        Ok(())
    }

    /// Lets a domain go on that was asked to suspend itself, whether it has or not.
    pub fn let_go(&mut self, id: ManagedId) {
        if let Some(managed) = self.domains.get_mut(id.0) {
            managed.still = Still::TakeBack;
        }
        self.wake(id);
    }

    /// Whether a domain that stands still is about to go on.
    #[must_use]
    pub fn lets_go(&self, id: ManagedId) -> bool {
        self.domains.get(id.0).is_some_and(|managed| managed.still != Still::Wanted)
    }

    /// Takes more of what was saved of a domain. What comes when it is not wanted any more is dropped.
    ///
    /// # Errors
    /// When it is more than the domain said that it takes.
    pub fn feed(&mut self, id: ManagedId, bytes: &[u8]) -> Result<(), Overfull> {
        let Some(managed) = self.domains.get_mut(id.0) else { return Ok(()) };
        if let Stage::Build(Building::Saved(restore)) = &mut managed.stage {
            restore.feed(bytes)?;
        }
        self.wake(id);
        Ok(())
    }
}

impl Managed {
    /// Takes back that a running domain is to suspend itself; whether it has to be tried again.
    pub(super) fn take_back(&mut self, store: &mut impl Local) -> bool {
        if self.still != Still::TakeBack {
            return false;
        }
        let Some(homes) = self.homes() else { return false };
        if homes.wish(store, b"") == Err(Refused::Later) {
            return true;
        }
        // What cannot be written now cannot be later; when the domain suspends itself it is let go.
        self.still = Still::Unwanted;
        false
    }

    /// Lets a domain that stands still go on, if it suspended itself and that is not wanted.
    pub(super) fn go_on<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) -> Turn
    where
        H: BuildHypervisor,
        S: Local,
    {
        let Some(domid) = self.domid.filter(|_| self.still != Still::Wanted) else { return Turn::Rest };
        match self.resume(world) {
            Ok(true) => {
                (self.stage, self.stopped, self.still) = (Stage::Running, None, Still::Wanted);
                report(News::Resumed { id, domid });
            }
            Ok(false) => {}
            Err(Failed::Later) => return Turn::Later,
            Err(Failed::For(why)) => {
                self.still = Still::Wanted;
                report(News::NotResumed { id, why });
            }
        }
        Turn::Rest
    }

    /// Lets it go on if it suspended itself; whether it had.
    fn resume<H, S>(&self, world: &mut World<'_, H, S>) -> Result<bool, Failed>
    where
        H: BuildHypervisor,
        S: Local,
    {
        let Some(domid) = self.domid else { return Ok(false) };
        let info = world.hv.domain_info(domid)?;
        if info.shutdown != Some(ShutdownReason::Suspend) || info.handle != self.handle {
            return Ok(false);
        }
        world.store.ask(&Request::Resume { domid })?;
        let resumed: Result<(), HvError> = set_return_value(world.hv, domid, VcpuId(0), CANCELLED)
            .and_then(|()| world.hv.resume_domain(domid));
        resumed?;
        Ok(true)
    }
}
