//! XenStore: the protocol and the server.
//!
//! Sources: `docs/misc/xenstore.txt` and `docs/misc/xenstore-ring.txt` of Xen, and the public header
//! `xen/io/xs_wire.h`.

pub mod client;
pub mod transport;
pub mod wire;
