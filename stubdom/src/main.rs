//! The control domain: `xendless-core`, wired to Xen.
//!
//! Everything runs to completion on one stack with upcalls masked; only the hypercall that blocks lets events in.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`pv`] | what every PV kernel begins with: ELF notes, first instructions, memory functions, hypercall instruction |
//! | [`entry`] | exceptions and upcalls; symbols of the linker script |
//! | [`hypercall`], [`faults`] | hypercalls, and letting them fail in tests |
//! | [`console`], [`backtrace`], [`halt`], [`exception`] | saying what went wrong, and ending |
//! | [`shared_info`], [`time`] | events and time as Xen publishes them |
//! | [`memory`] | page tables, the heap, the window for other domains' pages |
//! | [`xen`] | the traits of `core::hyper`, by hypercalls |
//! | [`log`] | defmt frames, in a ring |
//! | [`trial`] | what tests have it do |
//! | [`site`], [`turns`] | clock, heap and log for `core::control`; its loop |
#![cfg_attr(panic = "abort", no_std)]
#![no_main]

extern crate alloc;

#[macro_use]
mod pv;

mod backtrace;
mod console;
mod entry;
mod exception;
mod faults;
mod halt;
mod hypercall;
mod log;
mod memory;
mod shared_info;
mod site;
mod time;
mod trial;
mod turns;
mod xen;

use xendless_core::abi::start_info::{SIF_INITDOMAIN, SIF_PRIVILEGED, StartInfo};
use xendless_core::boot::{self, BootError, BootFacts, Build, Options};

use crate::site::Here;
use crate::turns::Turns;
use crate::xen::Xen;

/// The first Rust function. `asm/entry.s` passes the address it got from Xen.
extern "C" fn start(start: &'static StartInfo) -> ! {
    match boot(start) {
        Ok((xen, mut turns)) => loop {
            turns.run_while(&xen, |_| true);
        },
        Err(error) => halt::fatal(&error),
    }
}

fn boot(start: &'static StartInfo) -> Result<(Xen, Turns), BootError> {
    let entered = time::ticks();
    let command_line = start.cmd_line.split(|byte| *byte == 0).next().unwrap_or_default();
    let options = Options::parse(command_line, Build { fault_injection: faults::ENABLED })?;
    faults::arm(options.fault);
    if let Some(when) = options.print_log {
        log::print(when);
    }
    exception::install()?;
    xen::register_upcall()?;
    xen::stop_periodic_timer()?;
    let memory = memory::init(start)?;
    let facts = BootFacts {
        initial_domain: start.flags & SIF_INITDOMAIN != 0,
        privileged: start.flags & SIF_PRIVILEGED != 0,
        pages: memory.pages,
        bundle: memory.bundle,
        entered_at: time::at(entered),
        images: options.images,
    };
    defmt::info!(
        "{=u64} pages of memory, bundle of {=usize} bytes",
        memory.pages,
        memory.bundle.map_or(0, <[u8]>::len)
    );
    facts.check_rights()?;
    let xen = Xen::new()?;
    let mut turns = Turns::new(boot::start(&xen, &Here, &facts)?);
    if let (true, Some(trial)) = (faults::ENABLED, options.trial) {
        trial::run(&xen, &mut turns, memory.bundle, trial);
        halt::halt();
    }
    Ok((xen, turns))
}
