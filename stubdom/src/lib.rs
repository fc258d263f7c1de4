//! The parts of the control domain that need no Xen, so that they can be tested on any machine.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod clock;
pub mod forward;
pub mod frames;
