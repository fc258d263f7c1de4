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
pub mod command;
pub mod domctl;
pub mod elfnote;
pub mod errno;
pub mod event_channel;
pub mod flask;
pub mod grant_table;
pub mod hvm;
pub mod hypercall;
pub mod interface;
pub mod io;
pub mod memory;
pub mod sched;
pub mod shared_info;
pub mod start_info;
pub mod sysctl;
pub mod vcpu;
pub mod version;
pub mod xen;

pub use table::{Constant, Field, Header, Struct};

/// Everything declared in this module tree, for the comparison with the C headers.
pub const HEADERS: &[Header] = &[
    arch::HEADER,
    callback::HEADER,
    domctl::HEADER,
    domctl::context::HEADER,
    domctl::life::HEADER,
    domctl::rights::HEADER,
    domctl::sched::HEADER,
    elfnote::HEADER,
    errno::HEADER,
    event_channel::HEADER,
    flask::HEADER,
    flask::VERSION,
    grant_table::HEADER,
    hvm::op::HEADER,
    hvm::save::HEADER,
    hvm::start_info::HEADER,
    hypercall::HEADER,
    interface::HEADER,
    io::console::HEADER,
    io::vchan::HEADER,
    io::xs_wire::HEADER,
    memory::HEADER,
    sched::HEADER,
    shared_info::HEADER,
    start_info::HEADER,
    sysctl::HEADER,
    sysctl::host::HEADER,
    sysctl::sched::HEADER,
    vcpu::HEADER,
    version::HEADER,
    xen::HEADER,
];

#[cfg(test)]
mod tests {
    use super::HEADERS;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    #[test]
    fn no_row_of_the_table_is_there_twice() {
        let mut seen = BTreeSet::new();
        for header in HEADERS {
            for c in header.structs.iter().map(|s| s.c).chain(header.constants.iter().map(|c| c.c)) {
                assert!(seen.insert(c), "{c} is declared twice");
            }
        }
    }

    #[test]
    fn what_the_headers_of_the_check_do_not_know_has_the_value_of_its_release() {
        let constants = HEADERS.iter().flat_map(|header| header.constants);
        let newer: Vec<_> = constants
            .filter_map(|constant| constant.since.map(|release| (constant.rust, release, constant.value)))
            .collect();
        assert_eq!(
            newer,
            [
                ("CONNECTION_OFFSET", (4, 21), 3088),
                ("XENCONSOLE_CONNECTED", (4, 21), 0),
                ("XENCONSOLE_DISCONNECTED", (4, 21), 1),
                ("XS_GET_FEATURE", (4, 21), 23),
                ("XS_SET_FEATURE", (4, 21), 24),
                ("XS_GET_QUOTA", (4, 21), 25),
                ("XS_SET_QUOTA", (4, 21), 26),
                ("XENSTORE_SERVER_FEATURE_WATCHDEPTH", (4, 22), 4),
                ("XENSTORE_SERVER_FEATURE_DOMID_ANY", (4, 22), 8),
                ("EVTCHN_PORT_OFFSET", (4, 21), 2076),
            ]
        );
    }
}
