//! Operations on the caller's own virtual CPUs. Source: `xen/vcpu.h`.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header = Header { path: "xen/vcpu.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of [`VCPUOP_SET_SINGLESHOT_TIMER`].
    struct SetSingleshotTimer = "struct vcpu_set_singleshot_timer", 16 {
        /// Nanoseconds since boot.
        @0 timeout_abs_ns: u64,
        @8 flags: u32,
        @12 _pad: [u8; 4],
    }

    /// The argument of [`VCPUOP_REGISTER_VCPU_INFO`].
    struct RegisterVcpuInfo = "struct vcpu_register_vcpu_info", 16 {
        @0 mfn: u64,
        @8 offset: u32,
        @12 _rsvd: u32,
    }
}

abi_constants! {
    const VCPUOP_UP: u32 = 1 => "VCPUOP_up";
    const VCPUOP_DOWN: u32 = 2 => "VCPUOP_down";
    const VCPUOP_IS_UP: u32 = 3 => "VCPUOP_is_up";
    const VCPUOP_STOP_PERIODIC_TIMER: u32 = 7 => "VCPUOP_stop_periodic_timer";
    const VCPUOP_SET_SINGLESHOT_TIMER: u32 = 8 => "VCPUOP_set_singleshot_timer";
    const VCPUOP_STOP_SINGLESHOT_TIMER: u32 = 9 => "VCPUOP_stop_singleshot_timer";
    const VCPUOP_REGISTER_VCPU_INFO: u32 = 10 => "VCPUOP_register_vcpu_info";
}
