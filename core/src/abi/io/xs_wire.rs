//! The XenStore protocol and its ring. Source: `xen/io/xs_wire.h`.

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/io/xs_wire.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// What stands before each message.
    struct SockMsg = "struct xsd_sockmsg", 16 {
        /// `XS_*`; `type` in C.
        @0 kind: u32 = "type",
        @4 req_id: u32,
        @8 tx_id: u32,
        /// Bytes that follow.
        @12 len: u32,
    }

    /// The XenStore page of a domain.
    struct XenstoreDomainInterface = "struct xenstore_domain_interface", 2076 {
        @0 req: [u8; 1024],
        @1024 rsp: [u8; 1024],
        @2048 req_cons: u32,
        @2052 req_prod: u32,
        @2056 rsp_cons: u32,
        @2060 rsp_prod: u32,
        /// `XENSTORE_SERVER_FEATURE_*`.
        @2064 server_features: u32,
        /// [`XENSTORE_CONNECTED`] or [`XENSTORE_RECONNECT`].
        @2068 connection: u32,
        /// `XENSTORE_ERROR_*`.
        @2072 error: u32,
    }
}

abi_constants! {
    const XS_CONTROL: u32 = 0;
    const XS_DIRECTORY: u32 = 1;
    const XS_READ: u32 = 2;
    const XS_GET_PERMS: u32 = 3;
    const XS_WATCH: u32 = 4;
    const XS_UNWATCH: u32 = 5;
    const XS_TRANSACTION_START: u32 = 6;
    const XS_TRANSACTION_END: u32 = 7;
    const XS_INTRODUCE: u32 = 8;
    const XS_RELEASE: u32 = 9;
    const XS_GET_DOMAIN_PATH: u32 = 10;
    const XS_WRITE: u32 = 11;
    const XS_MKDIR: u32 = 12;
    const XS_RM: u32 = 13;
    const XS_SET_PERMS: u32 = 14;
    const XS_WATCH_EVENT: u32 = 15;
    const XS_ERROR: u32 = 16;
    const XS_IS_DOMAIN_INTRODUCED: u32 = 17;
    const XS_RESUME: u32 = 18;
    const XS_SET_TARGET: u32 = 19;
    const XS_RESET_WATCHES: u32 = 21;
    const XS_DIRECTORY_PART: u32 = 22;
    since(4, 21) const XS_GET_FEATURE: u32 = 23;
    since(4, 21) const XS_SET_FEATURE: u32 = 24;
    since(4, 21) const XS_GET_QUOTA: u32 = 25;
    since(4, 21) const XS_SET_QUOTA: u32 = 26;
    const XS_INVALID: u32 = 0xffff;

    const XENSTORE_RING_SIZE: u32 = 1024;
    const XENSTORE_PAYLOAD_MAX: usize = 4096;
    const XENSTORE_ABS_PATH_MAX: usize = 3072;
    const XENSTORE_REL_PATH_MAX: usize = 2048;

    const XENSTORE_SERVER_FEATURE_RECONNECTION: u32 = 1;
    const XENSTORE_SERVER_FEATURE_ERROR: u32 = 2;
    since(4, 22) const XENSTORE_SERVER_FEATURE_WATCHDEPTH: u32 = 4;
    since(4, 22) const XENSTORE_SERVER_FEATURE_DOMID_ANY: u32 = 8;

    const XENSTORE_CONNECTED: u32 = 0;
    const XENSTORE_RECONNECT: u32 = 1;

    const XENSTORE_ERROR_NONE: u32 = 0;
    const XENSTORE_ERROR_COMM: u32 = 1;
    const XENSTORE_ERROR_RINGIDX: u32 = 2;
    const XENSTORE_ERROR_PROTO: u32 = 3;

    /// Where the builder may leave the event channel's port for the server: 32 bits.
    since(4, 21) const EVTCHN_PORT_OFFSET: usize = 2076
        => "offsetof(struct xenstore_domain_interface, evtchn_port)";
}
