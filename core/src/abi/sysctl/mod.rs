//! Control of the host. Source: `xen/sysctl.h`.
//!
//! As with `domctl`, Xen looks at [`Sysctl::interface_version`] first; see [`super::interface`].

pub mod host;
pub mod sched;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::command::{Command, Union, abi_commands};
use super::table::{Header, abi_structs};
use host::{
    AvailHeap, CpuTopoInfo, DebugKeys, GetCpuInfo, GetDomainInfoList, NumaInfo, PhysInfo, ReadConsole,
};
use sched::{CpupoolOp, SchedId, SchedulerOp};

pub(super) const HEADER: Header = Header { path: "xen/sysctl.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of the `sysctl` hypercall.
    struct Sysctl = "struct xen_sysctl", 136 {
        @0 cmd: u32,
        @4 interface_version: u32,
        @8 u: Union<16>,
    }
}

impl<T: FromBytes + IntoBytes + Immutable> Command<Sysctl, T> {
    /// The hypercall's argument that asks for this command.
    #[must_use]
    pub fn ask(&self, interface_version: u32, argument: &T) -> Sysctl {
        Sysctl { cmd: self.number(), interface_version, u: Union::of(argument) }
    }

    /// The command's argument after Xen filled in its answer.
    #[must_use]
    pub fn answer(&self, call: &Sysctl) -> T {
        call.u.read()
    }
}

abi_commands! { Sysctl {
    READCONSOLE: ReadConsole = 1 => "XEN_SYSCTL_readconsole";
    PHYSINFO: PhysInfo = 3 => "XEN_SYSCTL_physinfo";
    SCHED_ID: SchedId = 4 => "XEN_SYSCTL_sched_id";
    GETDOMAININFOLIST: GetDomainInfoList = 6 => "XEN_SYSCTL_getdomaininfolist";
    DEBUG_KEYS: DebugKeys = 7 => "XEN_SYSCTL_debug_keys";
    GETCPUINFO: GetCpuInfo = 8 => "XEN_SYSCTL_getcpuinfo";
    AVAILHEAP: AvailHeap = 9 => "XEN_SYSCTL_availheap";
    CPUTOPOINFO: CpuTopoInfo = 16 => "XEN_SYSCTL_cputopoinfo";
    NUMAINFO: NumaInfo = 17 => "XEN_SYSCTL_numainfo";
    CPUPOOL_OP: CpupoolOp = 18 => "XEN_SYSCTL_cpupool_op";
    SCHEDULER_OP: SchedulerOp = 19 => "XEN_SYSCTL_scheduler_op";
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_its_header_and_its_argument() {
        let call = SCHED_ID.ask(0x15, &SchedId { sched_id: 6 });
        let bytes = call.as_bytes();
        assert_eq!(bytes[..12], [4, 0, 0, 0, 0x15, 0, 0, 0, 6, 0, 0, 0]);
        assert!(bytes[12..].iter().all(|byte| *byte == 0));
        assert_eq!(SCHED_ID.answer(&call).sched_id, 6);
    }
}
