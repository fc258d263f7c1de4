//! XenStore: the protocol and the server.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`wire`] | messages as types |
//! | [`transport`], [`client`] | messages over rings and streams, and the client's half |
//! | [`path`], [`perms`], [`quota`], [`domain`] | names, rights, limits, domains |
//! | [`server`] | the server itself, a state machine without I/O |
//! | [`service`] | the server on its connections: fair, bounded, cut off when broken |
//! | [`snapshot`] | its state as bytes |
//! | [`check`] | compares all of its state with itself |
//!
//! Sources: `docs/misc/xenstore.txt` and `docs/misc/xenstore-ring.txt` of Xen, and the public header
//! `xen/io/xs_wire.h`.

pub mod check;
mod chores;
pub mod client;
mod conn;
mod death;
pub mod domain;
mod news;
pub mod path;
pub mod perms;
pub mod quota;
pub mod server;
pub mod service;
pub mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod transaction;
pub mod transport;
mod tree;
mod verbs;
mod watch;
pub mod wire;
