//! Arguments for scheduling other domains. Source: `xen/domctl.h`.

use crate::abi::command::Union;
use crate::abi::table::{Header, abi_constants, abi_structs};
use crate::abi::xen::XenctlBitmap;

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/domctl.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// What a virtual CPU does now.
    struct GetVcpuInfo = "struct xen_domctl_getvcpuinfo", 24 {
        @0 vcpu: u32,
        @4 online: u8,
        @5 blocked: u8,
        @6 running: u8,
        @7 _pad0: [u8; 1],
        @8 cpu_time: u64,
        @16 cpu: u32,
        @20 _pad1: [u8; 4],
    }

    /// Where a virtual CPU may run.
    struct VcpuAffinity = "struct xen_domctl_vcpuaffinity", 40 {
        @0 vcpu: u32,
        /// `XEN_VCPUAFFINITY_*`.
        @4 flags: u32,
        @8 cpumap_hard: XenctlBitmap,
        @24 cpumap_soft: XenctlBitmap,
    }

    /// Scheduling parameters of a domain, or of some of its virtual CPUs.
    struct SchedulerOp = "struct xen_domctl_scheduler_op", 24 {
        /// `XEN_SCHEDULER_*`.
        @0 sched_id: u32,
        /// `XEN_DOMCTL_SCHEDOP_*`.
        @4 cmd: u32,
        /// A [`SchedCredit`] or a [`SchedRtds`], or for virtual CPUs [`SchedVcpus`].
        @8 u: Union<2>,
    }

    /// Parameters of credit, and of credit2.
    struct SchedCredit = "struct xen_domctl_sched_credit", 4 {
        @0 weight: u16,
        @2 cap: u16,
    }

    /// Parameters of rtds, in microseconds.
    struct SchedRtds = "struct xen_domctl_sched_rtds", 12 {
        @0 period: u32,
        @4 budget: u32,
        /// [`XEN_DOMCTL_SCHEDRT_EXTRA`] or 0.
        @8 flags: u32,
    }

    /// Which virtual CPUs a [`SchedulerOp`] is about.
    struct SchedVcpus = "__typeof__(((struct xen_domctl_scheduler_op *)0)->u.v)", 16 {
        /// The address of [`SchedParamVcpu`]s.
        @0 vcpus: u64,
        @8 nr_vcpus: u32,
        @12 _padding: u32,
    }

    /// Parameters of one virtual CPU; of the schedulers here only rtds has them.
    struct SchedParamVcpu = "struct xen_domctl_schedparam_vcpu", 16 {
        @0 rtds: SchedRtds = "u.rtds",
        @12 vcpuid: u32,
    }
}

abi_constants! {
    const XEN_VCPUAFFINITY_HARD: u32 = 1 << 0;
    const XEN_VCPUAFFINITY_SOFT: u32 = 1 << 1;
    const XEN_VCPUAFFINITY_FORCE: u32 = 1 << 2;

    const XEN_SCHEDULER_CREDIT: u32 = 5;
    const XEN_SCHEDULER_CREDIT2: u32 = 6;
    const XEN_SCHEDULER_ARINC653: u32 = 7;
    const XEN_SCHEDULER_RTDS: u32 = 8;
    const XEN_SCHEDULER_NULL: u32 = 9;

    const XEN_DOMCTL_SCHEDOP_PUTINFO: u32 = 0 => "XEN_DOMCTL_SCHEDOP_putinfo";
    const XEN_DOMCTL_SCHEDOP_GETINFO: u32 = 1 => "XEN_DOMCTL_SCHEDOP_getinfo";
    const XEN_DOMCTL_SCHEDOP_PUTVCPUINFO: u32 = 2 => "XEN_DOMCTL_SCHEDOP_putvcpuinfo";
    const XEN_DOMCTL_SCHEDOP_GETVCPUINFO: u32 = 3 => "XEN_DOMCTL_SCHEDOP_getvcpuinfo";

    const XEN_DOMCTL_SCHEDRT_EXTRA: u32 = 1 => "XEN_DOMCTL_SCHEDRT_extra";
}
