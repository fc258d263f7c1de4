//! What tests have the booted control domain do (cargo feature `faults`, word `trial=NAME`): mistakes that must
//! end in a readable report, and hypercalls that nothing makes yet.

mod hypervisor;
mod outcome;
mod rounds;

use alloc::vec::Vec;
use core::arch::asm;
use core::hint::black_box;

use xendless_core::boot::Trial;

use crate::console::print;
use crate::entry;
use crate::turns::Turns;
use crate::xen::Xen;
use outcome::Outcome;

/// Does it. Of the mistakes none returns.
pub(crate) fn run(xen: &Xen, turns: &mut Turns, bundle: Option<&'static [u8]>, trial: Trial) {
    match trial {
        Trial::Panic => assert!(trial != Trial::Panic, "asked for by trial=panic"),
        Trial::ReadNull => {
            // SAFETY: nothing is mapped there, so this faults and never returns.
            unsafe { asm!("mov rax, [0]", options(noreturn)) }
        }
        Trial::WriteCode => {
            // SAFETY: code is not writable, so this faults and never returns.
            unsafe { asm!("mov byte ptr [{}], 0xcc", in(reg) entry::code().start, options(noreturn)) }
        }
        Trial::ExecuteData => {
            let nop = [0x90u8; 16];
            // SAFETY: the stack is not executable, so this faults and never returns.
            unsafe { asm!("jmp {}", in(reg) nop.as_ptr(), options(noreturn)) }
        }
        Trial::OverflowStack => {
            black_box(recurse(black_box(0)));
        }
        Trial::ExhaustHeap => {
            black_box(Vec::<u8>::with_capacity(black_box(1 << 40)));
        }
        Trial::Hypervisor => report(hypervisor::exercise(xen)),
        Trial::Rounds => report(rounds::exercise(xen, turns, bundle)),
    }
}

fn report(outcome: Outcome) {
    match outcome {
        Ok(()) => print!("xendless: trial passed"),
        Err(failure) => print!("xendless: trial failed: {failure}"),
    }
}

#[expect(unconditional_recursion, reason = "it is meant to end in a fault")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 8]);
    recurse(depth + 1) + frame.iter().sum::<u64>()
}
