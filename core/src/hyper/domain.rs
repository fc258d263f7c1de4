//! What is asked and learnt about domains and the host.
//! Sources: `xen/domctl.h`, `xen/sysctl.h`, `xen/sched.h`, `xen/version.h`.

use alloc::string::String;
use core::fmt;

use bitflags::bitflags;

use super::{DomId, Mfn, VcpuId};
use crate::abi::domctl::life;
use crate::abi::sched;

/// A domain's UUID in the byte order in which it is printed.
pub type DomainHandle = [u8; 16];

bitflags! {
    /// Choices made at creation that cannot change later. Values are this project's, not Xen's.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct CreateFlags: u32 {
        /// Runs with hardware virtualisation (HVM, PVH) instead of PV.
        const HVM = 1 << 0;
        /// Hardware-assisted paging; needs [`CreateFlags::HVM`].
        const HAP = 1 << 1;
        /// May serve XenStore.
        const XENSTORE = 1 << 2;
        /// Has a local APIC emulated by Xen; needs [`CreateFlags::HVM`].
        const LOCAL_APIC = 1 << 3;
    }
}

/// Everything fixed when a domain is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateDomain {
    /// The id to use, or `None` to let Xen choose.
    pub domid: Option<DomId>,
    /// The domain's UUID.
    pub handle: DomainHandle,
    /// Kind and rights.
    pub flags: CreateFlags,
    /// Virtual CPUs that can ever be online, at least 1.
    pub max_vcpus: u32,
    /// The highest event channel the domain may have.
    pub max_port: u32,
    /// Pages of grant table the domain may have.
    pub max_grant_frames: u32,
    /// Pages of map tracking the domain may have.
    pub max_maptrack_frames: u32,
    /// The CPU pool it runs in; 0 is the default one.
    pub cpupool: u32,
    /// The security label, 0 without XSM.
    pub ssid: u32,
}

/// The state in which the first virtual CPU of a PV domain starts. Addresses are virtual. Its other virtual CPUs
/// are started by the domain itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PvStart {
    /// The first instruction.
    pub entry: u64,
    /// The end of its stack.
    pub stack: u64,
    /// The start info page.
    pub start_info: u64,
    /// Its top page table, which is pinned.
    pub top_table: Mfn,
}

/// The state in which the first virtual CPU of a PVH domain starts: 32-bit protected mode without paging.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PvhStart {
    /// The physical address of the first instruction.
    pub entry: u32,
    /// The physical address of the start info.
    pub start_info: u64,
    /// Virtual CPUs of the domain; all of them get the same memory types.
    pub vcpus: u32,
}

bitflags! {
    /// What a domain is and does now, in the positions of `XEN_DOMINF_*`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct DomainFlags: u32 {
        /// Being torn down.
        const DYING = life::XEN_DOMINF_DYING;
        /// HVM or PVH rather than PV.
        const HVM = life::XEN_DOMINF_HVM_GUEST;
        /// Has shut down; see [`DomainInfo::shutdown`].
        const SHUTDOWN = life::XEN_DOMINF_SHUTDOWN;
        /// Paused by control software.
        const PAUSED = life::XEN_DOMINF_PAUSED;
        /// Every online virtual CPU waits for an event.
        const BLOCKED = life::XEN_DOMINF_BLOCKED;
        /// A virtual CPU is on a physical CPU.
        const RUNNING = life::XEN_DOMINF_RUNNING;
        /// Being debugged.
        const DEBUGGED = life::XEN_DOMINF_DEBUGGED;
        /// May serve XenStore.
        const XENSTORE = life::XEN_DOMINF_XS_DOMAIN;
        /// Uses hardware-assisted paging.
        const HAP = life::XEN_DOMINF_HAP;
    }
}

/// Why a domain stopped by itself. Unknown reasons survive. Source: `SHUTDOWN_*` of `xen/sched.h`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShutdownReason {
    /// Power off.
    Poweroff,
    /// Restart.
    Reboot,
    /// Saved or about to be migrated.
    Suspend,
    /// It crashed.
    Crash,
    /// Its watchdog fired.
    Watchdog,
    /// It wants to be reset without losing memory.
    SoftReset,
    /// A reason this project does not know.
    Other(u8),
}

impl ShutdownReason {
    /// From Xen's number.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            sched::SHUTDOWN_POWEROFF => Self::Poweroff,
            sched::SHUTDOWN_REBOOT => Self::Reboot,
            sched::SHUTDOWN_SUSPEND => Self::Suspend,
            sched::SHUTDOWN_CRASH => Self::Crash,
            sched::SHUTDOWN_WATCHDOG => Self::Watchdog,
            sched::SHUTDOWN_SOFT_RESET => Self::SoftReset,
            other => Self::Other(other),
        }
    }

    /// Xen's number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Poweroff => sched::SHUTDOWN_POWEROFF,
            Self::Reboot => sched::SHUTDOWN_REBOOT,
            Self::Suspend => sched::SHUTDOWN_SUSPEND,
            Self::Crash => sched::SHUTDOWN_CRASH,
            Self::Watchdog => sched::SHUTDOWN_WATCHDOG,
            Self::SoftReset => sched::SHUTDOWN_SOFT_RESET,
            Self::Other(code) => code,
        }
    }
}

/// One domain as the hypervisor sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainInfo {
    /// Its id.
    pub domid: DomId,
    /// Its UUID.
    pub handle: DomainHandle,
    /// What it is and does.
    pub flags: DomainFlags,
    /// Why it shut down; set exactly when [`DomainFlags::SHUTDOWN`] is.
    pub shutdown: Option<ShutdownReason>,
    /// Pages it has.
    pub pages: u64,
    /// Pages it may have.
    pub max_pages: u64,
    /// The frame of its shared info page.
    pub shared_info: u64,
    /// CPU time used, in nanoseconds.
    pub cpu_time: u64,
    /// Virtual CPUs online.
    pub online_vcpus: u32,
    /// The highest virtual CPU that exists, if any does.
    pub max_vcpu: Option<VcpuId>,
    /// The CPU pool it runs in.
    pub cpupool: u32,
    /// Its security label.
    pub ssid: u32,
}

impl DomainInfo {
    /// How many virtual CPUs exist, if all up to the highest do.
    #[must_use]
    pub const fn max_vcpus(&self) -> u32 {
        match self.max_vcpu {
            Some(highest) => highest.0.saturating_add(1),
            None => 0,
        }
    }
}

/// The machine as the hypervisor sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostInfo {
    /// Threads per core.
    pub threads_per_core: u32,
    /// Cores per socket.
    pub cores_per_socket: u32,
    /// Physical CPUs online.
    pub cpus: u32,
    /// One more than the highest number of a physical CPU.
    pub cpu_ids: u32,
    /// NUMA nodes.
    pub nodes: u32,
    /// CPU frequency in kHz.
    pub cpu_khz: u32,
    /// Usable memory in pages.
    pub total_pages: u64,
    /// Free memory in pages, without what waits to be scrubbed.
    pub free_pages: u64,
    /// Memory that waits to be scrubbed, in pages.
    pub scrub_pages: u64,
    /// The CPU feature words that Xen reports.
    pub hw_cap: [u32; 8],
    /// HVM domains can run.
    pub hvm: bool,
    /// PV domains can run.
    pub pv: bool,
    /// Hardware-assisted paging is there.
    pub hap: bool,
}

/// The scheduler of a CPU pool. Source: `XEN_SCHEDULER_*` of `xen/domctl.h`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SchedulerKind {
    /// credit.
    Credit,
    /// credit2.
    Credit2,
    /// ARINC 653.
    Arinc653,
    /// rtds.
    Rtds,
    /// null.
    Null,
    /// A number this project does not know.
    Other(u32),
}

impl SchedulerKind {
    /// Those that have a name.
    pub const ALL: [Self; 5] = [Self::Credit, Self::Credit2, Self::Arinc653, Self::Rtds, Self::Null];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == Some(name))
    }

    /// What it is called, when that is known.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Credit => Some("credit"),
            Self::Credit2 => Some("credit2"),
            Self::Arinc653 => Some("arinc653"),
            Self::Rtds => Some("rtds"),
            Self::Null => Some("null"),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for SchedulerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self) {
            (Some(name), _) => f.write_str(name),
            (None, Self::Other(number)) => write!(f, "scheduler {number}"),
            (None, _) => Ok(()),
        }
    }
}

/// What the running hypervisor was built from, and how. Source: `xen/version.h`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct XenBuild {
    /// What follows the version's numbers, as in `.7`.
    pub extra: String,
    /// The kinds of domain that can run.
    pub capabilities: String,
    /// The revision of its source.
    pub changeset: String,
    /// Its command line.
    pub command_line: String,
    /// The compiler.
    pub compiler: String,
    /// Who compiled it.
    pub compile_by: String,
    /// Where.
    pub compile_domain: String,
    /// When.
    pub compile_date: String,
    /// Where its memory begins in a domain's address space.
    pub virt_start: u64,
}
