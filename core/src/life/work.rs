//! One bounded piece of a domain's work.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::managed::{Down, Managed, Stage, Then};
use super::nodes::{Homes, Node, nodes, vm_home};
use super::policy::{Fate, decide};
use super::{Failure, Machine, ManagedId, Manager, News, RETRY_NS, World};
use crate::abi::errno::Errno;
use crate::builder::Built;
use crate::builder::image::Kernel;
use crate::builder::pv::PvBuild;
use crate::builder::unpack::{Limits, Plain, Step, Unpack};
use crate::builder::{Cause, Request as BuildRequest};
use crate::config::DomainConfig;
use crate::hyper::{CreateDomain, CreateFlags, DomId, DomainFlags, HvError, Progress};
use crate::store::service::{Local, Refused};
use crate::store::wire::{Request, XsError};

/// Nodes written in one step.
const NODES_PER_STEP: usize = 16;

/// More memory than the domain may have, in KiB, for what Xen counts of its own.
const SLACK_KIB: u64 = 1024;

/// Limits of tables, for domains that do not name their own: those of Xen's `libxl`.
const GRANT_FRAMES: u32 = 64;
const MAPTRACK_FRAMES: u32 = 1024;
const EVENT_CHANNELS: u32 = 1023;

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

impl<B: AsRef<[u8]> + Clone> Manager<B> {
    /// Does one piece of one domain's work. Returns when to come again at the latest: `now` when there is more to
    /// do, `None` when there is nothing until something is asked or happens.
    #[must_use = "what is left over has to be done"]
    pub fn step<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        now: u64,
        mut report: impl FnMut(News),
    ) -> Option<u64>
    where
        H: Machine,
        S: Local,
    {
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
        [queue, waiting].into_iter().flatten().min()
    }

    fn work<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        now: u64,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) -> Turn
    where
        H: Machine,
        S: Local,
    {
        let (control, limits) = (self.control, self.unpack);
        let Some(managed) = self.domains.get_mut(id.0) else { return Turn::Rest };
        let tell = &mut |news| report(news);
        match core::mem::replace(&mut managed.stage, Stage::Busy) {
            Stage::Unpack(unpack) => managed.unpack(unpack, control),
            Stage::Build(build) => managed.build(world, build),
            Stage::Clear(built) => managed.clear(world, built, control),
            Stage::Publish(left, built) => managed.publish(world, left, built, control),
            Stage::Launch(built) => match managed.launch(world, &built, now) {
                Ok(()) => {
                    managed.stage = Stage::Running;
                    tell(News::Started { id, domid: built.domid });
                    Turn::More
                }
                Err(Failed::Later) => managed.again(Stage::Launch(built)),
                Err(Failed::For(why)) => managed.fail(why),
            },
            Stage::Running => managed.look(world, now, id, tell),
            Stage::Kept => managed.look_again(world),
            Stage::Rename => self.rename(world, id, report),
            Stage::Ending(down, then) => match managed.go_down(world, down, id, tell) {
                Ok(Some(next)) => {
                    managed.stage = Stage::Ending(next, then);
                    Turn::More
                }
                Ok(None) => managed.down(then, limits, id, tell),
                Err(Later) => managed.again(Stage::Ending(down, then)),
            },
            Stage::Busy => Turn::Rest,
        }
    }

    fn forget<H: Machine, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) {
        let console = self.domains.remove(id.0).and_then(|managed| managed.console);
        if let Some(Err(refusal)) = console.map(|console| world.consoles.remove(world.hv, console)) {
            report(News::Refused { id, refusal });
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

impl<B: AsRef<[u8]> + Clone> Managed<B> {
    fn fail(&mut self, why: Failure) -> Turn {
        self.end(Then::Fail(why));
        Turn::More
    }

    pub(super) fn again(&mut self, stage: Stage<B>) -> Turn {
        self.stage = stage;
        Turn::Later
    }

    fn unpack(&mut self, unpack: Unpack<B>, control: DomId) -> Turn {
        let plain = match unpack.step() {
            Ok(Step::Done(plain)) => plain,
            Ok(Step::More(unpack)) => {
                self.stage = Stage::Unpack(unpack);
                return Turn::More;
            }
            Err(error) => return self.fail(Failure::Unpack(error)),
        };
        let kernel = match Kernel::parse(plain) {
            Ok(kernel) => Rc::new(kernel),
            Err(error) => return self.fail(Failure::Image(error)),
        };
        let request = build_request(&self.config);
        match PvBuild::new(kernel, self.files.ramdisk.clone(), request, create_request(&self.config), control)
        {
            Ok(build) => {
                self.stage = Stage::Build(Box::new(build));
                Turn::More
            }
            Err(error) => self.fail(Failure::Build(error)),
        }
    }

    fn build<H, S>(&mut self, world: &World<'_, H, S>, mut build: Box<PvBuild<Plain<B>, B>>) -> Turn
    where
        H: Machine,
    {
        match build.step(world.hv) {
            Ok(None) => self.stage = Stage::Build(build),
            Ok(Some(built)) => {
                (self.domid, self.handle) = (Some(built.domid), self.config.uuid.handle());
                self.stage = Stage::Clear(built);
            }
            Err(error) => {
                self.domid = error.left.map(|(domid, _)| domid);
                let wanted = error.cause == Cause::Cancelled;
                self.end(if wanted { Then::Forget } else { Then::Fail(Failure::Build(error)) });
            }
        }
        Turn::More
    }

    fn clear<H, S>(&mut self, world: &mut World<'_, H, S>, built: Built, control: DomId) -> Turn
    where
        H: Machine,
        S: Local,
    {
        if self.remove_nodes(world.store).is_err() {
            return self.again(Stage::Clear(built));
        }
        let mut list = nodes(control, &built, &self.config);
        list.reverse();
        self.stage = Stage::Publish(list, built);
        Turn::More
    }

    fn publish<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        mut left: Vec<Node>,
        built: Built,
        control: DomId,
    ) -> Turn
    where
        H: Machine,
        S: Local,
    {
        for _ in 0..NODES_PER_STEP {
            let Some(node) = left.last() else {
                self.stage = Stage::Launch(built);
                return Turn::More;
            };
            match write(world.store, node, control, built.domid) {
                Ok(()) => left.pop(),
                Err(Refused::Later) => return self.again(Stage::Publish(left, built)),
                Err(Refused::Error(error)) => return self.fail(Failure::Store(error)),
            };
        }
        self.stage = Stage::Publish(left, built);
        Turn::More
    }

    fn launch<H, S>(&mut self, world: &mut World<'_, H, S>, built: &Built, now: u64) -> Result<(), Failed>
    where
        H: Machine,
        S: Local,
    {
        let Built { domid, store, console: ring } = *built;
        let gfn = i64::try_from(store.frame.0).unwrap_or(i64::MAX);
        world.store.ask(&Request::Introduce { domid, gfn, port: store.port })?;
        if let Some(console) = self.console {
            let attached = world.consoles.attach(world.hv, console, domid, ring.port);
            attached.map_err(|error| Failed::For(Failure::Console(error)))?;
        }
        let memory = &self.config.memory;
        if memory.maximum() != memory.initial() {
            world.hv.set_max_memory(domid, memory.maximum().kib().saturating_add(SLACK_KIB))?;
        }
        world.hv.unpause_domain(domid)?;
        (self.started_at, self.stopped, self.lost) = (now, None, false);
        Ok(())
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
        H: Machine,
        S: Local,
    {
        self.stage = Stage::Running;
        if self.is_lost(world) {
            self.end(Then::Forget);
            return Turn::More;
        }
        let Some((reason, domid)) = self.stopped.take().zip(self.domid) else { return Turn::Rest };
        world.store.domain_shutdown(domid);
        let decision = decide(&self.config.actions, reason, now.saturating_sub(self.started_at));
        report(News::Stopped { id, reason, decision });
        match decision.fate {
            Fate::Destroy => self.end(Then::Forget),
            Fate::Restart => self.end(Then::Restart),
            Fate::Keep => self.stage = Stage::Kept,
            Fate::RenameRestart => self.stage = Stage::Rename,
        }
        Turn::More
    }

    /// Looks whether a stopped domain is still there.
    fn look_again<H: Machine, S>(&mut self, world: &World<'_, H, S>) -> Turn {
        self.stage = Stage::Kept;
        self.stopped = None;
        if self.is_lost(world) {
            self.end(Then::Forget);
            return Turn::More;
        }
        Turn::Rest
    }

    /// Whether somebody else destroyed the domain. Its number may name another one by now.
    fn is_lost<H: Machine, S>(&mut self, world: &World<'_, H, S>) -> bool {
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

    /// Takes a step down; `None` when the domain is down.
    fn go_down<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        down: Down,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) -> Result<Option<Down>, Later>
    where
        H: Machine,
        S: Local,
    {
        let Some(domid) = self.domid else {
            // None was made, or its number is another's by now; what its UUID names is still ours.
            remove(world.store, &vm_home(&self.config))?;
            return Ok(None);
        };
        match down {
            Down::Pause => {
                // One that cannot be paused is destroyed all the same.
                let _ = world.hv.pause_domain(domid);
                if let Some(Err(refusal)) =
                    self.console.map(|console| world.consoles.detach(world.hv, console))
                {
                    report(News::Refused { id, refusal });
                }
                Ok(Some(Down::Nodes))
            }
            Down::Nodes => {
                self.remove_nodes(world.store)?;
                world.store.domain_died(domid);
                Ok(Some(Down::Domain))
            }
            Down::Domain => match world.hv.destroy_domain(domid) {
                Ok(Progress::Again) => Ok(Some(Down::Domain)),
                Ok(Progress::Done) => Ok(None),
                Err(error) if error.errno == Errno::ESRCH => Ok(None),
                Err(refusal) => {
                    report(News::Refused { id, refusal });
                    Err(Later)
                }
            },
        }
    }

    fn remove_nodes(&self, store: &mut impl Local) -> Result<(), Later> {
        self.homes().iter().flat_map(Homes::all).try_for_each(|home| remove(store, home))
    }

    /// The domain is down.
    fn down(&mut self, then: Then, limits: Limits, id: ManagedId, report: &mut dyn FnMut(News)) -> Turn {
        self.domid = None;
        match then {
            Then::Forget => report(News::Gone(id)),
            Then::Fail(why) => report(News::Failed { id, why }),
            Then::Restart => match Unpack::new(self.files.kernel.clone(), limits) {
                Ok(unpack) => {
                    self.restarts = self.restarts.saturating_add(1);
                    self.stage = Stage::Unpack(unpack);
                    return Turn::More;
                }
                Err(error) => report(News::Failed { id, why: Failure::Unpack(error) }),
            },
        }
        Turn::Gone
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

fn build_request(config: &DomainConfig) -> BuildRequest {
    BuildRequest {
        pages: config.memory.initial().pages(),
        command_line: config.command_line.render().into_bytes(),
        ramdisk: 0,
    }
}

fn create_request(config: &DomainConfig) -> CreateDomain {
    let limits = &config.platform.limits;
    CreateDomain {
        domid: None,
        handle: config.uuid.handle(),
        flags: CreateFlags::empty(),
        max_vcpus: config.vcpus.max(),
        max_port: limits.event_channels.as_ref().map_or(EVENT_CHANNELS, |limit| limit.get()),
        max_grant_frames: limits.grant_frames.as_ref().map_or(GRANT_FRAMES, |limit| limit.get()),
        max_maptrack_frames: limits.maptrack_frames.as_ref().map_or(MAPTRACK_FRAMES, |limit| limit.get()),
        cpupool: 0,
        ssid: 0,
    }
}
