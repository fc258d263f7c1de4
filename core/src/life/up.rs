//! The way up: from a plain kernel to a domain that runs.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::adjust::limit_kib;
use super::managed::{Building, Managed, Stage, Then};
use super::nodes::{Node, nodes};
use super::suspend::Still;
use super::work::{Failed, Turn, write};
use super::{Bytes, Failure, ManagedId, News, World, schedule};
use crate::builder::BuildHypervisor;
use crate::builder::image::Kernel;
use crate::builder::pv::PvBuild;
use crate::builder::pvh::PvhBuild;
use crate::builder::restore::Restore;
use crate::builder::{BuildError, Built, Cause, Request as BuildRequest};
use crate::config::{DomainConfig, Kind};
use crate::hyper::{CreateDomain, CreateFlags, DomId, VcpuId};
use crate::store::service::{Local, Refused};
use crate::store::wire::Request;

/// Nodes written in one step.
const NODES_PER_STEP: usize = 16;

/// Virtual CPUs pinned in one step.
const PINS_PER_STEP: u32 = 16;

/// Limits of tables, for domains that do not name their own: those of Xen's `libxl`.
const GRANT_FRAMES: u32 = 64;
const MAPTRACK_FRAMES: u32 = 1024;
const EVENT_CHANNELS: u32 = 1023;

impl Managed {
    pub(super) fn begin_build(&mut self, kernel: Bytes, control: DomId) -> Turn {
        let kernel = match Kernel::parse(kernel) {
            Ok(kernel) => Rc::new(kernel),
            Err(error) => return self.fail(Failure::Image(error)),
        };
        let (ramdisk, config) = (self.files.ramdisk.clone(), &*self.config);
        let (request, create) = (build_request(config), create_request(config, self.cpupool, self.label));
        let build = match config.kind {
            Kind::Pv => {
                PvBuild::new(kernel, ramdisk, request, create, control).map(Box::new).map(Building::Pv)
            }
            Kind::Pvh => {
                PvhBuild::new(kernel, ramdisk, request, create, control).map(Box::new).map(Building::Pvh)
            }
        };
        match build {
            Ok(build) => {
                self.stage = Stage::Build(build);
                Turn::More
            }
            Err(error) => self.fail(Failure::Build(error)),
        }
    }

    /// Begins to make it from what was saved of it.
    pub(super) fn begin_restore(&mut self, control: DomId) -> Turn {
        let create = create_request(&self.config, self.cpupool, self.label);
        match Restore::new(create, control) {
            Ok(restore) => {
                self.stage = Stage::Build(Building::Saved(Box::new(restore)));
                Turn::More
            }
            Err(cause) => self.fail(Failure::Build(BuildError { cause, left: None })),
        }
    }

    pub(super) fn build<H, S>(
        &mut self,
        world: &World<'_, H, S>,
        mut build: Building,
        id: ManagedId,
        report: &mut dyn FnMut(News),
    ) -> Turn
    where
        H: BuildHypervisor,
    {
        let outcome = build.step(world.hv);
        let mut turn = Turn::More;
        if let Building::Saved(restore) = &mut build {
            let bytes = restore.takes();
            if bytes > 0 {
                report(News::Takes { id, bytes });
            }
            if restore.is_hungry() {
                turn = Turn::Rest;
            }
        }
        match outcome {
            Ok(None) => {
                self.stage = Stage::Build(build);
                return turn;
            }
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

    pub(super) fn clear<H, S>(&mut self, world: &mut World<'_, H, S>, built: Built, control: DomId) -> Turn
    where
        H: BuildHypervisor,
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

    pub(super) fn publish<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        mut left: Vec<Node>,
        built: Built,
        control: DomId,
    ) -> Turn
    where
        H: BuildHypervisor,
        S: Local,
    {
        for _ in 0..NODES_PER_STEP {
            let Some(node) = left.last() else {
                self.stage = Stage::Equip(0, built);
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

    /// Tells some virtual CPUs on which physical ones they have to run, if they have to run on any.
    pub(super) fn pin<H, S>(&mut self, world: &World<'_, H, S>, from: u32, built: Built) -> Turn
    where
        H: BuildHypervisor,
    {
        let max = self.config.vcpus.max();
        let end = from.saturating_add(PINS_PER_STEP).min(max);
        for vcpu in from..end {
            let Some(set) = self.config.affinity.of(vcpu) else { continue };
            let cpus = set.iter().collect();
            if let Err(error) = world.hv.set_vcpu_affinity(built.domid, VcpuId(vcpu), &cpus) {
                return self.fail(Failure::Hypervisor(error));
            }
        }
        self.stage = if end < max { Stage::Pin(end, built) } else { Stage::Launch(built) };
        Turn::More
    }

    /// Sets the domain going; returns whether it was left paused.
    pub(super) fn launch<H, S>(
        &mut self,
        world: &mut World<'_, H, S>,
        built: &Built,
        now: u64,
    ) -> Result<bool, Failed>
    where
        H: BuildHypervisor,
        S: Local,
    {
        let Built { domid, store, console: ring } = *built;
        let gfn = i64::try_from(store.frame.0).unwrap_or(i64::MAX);
        world.store.grant(domid, self.terms.rights)?;
        world.store.ask(&Request::Introduce { domid, gfn, port: store.port })?;
        if let Some(console) = self.console {
            let attached = world.consoles.attach(world.hv, console, domid, ring.port);
            attached.map_err(|error| Failed::For(Failure::Console(error)))?;
        }
        let memory = &self.config.memory;
        if memory.maximum() != memory.initial() {
            world.hv.set_max_memory(domid, limit_kib(memory.maximum()))?;
        }
        schedule::apply(world.hv, domid, &self.config)?;
        let paused = core::mem::take(&mut self.terms.paused);
        if !paused {
            world.hv.unpause_domain(domid)?;
        }
        (self.started_at, self.stopped, self.lost, self.still) = (now, None, false, Still::Wanted);
        Ok(paused)
    }
}

fn build_request(config: &DomainConfig) -> BuildRequest {
    BuildRequest {
        pages: config.memory.initial().pages(),
        command_line: config.command_line.render().into_bytes(),
        ramdisk: 0,
    }
}

fn create_request(config: &DomainConfig, cpupool: u32, ssid: u32) -> CreateDomain {
    let limits = &config.platform.limits;
    CreateDomain {
        domid: None,
        handle: config.uuid.handle(),
        flags: match config.kind {
            Kind::Pv => CreateFlags::empty(),
            Kind::Pvh => CreateFlags::HVM | CreateFlags::HAP | CreateFlags::LOCAL_APIC,
        },
        max_vcpus: config.vcpus.max(),
        max_port: limits.event_channels.as_ref().map_or(EVENT_CHANNELS, |limit| limit.get()),
        max_grant_frames: limits.grant_frames.as_ref().map_or(GRANT_FRAMES, |limit| limit.get()),
        max_maptrack_frames: limits.maptrack_frames.as_ref().map_or(MAPTRACK_FRAMES, |limit| limit.get()),
        cpupool,
        ssid,
    }
}
