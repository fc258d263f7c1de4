//! What every domain uses: page-table updates, virtual interrupts, Xen's console, reserved domain ids.
//! Sources: `xen/xen.h`, `xen/arch-x86/xen-x86_64.h`.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header = Header { path: "xen/xen.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// One entry for the `mmu_update` hypercall. The low two bits of `ptr` are the `MMU_*` command.
    struct MmuUpdate = "struct mmu_update", 16 {
        @0 ptr: u64,
        @8 val: u64,
    }

    /// One entry for the `mmuext_op` hypercall.
    struct MmuextOp = "struct mmuext_op", 24 {
        @0 cmd: u32,
        @4 _pad: [u8; 4],
        /// A machine frame or a linear address, as `cmd` says.
        @8 arg1: u64 = "arg1.mfn",
        /// A count of entries, a pointer or a machine frame, as `cmd` says.
        @16 arg2: u64 = "arg2.src_mfn",
    }

    /// One call of a batch; `result` is filled in.
    struct MulticallEntry = "struct multicall_entry", 64 {
        @0 op: u64,
        @8 result: u64,
        @16 args: [u64; 6],
    }

    /// A bitmap in the caller's memory, for domctl and sysctl.
    struct XenctlBitmap = "struct xenctl_bitmap", 16 {
        /// The address of its bytes.
        @0 bitmap: u64,
        @8 nr_bits: u32,
        @12 _pad: [u8; 4],
    }
}

abi_constants! {
    const MMU_NORMAL_PT_UPDATE: u64 = 0;
    const MMU_MACHPHYS_UPDATE: u64 = 1;
    const MMU_PT_UPDATE_PRESERVE_AD: u64 = 2;
    const MMU_PT_UPDATE_NO_TRANSLATE: u64 = 3;

    const MMUEXT_PIN_L1_TABLE: u32 = 0;
    const MMUEXT_PIN_L2_TABLE: u32 = 1;
    const MMUEXT_PIN_L3_TABLE: u32 = 2;
    const MMUEXT_PIN_L4_TABLE: u32 = 3;
    const MMUEXT_UNPIN_TABLE: u32 = 4;
    const MMUEXT_NEW_BASEPTR: u32 = 5;
    const MMUEXT_TLB_FLUSH_LOCAL: u32 = 6;
    const MMUEXT_INVLPG_LOCAL: u32 = 7;
    const MMUEXT_TLB_FLUSH_ALL: u32 = 10;
    const MMUEXT_INVLPG_ALL: u32 = 11;
    const MMUEXT_SET_LDT: u32 = 13;
    const MMUEXT_NEW_USER_BASEPTR: u32 = 15;
    const MMUEXT_CLEAR_PAGE: u32 = 16;
    const MMUEXT_COPY_PAGE: u32 = 17;

    const UVMF_NONE: u64 = 0;
    const UVMF_TLB_FLUSH: u64 = 1;
    const UVMF_INVLPG: u64 = 2;
    const UVMF_LOCAL: u64 = 0;
    const UVMF_ALL: u64 = 4;

    const CONSOLEIO_WRITE: u32 = 0 => "CONSOLEIO_write";
    const CONSOLEIO_READ: u32 = 1 => "CONSOLEIO_read";

    const VIRQ_TIMER: u32 = 0;
    const VIRQ_DEBUG: u32 = 1;
    const VIRQ_CONSOLE: u32 = 2;
    const VIRQ_DOM_EXC: u32 = 3;
    const VIRQ_CON_RING: u32 = 8;

    const VMASST_CMD_ENABLE: u32 = 0 => "VMASST_CMD_enable";
    const VMASST_CMD_DISABLE: u32 = 1 => "VMASST_CMD_disable";
    const VMASST_TYPE_WRITABLE_PAGETABLES: u32 = 2 => "VMASST_TYPE_writable_pagetables";
    const VMASST_TYPE_ARCHITECTURAL_IOPL: u32 = 4 => "VMASST_TYPE_architectural_iopl";
    const VMASST_TYPE_RUNSTATE_UPDATE_FLAG: u32 = 5 => "VMASST_TYPE_runstate_update_flag";
    const VMASST_TYPE_M2P_STRICT: u32 = 32 => "VMASST_TYPE_m2p_strict";

    const DOMID_FIRST_RESERVED: u16 = 0x7FF0;
    const DOMID_SELF: u16 = 0x7FF0;
    const DOMID_IO: u16 = 0x7FF1;
    const DOMID_XEN: u16 = 0x7FF2;
    const DOMID_INVALID: u16 = 0x7FF4;

    /// Where the range reserved for Xen begins in every PV address space.
    const HYPERVISOR_VIRT_START: u64 = 0xFFFF_8000_0000_0000;
    /// The first address behind that range.
    const HYPERVISOR_VIRT_END: u64 = 0xFFFF_8800_0000_0000;
    /// The read-only table of machine frame to guest frame, one `u64` each.
    const MACH2PHYS_VIRT_START: u64 = 0xFFFF_8000_0000_0000;
    /// The first address behind that table.
    const MACH2PHYS_VIRT_END: u64 = 0xFFFF_8040_0000_0000;
}
