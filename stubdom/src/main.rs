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
//! | [`site`] | clock, heap and log for `core::control` |
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
mod xen;

use core::convert::Infallible;
use core::sync::atomic::Ordering;

use xendless_core::abi::start_info::{SIF_INITDOMAIN, SIF_PRIVILEGED, StartInfo};
use xendless_core::boot::{self, BootError, BootFacts, Build, Options};
use xendless_core::control::{Control, Event, Site};
use xendless_core::events::{Bitmaps, Scanner};
use xendless_core::hyper::{Grants, Scheduler};

use crate::shared_info::SHARED_INFO;
use crate::site::Here;
use crate::xen::Xen;

/// The control domain's state, on Xen.
type Work = Control<<Xen as Grants>::Granted, <Xen as Grants>::Offered>;

/// Event channels served before the work they asked for has its turn.
const EVENTS_PER_TURN: usize = 64;

/// The first Rust function. `asm/entry.s` passes the address it got from Xen.
extern "C" fn start(start: &'static StartInfo) -> ! {
    match boot(start) {
        Ok((xen, control)) => match run(&xen, control) {},
        Err(error) => halt::fatal(&error),
    }
}

fn boot(start: &'static StartInfo) -> Result<(Xen, Work), BootError> {
    let entered = time::ticks();
    let command_line = start.cmd_line.split(|byte| *byte == 0).next().unwrap_or_default();
    let options = Options::parse(command_line, Build { fault_injection: faults::ENABLED })?;
    faults::arm(options.fault);
    if options.dump_log {
        log::dump_at_end();
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
    let control = boot::start(&xen, &Here, &facts)?;
    if let (true, Some(trial)) = (faults::ENABLED, options.trial) {
        trial::run(&xen, trial);
        halt::halt();
    }
    Ok((xen, control))
}

/// Serves events for ever.
fn run(xen: &Xen, mut control: Work) -> Infallible {
    let mut scanner = Scanner::new();
    loop {
        let more = serve_events(&mut scanner, &mut control);
        let wake = control.poll(xen, &Here);
        if more || wake.is_due(Here.now()) {
            continue;
        }
        // An event since the last look is pending, and ends the sleep at once.
        if let Err(refusal) = xen.block() {
            Here.log(Event::Refused(refusal));
        }
    }
}

/// Hands pending channels to `control`; true when some may be left.
fn serve_events(scanner: &mut Scanner, control: &mut Work) -> bool {
    let vcpu = &SHARED_INFO.vcpu;
    vcpu.upcall_pending.store(0, Ordering::SeqCst);
    let bitmaps =
        Bitmaps { selector: &vcpu.pending_selector, pending: &SHARED_INFO.pending, mask: &SHARED_INFO.mask };
    for _ in 0..EVENTS_PER_TURN {
        let Some(port) = scanner.take(bitmaps) else { return false };
        control.handle(&Here, port);
    }
    true
}
