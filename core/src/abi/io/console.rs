//! The console ring. Source: `xen/io/console.h`.

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/io/console.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The console page: what the domain reads is `in`, what it writes is `out`.
    struct XenconsInterface = "struct xencons_interface", 3088 {
        /// `in` in C.
        @0 input: [u8; 1024] = "in",
        /// `out` in C.
        @1024 output: [u8; 2048] = "out",
        @3072 in_cons: u32,
        @3076 in_prod: u32,
        @3080 out_cons: u32,
        @3084 out_prod: u32,
    }
}

abi_constants! {
    /// Where newer domains look whether the console is served: one byte.
    since(4, 21) const CONNECTION_OFFSET: usize = 3088 => "offsetof(struct xencons_interface, connection)";
    since(4, 21) const XENCONSOLE_CONNECTED: u8 = 0;
    since(4, 21) const XENCONSOLE_DISCONNECTED: u8 = 1;
}
