//! Parameters of HVM and PVH domains. Sources: `xen/hvm/hvm_op.h`, `xen/hvm/params.h`.

use crate::abi::table::{Header, abi_constants, abi_structs};

pub(in crate::abi) const HEADER: Header =
    Header { path: "xen/hvm/params.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of [`HVMOP_SET_PARAM`] and [`HVMOP_GET_PARAM`].
    struct HvmParam = "struct xen_hvm_param", 16 {
        @0 domid: u16,
        @2 _zero: u16,
        /// `HVM_PARAM_*`.
        @4 index: u32,
        @8 value: u64,
    }
}

abi_constants! {
    const HVMOP_SET_PARAM: u32 = 0 => "HVMOP_set_param";
    const HVMOP_GET_PARAM: u32 = 1 => "HVMOP_get_param";

    const HVM_PARAM_CALLBACK_IRQ: u32 = 0;
    const HVM_PARAM_STORE_PFN: u32 = 1;
    const HVM_PARAM_STORE_EVTCHN: u32 = 2;
    const HVM_PARAM_TIMER_MODE: u32 = 10;
    const HVM_PARAM_IDENT_PT: u32 = 12;
    const HVM_PARAM_ACPI_S_STATE: u32 = 14;
    const HVM_PARAM_CONSOLE_PFN: u32 = 17;
    const HVM_PARAM_CONSOLE_EVTCHN: u32 = 18;
    const HVM_PARAM_TRIPLE_FAULT_REASON: u32 = 31;
    const HVM_PARAM_X87_FIP_WIDTH: u32 = 36;
    const HVM_PARAM_VM86_TSS_SIZED: u32 = 37;
}
