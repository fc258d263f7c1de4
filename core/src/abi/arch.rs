//! What is particular to x86-64: selectors, traps, and the registers a PV virtual CPU starts with.
//! Sources: `xen/arch-x86/xen.h`, `xen/arch-x86/xen-x86_64.h`.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header =
    Header { path: "xen/arch-x86/xen.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// One entry of a PV domain's virtual interrupt table.
    struct TrapInfo = "struct trap_info", 16 {
        @0 vector: u8,
        /// Bits 0 and 1: who may enter by a software interrupt; bit 2: mask events on entry.
        @1 flags: u8,
        @2 cs: u16,
        @4 _pad: [u8; 4],
        @8 address: u64,
    }

    /// General registers, in Xen's order.
    struct CpuUserRegs = "struct cpu_user_regs", 200 {
        @0 r15: u64,
        @8 r14: u64,
        @16 r13: u64,
        @24 r12: u64,
        @32 rbp: u64,
        @40 rbx: u64,
        @48 r11: u64,
        @56 r10: u64,
        @64 r9: u64,
        @72 r8: u64,
        @80 rax: u64,
        @88 rcx: u64,
        @96 rdx: u64,
        @104 rsi: u64,
        @112 rdi: u64,
        @120 error_code: u32,
        @124 entry_vector: u32,
        @128 rip: u64,
        @136 cs: u16,
        @138 _pad0: u16,
        @140 saved_upcall_mask: u8,
        @141 _pad1: [u8; 3],
        @144 rflags: u64,
        @152 rsp: u64,
        @160 ss: u16,
        @162 _pad2: [u16; 3],
        @168 es: u16,
        @170 _pad3: [u16; 3],
        @176 ds: u16,
        @178 _pad4: [u16; 3],
        @184 fs: u16,
        @186 _pad5: [u16; 3],
        @192 gs: u16,
        @194 _pad6: [u16; 3],
    }

    /// The whole state of a PV virtual CPU.
    struct VcpuGuestContext = "struct vcpu_guest_context", 5168 {
        @0 fpu_ctxt: [u8; 512],
        /// `VGCF_*`.
        @512 flags: u64,
        @520 user_regs: CpuUserRegs,
        @720 trap_ctxt: [TrapInfo; 256],
        @4816 ldt_base: u64,
        @4824 ldt_ents: u64,
        @4832 gdt_frames: [u64; 16],
        @4960 gdt_ents: u64,
        @4968 kernel_ss: u64,
        @4976 kernel_sp: u64,
        /// `cr0` to `cr7`; the user page table is `ctrlreg[1]`.
        @4984 ctrlreg: [u64; 8],
        @5048 debugreg: [u64; 8],
        @5112 event_callback_eip: u64,
        @5120 failsafe_callback_eip: u64,
        @5128 syscall_callback_eip: u64,
        /// Bits `VMASST_TYPE_*`.
        @5136 vm_assist: u64,
        @5144 fs_base: u64,
        @5152 gs_base_kernel: u64,
        @5160 gs_base_user: u64,
    }
}

abi_constants! {
    const VGCF_I387_VALID: u64 = 1 << 0 => "VGCF_i387_valid";
    const VGCF_IN_KERNEL: u64 = 1 << 2 => "VGCF_in_kernel";
    const VGCF_FAILSAFE_DISABLES_EVENTS: u64 = 1 << 3 => "VGCF_failsafe_disables_events";
    const VGCF_SYSCALL_DISABLES_EVENTS: u64 = 1 << 4 => "VGCF_syscall_disables_events";
    const VGCF_ONLINE: u64 = 1 << 5 => "VGCF_online";

    const FLAT_KERNEL_CS: u16 = 0xe033;
    const FLAT_KERNEL_DS: u16 = 0;
    const FLAT_KERNEL_SS: u16 = 0xe02b;
    const FLAT_USER_CS: u16 = 0xe033;
    const FLAT_USER_SS: u16 = 0xe02b;

    const SEGBASE_FS: u32 = 0;
    const SEGBASE_GS_USER: u32 = 1;
    const SEGBASE_GS_KERNEL: u32 = 2;
    const SEGBASE_GS_USER_SEL: u32 = 3;

    /// The first page of a descriptor table that is Xen's own.
    const FIRST_RESERVED_GDT_PAGE: usize = 14;
}

/// The control register 3 that holds the page table in machine frame `mfn`.
#[must_use]
pub const fn cr3_of(mfn: u64) -> u64 {
    mfn << 12
}
