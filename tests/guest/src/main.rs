//! The guest on Xen: one virtual CPU, memory as the builder made it, no interrupts. Built by `ci/build-stubdom
//! --guest`.
#![cfg_attr(panic = "abort", no_std)]
#![no_main]

#[path = "../../../stubdom/src/clock.rs"]
#[expect(unreachable_pub, reason = "it is the control domain's, where others use it")]
mod clock;
#[path = "../../../stubdom/src/pv.rs"]
mod pv;
mod xen;

use xendless_core::abi::sched::SHUTDOWN_CRASH;
use xendless_core::abi::start_info::StartInfo;
use xendless_guest::console::line;
use xendless_guest::world::World;

use crate::xen::Xen;

/// Enough for a few messages of XenStore and as many lines.
#[global_allocator]
static HEAP: emballoc::Allocator<{ 128 << 10 }> = emballoc::Allocator::new();

/// The first Rust function. The assembly passes the address that it got from Xen.
extern "C" fn start(start: &'static StartInfo) -> ! {
    let Ok(world) = Xen::new(start) else { xen::shut_down(SHUTDOWN_CRASH) };
    let command_line = start.cmd_line.split(|byte| *byte == 0).next().unwrap_or_default();
    match xendless_guest::run(&world, command_line) {
        Some(ending) => xen::shut_down(ending.reason()),
        None => loop {
            world.wait(None);
        },
    }
}

/// A bug of the guest's own. The test that runs it sees a crash, and Xen's console the place.
#[cfg_attr(panic = "abort", panic_handler)]
#[cfg_attr(not(panic = "abort"), expect(dead_code, reason = "std brings its own handler"))]
fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    xen::print(&line(format_args!("{info}")));
    xen::shut_down(SHUTDOWN_CRASH)
}
