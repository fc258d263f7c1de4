//! The assembly parts, and the addresses that they and the linker script define.

use core::arch::global_asm;
use core::ops::Range;

use xendless_core::abi::{elfnote, hypercall, version};

use crate::exception;

/// Exception vectors that have an entry.
pub(crate) const EXCEPTIONS: u8 = 32;

/// Bytes of code per exception entry.
const EXCEPTION_ENTRY: u64 = 16;

/// A bit per vector for which the CPU pushes an error code: double fault, the segment faults, page fault,
/// alignment, control protection, VMM communication, security.
const WITH_ERROR_CODE: u32 = 0x6022_7d00;

global_asm!(include_str!("asm/memory.s"));
global_asm!(
    include_str!("asm/entry.s"),
    start = sym crate::start,
    exception = sym exception::exception,
    WITH_ERROR_CODE = const WITH_ERROR_CODE,
    XEN_VERSION = const elfnote::XEN_VERSION,
    GUEST_OS = const elfnote::GUEST_OS,
    LOADER = const elfnote::LOADER,
    VIRT_BASE = const elfnote::VIRT_BASE,
    PADDR_OFFSET = const elfnote::PADDR_OFFSET,
    ENTRY = const elfnote::ENTRY,
    HYPERCALL_PAGE = const elfnote::HYPERCALL_PAGE,
    PAE_MODE = const elfnote::PAE_MODE,
    MOD_START_PFN = const elfnote::MOD_START_PFN,
    SUPPORTED_FEATURES = const elfnote::SUPPORTED_FEATURES,
    FEATURE_DOM0 = const version::XENFEAT_DOM0,
);

/// The address of a symbol that assembly or the linker script defines.
macro_rules! address {
    ($symbol:ident) => {{
        unsafe extern "C" {
            static $symbol: u8;
        }
        (&raw const $symbol).expose_provenance() as u64
    }};
}

/// Where the first page of memory is mapped; the image starts there.
pub(crate) fn virt_base() -> u64 {
    address!(VIRT_BASE)
}

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

/// Where hypercall `number` is entered.
pub(crate) fn hypercall(number: u32) -> u64 {
    address!(hypercall_page) + u64::from(number) * hypercall::ENTRY_SIZE as u64
}
