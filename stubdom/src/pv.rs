//! What every PV kernel begins with: ELF notes, hypercall page, first instructions, memory functions, and the
//! hypercall instruction. The guest of the whole-system tests (`tests/guest`) is built from this file as well.

use core::arch::{asm, global_asm};

use xendless_core::abi::errno::Errno;
use xendless_core::abi::{elfnote, hypercall, version};

global_asm!(include_str!("asm/memory.s"));
global_asm!(
    include_str!("asm/start.s"),
    start = sym crate::start,
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

/// Makes hypercall `number`.
///
/// # Safety
/// Whatever these arguments make Xen read, write or map has to be the caller's to give.
pub(crate) unsafe fn hypercall(number: u32, arguments: [u64; 5]) -> Result<u64, Errno> {
    let [a, b, c, d, e] = arguments;
    let entry = entry(number);
    let answer: i64;
    // SAFETY: Xen filled the hypercall page. Its entry uses our stack, which has no red zone, and keeps every
    // register that is not named here; what Xen does is the caller's promise.
    unsafe {
        asm!(
            "call rax",
            inlateout("rax") entry => answer,
            inlateout("rdi") a => _,
            inlateout("rsi") b => _,
            inlateout("rdx") c => _,
            inlateout("r10") d => _,
            inlateout("r8") e => _,
            out("rcx") _,
            out("r11") _,
        );
    }
    result(answer)
}

/// Where the hypercall page has hypercall `number`.
pub(crate) fn entry(number: u32) -> u64 {
    address!(hypercall_page) + u64::from(number) * hypercall::ENTRY_SIZE as u64
}

/// What a hypercall left in its register.
pub(crate) fn result(answer: i64) -> Result<u64, Errno> {
    u64::try_from(answer).map_err(|_| Errno(u16::try_from(answer.unsigned_abs()).unwrap_or(u16::MAX)))
}
