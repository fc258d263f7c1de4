//! The simulated hypervisor, the driver for real Xen under QEMU, the admin domain that is booted there, a person's
//! terminal, and the comparison with Debian's own tools.

pub mod admin;
pub mod bench;
pub mod differential;
pub mod fuzzing;
pub mod kernel;
pub mod pipe;
pub mod qemu;
pub mod sim;
pub mod terminal;
