//! The simulated hypervisor and the driver for real Xen under QEMU.

pub mod differential;
pub mod kernel;
pub mod qemu;
pub mod sim;
