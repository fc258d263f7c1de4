//! What a build is asked for.
#![forbid(unsafe_code)]

use alloc::vec::Vec;

/// Pages that physical addresses of 52 bits can reach.
pub(super) const MAX_PAGES: u64 = 1 << 40;

/// The part of a domain's configuration that decides what its memory holds when it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its memory in pages.
    pub pages: u64,
    /// The kernel's command line, without a terminator.
    pub command_line: Vec<u8>,
    /// Bytes of ramdisk, 0 for none.
    pub ramdisk: u64,
}
