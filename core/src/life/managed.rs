//! One managed domain and where it stands.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::files::Verify;
use super::nodes::{Homes, Node};
use super::suspend::Still;
use super::{Bytes, Failure, Files, Origin, State, Status, Terms};
use crate::builder::pv::PvBuild;
use crate::builder::pvh::PvhBuild;
use crate::builder::restore::Restore;
use crate::builder::unpack::Unpack;
use crate::builder::{BuildError, BuildHypervisor, Built};
use crate::config::DomainConfig;
use crate::console::ConsoleId;
use crate::devices::DeviceError;
use crate::hyper::{DomId, DomainHandle, ShutdownReason, USUAL_LABEL};

/// What follows when a domain is down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Then {
    /// It is forgotten.
    Forget,
    /// It is forgotten, and that is a failure.
    Fail(Failure),
    /// It is made again.
    Restart,
}

/// The steps by which a domain is taken down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Down {
    /// It stops.
    Pause,
    /// Its devices go.
    Devices,
    /// Its console and its nodes go.
    Nodes,
    /// The hypervisor takes it apart.
    Domain,
}

/// A domain that is being built, of either kind.
#[derive(Debug)]
pub(super) enum Building {
    Pv(Box<PvBuild<Bytes, Bytes>>),
    Pvh(Box<PvhBuild<Bytes, Bytes>>),
    /// From what was saved of it.
    Saved(Box<Restore>),
}

impl Building {
    pub(super) fn step(&mut self, hv: &impl BuildHypervisor) -> Result<Option<Built>, BuildError> {
        match self {
            Self::Pv(build) => build.step(hv),
            Self::Pvh(build) => build.step(hv),
            Self::Saved(build) => build.step(hv),
        }
    }

    fn cancel(&mut self) {
        match self {
            Self::Pv(build) => build.cancel(),
            Self::Pvh(build) => build.cancel(),
            Self::Saved(build) => build.cancel(),
        }
    }
}

/// What is done next.
#[derive(Debug)]
pub(super) enum Stage {
    /// Its files are compared with their checksums.
    Verify(Box<Verify>),
    /// Its kernel is looked for among those unpacked before.
    Open,
    /// Its kernel, which is packed, is unpacked.
    Unpack(Unpack<Bytes>),
    /// Its domain is built.
    Build(Building),
    /// What may be left of an earlier domain of its number goes.
    Clear(Built),
    /// Nodes are written, the last of these first.
    Publish(Vec<Node>, Built),
    /// It gets the devices of its configuration, the one with this place next.
    Equip(usize, Built),
    /// Its devices get ready.
    Connect(Built),
    /// Its virtual CPUs are told where to run, from this one on.
    Pin(u32, Built),
    /// It is made known, connected and started.
    Launch(Built),
    /// Nothing, until it stops.
    Running,
    /// It stopped and gets a new name, so that its old one is free.
    Rename,
    /// Nothing, until it is destroyed.
    Kept,
    /// It goes.
    Ending(Down, Then),
    /// The stage is being worked on.
    Busy,
}

#[derive(Debug)]
pub(super) struct Managed {
    pub(super) config: Rc<DomainConfig>,
    pub(super) terms: Terms,
    pub(super) from_bundle: bool,
    /// It is made from what was saved of it, and was not yet.
    pub(super) saved: bool,
    /// None until they were verified.
    pub(super) files: Files,
    pub(super) console: Option<ConsoleId>,
    pub(super) domid: Option<DomId>,
    /// By which the hypervisor tells its domain from a later one of the same number.
    pub(super) handle: DomainHandle,
    /// The CPU pool that its domain is made in.
    pub(super) cpupool: u32,
    /// The number of its security label, as the policy has it now.
    pub(super) label: u32,
    pub(super) stage: Stage,
    /// When its domain began to run.
    pub(super) started_at: u64,
    pub(super) restarts: u32,
    /// It stopped by itself, which nobody has looked at yet.
    pub(super) stopped: Option<ShutdownReason>,
    /// Somebody else destroyed it, or so it seems.
    pub(super) lost: bool,
    pub(super) still: Still,
    /// A device of it came to nothing while it was made.
    pub(super) unequipped: Option<DeviceError>,
}

impl Managed {
    pub(super) fn new(config: DomainConfig, terms: Terms, origin: Origin, console: ConsoleId) -> Self {
        let saved = matches!(origin, Origin::Saved(_));
        let (from_bundle, files, stage) = match origin {
            Origin::Sent(files) | Origin::Saved(files) => (false, files, Stage::Open),
            Origin::Bundle { kernel, ramdisk } => {
                (true, Files::default(), Stage::Verify(Box::new(Verify::new(&kernel, ramdisk))))
            }
        };
        Self {
            handle: config.uuid.handle(),
            config: Rc::new(config),
            terms,
            from_bundle,
            saved,
            files,
            console: Some(console),
            domid: None,
            cpupool: 0,
            label: USUAL_LABEL,
            stage,
            started_at: 0,
            restarts: 0,
            stopped: None,
            lost: false,
            still: Still::Wanted,
            unequipped: None,
        }
    }

    pub(super) fn status(&self) -> Status {
        let state = match self.stage {
            Stage::Verify(_)
            | Stage::Open
            | Stage::Unpack(_)
            | Stage::Build(_)
            | Stage::Clear(_)
            | Stage::Publish(..)
            | Stage::Equip(..)
            | Stage::Connect(_)
            | Stage::Pin(..)
            | Stage::Launch(_)
            | Stage::Busy => State::Starting,
            Stage::Running => State::Running,
            Stage::Rename | Stage::Kept => State::Stopped,
            Stage::Ending(..) => State::Ending,
        };
        Status { state, domid: self.domid, console: self.console, restarts: self.restarts }
    }

    /// Where its nodes are, if it has a domain.
    pub(super) fn homes(&self) -> Option<Homes> {
        self.domid.map(|domid| Homes::new(domid, &self.config))
    }

    pub(super) fn running_homes(&self) -> Option<Homes> {
        self.homes().filter(|_| matches!(self.stage, Stage::Running))
    }

    /// Takes it down for good.
    pub(super) fn destroy(&mut self) {
        match &mut self.stage {
            // The builder takes back what it built.
            Stage::Build(build) => build.cancel(),
            Stage::Ending(_, then) => {
                if *then == Then::Restart {
                    *then = Then::Forget;
                }
            }
            _ => self.end(Then::Forget),
        }
    }

    pub(super) fn end(&mut self, then: Then) {
        self.stage = Stage::Ending(Down::Pause, then);
    }
}
