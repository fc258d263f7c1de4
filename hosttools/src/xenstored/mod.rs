//! XenStore on a unix socket, for developers and tests on a machine without Xen.
//!
//! The server is the one of the control domain; only the way in differs. There are no domains to introduce, so
//! all clients are privileged, and only root and the user who started the server may be one.

mod server;
mod site;

use std::os::unix::net::UnixStream;

pub use server::Hosted;
pub use site::NoXen;

/// A client's connection.
pub type Socket = crate::pollable::Pollable<UnixStream>;
