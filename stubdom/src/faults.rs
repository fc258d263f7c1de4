//! Failing hypercalls on purpose, in builds made for tests (cargo feature `faults`, word `fault=N:ERRNO`).
//!
//! Counted where the hypercall instruction is, so that the calls of early boot, which no trait of core sees, can
//! fail as well.

use core::sync::atomic::{AtomicU64, Ordering};

use spin::Mutex;
use xendless_core::hyper::{Call, Fault, HvError, Result};

/// Whether this build can do it.
pub(crate) const ENABLED: bool = cfg!(feature = "faults");

static CALLS: AtomicU64 = AtomicU64::new(0);
static FAULT: Mutex<Option<Fault>> = Mutex::new(None);

/// Lets a later call fail.
pub(crate) fn arm(fault: Option<Fault>) {
    *FAULT.lock() = fault;
}

/// Counts a call, and fails it if its turn has come.
#[inline]
pub(crate) fn check(call: Call) -> Result<()> {
    if ENABLED { count(call) } else { Ok(()) }
}

fn count(call: Call) -> Result<()> {
    let nth = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    match *FAULT.lock() {
        Some(fault) if fault.nth == nth => Err(HvError::new(call, fault.errno)),
        _ => Ok(()),
    }
}
