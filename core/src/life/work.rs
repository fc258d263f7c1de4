//! One bounded piece of a domain's work.

use alloc::rc::Rc;

use super::managed::{Down, Managed, Stage, Then};
use super::nodes::Node;
use super::policy::{Fate, decide};
use super::{Failure, ManagedId, Manager, News, RETRY_NS, Subject, World};
use crate::abi::errno::Errno;
use crate::builder::BuildHypervisor;
use crate::hyper::{DomId, DomainFlags, HvError};
use crate::store::service::{Local, Refused};
use crate::store::wire::{Request, XsError};

/// Whether a domain has more to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// At once.
    More,
    /// After a pause.
    Later,
    /// When something happens to it.
    Rest,
    /// Never: it is to be forgotten.
    Gone,
}

impl Manager {
    /// Does one piece of one domain's work. Returns when to come again at the latest: `now` when there is more to
    /// do, `None` when there is nothing until something is asked or happens.
    #[must_use = "what is left over has to be done"]
    pub fn step<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        now: u64,
        mut report: impl FnMut(News, Subject<'_>),
    ) -> Option<u64>
    where
        H: BuildHypervisor,
        S: Local,
    {
        if let Some(what) = self.devices.step(world.store, now) {
            self.settle(what, &mut report);
        }
        if let Some((_, id)) = self.waiting.front().copied().filter(|(until, _)| *until <= now) {
            self.waiting.pop_front();
            self.queue.push_back(id);
        }
        if let Some(id) = self.queue.pop_front() {
            match self.work(world, now, id, &mut report) {
                Turn::More => self.queue.push_back(id),
                Turn::Later => self.waiting.push_back((now.saturating_add(RETRY_NS), id)),
                Turn::Rest => {}
                Turn::Gone => self.forget(world, id, &mut report),
            }
        }
        let queue = (!self.queue.is_empty()).then_some(now);
        let waiting = self.waiting.front().map(|(until, _)| *until);
        [queue, waiting, self.devices.due(now)].into_iter().flatten().min()
    }

    fn work<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        now: u64,
        id: ManagedId,
        report: &mut dyn FnMut(News, Subject<'_>),
    ) -> Turn
    where
        H: BuildHypervisor,
        S: Local,
    {
        let control = self.control;
        let Some(managed) = self.domains.get_mut(id.0) else { return Turn::Rest };
        let (config, from_bundle) = (Rc::clone(&managed.config), managed.from_bundle);
        let tell = &mut |news| report(news, Subject { config: &config, from_bundle });
        match core::mem::replace(&mut managed.stage, Stage::Busy) {
            Stage::Verify(verify) => managed.verify(verify),
            Stage::Open => self.open(world, id),
            Stage::Unpack(unpack) => managed.unpack(world.images, unpack, control),
            Stage::Build(build) => managed.build(world, build, id, tell),
            Stage::Clear(built) if !self.devices.close(built.domid) => managed.again(Stage::Clear(built)),
            Stage::Clear(built) => managed.clear(world, built, control),
            Stage::Publish(left, built) => managed.publish(world, left, built, control),
            Stage::Equip(next, built) => self.equip(id, next, built),
            Stage::Connect(built) => managed.connect(&self.devices, built),
            Stage::Pin(from, built) => managed.pin(world, from, built),
            Stage::Launch(built) => match managed.launch(world, &built, now) {
                Ok(paused) => {
                    managed.stage = Stage::Running;
                    tell(News::Started { id, domid: built.domid, paused });
                    self.serves(id);
                    Turn::More
                }
                Err(Failed::Later) => managed.again(Stage::Launch(built)),
                Err(Failed::For(why)) => managed.fail(why),
            },
            Stage::Running => managed.look(world, now, id, tell),
            Stage::Kept => managed.look_again(world, id, tell),
            Stage::Rename => self.rename(world, id, tell),
            Stage::Ending(Down::Devices, then) => managed.unequip(&mut self.devices, then),
            Stage::Ending(down, then) => match managed.go_down(world, down, id, tell) {
                Ok(Some(next)) => {
                    managed.stage = Stage::Ending(next, then);
                    Turn::More
                }
                Ok(None) => managed.down(then, id, tell),
                Err(Later) => managed.again(Stage::Ending(down, then)),
            },
            Stage::Busy => Turn::Rest,
        }
    }

    fn forget<H: BuildHypervisor, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        id: ManagedId,
        report: &mut dyn FnMut(News, Subject<'_>),
    ) {
        let Some(managed) = self.domains.remove(id.0) else { return };
        self.wake_unequipped();
        if let Some(Err(refusal)) = managed.console.map(|console| world.consoles.remove(world.hv, console)) {
            let subject = Subject { config: &managed.config, from_bundle: managed.from_bundle };
            report(News::Refused { id, refusal }, subject);
        }
    }
}

/// Something was refused for the moment.
pub(super) struct Later;

/// Why a step was not done.
pub(super) enum Failed {
    /// It was refused for the moment.
    Later,
    /// It cannot be done.
    For(Failure),
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Later => Self::Later,
            Refused::Error(error) => Self::For(Failure::Store(error)),
        }
    }
}

impl From<HvError> for Failed {
    fn from(error: HvError) -> Self {
        Self::For(Failure::Hypervisor(error))
    }
}

impl Managed {
    pub(super) fn fail(&mut self, why: Failure) -> Turn {
        self.end(Then::Fail(why));
        Turn::More
    }

    pub(super) fn again(&mut self, stage: Stage) -> Turn {
        self.stage = stage;
        Turn::Later
    }

    /// Looks whether a running domain still does.
    fn look<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        now: u64,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) -> Turn
    where
        H: BuildHypervisor,
        S: Local,
    {
        self.stage = Stage::Running;
        if self.is_lost(world) {
            self.end(Then::Forget);
            return Turn::More;
        }
        if self.take_back(world.store) {
            return Turn::Later;
        }
        let Some((reason, domid)) = self.stopped.take().zip(self.domid) else { return Turn::Rest };
        world.store.domain_shutdown(domid);
        let decision = decide(&self.config.actions, reason, now.saturating_sub(self.started_at));
        report(News::Stopped { id, domid, reason, decision });
        match decision.fate {
            Fate::Destroy => self.end(Then::Forget),
            Fate::Restart => self.end(Then::Restart),
            Fate::Keep => self.stage = Stage::Kept,
            Fate::RenameRestart => self.stage = Stage::Rename,
        }
        Turn::More
    }

    /// Looks whether a stopped domain is still there.
    fn look_again<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) -> Turn
    where
        H: BuildHypervisor,
        S: Local,
    {
        self.stage = Stage::Kept;
        self.stopped = None;
        if self.is_lost(world) {
            self.end(Then::Forget);
            return Turn::More;
        }
        self.go_on(world, id, report)
    }

    /// Whether somebody else destroyed the domain. Its number may name another one by now.
    fn is_lost<H: BuildHypervisor, S>(&mut self, world: &World<'_, H, S>) -> bool {
        if !core::mem::take(&mut self.lost) {
            return false;
        }
        let Some(domid) = self.domid else { return false };
        match world.hv.domain_info(domid) {
            Ok(info) if info.handle != self.handle => {
                self.domid = None;
                true
            }
            Ok(info) => info.flags.contains(DomainFlags::DYING),
            Err(error) => error.errno == Errno::ESRCH,
        }
    }
}

/// Writes a node and says who may see it.
pub(super) fn write(
    store: &mut impl Local,
    node: &Node,
    control: DomId,
    domid: DomId,
) -> Result<(), Refused> {
    let path = node.path.as_bytes();
    store.ask(&Request::Write { path, value: node.value.as_bytes() })?;
    match node.rights.perms(control, domid) {
        Some(perms) => store.ask(&Request::SetPerms { path, perms }),
        None => Ok(()),
    }
}

/// Removes a node with all below it, if it is there.
pub(super) fn remove(store: &mut impl Local, path: &str) -> Result<(), Later> {
    match store.ask(&Request::Rm { path: path.as_bytes() }) {
        Err(Refused::Later) => Err(Later),
        Ok(()) | Err(Refused::Error(XsError::ENOENT)) => Ok(()),
        // Nothing of ours is in the way of a removal; what fails now fails the next time, too.
        Err(Refused::Error(_)) => Ok(()),
    }
}
