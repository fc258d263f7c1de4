//! XenStore on a unix socket, for developers and tests on a machine without Xen.

mod socket;

pub use socket::Socket;
