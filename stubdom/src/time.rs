//! The clock.

use core::arch::x86_64::_rdtsc;
use core::hint;
use core::sync::atomic::{Ordering, fence};

use xendless_stubdom::clock::Scale;
use xendless_stubdom::forward::Forward;

use crate::shared_info::SHARED_INFO;

/// The processor's time stamp counter.
pub(crate) fn ticks() -> u64 {
    // SAFETY: every 64-bit processor has the instruction; Xen allows it or emulates it.
    unsafe { _rdtsc() }
}

/// Deadlines are compared with it, and work that is due at once would be slept over if it went back.
static LATEST: Forward = Forward::new();

/// Nanoseconds since Xen booted.
pub(crate) fn now() -> u64 {
    let (scale, tsc) = read();
    LATEST.after(scale.nanoseconds(tsc))
}

/// What the clock showed when the counter stood at `tsc`.
pub(crate) fn at(tsc: u64) -> u64 {
    read().0.nanoseconds(tsc)
}

/// How the counter runs, and where it stands on the same physical CPU. Xen makes the version odd while it changes the
/// rest, also when it moves us to another CPU.
fn read() -> (Scale, u64) {
    let time = &SHARED_INFO.vcpu.time;
    loop {
        let version = time.version.load(Ordering::Acquire);
        let scale = Scale {
            tsc_timestamp: time.tsc_timestamp.load(Ordering::Relaxed),
            system_time: time.system_time.load(Ordering::Relaxed),
            tsc_to_system_mul: time.tsc_to_system_mul.load(Ordering::Relaxed),
            tsc_shift: time.tsc_shift.load(Ordering::Relaxed),
        };
        let tsc = ticks();
        fence(Ordering::Acquire);
        if version.is_multiple_of(2) && version == time.version.load(Ordering::Relaxed) {
            return (scale, tsc);
        }
        hint::spin_loop();
    }
}
