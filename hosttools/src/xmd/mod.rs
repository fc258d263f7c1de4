//! `xmd`, the relay daemon of a management domain.
//!
//! It owns the ring to the control domain and serves any number of local programs over a unix socket ([`mux`]), keeps
//! definitions of domains that need not run ([`definitions`]), logs consoles ([`consoles`]), and gets ready what is
//! behind the devices that its domain serves ([`hotplug`], which has a thread of its own). All else is one loop that
//! waits, [`Daemon`]: it wakes up for bytes, signals of the ring, changes in XenStore and signals of the system, and
//! never for the time alone while nothing is wrong.
#![forbid(unsafe_code)]

mod access;
pub mod consoles;
mod daemon;
pub mod definitions;
pub mod hotplug;
pub mod mux;
mod note;
mod options;
mod patience;
mod socket;
mod uplink;

pub use access::Access;
pub use daemon::{Daemon, Parts};
pub use options::{Options, Way};
pub use socket::{Lock, Socket};
pub use uplink::{ToSocket, Uplink};
