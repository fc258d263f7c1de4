//! Hypercall numbers: the entry of the hypercall page to call. Source: `xen/xen.h`.

use super::table::{Header, abi_constants};

pub(super) const HEADER: Header = Header { path: "xen/xen.h", structs: &[], constants: CONSTANTS };

/// Bytes of an entry of the hypercall page; hypercall `n` begins at `n * ENTRY_SIZE`.
pub const ENTRY_SIZE: usize = 32;

abi_constants! {
    const SET_TRAP_TABLE: u32 = 0 => "__HYPERVISOR_set_trap_table";
    const MMU_UPDATE: u32 = 1 => "__HYPERVISOR_mmu_update";
    const SET_GDT: u32 = 2 => "__HYPERVISOR_set_gdt";
    const STACK_SWITCH: u32 = 3 => "__HYPERVISOR_stack_switch";
    const SET_CALLBACKS: u32 = 4 => "__HYPERVISOR_set_callbacks";
    const FPU_TASKSWITCH: u32 = 5 => "__HYPERVISOR_fpu_taskswitch";
    const UPDATE_DESCRIPTOR: u32 = 10 => "__HYPERVISOR_update_descriptor";
    const MEMORY_OP: u32 = 12 => "__HYPERVISOR_memory_op";
    const MULTICALL: u32 = 13 => "__HYPERVISOR_multicall";
    const UPDATE_VA_MAPPING: u32 = 14 => "__HYPERVISOR_update_va_mapping";
    const SET_TIMER_OP: u32 = 15 => "__HYPERVISOR_set_timer_op";
    const XEN_VERSION: u32 = 17 => "__HYPERVISOR_xen_version";
    const CONSOLE_IO: u32 = 18 => "__HYPERVISOR_console_io";
    const GRANT_TABLE_OP: u32 = 20 => "__HYPERVISOR_grant_table_op";
    const VM_ASSIST: u32 = 21 => "__HYPERVISOR_vm_assist";
    const UPDATE_VA_MAPPING_OTHERDOMAIN: u32 = 22 => "__HYPERVISOR_update_va_mapping_otherdomain";
    const IRET: u32 = 23 => "__HYPERVISOR_iret";
    const VCPU_OP: u32 = 24 => "__HYPERVISOR_vcpu_op";
    const SET_SEGMENT_BASE: u32 = 25 => "__HYPERVISOR_set_segment_base";
    const MMUEXT_OP: u32 = 26 => "__HYPERVISOR_mmuext_op";
    const XSM_OP: u32 = 27 => "__HYPERVISOR_xsm_op";
    const SCHED_OP: u32 = 29 => "__HYPERVISOR_sched_op";
    const CALLBACK_OP: u32 = 30 => "__HYPERVISOR_callback_op";
    const EVENT_CHANNEL_OP: u32 = 32 => "__HYPERVISOR_event_channel_op";
    const PHYSDEV_OP: u32 = 33 => "__HYPERVISOR_physdev_op";
    const HVM_OP: u32 = 34 => "__HYPERVISOR_hvm_op";
    const SYSCTL: u32 = 35 => "__HYPERVISOR_sysctl";
    const DOMCTL: u32 = 36 => "__HYPERVISOR_domctl";
}
