//! Grants, version 1 of the table. Source: `xen/grant_table.h`.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header =
    Header { path: "xen/grant_table.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// One entry of a domain's grant table. The peer's kernel may be Xen itself: write `flags` last.
    struct GrantEntryV1 = "struct grant_entry_v1", 8 {
        /// `GTF_*`.
        @0 flags: u16,
        @2 domid: u16,
        @4 frame: u32,
    }

    /// The argument of [`GNTTABOP_MAP_GRANT_REF`].
    struct MapGrantRef = "struct gnttab_map_grant_ref", 32 {
        @0 host_addr: u64,
        /// `GNTMAP_*`.
        @8 flags: u32,
        /// `ref` in C.
        @12 gref: u32 = "ref",
        @16 dom: u16,
        /// `GNTST_*`, filled in.
        @18 status: i16,
        /// Filled in; names the mapping when it is undone.
        @20 handle: u32,
        @24 dev_bus_addr: u64,
    }

    /// The argument of [`GNTTABOP_UNMAP_GRANT_REF`].
    struct UnmapGrantRef = "struct gnttab_unmap_grant_ref", 24 {
        @0 host_addr: u64,
        @8 dev_bus_addr: u64,
        @16 handle: u32,
        /// `GNTST_*`, filled in.
        @20 status: i16,
        @22 _pad: [u8; 2],
    }

    /// The argument of [`GNTTABOP_SETUP_TABLE`].
    struct SetupTable = "struct gnttab_setup_table", 24 {
        @0 dom: u16,
        @2 _pad0: [u8; 2],
        @4 nr_frames: u32,
        /// `GNTST_*`, filled in.
        @8 status: i16,
        @10 _pad1: [u8; 6],
        /// The address of `nr_frames` frame numbers of 64 bits, filled in.
        @16 frame_list: u64,
    }

    /// One side of a [`GrantCopy`].
    struct GrantCopyPtr = "struct gnttab_copy_ptr", 16 {
        /// A frame number, or a grant reference as the flags say.
        @0 frame: u64 = "u.gmfn",
        @8 domid: u16,
        @10 offset: u16,
        @12 _pad: [u8; 4],
    }

    /// The argument of [`GNTTABOP_COPY`].
    struct GrantCopy = "struct gnttab_copy", 40 {
        @0 source: GrantCopyPtr,
        @16 dest: GrantCopyPtr,
        @32 len: u16,
        /// `GNTCOPY_*`.
        @34 flags: u16,
        /// `GNTST_*`, filled in.
        @36 status: i16,
        @38 _pad: [u8; 2],
    }

    /// The argument of [`GNTTABOP_QUERY_SIZE`].
    struct QuerySize = "struct gnttab_query_size", 16 {
        @0 dom: u16,
        @2 _pad0: [u8; 2],
        /// Filled in.
        @4 nr_frames: u32,
        /// Filled in.
        @8 max_nr_frames: u32,
        /// `GNTST_*`, filled in.
        @12 status: i16,
        @14 _pad1: [u8; 2],
    }

    /// The argument of [`GNTTABOP_SET_VERSION`].
    struct SetVersion = "struct gnttab_set_version", 4 {
        @0 version: u32,
    }
}

abi_constants! {
    const GNTTABOP_MAP_GRANT_REF: u32 = 0 => "GNTTABOP_map_grant_ref";
    const GNTTABOP_UNMAP_GRANT_REF: u32 = 1 => "GNTTABOP_unmap_grant_ref";
    const GNTTABOP_SETUP_TABLE: u32 = 2 => "GNTTABOP_setup_table";
    const GNTTABOP_COPY: u32 = 5 => "GNTTABOP_copy";
    const GNTTABOP_QUERY_SIZE: u32 = 6 => "GNTTABOP_query_size";
    const GNTTABOP_SET_VERSION: u32 = 8 => "GNTTABOP_set_version";

    const GNTTAB_NR_RESERVED_ENTRIES: u32 = 8;
    const GNTTAB_RESERVED_CONSOLE: u32 = 0;
    const GNTTAB_RESERVED_XENSTORE: u32 = 1;

    const GTF_INVALID: u16 = 0 => "GTF_invalid";
    const GTF_PERMIT_ACCESS: u16 = 1 => "GTF_permit_access";
    const GTF_TYPE_MASK: u16 = 3 => "GTF_type_mask";
    const GTF_READONLY: u16 = 1 << 2 => "GTF_readonly";
    /// The peer has the page mapped for reading.
    const GTF_READING: u16 = 1 << 3 => "GTF_reading";
    /// The peer has the page mapped for writing.
    const GTF_WRITING: u16 = 1 << 4 => "GTF_writing";

    const GNTMAP_HOST_MAP: u32 = 1 << 1 => "GNTMAP_host_map";
    const GNTMAP_READONLY: u32 = 1 << 2 => "GNTMAP_readonly";
    const GNTMAP_CONTAINS_PTE: u32 = 1 << 4 => "GNTMAP_contains_pte";

    const GNTCOPY_SOURCE_GREF: u16 = 1 << 0 => "GNTCOPY_source_gref";
    const GNTCOPY_DEST_GREF: u16 = 1 << 1 => "GNTCOPY_dest_gref";

    const GNTST_OKAY: i16 = 0 => "GNTST_okay";
    const GNTST_GENERAL_ERROR: i16 = -1 => "GNTST_general_error";
    const GNTST_BAD_DOMAIN: i16 = -2 => "GNTST_bad_domain";
    const GNTST_BAD_GNTREF: i16 = -3 => "GNTST_bad_gntref";
    const GNTST_BAD_HANDLE: i16 = -4 => "GNTST_bad_handle";
    const GNTST_BAD_VIRT_ADDR: i16 = -5 => "GNTST_bad_virt_addr";
    const GNTST_BAD_DEV_ADDR: i16 = -6 => "GNTST_bad_dev_addr";
    const GNTST_NO_DEVICE_SPACE: i16 = -7 => "GNTST_no_device_space";
    const GNTST_PERMISSION_DENIED: i16 = -8 => "GNTST_permission_denied";
    const GNTST_BAD_PAGE: i16 = -9 => "GNTST_bad_page";
    const GNTST_BAD_COPY_ARG: i16 = -10 => "GNTST_bad_copy_arg";
    const GNTST_ADDRESS_TOO_BIG: i16 = -11 => "GNTST_address_too_big";
    const GNTST_EAGAIN: i16 = -12 => "GNTST_eagain";
    const GNTST_NO_SPACE: i16 = -13 => "GNTST_no_space";
}
