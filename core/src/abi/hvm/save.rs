//! Records by which the registers of an HVM or PVH domain are read and set.
//! Sources: `xen/hvm/save.h`, `xen/arch-x86/hvm/save.h`.
//!
//! A state is a sequence of records, each behind a [`Descriptor`], from a [`SaveHeader`] to an empty
//! [`HVM_SAVE_CODE_END`].

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/hvm/save.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// What stands before each record.
    struct Descriptor = "struct hvm_save_descriptor", 8 {
        /// `HVM_SAVE_CODE_*`.
        @0 typecode: u16,
        /// The virtual CPU, for its own records.
        @2 instance: u16,
        /// Bytes of the record, without this descriptor.
        @4 length: u32,
    }

    /// The first record: copied from what Xen hands out, because Xen checks it.
    struct SaveHeader = "struct hvm_save_header", 24 {
        /// [`HVM_FILE_MAGIC`].
        @0 magic: u32,
        /// [`HVM_FILE_VERSION`].
        @4 version: u32,
        @8 changeset: u64,
        @16 cpuid: u32,
        @20 gtsc_khz: u32,
    }

    /// The registers of one virtual CPU.
    struct HvmCpu = "struct hvm_hw_cpu", 1032 {
        @0 fpu_regs: [u8; 512],
        @512 rax: u64,
        @520 rbx: u64,
        @528 rcx: u64,
        @536 rdx: u64,
        @544 rbp: u64,
        @552 rsi: u64,
        @560 rdi: u64,
        @568 rsp: u64,
        @576 r8: u64,
        @584 r9: u64,
        @592 r10: u64,
        @600 r11: u64,
        @608 r12: u64,
        @616 r13: u64,
        @624 r14: u64,
        @632 r15: u64,
        @640 rip: u64,
        @648 rflags: u64,
        @656 cr0: u64,
        @664 cr2: u64,
        @672 cr3: u64,
        @680 cr4: u64,
        @688 dr0: u64,
        @696 dr1: u64,
        @704 dr2: u64,
        @712 dr3: u64,
        @720 dr6: u64,
        @728 dr7: u64,
        @736 cs_sel: u32,
        @740 ds_sel: u32,
        @744 es_sel: u32,
        @748 fs_sel: u32,
        @752 gs_sel: u32,
        @756 ss_sel: u32,
        @760 tr_sel: u32,
        @764 ldtr_sel: u32,
        @768 cs_limit: u32,
        @772 ds_limit: u32,
        @776 es_limit: u32,
        @780 fs_limit: u32,
        @784 gs_limit: u32,
        @788 ss_limit: u32,
        @792 tr_limit: u32,
        @796 ldtr_limit: u32,
        @800 idtr_limit: u32,
        @804 gdtr_limit: u32,
        @808 cs_base: u64,
        @816 ds_base: u64,
        @824 es_base: u64,
        @832 fs_base: u64,
        @840 gs_base: u64,
        @848 ss_base: u64,
        @856 tr_base: u64,
        @864 ldtr_base: u64,
        @872 idtr_base: u64,
        @880 gdtr_base: u64,
        @888 cs_arbytes: u32,
        @892 ds_arbytes: u32,
        @896 es_arbytes: u32,
        @900 fs_arbytes: u32,
        @904 gs_arbytes: u32,
        @908 ss_arbytes: u32,
        @912 tr_arbytes: u32,
        @916 ldtr_arbytes: u32,
        @920 sysenter_cs: u64,
        @928 sysenter_esp: u64,
        @936 sysenter_eip: u64,
        @944 shadow_gs: u64,
        @952 msr_flags: u64,
        @960 msr_lstar: u64,
        @968 msr_star: u64,
        @976 msr_cstar: u64,
        @984 msr_syscall_mask: u64,
        @992 msr_efer: u64,
        @1000 msr_tsc_aux: u64,
        @1008 tsc: u64,
        @1016 pending_event: u32,
        @1020 error_code: u32,
        /// [`XEN_X86_FPU_INITIALISED`] or 0.
        @1024 flags: u32,
        @1028 _pad: u32,
    }

    /// The memory types of one virtual CPU.
    struct HvmMtrr = "struct hvm_hw_mtrr", 240 {
        @0 msr_pat_cr: u64,
        @8 msr_mtrr_var: [u64; 16],
        @136 msr_mtrr_fixed: [u64; 11],
        @224 msr_mtrr_cap: u64,
        @232 msr_mtrr_def_type: u64,
    }
}

abi_constants! {
    const HVM_FILE_MAGIC: u32 = 0x5438_1286;
    const HVM_FILE_VERSION: u32 = 1;

    const HVM_SAVE_CODE_END: u16 = 0 => "HVM_SAVE_CODE(END)";
    const HVM_SAVE_CODE_HEADER: u16 = 1 => "HVM_SAVE_CODE(HEADER)";
    const HVM_SAVE_CODE_CPU: u16 = 2 => "HVM_SAVE_CODE(CPU)";
    const HVM_SAVE_CODE_MTRR: u16 = 14 => "HVM_SAVE_CODE(MTRR)";

    const XEN_X86_FPU_INITIALISED: u32 = 1 << 0;
}
