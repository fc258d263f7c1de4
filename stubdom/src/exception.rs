//! CPU exceptions. The control domain has none when it is right, so each ends it with a readable report.

use core::sync::atomic::{AtomicBool, Ordering};

use xendless_core::abi::arch::{FLAT_KERNEL_CS, TrapInfo};
use xendless_core::abi::hypercall as number;
use xendless_core::hyper::{Call, Result};
use xendless_core::lines::FATAL_PREFIX;

use crate::backtrace;
use crate::console::print;
use crate::entry::{self, EXCEPTIONS};
use crate::halt::halt;
use crate::hypercall::hypercall;
use crate::shared_info::SHARED_INFO;

/// Events are masked on entry (bit 2 of the flags of a trap entry).
const MASK_EVENTS: u8 = 1 << 2;

/// Tells Xen where to enter for each exception.
pub(crate) fn install() -> Result<()> {
    let mut table = [TrapInfo::ZERO; EXCEPTIONS as usize + 1];
    for (vector, entry) in (0..EXCEPTIONS).zip(&mut table) {
        let address = entry::exception_entry(vector);
        *entry = TrapInfo { vector, flags: MASK_EVENTS, cs: FLAT_KERNEL_CS, address, ..TrapInfo::ZERO };
    }
    // SAFETY: Xen reads the table up to its zero entry; every address in it is an entry that `asm/entry.s`
    // defines and that keeps the rules of Xen's frames.
    unsafe {
        hypercall(
            number::SET_TRAP_TABLE,
            Call::TrapTable,
            [table.as_ptr().expose_provenance() as u64, 0, 0, 0, 0],
        )
    }
    .map(drop)
}

/// The registers at the exception, in the order in which `asm/entry.s` and Xen push them.
#[repr(C)]
pub(crate) struct Frame {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rbp: u64,
    rdi: u64,
    rsi: u64,
    rdx: u64,
    rbx: u64,
    rax: u64,
    vector: u64,
    rcx: u64,
    r11: u64,
    error: u64,
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

/// Where every exception entry leads.
pub(crate) extern "C" fn exception(frame: &Frame) -> ! {
    static REPORTING: AtomicBool = AtomicBool::new(false);
    if !REPORTING.swap(true, Ordering::Relaxed) {
        report(frame);
    }
    halt()
}

fn report(frame: &Frame) {
    let Frame { vector, error, rip, .. } = frame;
    print!("{FATAL_PREFIX}exception {vector} ({}) at {rip:#x}, error code {error:#x}", name(*vector));
    if *vector == PAGE_FAULT {
        let address = SHARED_INFO.vcpu.fault_address.load(Ordering::Relaxed);
        print!(
            "xendless: {} {address:#x}: {}",
            action(*error),
            if error & 1 == 0 { "not mapped" } else { "not allowed" }
        );
    }
    print!(
        "xendless: rax {:016x} rbx {:016x} rcx {:016x} rdx {:016x}",
        frame.rax, frame.rbx, frame.rcx, frame.rdx
    );
    print!(
        "xendless: rsi {:016x} rdi {:016x} rbp {:016x} rsp {:016x}",
        frame.rsi, frame.rdi, frame.rbp, frame.rsp
    );
    print!(
        "xendless: r8  {:016x} r9  {:016x} r10 {:016x} r11 {:016x}",
        frame.r8, frame.r9, frame.r10, frame.r11
    );
    print!(
        "xendless: r12 {:016x} r13 {:016x} r14 {:016x} r15 {:016x}",
        frame.r12, frame.r13, frame.r14, frame.r15
    );
    print!("xendless: cs {:x} ss {:x} rflags {:x}", frame.cs & 0xffff, frame.ss, frame.rflags);
    backtrace::print(frame.rbp);
}

const PAGE_FAULT: u64 = 14;

/// What a page fault's error code says was tried.
const fn action(error: u64) -> &'static str {
    if error & (1 << 4) != 0 {
        "executing"
    } else if error & (1 << 1) != 0 {
        "writing"
    } else {
        "reading"
    }
}

/// The architecture's name of a vector.
const fn name(vector: u64) -> &'static str {
    match vector {
        0 => "divide error",
        1 => "debug",
        2 => "non-maskable interrupt",
        3 => "breakpoint",
        4 => "overflow",
        5 => "bound range exceeded",
        6 => "invalid opcode",
        7 => "device not available",
        8 => "double fault",
        10 => "invalid task state",
        11 => "segment not present",
        12 => "stack segment fault",
        13 => "general protection",
        PAGE_FAULT => "page fault",
        16 => "x87 floating point",
        17 => "alignment check",
        18 => "machine check",
        19 => "SIMD floating point",
        20 => "virtualisation",
        21 => "control protection",
        _ => "reserved",
    }
}
