//! Arguments about schedulers and CPU pools. Source: `xen/sysctl.h`.

use crate::abi::command::Union;
use crate::abi::table::{Header, abi_constants, abi_structs};
use crate::abi::xen::XenctlBitmap;

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/sysctl.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The scheduler of the default CPU pool.
    struct SchedId = "struct xen_sysctl_sched_id", 4 {
        /// `XEN_SCHEDULER_*`.
        @0 sched_id: u32,
    }

    /// CPU pools.
    struct CpupoolOp = "struct xen_sysctl_cpupool_op", 40 {
        /// `XEN_SYSCTL_CPUPOOL_OP_*`.
        @0 op: u32,
        @4 cpupool_id: u32,
        @8 sched_id: u32,
        @12 domid: u32,
        @16 cpu: u32,
        @20 n_dom: u32,
        @24 cpumap: XenctlBitmap,
    }

    /// Parameters of a CPU pool's scheduler.
    struct SchedulerOp = "struct xen_sysctl_scheduler_op", 32 {
        @0 cpupool_id: u32,
        /// `XEN_SCHEDULER_*`.
        @4 sched_id: u32,
        /// `XEN_SYSCTL_SCHEDOP_*`.
        @8 cmd: u32,
        @12 _pad: [u8; 4],
        /// One of the next two structures.
        @16 u: Union<2>,
    }

    /// Parameters of credit.
    struct CreditSchedule = "struct xen_sysctl_credit_schedule", 12 {
        @0 tslice_ms: u32,
        @4 ratelimit_us: u32,
        @8 vcpu_migr_delay_us: u32,
    }

    /// Parameters of credit2.
    struct Credit2Schedule = "struct xen_sysctl_credit2_schedule", 4 {
        @0 ratelimit_us: u32,
    }
}

abi_constants! {
    const XEN_SYSCTL_CPUPOOL_OP_CREATE: u32 = 1;
    const XEN_SYSCTL_CPUPOOL_OP_DESTROY: u32 = 2;
    const XEN_SYSCTL_CPUPOOL_OP_INFO: u32 = 3;
    const XEN_SYSCTL_CPUPOOL_OP_ADDCPU: u32 = 4;
    const XEN_SYSCTL_CPUPOOL_OP_RMCPU: u32 = 5;
    const XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN: u32 = 6;
    const XEN_SYSCTL_CPUPOOL_OP_FREEINFO: u32 = 7;
    const XEN_SYSCTL_CPUPOOL_PAR_ANY: u32 = !0;

    const XEN_SYSCTL_SCHEDOP_PUTINFO: u32 = 0 => "XEN_SYSCTL_SCHEDOP_putinfo";
    const XEN_SYSCTL_SCHEDOP_GETINFO: u32 = 1 => "XEN_SYSCTL_SCHEDOP_getinfo";
}
