//! Where Xen enters for exceptions and events, and the addresses that the linker script defines.

use core::arch::global_asm;
use core::ops::Range;

use crate::exception;

/// Exception vectors that have an entry.
pub(crate) const EXCEPTIONS: u8 = 32;

/// Bytes of code per exception entry.
const EXCEPTION_ENTRY: u64 = 16;

/// A bit per vector for which the CPU pushes an error code: double fault, the segment faults, page fault,
/// alignment, control protection, VMM communication, security.
const WITH_ERROR_CODE: u32 = 0x6022_7d00;

global_asm!(
    include_str!("asm/entry.s"),
    exception = sym exception::exception,
    WITH_ERROR_CODE = const WITH_ERROR_CODE,
);

/// The code.
pub(crate) fn code() -> Range<u64> {
    address!(image_start)..address!(rodata_start)
}

/// The constants.
pub(crate) fn constants() -> Range<u64> {
    address!(rodata_start)..address!(data_start)
}

/// The page below the stack.
pub(crate) fn stack_guard() -> u64 {
    address!(stack_guard)
}

/// The stack.
pub(crate) fn stack() -> Range<u64> {
    address!(stack_bottom)..address!(stack_top)
}

/// Where Xen enters for events.
pub(crate) fn event_upcall() -> u64 {
    address!(event_upcall)
}

/// Where Xen enters for exception `vector`.
pub(crate) fn exception_entry(vector: u8) -> u64 {
    address!(exception_entries) + u64::from(vector) * EXCEPTION_ENTRY
}
