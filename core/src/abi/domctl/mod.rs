//! Control of other domains. Source: `xen/domctl.h`.
//!
//! Xen changes this interface between releases and looks at [`Domctl::interface_version`] first; the numbers to
//! use are in [`super::interface`].

pub mod context;
pub mod life;
pub mod rights;
pub mod sched;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::command::{Command, Union, abi_commands};
use super::table::{Header, abi_structs};
use context::{ExtVcpuContext, HvmContext, HvmContextPartial, PageFrameInfo, VcpuContext, VcpuExtState};
use life::{
    AddressSize, CpuPolicy, CreateDomain, GetDomainInfo, HypercallInit, MaxMem, MaxVcpus, PagingMempool,
    SendTrigger, SetDomainHandle, SetTimeOffset, ShadowOp, TscInfo,
};
use rights::{IomemPermission, IoportPermission, IrqPermission, SetTarget};
use sched::{GetVcpuInfo, SchedulerOp, VcpuAffinity};

pub(super) const HEADER: Header = Header { path: "xen/domctl.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of the `domctl` hypercall.
    struct Domctl = "struct xen_domctl", 144 {
        @0 cmd: u32,
        @4 interface_version: u32,
        @8 domain: u16,
        @10 _zero: [u8; 6],
        @16 u: Union<16>,
    }
}

impl<T: FromBytes + IntoBytes + Immutable> Command<Domctl, T> {
    /// The hypercall's argument that asks for this command on `domain`.
    #[must_use]
    pub fn on(&self, interface_version: u32, domain: u16, argument: &T) -> Domctl {
        Domctl { cmd: self.number(), interface_version, domain, _zero: [0; 6], u: Union::of(argument) }
    }

    /// The command's argument after Xen filled in its answer.
    #[must_use]
    pub fn answer(&self, call: &Domctl) -> T {
        call.u.read()
    }
}

abi_commands! { Domctl {
    /// On domain 0, Xen chooses the id. The id it took is in [`Domctl::domain`] afterwards.
    CREATEDOMAIN: CreateDomain = 1 => "XEN_DOMCTL_createdomain";
    DESTROYDOMAIN: () = 2 => "XEN_DOMCTL_destroydomain";
    PAUSEDOMAIN: () = 3 => "XEN_DOMCTL_pausedomain";
    UNPAUSEDOMAIN: () = 4 => "XEN_DOMCTL_unpausedomain";
    GETDOMAININFO: GetDomainInfo = 5 => "XEN_DOMCTL_getdomaininfo";
    SETVCPUAFFINITY: VcpuAffinity = 9 => "XEN_DOMCTL_setvcpuaffinity";
    SHADOW_OP: ShadowOp = 10 => "XEN_DOMCTL_shadow_op";
    MAX_MEM: MaxMem = 11 => "XEN_DOMCTL_max_mem";
    SETVCPUCONTEXT: VcpuContext = 12 => "XEN_DOMCTL_setvcpucontext";
    GETVCPUCONTEXT: VcpuContext = 13 => "XEN_DOMCTL_getvcpucontext";
    GETVCPUINFO: GetVcpuInfo = 14 => "XEN_DOMCTL_getvcpuinfo";
    MAX_VCPUS: MaxVcpus = 15 => "XEN_DOMCTL_max_vcpus";
    SCHEDULER_OP: SchedulerOp = 16 => "XEN_DOMCTL_scheduler_op";
    SETDOMAINHANDLE: SetDomainHandle = 17 => "XEN_DOMCTL_setdomainhandle";
    IRQ_PERMISSION: IrqPermission = 19 => "XEN_DOMCTL_irq_permission";
    IOMEM_PERMISSION: IomemPermission = 20 => "XEN_DOMCTL_iomem_permission";
    IOPORT_PERMISSION: IoportPermission = 21 => "XEN_DOMCTL_ioport_permission";
    HYPERCALL_INIT: HypercallInit = 22 => "XEN_DOMCTL_hypercall_init";
    SETTIMEOFFSET: SetTimeOffset = 24 => "XEN_DOMCTL_settimeoffset";
    GETVCPUAFFINITY: VcpuAffinity = 25 => "XEN_DOMCTL_getvcpuaffinity";
    RESUMEDOMAIN: () = 27 => "XEN_DOMCTL_resumedomain";
    SENDTRIGGER: SendTrigger = 28 => "XEN_DOMCTL_sendtrigger";
    GETHVMCONTEXT: HvmContext = 33 => "XEN_DOMCTL_gethvmcontext";
    SETHVMCONTEXT: HvmContext = 34 => "XEN_DOMCTL_sethvmcontext";
    SET_ADDRESS_SIZE: AddressSize = 35 => "XEN_DOMCTL_set_address_size";
    GET_ADDRESS_SIZE: AddressSize = 36 => "XEN_DOMCTL_get_address_size";
    SET_EXT_VCPUCONTEXT: ExtVcpuContext = 42 => "XEN_DOMCTL_set_ext_vcpucontext";
    GET_EXT_VCPUCONTEXT: ExtVcpuContext = 43 => "XEN_DOMCTL_get_ext_vcpucontext";
    SET_TARGET: SetTarget = 46 => "XEN_DOMCTL_set_target";
    GETHVMCONTEXT_PARTIAL: HvmContextPartial = 55 => "XEN_DOMCTL_gethvmcontext_partial";
    GETTSCINFO: TscInfo = 59 => "XEN_DOMCTL_gettscinfo";
    SETTSCINFO: TscInfo = 60 => "XEN_DOMCTL_settscinfo";
    GETPAGEFRAMEINFO3: PageFrameInfo = 61 => "XEN_DOMCTL_getpageframeinfo3";
    SETVCPUEXTSTATE: VcpuExtState = 62 => "XEN_DOMCTL_setvcpuextstate";
    GETVCPUEXTSTATE: VcpuExtState = 63 => "XEN_DOMCTL_getvcpuextstate";
    GET_CPU_POLICY: CpuPolicy = 82 => "XEN_DOMCTL_get_cpu_policy";
    SET_CPU_POLICY: CpuPolicy = 83 => "XEN_DOMCTL_set_cpu_policy";
    GET_PAGING_MEMPOOL_SIZE: PagingMempool = 85 => "XEN_DOMCTL_get_paging_mempool_size";
    SET_PAGING_MEMPOOL_SIZE: PagingMempool = 86 => "XEN_DOMCTL_set_paging_mempool_size";
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_its_header_and_its_argument() {
        let call = MAX_MEM.on(0x15, 7, &MaxMem { max_memkb: 0x0102_0304 });
        let bytes = call.as_bytes();
        assert_eq!(bytes[..16], [11, 0, 0, 0, 0x15, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[16..24], [4, 3, 2, 1, 0, 0, 0, 0]);
        assert!(bytes[24..].iter().all(|byte| *byte == 0));
        assert_eq!(MAX_MEM.answer(&call), MaxMem { max_memkb: 0x0102_0304 });
    }

    #[test]
    fn a_command_without_argument_leaves_the_union_empty() {
        assert_eq!(PAUSEDOMAIN.on(0x15, 1, &()).u, Union::ZERO);
    }
}
