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

    /// What [`VcpuContext`] leaves out of a PV virtual CPU.
    struct ExtVcpuContext = "struct xen_domctl_ext_vcpucontext", 64 {
        @0 vcpu: u32,
        /// Bytes of this structure.
        @4 size: u32,
        @8 syscall32_callback_eip: u64,
        @16 sysenter_callback_eip: u64,
        @24 syscall32_callback_cs: u16,
        @26 sysenter_callback_cs: u16,
        @28 syscall32_disables_events: u8,
        @29 sysenter_disables_events: u8,
        @30 _pad: [u8; 2],
        /// What the virtual CPU can tell of machine checks; then its settings.
        @32 caps: u64 = "vmce.caps",
        @40 mci_ctl2_bank0: u64 = "vmce.mci_ctl2_bank0",
        @48 mci_ctl2_bank1: u64 = "vmce.mci_ctl2_bank1",
        @56 mcg_ext_ctl: u64 = "vmce.mcg_ext_ctl",
    }

    /// The XSAVE state of a virtual CPU: two masks of 64 bits, in use and ever used, and the area.
    struct VcpuExtState = "struct xen_domctl_vcpuextstate", 32 {
        @0 vcpu: u32,
        @4 _pad: [u8; 4],
        /// What the machine has; to be given as it was told when the state is read.
        @8 xfeature_mask: u64,
        /// Bytes of the buffer; then bytes filled.
        @16 size: u64,
        /// The address of the state; 0 asks for mask and size.
        @24 buffer: u64,
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
    /// Where those bits begin.
    const XEN_DOMCTL_PFINFO_LTAB_SHIFT: u32 = 28;
    /// Of those, what has the level of a page table; 0 for a page that is none.
    const XEN_DOMCTL_PFINFO_LTABTYPE_MASK: u64 = 0x7 << 28;
    /// A pinned page table.
    const XEN_DOMCTL_PFINFO_LPINTAB: u64 = 1 << 31;
    /// No memory of the domain.
    const XEN_DOMCTL_PFINFO_XTAB: u64 = 0xf << 28;
    /// Memory that the machine found damaged.
    const XEN_DOMCTL_PFINFO_BROKEN: u64 = 0xd << 28;
}
