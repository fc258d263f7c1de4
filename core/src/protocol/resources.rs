//! Memory, CPUs and keys: what is asked about them, and what is answered.

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::PAGE;
use crate::config::List;
use crate::hyper::Trigger;

/// What is to be said when a domain would get no memory.
pub const NO_MEMORY: &str = "memory_dynamic_max must be greater than zero";
/// What is to be said when it would get more than it may have.
pub const TOO_MUCH_MEMORY: &str = "memory_dynamic_max must be less than or equal to memory_static_max";
/// What is to be said when it would have no virtual CPU online.
pub const NO_VCPUS: &str = "Zero or less VCPUs is invalid";
/// What is to be said when more would be online than it has.
pub const TOO_MANY_VCPUS: &str = "Cannot set vcpus greater than max vcpus on running domain";

/// The most bytes of a set of physical CPUs.
pub const CPU_BYTES: usize = crate::hyper::CpuMap::BYTES;

/// The most debug keys in one request.
pub const KEYS: usize = 64;

/// What is changed about a domain that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Adjust<'a> {
    /// The memory that it is asked to have. Whether it follows, its record tells.
    Memory {
        /// KiB.
        kib: u64,
    },
    /// The most memory that it may have.
    MaxMemory {
        /// KiB.
        kib: u64,
    },
    /// How many of its virtual CPUs it is asked to use.
    Online {
        /// The first so many.
        vcpus: u32,
    },
    /// The physical CPUs on which virtual ones may run.
    Pin {
        /// Which virtual CPU; `None` for all.
        vcpu: Option<u32>,
        /// A bit for each physical CPU, number 0 in the lowest bit of the first byte; at most [`CPU_BYTES`].
        #[serde(with = "serde_bytes")]
        cpus: &'a [u8],
    },
    /// A magic `SysRq` key for its kernel.
    SysRq {
        /// An ASCII character that is not blank.
        key: char,
    },
    /// A signal for a virtual CPU.
    Trigger {
        /// What signal.
        trigger: Trigger,
        /// Which virtual CPU.
        vcpu: u32,
    },
    /// It wakes from ACPI's sleep to RAM.
    WakeUp,
    /// It goes and is made again, with another id: [`super::Answer::Created`] when it runs.
    Reset,
}

/// What is asked about the machine below all domains.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Machine<'a> {
    /// Its physical CPUs, a page at a time: [`super::Answer::Cpus`].
    Cpus {
        /// The first CPU wanted.
        from: u32,
    },
    /// Its NUMA nodes, a page at a time: [`super::Answer::Nodes`].
    Nodes {
        /// The first node wanted.
        from: u32,
    },
    /// Presses keys of Xen's debug console, one after the other.
    Keys {
        /// ASCII characters, at most [`KEYS`].
        keys: &'a str,
    },
}

/// A page of rows, and where the next one begins, when there is more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Page<T> {
    /// In order of number.
    pub rows: List<T, PAGE>,
    /// The first number of the next page.
    pub next: Option<u32>,
}

/// A virtual CPU.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct VcpuRow {
    /// Its number.
    pub vcpu: u32,
    /// The domain uses it.
    pub online: bool,
    /// It waits for an event.
    pub blocked: bool,
    /// It is on a physical CPU.
    pub running: bool,
    /// The physical CPU on which it is, or was last.
    pub cpu: u32,
    /// CPU time it used, in nanoseconds.
    pub cpu_ns: u64,
    /// The physical CPUs on which it may run, a bit for each, as in [`Adjust::Pin`]. There may be bits for CPUs that
    /// the machine does not have.
    pub affinity: List<u8, CPU_BYTES>,
}

/// Where a physical CPU is, as far as Xen knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct CpuRow {
    /// Its number.
    pub cpu: u32,
    /// Its core.
    pub core: Option<u32>,
    /// Its socket.
    pub socket: Option<u32>,
    /// Its NUMA node.
    pub node: Option<u32>,
}

/// A NUMA node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct NodeRow {
    /// Its number.
    pub node: u32,
    /// Its memory, in KiB.
    pub total_kib: u64,
    /// Its free memory, in KiB.
    pub free_kib: u64,
    /// Its free memory with addresses below 4 GiB, in KiB.
    pub low_kib: u64,
    /// How far it is to each node, as far as known.
    pub distances: List<Option<u32>, NODES>,
}

/// The most NUMA nodes (`MAX_NUMNODES`).
pub const NODES: usize = 64;

/// A setting of `xmd`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Setting<'a> {
    /// What it is called.
    pub name: &'a str,
    /// What it is, if it is anything.
    pub value: Option<&'a str>,
}
