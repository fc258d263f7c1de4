//! The page by which Xen delivers events and time to a domain. Sources: `xen/xen.h`, `xen/arch-x86/xen.h`.
//!
//! Xen writes this page at any time, so it is looked at through [`crate::shared::Page`] with the offsets of
//! these structures, never borrowed as one of them.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header = Header { path: "xen/xen.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// Time as one virtual CPU sees it; consistent while `version` is even and unchanged.
    struct VcpuTimeInfo = "struct vcpu_time_info", 32 {
        @0 version: u32,
        @4 _pad0: u32,
        @8 tsc_timestamp: u64,
        /// Nanoseconds since boot.
        @16 system_time: u64,
        @24 tsc_to_system_mul: u32,
        @28 tsc_shift: i8,
        /// `XEN_PVCLOCK_*`.
        @29 flags: u8,
        @30 _pad1: [u8; 2],
    }

    /// Pending events and time of one virtual CPU.
    struct VcpuInfo = "struct vcpu_info", 64 {
        @0 evtchn_upcall_pending: u8,
        @1 evtchn_upcall_mask: u8,
        @2 _pad0: [u8; 6],
        @8 evtchn_pending_sel: u64,
        /// The address of the last page fault.
        @16 cr2: u64 = "arch.cr2",
        @24 _pad1: u64,
        @32 time: VcpuTimeInfo,
    }

    /// What a PV domain tells about its own frames.
    struct ArchSharedInfo = "struct arch_shared_info", 48 {
        @0 max_pfn: u64,
        @8 pfn_to_mfn_frame_list_list: u64,
        @16 nmi_reason: u64,
        @24 p2m_cr3: u64,
        @32 p2m_vaddr: u64,
        @40 p2m_generation: u64,
    }

    /// The shared info page.
    struct SharedInfo = "struct shared_info", 3136 {
        @0 vcpu_info: [VcpuInfo; XEN_LEGACY_MAX_VCPUS],
        @2048 evtchn_pending: [u64; 64],
        @2560 evtchn_mask: [u64; 64],
        @3072 wc_version: u32,
        @3076 wc_sec: u32,
        @3080 wc_nsec: u32,
        @3084 wc_sec_hi: u32,
        @3088 arch: ArchSharedInfo,
    }
}

abi_constants! {
    const XEN_LEGACY_MAX_VCPUS: usize = 32;
    /// Event channels of a domain that did not switch to the FIFO interface.
    const EVTCHN_2L_NR_CHANNELS: u32 = 4096 => "sizeof(xen_ulong_t) * sizeof(xen_ulong_t) * 64";

    const XEN_PVCLOCK_TSC_STABLE_BIT: u8 = 1 << 0;
    const XEN_PVCLOCK_GUEST_STOPPED: u8 = 1 << 1;
}
