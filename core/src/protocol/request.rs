//! What can be asked.

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::resources::{Adjust, Machine};
use super::{Devices, Labels, Pools, Sched};
use crate::life::Wish;
use crate::rights::Rights;

/// A file by its content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Image {
    /// The BLAKE3 hash of its bytes.
    pub digest: [u8; 32],
    /// Its length in bytes.
    pub size: u64,
}

/// What [`Request::Wait`] waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Until {
    /// The domain stopped, by itself or by force, or is no more.
    Stopped,
    /// It is no more.
    Gone,
}

/// What is asked. A `domain` is a word as a person types it; see [`crate::channel`] for what it may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Request<'a> {
    /// About machine and hypervisor: [`super::Answer::Host`].
    Host,
    /// Domains in order of domid, a page at a time: [`super::Answer::Rows`].
    List {
        /// The first domid wanted.
        from: u16,
    },
    /// One domain: [`super::Answer::Rows`] with one row.
    Find {
        /// Which.
        domain: &'a str,
    },
    /// A domain's configuration as it stands now: [`super::Answer::Config`].
    Config {
        /// Which.
        domain: &'a str,
    },
    /// Makes a domain and starts it: [`super::Answer::Created`] when it runs, or is paused before its first
    /// instruction. Files that the server does not have are asked for.
    Create {
        /// `DomainConfig` as it encodes itself.
        #[serde(with = "serde_bytes")]
        config: &'a [u8],
        /// The kernel.
        kernel: Image,
        /// The ramdisk.
        ramdisk: Option<Image>,
        /// It stays paused.
        paused: bool,
        /// It is made from what was saved of it, as [`Request::Save`] sent it, which is asked for when the files are there;
        /// these are for when it is made anew.
        saved: bool,
    },
    /// Has a domain suspend itself and sends what it is then, down, as [`crate::saved::Piece`]s. Behind the last one
    /// there is credit for one byte up, by which whoever asked says that all of it is in a safe place: then the domain is
    /// taken down, or goes on, and the answer is `Done`. When it is cancelled, or nobody is there any more, it goes on.
    Save {
        /// Which.
        domain: &'a str,
        /// It goes on.
        keep: bool,
    },
    /// Takes a domain down, whatever it does: `Done` when nothing of it is left.
    Destroy {
        /// Which.
        domain: &'a str,
    },
    /// Asks a domain to end itself: `Done` when it was asked.
    Shutdown {
        /// Which.
        domain: &'a str,
        /// How.
        wish: Wish,
    },
    /// `Done` when the domain is in that state, at once or later.
    Wait {
        /// Which.
        domain: &'a str,
        /// For what.
        until: Until,
    },
    /// What happens to domains, down, as frames of [`super::Happening`]. [`super::What::Now`] is told where the past
    /// ends. The request ends when cancelled.
    Events {
        /// Also what has happened since the one with this serial number, as far as it is known; 0 for all.
        after: Option<u64>,
    },
    /// Stops a domain where it is.
    Pause {
        /// Which.
        domain: &'a str,
    },
    /// Lets it go on.
    Unpause {
        /// Which.
        domain: &'a str,
    },
    /// Gives a domain another name.
    Rename {
        /// Which.
        domain: &'a str,
        /// The new name.
        name: &'a str,
    },
    /// Changes something about a domain that runs: `Done` when that is done, or the domain was asked.
    Adjust {
        /// Which.
        domain: &'a str,
        /// What is changed.
        #[serde(borrow)]
        what: Adjust<'a>,
    },
    /// A domain's virtual CPUs, a page at a time: [`super::Answer::Vcpus`].
    Vcpus {
        /// Which.
        domain: &'a str,
        /// The first one wanted.
        from: u32,
    },
    /// About the machine below all domains.
    Machine(#[serde(borrow)] Machine<'a>),
    /// A domain's console: history and output down, typed bytes up. It ends with the console, or when cancelled.
    Console {
        /// Which.
        domain: &'a str,
    },
    /// Xen's own messages, down.
    Dmesg {
        /// Xen forgets them.
        clear: bool,
    },
    /// The control domain's log, down, as text.
    Log,
    /// A domain's memory and registers, down, as [`super::dump::Piece`]s. The domain is paused meanwhile.
    Dump {
        /// Which.
        domain: &'a str,
        /// It is not paused.
        live: bool,
        /// It stays paused behind the last piece, until the request is cancelled or the domain is gone.
        hold: bool,
    },
    /// About what schedulers give domains.
    Sched(#[serde(borrow)] Sched<'a>),
    /// About CPU pools.
    Pools(#[serde(borrow)] Pools<'a>),
    /// About devices.
    Devices(#[serde(borrow)] Devices<'a>),
    /// About security labels.
    Labels(#[serde(borrow)] Labels<'a>),
    /// The log of `xmd`, as far as it is kept; asks `xmd`: [`super::Answer::Log`].
    RelayLog,
    /// Keeps a definition of a domain that need not run: asks `xmd`, not the control domain.
    Define {
        /// `DomainConfig` as it encodes itself.
        #[serde(with = "serde_bytes")]
        config: &'a [u8],
    },
    /// Forgets a definition; asks `xmd`.
    Undefine {
        /// Which.
        domain: &'a str,
    },
    /// The definitions, one at a time, in order of name; asks `xmd`: [`super::Answer::Definition`].
    Definition {
        /// The first whose name comes behind this one; empty for the first of all.
        after: &'a str,
    },
    /// The settings of `xmd`, one at a time; asks `xmd`: [`super::Answer::Setting`].
    Setting {
        /// Which one, counted from 0.
        index: u32,
    },
}

impl Request<'_> {
    /// What it takes to ask this at all. What a request may do with which domain is looked at when it is done.
    #[must_use]
    pub const fn needs(&self) -> Rights {
        match self {
            Self::Host
            | Self::List { .. }
            | Self::Find { .. }
            | Self::Config { .. }
            | Self::Wait { .. }
            | Self::Vcpus { .. }
            | Self::Machine(Machine::Cpus { .. } | Machine::Nodes { .. })
            | Self::Setting { .. }
            | Self::Events { .. }
            | Self::Definition { .. } => Rights::Observe,
            Self::Create { .. }
            | Self::Destroy { .. }
            | Self::Shutdown { .. }
            | Self::Pause { .. }
            | Self::Unpause { .. }
            | Self::Rename { .. }
            | Self::Adjust { .. }
            | Self::Console { .. }
            | Self::Dump { .. }
            | Self::Save { .. }
            | Self::Define { .. }
            | Self::Undefine { .. } => Rights::Children,
            Self::Dmesg { .. } | Self::Log | Self::RelayLog | Self::Machine(Machine::Keys { .. }) => {
                Rights::Everything
            }
            Self::Sched(sched) => sched.needs(),
            Self::Pools(pools) => pools.needs(),
            Self::Devices(devices) => devices.needs(),
            Self::Labels(labels) => labels.needs(),
        }
    }

    /// The domain it is about, if it is about one.
    #[must_use]
    pub const fn domain(&self) -> Option<&str> {
        match self {
            Self::Find { domain }
            | Self::Config { domain }
            | Self::Destroy { domain }
            | Self::Shutdown { domain, .. }
            | Self::Wait { domain, .. }
            | Self::Pause { domain }
            | Self::Unpause { domain }
            | Self::Rename { domain, .. }
            | Self::Adjust { domain, .. }
            | Self::Vcpus { domain, .. }
            | Self::Console { domain }
            | Self::Dump { domain, .. }
            | Self::Save { domain, .. }
            | Self::Undefine { domain } => Some(domain),
            Self::Sched(sched) => Some(sched.domain()),
            Self::Pools(pools) => pools.domain(),
            Self::Devices(devices) => Some(devices.domain()),
            Self::Labels(labels) => labels.domain(),
            Self::Host
            | Self::List { .. }
            | Self::Events { .. }
            | Self::Create { .. }
            | Self::Dmesg { .. }
            | Self::Log
            | Self::Machine(_)
            | Self::Setting { .. }
            | Self::RelayLog
            | Self::Define { .. }
            | Self::Definition { .. } => None,
        }
    }

    /// Whether `xmd` answers it, from what it keeps, rather than the control domain.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        match self {
            Self::RelayLog
            | Self::Define { .. }
            | Self::Undefine { .. }
            | Self::Definition { .. }
            | Self::Setting { .. } => true,
            Self::Pools(pools) => pools.is_local(),
            _ => false,
        }
    }
}
