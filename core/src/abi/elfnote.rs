//! Numbers of the notes by which a kernel says how it wants to be loaded. Source: `xen/elfnote.h`.

use super::table::{Header, abi_constants};

pub(super) const HEADER: Header = Header { path: "xen/elfnote.h", structs: &[], constants: CONSTANTS };

/// The owner's name of these notes.
pub const OWNER: &str = "Xen";

abi_constants! {
    const INFO: u32 = 0 => "XEN_ELFNOTE_INFO";
    const ENTRY: u32 = 1 => "XEN_ELFNOTE_ENTRY";
    const HYPERCALL_PAGE: u32 = 2 => "XEN_ELFNOTE_HYPERCALL_PAGE";
    const VIRT_BASE: u32 = 3 => "XEN_ELFNOTE_VIRT_BASE";
    const PADDR_OFFSET: u32 = 4 => "XEN_ELFNOTE_PADDR_OFFSET";
    const XEN_VERSION: u32 = 5 => "XEN_ELFNOTE_XEN_VERSION";
    const GUEST_OS: u32 = 6 => "XEN_ELFNOTE_GUEST_OS";
    const GUEST_VERSION: u32 = 7 => "XEN_ELFNOTE_GUEST_VERSION";
    const LOADER: u32 = 8 => "XEN_ELFNOTE_LOADER";
    const PAE_MODE: u32 = 9 => "XEN_ELFNOTE_PAE_MODE";
    const FEATURES: u32 = 10 => "XEN_ELFNOTE_FEATURES";
    const BSD_SYMTAB: u32 = 11 => "XEN_ELFNOTE_BSD_SYMTAB";
    const HV_START_LOW: u32 = 12 => "XEN_ELFNOTE_HV_START_LOW";
    const L1_MFN_VALID: u32 = 13 => "XEN_ELFNOTE_L1_MFN_VALID";
    const SUSPEND_CANCEL: u32 = 14 => "XEN_ELFNOTE_SUSPEND_CANCEL";
    const INIT_P2M: u32 = 15 => "XEN_ELFNOTE_INIT_P2M";
    const MOD_START_PFN: u32 = 16 => "XEN_ELFNOTE_MOD_START_PFN";
    const SUPPORTED_FEATURES: u32 = 17 => "XEN_ELFNOTE_SUPPORTED_FEATURES";
    const PHYS32_ENTRY: u32 = 18 => "XEN_ELFNOTE_PHYS32_ENTRY";

    const DUMPCORE_NONE: u32 = 0x200_0000 => "XEN_ELFNOTE_DUMPCORE_NONE";
    const DUMPCORE_HEADER: u32 = 0x200_0001 => "XEN_ELFNOTE_DUMPCORE_HEADER";
    const DUMPCORE_XEN_VERSION: u32 = 0x200_0002 => "XEN_ELFNOTE_DUMPCORE_XEN_VERSION";
    const DUMPCORE_FORMAT_VERSION: u32 = 0x200_0003 => "XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION";
}
