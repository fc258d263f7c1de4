//! Between this module's types and the structures that Xen reads and writes.
//!
//! Pure functions, so that what the real hypervisor sends is tested without one. What differs between releases
//! of Xen takes an [`Interface`]; the rest is the same in all of them.
#![forbid(unsafe_code)]

pub mod cpus;
mod pvh;
mod schedule;

use super::{
    CpuMap, CreateDomain, CreateFlags, DomId, DomainFlags, DomainInfo, HostInfo, Port, PortState, PvStart,
    SchedulerKind, ShutdownReason, VcpuId, Virq,
};
use crate::abi::arch::{self, CpuUserRegs, VcpuGuestContext};
use crate::abi::domctl::life::{self, ArchDomainConfig, GetDomainInfo};
use crate::abi::domctl::{CREATEDOMAIN, Domctl, sched};
use crate::abi::errno::Errno;
use crate::abi::event_channel as evtchn;
use crate::abi::grant_table as grant;
use crate::abi::interface::Interface;
use crate::abi::sysctl::host::{self, PhysInfo};
use crate::abi::xen;

/// The newest version of the grant table that domains may use. Version 2 is for frame numbers beyond 32 bits
/// (16 TiB) and has cost Xen many security fixes.
const GRANT_VERSION: u32 = 1;

/// What [`CreateFlags`] are called in Xen's interface.
const CREATE_FLAGS: [(CreateFlags, u32); 3] = [
    (CreateFlags::HVM, life::XEN_DOMCTL_CDF_HVM),
    (CreateFlags::HAP, life::XEN_DOMCTL_CDF_HAP),
    (CreateFlags::XENSTORE, life::XEN_DOMCTL_CDF_XS_DOMAIN),
];

impl CreateDomain {
    /// The call that makes this domain. Xen leaves the new id in its `domain` field.
    #[must_use]
    pub fn to_domctl(&self, interface: &Interface) -> Domctl {
        let flags = CREATE_FLAGS.iter().filter(|(flag, _)| self.flags.contains(*flag));
        let local_apic = self.flags.contains(CreateFlags::LOCAL_APIC);
        let argument = life::CreateDomain {
            ssidref: self.ssid,
            handle: self.handle,
            flags: flags.fold(0, |all, (_, bit)| all | bit),
            max_vcpus: self.max_vcpus,
            max_evtchn_port: self.max_port,
            max_grant_frames: limit(self.max_grant_frames),
            max_maptrack_frames: limit(self.max_maptrack_frames),
            grant_opts: GRANT_VERSION,
            cpupool_id: self.cpupool,
            arch: ArchDomainConfig {
                emulation_flags: if local_apic { life::XEN_X86_EMU_LAPIC } else { 0 },
                ..ArchDomainConfig::ZERO
            },
            ..life::CreateDomain::ZERO
        };
        // Xen reads 0, the id of its initial domain, as a wish to choose by itself.
        CREATEDOMAIN.on(interface.domctl, self.domid.map_or(0, |domid| domid.0), &argument)
    }
}

/// Events are delivered, as far as a PV domain sees that.
const RFLAGS_IF: u64 = 1 << 9;
/// What the debug registers hold after a reset.
const DR6: u64 = 0xffff_0ff0;
const DR7: u64 = 0x400;

impl PvStart {
    /// All registers.
    #[must_use]
    pub fn to_context(&self) -> VcpuGuestContext {
        let data = arch::FLAT_KERNEL_DS;
        VcpuGuestContext {
            flags: arch::VGCF_IN_KERNEL | arch::VGCF_ONLINE,
            user_regs: CpuUserRegs {
                rip: self.entry,
                rsp: self.stack,
                rsi: self.start_info,
                rflags: RFLAGS_IF,
                cs: arch::FLAT_KERNEL_CS,
                ss: arch::FLAT_KERNEL_SS,
                ds: data,
                es: data,
                fs: data,
                gs: data,
                ..CpuUserRegs::ZERO
            },
            kernel_ss: u64::from(arch::FLAT_KERNEL_SS),
            kernel_sp: self.stack,
            ctrlreg: [0, 0, 0, arch::cr3_of(self.top_table.0), 0, 0, 0, 0],
            debugreg: [0, 0, 0, 0, 0, 0, DR6, DR7],
            ..VcpuGuestContext::ZERO
        }
    }
}

/// Negative numbers have a meaning of their own to Xen, so a limit that large stays the largest.
fn limit(frames: u32) -> i32 {
    i32::try_from(frames).unwrap_or(i32::MAX)
}

impl From<&GetDomainInfo> for DomainInfo {
    fn from(raw: &GetDomainInfo) -> Self {
        let flags = DomainFlags::from_bits_truncate(raw.flags);
        let [_, _, reason, _] = raw.flags.to_le_bytes();
        Self {
            domid: DomId(raw.domain),
            handle: raw.handle,
            flags,
            shutdown: flags.contains(DomainFlags::SHUTDOWN).then(|| ShutdownReason::from_code(reason)),
            pages: raw.tot_pages,
            max_pages: raw.max_pages,
            shared_info: raw.shared_info_frame,
            cpu_time: raw.cpu_time,
            online_vcpus: raw.nr_online_vcpus,
            max_vcpu: (raw.max_vcpu_id != life::XEN_INVALID_MAX_VCPU_ID).then_some(VcpuId(raw.max_vcpu_id)),
            cpupool: raw.cpupool,
            ssid: raw.ssidref,
        }
    }
}

impl From<&PhysInfo> for HostInfo {
    fn from(raw: &PhysInfo) -> Self {
        let can = |capability| raw.capabilities & capability != 0;
        Self {
            threads_per_core: raw.threads_per_core,
            cores_per_socket: raw.cores_per_socket,
            cpus: raw.nr_cpus,
            cpu_ids: raw.max_cpu_id.saturating_add(1).min(CpuMap::BITS),
            nodes: raw.nr_nodes,
            cpu_khz: raw.cpu_khz,
            total_pages: raw.total_pages,
            free_pages: raw.free_pages,
            scrub_pages: raw.scrub_pages,
            hw_cap: raw.hw_cap,
            hvm: can(host::XEN_SYSCTL_PHYSCAP_HVM),
            pv: can(host::XEN_SYSCTL_PHYSCAP_PV),
            hap: can(host::XEN_SYSCTL_PHYSCAP_HAP),
        }
    }
}

impl From<&evtchn::Status> for PortState {
    fn from(raw: &evtchn::Status) -> Self {
        // The union's first member is a domain id in 16 bits or an interrupt in 32.
        let [low, high, ..] = raw.peer.to_le_bytes();
        let peer = DomId(u16::from_le_bytes([low, high]));
        match raw.status {
            evtchn::EVTCHNSTAT_CLOSED => Self::Closed,
            evtchn::EVTCHNSTAT_UNBOUND => Self::Unbound(peer),
            evtchn::EVTCHNSTAT_INTERDOMAIN => Self::Interdomain(peer, Port(raw.peer_port)),
            evtchn::EVTCHNSTAT_VIRQ => Self::Virq(raw.peer),
            _ => Self::Other,
        }
    }
}

impl SchedulerKind {
    /// From Xen's number.
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        match code {
            sched::XEN_SCHEDULER_CREDIT => Self::Credit,
            sched::XEN_SCHEDULER_CREDIT2 => Self::Credit2,
            sched::XEN_SCHEDULER_ARINC653 => Self::Arinc653,
            sched::XEN_SCHEDULER_RTDS => Self::Rtds,
            sched::XEN_SCHEDULER_NULL => Self::Null,
            other => Self::Other(other),
        }
    }

    /// Xen's number.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Credit => sched::XEN_SCHEDULER_CREDIT,
            Self::Credit2 => sched::XEN_SCHEDULER_CREDIT2,
            Self::Arinc653 => sched::XEN_SCHEDULER_ARINC653,
            Self::Rtds => sched::XEN_SCHEDULER_RTDS,
            Self::Null => sched::XEN_SCHEDULER_NULL,
            Self::Other(code) => code,
        }
    }
}

impl Virq {
    /// Xen's number.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Timer => xen::VIRQ_TIMER,
            Self::Debug => xen::VIRQ_DEBUG,
            Self::Console => xen::VIRQ_CONSOLE,
            Self::DomainException => xen::VIRQ_DOM_EXC,
            Self::ConsoleRing => xen::VIRQ_CON_RING,
        }
    }
}

/// What the status that a grant operation leaves in its argument means. The hypercall itself succeeds even when
/// the grant does not.
pub const fn grant_outcome(status: i16) -> Result<(), Errno> {
    Err(match status {
        grant::GNTST_OKAY => return Ok(()),
        grant::GNTST_BAD_DOMAIN => Errno::ESRCH,
        grant::GNTST_BAD_GNTREF => Errno::ENOENT,
        grant::GNTST_BAD_HANDLE => Errno::EBADF,
        grant::GNTST_BAD_VIRT_ADDR => Errno::EFAULT,
        grant::GNTST_BAD_DEV_ADDR => Errno::ENXIO,
        grant::GNTST_PERMISSION_DENIED => Errno::EPERM,
        grant::GNTST_BAD_PAGE | grant::GNTST_BAD_COPY_ARG => Errno::EINVAL,
        grant::GNTST_ADDRESS_TOO_BIG => Errno::ERANGE,
        grant::GNTST_EAGAIN => Errno::EAGAIN,
        grant::GNTST_NO_DEVICE_SPACE | grant::GNTST_NO_SPACE => Errno::ENOSPC,
        _ => Errno::EIO,
    })
}

#[cfg(test)]
mod tests;
