//! Xen's public interface: every structure, constant and number this project uses, declared once.
//!
//! Sources are the public headers of Xen (the `xen/` include folder of Debian's `libxen-dev`); each file here
//! names the header it follows, and [`HEADERS`] is what a test compares with them. Structures are plain bytes
//! (`zerocopy`), so a filled structure is exactly what Xen reads. Values that Xen or a guest may extend are
//! constants, not enums: an unknown one survives.
#![forbid(unsafe_code)]

mod table;

pub mod arch;
pub mod callback;
pub mod elfnote;
pub mod errno;
pub mod event_channel;
pub mod hypercall;
pub mod sched;
pub mod shared_info;
pub mod start_info;
pub mod vcpu;
pub mod version;
pub mod xen;

pub use table::{Constant, Field, Header, Struct};

/// Everything declared in this module tree, for the comparison with the C headers.
pub const HEADERS: &[Header] = &[
    arch::HEADER,
    callback::HEADER,
    elfnote::HEADER,
    errno::HEADER,
    event_channel::HEADER,
    hypercall::HEADER,
    sched::HEADER,
    shared_info::HEADER,
    start_info::HEADER,
    vcpu::HEADER,
    version::HEADER,
    xen::HEADER,
];

#[cfg(test)]
mod tests {
    use super::HEADERS;
    use alloc::collections::BTreeSet;

    #[test]
    fn no_row_of_the_table_is_there_twice() {
        let mut seen = BTreeSet::new();
        for header in HEADERS {
            for c in header.structs.iter().map(|s| s.c).chain(header.constants.iter().map(|c| c.c)) {
                assert!(seen.insert(c), "{c} is declared twice");
            }
        }
    }
}
