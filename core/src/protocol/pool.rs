//! What can be asked about CPU pools, and what is answered.

use alloc::string::String;
use core::fmt;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::config::List;
use crate::rights::Rights;

/// A request about CPU pools. A `pool` is a word as a person types it: a number, else a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Pools<'a> {
    /// Pools in order of their numbers, one at a time: [`super::Answer::Pool`].
    Next {
        /// The first number wanted.
        from: u32,
    },
    /// Makes a pool and gives it CPUs: `Done` when it has them.
    Create {
        /// `PoolConfig` as it encodes itself.
        #[serde(with = "serde_bytes")]
        config: &'a [u8],
    },
    /// Takes a pool apart: `Done` when its CPUs are free.
    Destroy {
        /// Which.
        pool: &'a str,
    },
    /// Gives a free CPU to a pool.
    AddCpu {
        /// Which pool.
        pool: &'a str,
        /// Which CPU.
        cpu: u32,
    },
    /// Takes a CPU from a pool.
    RemoveCpu {
        /// Which pool.
        pool: &'a str,
        /// Which CPU.
        cpu: u32,
    },
    /// Moves a domain to a pool, for its next lives as well.
    Migrate {
        /// Which domain.
        domain: &'a str,
        /// To which pool.
        pool: &'a str,
    },
    /// Keeps a definition of a pool that need not be there: asks `xmd`, not the control domain.
    Define {
        /// `PoolConfig` as it encodes itself.
        #[serde(with = "serde_bytes")]
        config: &'a [u8],
    },
    /// Forgets a definition; asks `xmd`.
    Undefine {
        /// The name under which it is kept.
        pool: &'a str,
    },
    /// The definitions, one at a time, in order of name; asks `xmd`: [`super::Answer::Definition`].
    Definition {
        /// The first whose name comes behind this one; empty for the first of all.
        after: &'a str,
    },
}

impl Pools<'_> {
    pub(super) const fn needs(&self) -> Rights {
        match self {
            Self::Next { .. } | Self::Definition { .. } => Rights::Observe,
            Self::Migrate { .. } => Rights::Children,
            Self::Create { .. }
            | Self::Destroy { .. }
            | Self::AddCpu { .. }
            | Self::RemoveCpu { .. }
            | Self::Define { .. }
            | Self::Undefine { .. } => Rights::Everything,
        }
    }

    pub(super) const fn domain(&self) -> Option<&str> {
        match self {
            Self::Migrate { domain, .. } => Some(domain),
            _ => None,
        }
    }

    pub(super) const fn is_local(&self) -> bool {
        matches!(self, Self::Define { .. } | Self::Undefine { .. } | Self::Definition { .. })
    }
}

/// A CPU pool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Pool {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its UUID, in the order in which it is printed; zeros for the first pool.
    pub uuid: [u8; 16],
    /// Its scheduler.
    pub scheduler: String,
    /// Domains that run in it.
    pub domains: u32,
    /// Its CPUs: bit `n` of word `w` is CPU `64 w + n`.
    pub cpus: List<u64, 64>,
    /// What somebody keeps with it.
    pub remarks: List<(String, String), 16>,
}

/// Why something about a pool was not done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum PoolFailure {
    /// There is no such pool.
    Unknown,
    /// Another pool has the name.
    NameTaken,
    /// Domains run in it.
    InUse,
    /// It is the pool that is always there.
    First,
    /// It is being taken apart.
    Ending,
    /// There is no such scheduler.
    Scheduler,
    /// Too few CPUs are free.
    TooFewCpus {
        /// How many were wanted.
        wanted: u32,
        /// How many were free.
        free: u32,
    },
    /// The machine has no such CPU.
    NoSuchCpu,
    /// The CPU is in this pool already, or in another.
    CpuTaken(String),
    /// The CPU is not in the pool.
    CpuElsewhere,
    /// Domains need the last CPU of their pool.
    LastCpu,
}

impl fmt::Display for PoolFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such CPU pool"),
            Self::NameTaken => f.write_str("another CPU pool has this name"),
            Self::InUse => f.write_str("domains run in the CPU pool"),
            Self::First => f.write_str("the first CPU pool and CPU 0 in it always stay"),
            Self::Ending => f.write_str("the CPU pool is being taken apart"),
            Self::Scheduler => f.write_str("there is no such scheduler"),
            Self::TooFewCpus { wanted, free } => write!(f, "{wanted} CPUs are wanted, {free} are free"),
            Self::NoSuchCpu => f.write_str("there is no such CPU"),
            Self::CpuTaken(pool) => write!(f, "the CPU is in pool {pool}"),
            Self::CpuElsewhere => f.write_str("the CPU is not in the pool"),
            Self::LastCpu => f.write_str("domains need the last CPU of their pool"),
        }
    }
}
