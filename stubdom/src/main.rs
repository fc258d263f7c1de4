//! The control domain: `xendless-core`, wired to Xen.
//!
//! Everything runs to completion on one stack with upcalls masked; only the hypercall that blocks lets events in.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`entry`] | assembly: ELF notes, entry, exceptions, upcall, memory functions; symbols of the linker script |
//! | [`hypercall`] | the hypercall instruction |
//! | [`console`], [`backtrace`], [`halt`], [`exception`] | saying what went wrong, and ending |
//! | [`shared_info`] | events and time as Xen publishes them |
//! | [`memory`] | page tables, the heap |
#![cfg_attr(panic = "abort", no_std)]
#![no_main]

extern crate alloc;

mod backtrace;
mod console;
mod entry;
mod exception;
mod halt;
mod hypercall;
mod memory;
mod shared_info;

use xendless_core::abi::start_info::StartInfo;
use xendless_core::boot::BootError;

/// The first Rust function. `asm/entry.s` passes the address it got from Xen.
extern "C" fn start(start: &'static StartInfo) -> ! {
    match run(start) {
        Ok(()) => halt::halt(),
        Err(error) => halt::fatal(&error),
    }
}

fn run(start: &'static StartInfo) -> Result<(), BootError> {
    exception::install()?;
    let memory = memory::init(start)?;
    console::print!("xendless: {} KiB of memory, {}", memory.pages * 4, memory::usage());
    memory.bundle.map(drop).ok_or(BootError::NoBundle)
}
