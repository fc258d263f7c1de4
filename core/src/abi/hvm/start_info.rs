//! What a PVH domain finds at the address in `ebx` when it starts. Source: `xen/arch-x86/hvm/start_info.h`.

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/arch-x86/hvm/start_info.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The start info of a PVH domain. Addresses are guest-physical.
    struct HvmStartInfo = "struct hvm_start_info", 56 {
        /// [`XEN_HVM_START_MAGIC_VALUE`].
        @0 magic: u32,
        @4 version: u32,
        /// `SIF_*` of [`crate::abi::start_info`].
        @8 flags: u32,
        @12 nr_modules: u32,
        @16 modlist_paddr: u64,
        @24 cmdline_paddr: u64,
        @32 rsdp_paddr: u64,
        @40 memmap_paddr: u64,
        @48 memmap_entries: u32,
        @52 _zero: u32,
    }

    /// One module, such as the initial RAM disk.
    struct ModlistEntry = "struct hvm_modlist_entry", 32 {
        @0 paddr: u64,
        @8 size: u64,
        @16 cmdline_paddr: u64,
        @24 _zero: u64,
    }

    /// One range of the memory map.
    struct MemmapEntry = "struct hvm_memmap_table_entry", 24 {
        @0 addr: u64,
        @8 size: u64,
        /// `XEN_HVM_MEMMAP_TYPE_*`; `type` in C.
        @16 kind: u32 = "type",
        @20 _zero: u32,
    }
}

abi_constants! {
    const XEN_HVM_START_MAGIC_VALUE: u32 = 0x336e_c578;

    const XEN_HVM_MEMMAP_TYPE_RAM: u32 = 1;
    const XEN_HVM_MEMMAP_TYPE_RESERVED: u32 = 2;
    const XEN_HVM_MEMMAP_TYPE_ACPI: u32 = 3;
    const XEN_HVM_MEMMAP_TYPE_NVS: u32 = 4;
    const XEN_HVM_MEMMAP_TYPE_UNUSABLE: u32 = 5;
}
