//! What is answered.

use alloc::boxed::Box;
use alloc::string::String;

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::resources::{CpuRow, NodeRow, Page, Setting, VcpuRow};
use super::{DevicePage, Policy, Pool};
use crate::config::List;
use crate::hyper::{DomainFlags, Promise, Share};

/// The most rows in one answer.
pub const PAGE: usize = 32;

/// A successful end of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Answer<'a> {
    /// It is done.
    Done,
    /// About machine and hypervisor.
    Host(Box<Host>),
    /// Some domains.
    Rows {
        /// In order of domid.
        rows: List<Row, PAGE>,
        /// Where the next page begins, when there may be more.
        next: Option<u16>,
    },
    /// `DomainConfig` as it encodes itself.
    Config(#[serde(with = "serde_bytes")] &'a [u8]),
    /// A new domain.
    Created(Created),
    /// A domain's share under its scheduler.
    Share(Share),
    /// What rtds promises to some virtual CPUs.
    Promises {
        /// In order of virtual CPUs, from the one that was asked for on.
        rows: List<Promise, PAGE>,
        /// Where the next page begins, when there is more.
        next: Option<u32>,
    },
    /// A CPU pool, or that there are no more.
    Pool(Option<Box<Pool>>),
    /// The policy about security labels.
    Policy(Policy),
    /// A security label.
    Label(String),
    /// The last part of a log, as text.
    Log(#[serde(with = "serde_bytes")] &'a [u8]),
    /// A definition, or that there are no more.
    #[serde(borrow)]
    Definition(Option<Definition<'a>>),
    /// Virtual CPUs of a domain.
    Vcpus(Page<VcpuRow>),
    /// Physical CPUs that are online.
    Cpus(Page<CpuRow>),
    /// NUMA nodes that are online.
    Nodes(Page<NodeRow>),
    /// Devices of a domain.
    Devices(DevicePage),
    /// A setting, or that there are no more.
    #[serde(borrow)]
    Setting(Option<Setting<'a>>),
}

/// A domain that was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Created {
    /// Its id.
    pub domid: u16,
}

/// A definition that `xmd` keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Definition<'a> {
    /// The name under which it is kept.
    pub name: &'a str,
    /// `DomainConfig` as it encodes itself.
    #[serde(with = "serde_bytes")]
    pub config: &'a [u8],
}

/// One domain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Row {
    /// Its id.
    pub domid: u16,
    /// Its UUID, in the order in which it is printed.
    pub uuid: [u8; 16],
    /// Its name; empty when it has none.
    pub name: String,
    /// What it is and does: [`DomainFlags`].
    pub flags: u32,
    /// Why it stopped, as Xen's number, when it did.
    pub shutdown: Option<u8>,
    /// Memory it has, in KiB.
    pub memory_kib: u64,
    /// Memory it may have, in KiB.
    pub max_kib: u64,
    /// CPU time it used, in nanoseconds.
    pub cpu_ns: u64,
    /// Virtual CPUs online.
    pub vcpus: u32,
    /// Virtual CPUs it can have.
    pub max_vcpus: u32,
    /// Its CPU pool.
    pub cpupool: u32,
    /// The number of its security label; 0 when Xen has none.
    pub ssid: u32,
    /// How long ago it was started, in nanoseconds, as far as the control domain knows.
    pub age_ns: Option<u64>,
    /// How often it was restarted.
    pub restarts: u32,
    /// Its kernel has spoken to XenStore.
    pub booted: bool,
}

impl Row {
    /// What it is and does.
    #[must_use]
    pub const fn flags(&self) -> DomainFlags {
        DomainFlags::from_bits_retain(self.flags)
    }
}

/// Machine and hypervisor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Host {
    /// Xen's version.
    pub xen_major: u16,
    /// Xen's version.
    pub xen_minor: u16,
    /// What follows the version's numbers, as in `.7`.
    pub xen_extra: String,
    /// What kinds of domain can run, as Xen says it.
    pub xen_caps: String,
    /// Where Xen's memory begins in a domain's address space.
    pub virt_start: u64,
    /// Xen's source revision.
    pub xen_changeset: String,
    /// Xen's command line.
    pub xen_command_line: String,
    /// The compiler that built Xen.
    pub cc_compiler: String,
    /// Who built it.
    pub cc_compile_by: String,
    /// Where.
    pub cc_compile_domain: String,
    /// When.
    pub cc_compile_date: String,
    /// The default scheduler.
    pub scheduler: String,
    /// The control domain's version.
    pub xendless: String,
    /// How long it has been at work, in nanoseconds.
    pub up_ns: u64,
    /// Its heap in use, in KiB.
    pub heap_used_kib: u64,
    /// Its heap at most, in KiB.
    pub heap_limit_kib: u64,
    /// Physical CPUs.
    pub cpus: u32,
    /// Physical CPUs that are in no pool.
    pub free_cpus: u32,
    /// NUMA nodes.
    pub nodes: u32,
    /// Cores per socket.
    pub cores_per_socket: u32,
    /// Threads per core.
    pub threads_per_core: u32,
    /// Frequency of a CPU in kHz.
    pub cpu_khz: u32,
    /// The CPU feature words that Xen reports.
    pub hw_cap: [u32; 8],
    /// Usable memory in KiB.
    pub total_kib: u64,
    /// Free memory in KiB.
    pub free_kib: u64,
    /// Memory that waits to be scrubbed, in KiB.
    pub scrub_kib: u64,
    /// HVM domains can run.
    pub hvm: bool,
    /// PV domains can run.
    pub pv: bool,
    /// Hardware-assisted paging is there.
    pub hap: bool,
}
