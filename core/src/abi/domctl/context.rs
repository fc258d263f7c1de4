//! Arguments for reading and setting the registers of virtual CPUs. Source: `xen/domctl.h`.

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/domctl.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The whole state of a PV virtual CPU.
    struct VcpuContext = "struct xen_domctl_vcpucontext", 16 {
        @0 vcpu: u32,
        @4 _pad: [u8; 4],
        /// The address of a [`VcpuGuestContext`](crate::abi::arch::VcpuGuestContext).
        @8 ctxt: u64,
    }

    /// The whole state of an HVM or PVH domain, as the records of [`crate::abi::hvm::save`].
    struct HvmContext = "struct xen_domctl_hvmcontext", 16 {
        /// Bytes of the buffer; then bytes filled.
        @0 size: u32,
        @4 _pad: [u8; 4],
        /// The address of the records; 0 asks for the size.
        @8 buffer: u64,
    }

    /// What frames of a domain are.
    struct PageFrameInfo = "struct xen_domctl_getpageframeinfo3", 16 {
        /// At most 1024.
        @0 num: u64,
        /// The address of `num` frame numbers of 64 bits; then `XEN_DOMCTL_PFINFO_*` for each.
        @8 array: u64,
    }

    /// One record of an HVM or PVH domain.
    struct HvmContextPartial = "struct xen_domctl_hvmcontext_partial", 24 {
        /// `HVM_SAVE_CODE_*`; `type` in C.
        @0 kind: u32 = "type",
        @4 instance: u32,
        @8 bufsz: u64,
        @16 buffer: u64,
    }
}

abi_constants! {
    /// The bits that hold what a frame is.
    const XEN_DOMCTL_PFINFO_LTAB_MASK: u64 = 0xf << 28;
    /// No memory of the domain.
    const XEN_DOMCTL_PFINFO_XTAB: u64 = 0xf << 28;
    /// Memory that the machine found damaged.
    const XEN_DOMCTL_PFINFO_BROKEN: u64 = 0xd << 28;
}
