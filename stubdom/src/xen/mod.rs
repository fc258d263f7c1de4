//! The real hypervisor: every method of the traits of `core::hyper` is a hypercall.

mod channels;
mod control;
mod domains;
mod grants;
mod host;
mod inspect;
mod labels;
mod launch;
mod memory;
mod own;
mod schedule;
mod topology;
mod transfer;
mod vcpus;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::interface::Interface;
use xendless_core::hyper::{Call, DomId, HvError, Result};

pub(crate) use memory::give_back;
pub(crate) use own::{register_upcall, stop_periodic_timer};

/// The hypervisor below us.
pub(crate) struct Xen {
    /// How its release wants to be asked for control.
    interface: Interface,
}

/// Our own id: boot goes on only in the initial domain.
const OWN: DomId = DomId(0);

/// Refuses calls that would have Xen show or change our own memory behind Rust's back.
fn other_domain(call: Call, domid: DomId) -> Result<()> {
    let other = domid.is_domain() && domid != OWN;
    if other { Ok(()) } else { Err(HvError::new(call, Errno::EINVAL)) }
}
