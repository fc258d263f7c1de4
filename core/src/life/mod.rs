//! Domains from their configuration to their end, and round again.
//!
//! A managed domain is built, made known to XenStore, given its console and started. When it stops, its
//! configuration decides: it goes, stays, or is made again. Whatever ends early is taken back: a domain, its
//! nodes, its ring pages and channels go together or not at all.
//!
//! [`Manager::step`] does one bounded piece of one domain's work, in turn. What was refused for the moment is tried
//! again a little later. The manager believes its own record and the hypervisor; what a guest wrote into XenStore
//! decides nothing here.
#![forbid(unsafe_code)]

mod addresses;
mod adjust;
mod ask;
mod devices;
mod down;
mod error;
mod files;
mod kernel;
mod managed;
mod nodes;
mod policy;
mod rename;
mod schedule;
mod suspend;
mod up;
mod work;

use alloc::collections::VecDeque;
use core::fmt;
use core::ops::Deref;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::builder::unpack;
use crate::config::{Boot, DomainConfig};
use crate::console::{ConsoleId, Consoles};
use crate::devices::Devices;
use crate::hyper::{DomId, Grants, ShutdownReason};
use crate::images::Images;
use crate::pools::Pools;
use crate::rights::Rights;
use crate::shared::Page;
use crate::table::{Key, Table};
use managed::Managed;

pub use adjust::limit_kib;
pub use ask::View;
pub use error::{ChangeError, CreateError, Failure, News};
pub use files::{Bytes, Files, Origin};
pub use policy::{Decision, Fate, decide};

/// How long to wait before trying again what was refused for the moment, in nanoseconds.
const RETRY_NS: u64 = 10_000_000;

/// Names a managed domain, over its restarts and never again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManagedId(Key);

impl fmt::Display for ManagedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "managed domain #{}", self.0.slot())
    }
}

/// What domains are made of and part of.
#[derive(Debug)]
pub struct World<'a, H: Grants, S> {
    /// The hypervisor.
    pub hv: &'a H,
    /// The consoles of all domains.
    pub consoles: &'a mut Consoles<H::Granted>,
    /// XenStore.
    pub store: &'a mut S,
    /// CPU pools.
    pub pools: &'a Pools,
    /// Files, and kernels that were unpacked before.
    pub images: &'a mut Images,
}

/// Whom news is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The domain's settings.
    pub config: &'a DomainConfig,
    /// It was made because the boot bundle says so, and not because somebody asked.
    pub from_bundle: bool,
}

/// On what terms a domain is made. It keeps them over its restarts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// What it may ask of the control domain, and do in XenStore.
    pub rights: Rights,
    /// The domain that asked for it.
    pub parent: Option<ManagedId>,
    /// It is left paused when it is made; when it is made again it is not.
    pub paused: bool,
}

impl From<Rights> for Terms {
    fn from(rights: Rights) -> Self {
        Self { rights, ..Self::default() }
    }
}

/// How a domain is asked to shut down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Wish {
    /// Power off.
    Poweroff,
    /// Restart.
    Reboot,
    /// Halt.
    Halt,
}

impl Wish {
    /// The word in `control/shutdown`.
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Poweroff => b"poweroff",
            Self::Reboot => b"reboot",
            Self::Halt => b"halt",
        }
    }
}

/// What a managed domain does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It is being made.
    Starting,
    /// It runs, or could.
    Running,
    /// It stopped and is kept.
    Stopped,
    /// It is being taken down.
    Ending,
}

/// What a person sees of a managed domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// What it does.
    pub state: State,
    /// Its domain, when it has one.
    pub domid: Option<DomId>,
    /// Its console. A domain that was kept under another name has none.
    pub console: Option<ConsoleId>,
    /// How often it was restarted.
    pub restarts: u32,
}

/// All managed domains.
#[derive(Debug)]
pub struct Manager {
    domains: Table<Managed>,
    /// Those with something to do. Has room for all.
    queue: VecDeque<ManagedId>,
    /// Those that wait, and until when, in that order. Has room for all.
    waiting: VecDeque<(u64, ManagedId)>,
    devices: Devices,
    /// Who serves XenStore and consoles: this domain.
    control: DomId,
    unpack: unpack::Limits,
}

impl Manager {
    /// No domains yet, and never more than `limit`. `control` is the domain this runs in.
    #[must_use]
    pub const fn new(control: DomId, limit: usize, unpack: unpack::Limits) -> Self {
        Self {
            domains: Table::with_limit(limit),
            queue: VecDeque::new(),
            waiting: VecDeque::new(),
            devices: Devices::new(control),
            control,
            unpack,
        }
    }

    /// Begins to make a domain. It keeps what `terms` say over its restarts. Its files are looked at by the steps that
    /// follow.
    pub fn create<P: Deref<Target = Page>>(
        &mut self,
        consoles: &mut Consoles<P>,
        config: DomainConfig,
        terms: impl Into<Terms>,
        origin: impl Into<Origin>,
    ) -> Result<ManagedId, CreateError> {
        self.check(&config)?;
        self.reserve()?;
        let console = consoles.add()?;
        let managed = Managed::new(config, terms.into(), origin.into(), console);
        self.domains.insert(managed).map_or_else(
            |full| {
                // It was made just now and nobody has it.
                consoles.discard(console);
                Err(full.into())
            },
            |key| {
                self.queue.push_back(ManagedId(key));
                Ok(ManagedId(key))
            },
        )
    }

    /// Takes a domain down, whatever it does.
    pub fn destroy(&mut self, id: ManagedId) {
        if let Some(managed) = self.domains.get_mut(id.0) {
            managed.destroy();
        }
        self.wake(id);
    }

    /// What a domain does; `None` when it is gone.
    #[must_use]
    pub fn status(&self, id: ManagedId) -> Option<Status> {
        self.domains.get(id.0).map(Managed::status)
    }

    /// All managed domains.
    pub fn iter(&self) -> impl Iterator<Item = (ManagedId, &DomainConfig)> {
        self.domains.iter().map(|(key, managed)| (ManagedId(key), &*managed.config))
    }

    /// Notes that a domain stopped by itself. Returns whether it is one of ours.
    pub fn stopped(&mut self, domid: DomId, reason: ShutdownReason) -> bool {
        self.note(domid, |managed| managed.stopped = Some(reason))
    }

    /// Notes that a domain is dying, or gone. Returns whether it is one of ours.
    pub fn lost(&mut self, domid: DomId) -> bool {
        self.note(domid, |managed| managed.lost = true)
    }

    fn note(&mut self, domid: DomId, change: impl FnOnce(&mut Managed)) -> bool {
        let found = self.domains.iter().find(|(_, managed)| managed.domid == Some(domid)).map(|(key, _)| key);
        let Some(key) = found else { return false };
        if let Some(managed) = self.domains.get_mut(key) {
            change(managed);
        }
        self.wake(ManagedId(key));
        true
    }

    /// Whether such a domain can be made, as far as that is known now.
    pub fn check(&self, config: &DomainConfig) -> Result<(), CreateError> {
        if !matches!(config.boot, Boot::Direct { .. }) {
            return Err(CreateError::Unsupported("a boot loader"));
        }
        if let Some(what) = config.devices.unserved() {
            return Err(CreateError::Unsupported(what));
        }
        for (_, other) in self.domains.iter() {
            if other.config.name == config.name {
                return Err(CreateError::NameTaken);
            }
            if other.config.uuid == config.uuid {
                return Err(CreateError::UuidTaken);
            }
        }
        Ok(())
    }

    /// Makes sure that one more domain can be queued.
    fn reserve(&mut self) -> Result<(), CreateError> {
        let count = self.domains.len() + 1;
        let missing = |len: usize| count.saturating_sub(len);
        self.queue.try_reserve(missing(self.queue.len())).map_err(|_| CreateError::OutOfMemory)?;
        self.waiting.try_reserve(missing(self.waiting.len())).map_err(|_| CreateError::OutOfMemory)
    }

    /// Puts a domain behind the others, unless it is there or waits already.
    fn wake(&mut self, id: ManagedId) {
        let queued = self.queue.contains(&id) || self.waiting.iter().any(|(_, other)| *other == id);
        if !queued {
            self.queue.push_back(id);
        }
    }
}
