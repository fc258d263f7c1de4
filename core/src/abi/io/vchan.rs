//! The control page of libxenvchan: two byte rings between two domains. Source: `xen/io/libxenvchan.h`.

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/io/libxenvchan.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The indexes of one ring, in bytes, free-running.
    struct RingShared = "struct ring_shared", 8 {
        @0 cons: u32,
        @4 prod: u32,
    }

    /// The control page, up to the list of grants. The server reads `left` and writes `right`.
    struct VchanInterface = "struct vchan_interface", 24 {
        @0 left: RingShared,
        @8 right: RingShared,
        /// The ring has `1 << left_order` bytes.
        @16 left_order: u16,
        /// The ring has `1 << right_order` bytes.
        @18 right_order: u16,
        /// 0: gone; 1: connected; 2: not yet connected.
        @20 cli_live: u8,
        /// 0: gone; 1: connected.
        @21 srv_live: u8,
        /// `VCHAN_NOTIFY_*`: what the client has to signal to the server.
        @22 cli_notify: u8,
        /// `VCHAN_NOTIFY_*`: what the server has to signal to the client.
        @23 srv_notify: u8,
    }
}

abi_constants! {
    const VCHAN_NOTIFY_WRITE: u8 = 1;
    const VCHAN_NOTIFY_READ: u8 = 2;

    /// Where the grant references of rings larger than half a page begin: those of `left`, then of `right`.
    const GRANTS_OFFSET: usize = 24 => "offsetof(struct vchan_interface, grants)";
}
