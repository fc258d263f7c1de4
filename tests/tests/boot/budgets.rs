//! The promised figures, measured in counted instructions.

use std::time::Duration;

use xendless_core::lines::{HeapUsage, Status};
use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::budget::{IDLE_WAKE_UPS, IMAGE, MEMORY_AT_READY, TIME_TO_READY};
use xendless_tests::qemu::machine::{Accel, CONTROL_MEMORY_MIB, Machine};
use xendless_tests::qemu::running::{Running, WATCHDOG};
use xendless_tests::qemu::serial::Sight;

use super::machine;

/// How long the control domain is left alone, in virtual time.
const IDLE_MS: u64 = 10_000;

fn start() -> Running<'static> {
    let machine = Machine { accel: Accel::Icount, ..machine() };
    Running::start(&machine, WATCHDOG, |_| {}).unwrap()
}

/// Microseconds to readiness, and the heap then.
fn await_ready(running: &mut Running<'_>) -> (u64, HeapUsage) {
    let ready = running.run_until(|_, sight| match sight? {
        Sight::Ready(ready) => Some((ready.after_us, ready.heap)),
        _ => None,
    });
    ready.unwrap_or_else(|end| panic!("{end}:\n{}", running.transcript().join("\n")))
}

#[test]
fn image_size() {
    let image = artifacts::control_domain(Build::Release).unwrap();
    let bytes = std::fs::metadata(image).unwrap().len();
    IMAGE.measured(bytes as f64 / 1024.0).check().unwrap();
}

#[test]
fn time_and_memory_at_ready() {
    let (after_us, heap) = await_ready(&mut start());
    let used_kib = u64::from(CONTROL_MEMORY_MIB) * 1024 - (heap.limit_kib - heap.used_kib);
    let time = TIME_TO_READY.measured(after_us as f64 / 1000.0).check();
    let memory = MEMORY_AT_READY.measured(used_kib as f64).check();
    time.and(memory).unwrap();
}

#[test]
fn an_idle_control_domain_sleeps() {
    let mut running = start();
    await_ready(&mut running);
    let (before, after) = two_statuses_apart(&mut running);
    // Asking costs one wake-up, which is the second answer's own.
    let idle = after.wake_ups - before.wake_ups - 1;
    IDLE_WAKE_UPS.measured(idle as f64).check().unwrap();
}

/// Asks twice, with at least [`IDLE_MS`] in between and nothing else. How long that takes here depends on the
/// host, so the pause grows until it is long enough.
fn two_statuses_apart(running: &mut Running<'_>) -> (Status, Status) {
    let mut before = running.ask_status().unwrap();
    let mut pause = Duration::from_millis(50);
    loop {
        std::thread::sleep(pause);
        let after = running.ask_status().unwrap();
        if after.up_ms - before.up_ms >= IDLE_MS {
            return (before, after);
        }
        before = after;
        pause *= 2;
    }
}
