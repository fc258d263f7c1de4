//! What debuggers want to find: the registers as those of threads, and where memory was at virtual addresses.
//!
//! Source: the System V ABI for the headers, the `elf_prstatus` of x86-64 (`linux/elfcore.h`) for the registers.

use xendless_core::abi::arch::{VGCF_IN_KERNEL, VcpuGuestContext};
use zerocopy::FromBytes;

use super::walk::Run;

/// Bytes of a program header.
pub(super) const PROGRAM_HEADER: u64 = 56;

const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const ALL: u32 = 7;
const READ: u32 = 4;

const NT_PRSTATUS: u32 = 1;
/// Bytes before the registers: signals, times and numbers of processes.
const BEFORE: usize = 112;
/// Where the number of the thread is among them.
const PID: usize = 32;
const PRSTATUS: usize = 336;

/// Bit 0 of CR0 and bit 31 (protection and paging), bit 5 of CR4 (entries of 64 bits), and bit 12 (five levels).
const PROTECTED_AND_PAGED: u64 = 1 << 31 | 1;
const PAE: u64 = 1 << 5;
const FIVE_LEVELS: u64 = 1 << 12;

/// The frame of a virtual CPU's page table, if it has one of four levels. Source: AMD's manual.
pub(super) fn page_table(registers: &[u8], translated: bool) -> Option<u64> {
    let [cr0, _, _, cr3, cr4, ..] = VcpuGuestContext::read_from_bytes(registers).ok()?.ctrlreg;
    let four = cr0 & PROTECTED_AND_PAGED == PROTECTED_AND_PAGED && cr4 & (PAE | FIVE_LEVELS) == PAE;
    // A PV domain has nothing else, and what it sees of these registers is not all of them.
    (four || !translated).then_some((cr3 & 0x000f_ffff_ffff_f000) >> 12)
}

/// The notes of virtual CPUs: each is a thread, whose number is one more than its own.
pub(super) fn threads<'a>(vcpus: impl Iterator<Item = (u64, &'a [u8])>, translated: bool) -> Vec<u8> {
    let mut notes = Vec::new();
    for (vcpu, registers) in vcpus {
        let Ok(context) = VcpuGuestContext::read_from_bytes(registers) else { continue };
        let mut status = vec![0; BEFORE];
        let number = u32::try_from(vcpu + 1).unwrap_or(u32::MAX);
        if let Some(place) = status.get_mut(PID..PID + 4) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        status.extend(general(&context, translated).into_iter().flat_map(u64::to_le_bytes));
        status.resize(PRSTATUS, 0);
        for word in [5, 336, NT_PRSTATUS] {
            notes.extend_from_slice(&word.to_le_bytes());
        }
        notes.extend_from_slice(b"CORE\0\0\0\0");
        notes.extend_from_slice(&status);
    }
    notes
}

/// The registers in the order in which debuggers have them.
fn general(context: &VcpuGuestContext, translated: bool) -> [u64; 27] {
    let user = &context.user_regs;
    // A PV kernel runs at the level of a program.
    let in_kernel = if translated { user.cs & 3 == 0 } else { context.flags & VGCF_IN_KERNEL != 0 };
    let gs_base = if in_kernel { context.gs_base_kernel } else { context.gs_base_user };
    // There is no system call that would have to begin again.
    let before_call = u64::MAX;
    [
        user.r15,
        user.r14,
        user.r13,
        user.r12,
        user.rbp,
        user.rbx,
        user.r11,
        user.r10,
        user.r9,
        user.r8,
        user.rax,
        user.rcx,
        user.rdx,
        user.rsi,
        user.rdi,
        before_call,
        user.rip,
        user.cs.into(),
        user.rflags,
        user.rsp,
        user.ss.into(),
        context.fs_base,
        gs_base,
        user.ds.into(),
        user.es.into(),
        user.fs.into(),
        user.gs.into(),
    ]
}

/// The header of notes at a place in the file.
pub(super) fn notes_header(offset: u64, size: u64) -> Vec<u8> {
    program_header(PT_NOTE, READ, [offset, 0, 0, size, 0, 4])
}

/// The header of pages; the first page of the file is at `first`.
pub(super) fn run_header(run: &Run, first: u64) -> Vec<u8> {
    let size = run.pages << 12;
    program_header(PT_LOAD, ALL, [first + (run.place << 12), run.virt, run.pfn << 12, size, size, 4096])
}

/// Kind and flags; then offset, virtual and physical address, size in the file and in memory, alignment.
fn program_header(kind: u32, flags: u32, words: [u64; 6]) -> Vec<u8> {
    let mut bytes = [kind, flags].map(u32::to_le_bytes).concat();
    bytes.extend(words.into_iter().flat_map(u64::to_le_bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use xendless_core::hyper::CONTEXT;

    use super::*;

    #[test]
    fn only_page_tables_of_four_levels_are_followed() {
        let table = |cr0: u64, cr4: u64, translated| {
            let mut registers = vec![0; CONTEXT];
            for (number, value) in [(0, cr0), (3, 0x1234_5018_u64), (4, cr4)] {
                registers[4984 + 8 * number..][..8].copy_from_slice(&value.to_le_bytes());
            }
            page_table(&registers, translated)
        };
        assert_eq!(table(0x8000_0011, 0x20, true), Some(0x12345));
        assert_eq!(table(0x11, 0x20, true), None, "no paging");
        assert_eq!(table(0x8000_0011, 0, true), None, "entries of 32 bits");
        assert_eq!(table(0x8000_0011, 0x1020, true), None, "five levels");
        assert_eq!(table(0, 0, false), Some(0x12345));
    }

    #[test]
    fn gs_is_that_of_the_mode_the_virtual_cpu_is_in() {
        let mut registers = vec![0; CONTEXT];
        registers[5152] = 1;
        registers[5160] = 2;
        let gs = |registers: &[u8], translated| {
            general(&VcpuGuestContext::read_from_bytes(registers).unwrap(), translated)[22]
        };
        assert_eq!((gs(&registers, true), gs(&registers, false)), (1, 2));
        registers[512] = 4;
        registers[520 + 136] = 0x33;
        assert_eq!((gs(&registers, true), gs(&registers, false)), (2, 1));
    }
}
