//! Where Xen enters a PV domain for events. Source: `xen/callback.h`.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header = Header { path: "xen/callback.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of [`CALLBACKOP_REGISTER`].
    struct CallbackRegister = "struct callback_register", 16 {
        /// `CALLBACKTYPE_*`; `type` in C.
        @0 kind: u16 = "type",
        /// `CALLBACKF_*`.
        @2 flags: u16,
        @4 _pad: [u8; 4],
        @8 address: u64,
    }
}

abi_constants! {
    const CALLBACKOP_REGISTER: u32 = 0 => "CALLBACKOP_register";
    const CALLBACKTYPE_EVENT: u16 = 0 => "CALLBACKTYPE_event";
    const CALLBACKTYPE_FAILSAFE: u16 = 1 => "CALLBACKTYPE_failsafe";
    const CALLBACKTYPE_SYSCALL: u16 = 2 => "CALLBACKTYPE_syscall";
    const CALLBACKF_MASK_EVENTS: u16 = 1 => "CALLBACKF_mask_events";
}
