//! The log: defmt frames in a ring. Texts stay in the ELF file; whoever reads the log decodes it with that.

use core::sync::atomic::{AtomicBool, Ordering};

use heapless::Vec;
use spin::Mutex;
use xendless_core::boot::PrintLog;
use xendless_core::lines::LogFrame;
use xendless_stubdom::frames::Frames;

use crate::console::print;
use crate::time;

/// Bytes of log that are kept.
const KEPT: usize = 32 << 10;

/// The longest frame.
const LONGEST: usize = 512;

static LOG: Mutex<Log> = Mutex::new(Log { frames: Frames::new(), open: Vec::new(), cut: false });

static DUMP_AT_END: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicBool = AtomicBool::new(false);

struct Log {
    frames: Frames<KEPT>,
    /// The frame that is being written.
    open: Vec<u8, LONGEST>,
    /// It did not fit.
    cut: bool,
}

/// Asks for the log on the console.
pub(crate) fn print(when: PrintLog) {
    match when {
        PrintLog::AtEnd => DUMP_AT_END.store(true, Ordering::Relaxed),
        PrintLog::Live => LIVE.store(true, Ordering::Relaxed),
    }
}

/// Prints the log, if that was asked for.
pub(crate) fn end() {
    // A failure while the log is being written ends here too, and then the lock is taken.
    let Some(log) = LOG.try_lock().filter(|_| DUMP_AT_END.load(Ordering::Relaxed)) else { return };
    for frame in log.frames.iter() {
        let mut bytes: Vec<u8, LONGEST> = Vec::new();
        bytes.extend(frame);
        print!("{}", LogFrame(&bytes));
    }
    print!("xendless: log ends, {} frames lost", log.frames.lost());
}

defmt::timestamp!("{=u64:us}", time::now() / 1000);

#[defmt::global_logger]
struct Logger;

// SAFETY: one virtual CPU, and nothing interrupts Rust code: between `acquire` and `release` nobody else runs.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        let mut log = LOG.lock();
        log.open.clear();
        log.cut = false;
    }

    unsafe fn flush() {}

    unsafe fn release() {
        let log = &mut *LOG.lock();
        if log.cut {
            log.frames.count_lost();
        } else {
            log.frames.push(&log.open);
        }
        if LIVE.load(Ordering::Relaxed) {
            print!("{}", LogFrame(&log.open));
        }
    }

    unsafe fn write(bytes: &[u8]) {
        let mut log = LOG.lock();
        log.cut |= log.open.extend_from_slice(bytes).is_err();
    }
}
