//! What a build is asked for.
#![forbid(unsafe_code)]

use alloc::vec::Vec;

use crate::hyper::Port;

/// The part of a domain's configuration that decides what its memory holds when it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its memory in pages.
    pub pages: u64,
    /// Its virtual CPUs, at least 1.
    pub vcpus: u32,
    /// The kernel's command line, without a terminator.
    pub command_line: Vec<u8>,
    /// Bytes of ramdisk, 0 for none.
    pub ramdisk: u64,
    /// Its console's event channel, as the domain numbers it.
    pub console_port: Port,
    /// Its XenStore event channel, as the domain numbers it.
    pub store_port: Port,
}
