//! The simulated hypervisor, the driver for real Xen under QEMU, the admin domain that is booted there, and a person's
//! terminal.

pub mod admin;
pub mod differential;
pub mod fuzzing;
pub mod kernel;
pub mod pipe;
pub mod qemu;
pub mod sim;
pub mod terminal;
