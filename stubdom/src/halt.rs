//! The ends of the control domain: on purpose, by a fatal error, by a panic.

use core::fmt::Display;
use core::panic::PanicInfo;

use defmt::Display2Format;
use xendless_core::abi::sched::{SHUTDOWN_POWEROFF, SchedShutdown};
use xendless_core::lines::{FATAL_PREFIX, Fatal};

use crate::backtrace;
use crate::console::print;
use crate::{hypercall, log};

/// Ends the domain for good. The reason is always "power off": Xen then halts the machine, where "crash" would
/// make it reboot, and fail, and reboot.
pub(crate) fn halt() -> ! {
    log::end();
    loop {
        // Xen has no reason to refuse. Should it, there is nothing left but to ask again.
        let _ = hypercall::perform(&mut SchedShutdown { reason: SHUTDOWN_POWEROFF.into() });
    }
}

/// Says why the control domain cannot go on, and ends it.
pub(crate) fn fatal(reason: &dyn Display) -> ! {
    print!("{}", Fatal(reason));
    defmt::error!("fatal: {}", Display2Format(reason));
    halt()
}

/// Only a bug of ours comes here.
#[cfg_attr(panic = "abort", panic_handler)]
#[cfg_attr(not(panic = "abort"), expect(dead_code, reason = "std brings its own handler"))]
fn panicked(info: &PanicInfo<'_>) -> ! {
    match info.location() {
        Some(place) => print!("{FATAL_PREFIX}panic at {}:{}: {}", place.file(), place.line(), info.message()),
        None => print!("{FATAL_PREFIX}panic: {}", info.message()),
    }
    backtrace::print(backtrace::here());
    halt()
}
