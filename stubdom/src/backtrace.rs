//! Return addresses, found by the chain of frame pointers. `addr2line` on the program with symbols names them.

use core::arch::asm;
use core::fmt::Write;

use crate::console::Lines;
use crate::entry;

/// Calls that are shown.
const DEPTH: usize = 16;

/// The frame pointer of the caller.
#[inline(always)]
pub(crate) fn here() -> u64 {
    let frame: u64;
    // SAFETY: copies a register.
    unsafe { asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}

/// Prints the calls that led to the function whose frame is at `frame`. Ends at whatever is not a frame of our
/// stack, so a destroyed chain is a short backtrace and not a second fault.
pub(crate) fn print(mut frame: u64) {
    let mut lines = Lines::default();
    let _ = write!(lines, "xendless: called from:");
    for _ in 0..DEPTH {
        let Some((caller, address)) = read(frame) else { break };
        let _ = write!(lines, " {address:#x}");
        frame = caller;
    }
    let _ = writeln!(lines);
}

/// The frame pointer and the return address that are stored at `frame`.
fn read(frame: u64) -> Option<(u64, u64)> {
    let stack = entry::stack();
    let inside = frame.is_multiple_of(8) && frame >= stack.start && frame.checked_add(16)? <= stack.end;
    let words = core::ptr::with_exposed_provenance::<[u64; 2]>(usize::try_from(frame).ok()?);
    // SAFETY: aligned, and within the stack, which is mapped (both checked above); nothing else runs.
    let [caller, address] = if inside { unsafe { words.read_volatile() } } else { return None };
    Some((caller, address))
}
