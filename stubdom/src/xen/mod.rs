//! The real hypervisor: every method of the traits of `core::hyper` is a hypercall.

mod channels;
mod control;
mod domains;
mod grants;
mod host;
mod launch;
mod memory;
mod own;

use xendless_core::abi::interface::Interface;

pub(crate) use own::{register_upcall, stop_periodic_timer};

/// The hypervisor below us.
pub(crate) struct Xen {
    /// How its release wants to be asked for control.
    interface: Interface,
}
