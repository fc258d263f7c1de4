//! Memory of domains: giving, taking and mapping. Source: `xen/memory.h`.
//!
//! Fields that C calls handles are addresses in the caller's memory.

use zerocopy::little_endian::{U32, U64};

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header = Header { path: "xen/memory.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of [`XENMEM_POPULATE_PHYSMAP`], [`XENMEM_INCREASE_RESERVATION`],
    /// [`XENMEM_DECREASE_RESERVATION`] and [`XENMEM_CLAIM_PAGES`].
    struct MemoryReservation = "struct xen_memory_reservation", 32 {
        /// The address of `nr_extents` frame numbers of 64 bits.
        @0 extent_start: u64,
        @8 nr_extents: u64,
        /// An extent has `1 << extent_order` pages.
        @16 extent_order: u32,
        @20 mem_flags: u32,
        @24 domid: u16,
        @26 _pad: [u8; 6],
    }

    /// The argument of [`XENMEM_EXCHANGE`].
    struct MemoryExchange = "struct xen_memory_exchange", 72 {
        /// What is given; `in` in C.
        @0 input: MemoryReservation = "in",
        /// What is wanted; `out` in C.
        @32 output: MemoryReservation = "out",
        /// Filled in; zero on entry.
        @64 nr_exchanged: u64,
    }

    /// The argument of [`XENMEM_CURRENT_RESERVATION`], [`XENMEM_MAXIMUM_RESERVATION`] and
    /// [`XENMEM_MAXIMUM_GPFN`].
    struct MemoryDomain = "struct xen_memory_domain", 2 {
        @0 domid: u16,
    }

    /// The answer to [`XENMEM_MACHPHYS_MAPPING`].
    struct MachphysMapping = "struct xen_machphys_mapping", 24 {
        @0 v_start: u64,
        @8 v_end: u64,
        @16 max_mfn: u64,
    }

    /// The argument of [`XENMEM_ADD_TO_PHYSMAP`].
    struct AddToPhysmap = "struct xen_add_to_physmap", 24 {
        @0 domid: u16,
        /// Frames, for `XENMAPSPACE_gmfn_range` only.
        @2 size: u16,
        /// `XENMAPSPACE_*`.
        @4 space: u32,
        @8 idx: u64,
        @16 gpfn: u64,
    }

    /// The argument of [`XENMEM_ADD_TO_PHYSMAP_BATCH`].
    struct AddToPhysmapBatch = "struct xen_add_to_physmap_batch", 32 {
        @0 domid: u16,
        /// `XENMAPSPACE_*`.
        @2 space: u16,
        @4 size: u16,
        /// The owner of the frames, for [`XENMAPSPACE_GMFN_FOREIGN`]; else 0.
        @6 foreign_domid: u16 = "u.foreign_domid",
        /// The address of `size` indexes of 64 bits.
        @8 idxs: u64,
        /// The address of `size` frame numbers of 64 bits.
        @16 gpfns: u64,
        /// The address of `size` error numbers of 32 bits, filled in.
        @24 errs: u64,
    }

    /// The argument of [`XENMEM_REMOVE_FROM_PHYSMAP`].
    struct RemoveFromPhysmap = "struct xen_remove_from_physmap", 16 {
        @0 domid: u16,
        @2 _pad: [u8; 6],
        @8 gpfn: u64,
    }

    /// The argument of [`XENMEM_MEMORY_MAP`] and [`XENMEM_MACHINE_MEMORY_MAP`].
    struct MemoryMap = "struct xen_memory_map", 16 {
        /// Entries that fit; then entries stored.
        @0 nr_entries: u32,
        @4 _pad: [u8; 4],
        /// The address of the [`E820Entry`]s.
        @8 buffer: u64,
    }

    /// The argument of [`XENMEM_SET_MEMORY_MAP`].
    struct ForeignMemoryMap = "struct xen_foreign_memory_map", 24 {
        @0 domid: u16,
        @2 _pad: [u8; 6],
        @8 map: MemoryMap,
    }

    /// The argument of [`XENMEM_ACQUIRE_RESOURCE`].
    struct AcquireResource = "struct xen_mem_acquire_resource", 32 {
        @0 domid: u16,
        /// `XENMEM_resource_*`; `type` in C.
        @2 kind: u16 = "type",
        @4 id: u32,
        @8 nr_frames: u32,
        @12 _zero: u32,
        @16 frame: u64,
        /// The address of `nr_frames` frame numbers of 64 bits.
        @24 frame_list: u64,
    }
}

abi_constants! {
    const XENMEM_INCREASE_RESERVATION: u32 = 0 => "XENMEM_increase_reservation";
    const XENMEM_DECREASE_RESERVATION: u32 = 1 => "XENMEM_decrease_reservation";
    const XENMEM_MAXIMUM_RAM_PAGE: u32 = 2 => "XENMEM_maximum_ram_page";
    const XENMEM_CURRENT_RESERVATION: u32 = 3 => "XENMEM_current_reservation";
    const XENMEM_MAXIMUM_RESERVATION: u32 = 4 => "XENMEM_maximum_reservation";
    const XENMEM_POPULATE_PHYSMAP: u32 = 6 => "XENMEM_populate_physmap";
    const XENMEM_ADD_TO_PHYSMAP: u32 = 7 => "XENMEM_add_to_physmap";
    const XENMEM_MEMORY_MAP: u32 = 9 => "XENMEM_memory_map";
    const XENMEM_MACHINE_MEMORY_MAP: u32 = 10 => "XENMEM_machine_memory_map";
    const XENMEM_EXCHANGE: u32 = 11 => "XENMEM_exchange";
    const XENMEM_MACHPHYS_MAPPING: u32 = 12 => "XENMEM_machphys_mapping";
    const XENMEM_SET_MEMORY_MAP: u32 = 13 => "XENMEM_set_memory_map";
    const XENMEM_MAXIMUM_GPFN: u32 = 14 => "XENMEM_maximum_gpfn";
    const XENMEM_REMOVE_FROM_PHYSMAP: u32 = 15 => "XENMEM_remove_from_physmap";
    const XENMEM_ADD_TO_PHYSMAP_BATCH: u32 = 23 => "XENMEM_add_to_physmap_batch";
    const XENMEM_CLAIM_PAGES: u32 = 24 => "XENMEM_claim_pages";
    const XENMEM_ACQUIRE_RESOURCE: u32 = 28 => "XENMEM_acquire_resource";

    const XENMEMF_POPULATE_ON_DEMAND: u32 = 1 << 16 => "XENMEMF_populate_on_demand";

    const XENMAPSPACE_SHARED_INFO: u32 = 0 => "XENMAPSPACE_shared_info";
    const XENMAPSPACE_GRANT_TABLE: u32 = 1 => "XENMAPSPACE_grant_table";
    const XENMAPSPACE_GMFN_FOREIGN: u32 = 4 => "XENMAPSPACE_gmfn_foreign";

    const XENMEM_RESOURCE_GRANT_TABLE: u16 = 1 => "XENMEM_resource_grant_table";
    const XENMEM_RESOURCE_GRANT_TABLE_ID_SHARED: u32 = 0 => "XENMEM_resource_grant_table_id_shared";
}

/// One range of a PC memory map, 20 bytes without padding; no C header of Xen declares it, the BIOS does.
#[repr(C)]
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    zerocopy::FromBytes,
    zerocopy::IntoBytes,
    zerocopy::Immutable,
    zerocopy::KnownLayout,
    zerocopy::Unaligned,
)]
pub struct E820Entry {
    /// The first byte.
    pub addr: U64,
    /// Bytes.
    pub size: U64,
    /// `XEN_HVM_MEMMAP_TYPE_*` of [`super::hvm::start_info`], which has the BIOS's numbers.
    pub kind: U32,
}

const _: () = assert!(size_of::<E820Entry>() == 20, "the BIOS has no padding");
