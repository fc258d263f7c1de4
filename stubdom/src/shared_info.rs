//! The page in which Xen reports events and time. Its layout is that of `core::abi::shared_info`, with atomics
//! because Xen writes it whenever it likes.

use core::mem::offset_of;
use core::sync::atomic::{AtomicI8, AtomicU8, AtomicU32, AtomicU64};

use xendless_core::abi::shared_info as abi;

/// Time as Xen publishes it.
#[repr(C)]
pub(crate) struct TimeInfo {
    pub(crate) version: AtomicU32,
    _pad: AtomicU32,
    pub(crate) tsc_timestamp: AtomicU64,
    pub(crate) system_time: AtomicU64,
    pub(crate) tsc_to_system_mul: AtomicU32,
    pub(crate) tsc_shift: AtomicI8,
    _flags: [AtomicU8; 3],
}

/// What concerns our one virtual CPU.
#[repr(C)]
pub(crate) struct VcpuInfo {
    pub(crate) upcall_pending: AtomicU8,
    pub(crate) upcall_mask: AtomicU8,
    _pad: [AtomicU8; 6],
    pub(crate) pending_selector: AtomicU64,
    pub(crate) fault_address: AtomicU64,
    _pad1: AtomicU64,
    pub(crate) time: TimeInfo,
}

/// The shared info page.
#[repr(C, align(4096))]
pub(crate) struct SharedInfo {
    pub(crate) vcpu: VcpuInfo,
    _other_vcpus: [AtomicU64; 248],
    pub(crate) pending: [AtomicU64; 64],
    pub(crate) mask: [AtomicU64; 64],
    _rest: [AtomicU64; 128],
}

const _: () = {
    assert!(size_of::<SharedInfo>() == 4096);
    assert!(size_of::<VcpuInfo>() == size_of::<abi::VcpuInfo>());
    assert!(offset_of!(VcpuInfo, pending_selector) == offset_of!(abi::VcpuInfo, evtchn_pending_sel));
    assert!(offset_of!(VcpuInfo, fault_address) == offset_of!(abi::VcpuInfo, cr2));
    assert!(offset_of!(VcpuInfo, time) == offset_of!(abi::VcpuInfo, time));
    assert!(offset_of!(TimeInfo, tsc_timestamp) == offset_of!(abi::VcpuTimeInfo, tsc_timestamp));
    assert!(offset_of!(TimeInfo, system_time) == offset_of!(abi::VcpuTimeInfo, system_time));
    assert!(offset_of!(TimeInfo, tsc_to_system_mul) == offset_of!(abi::VcpuTimeInfo, tsc_to_system_mul));
    assert!(offset_of!(TimeInfo, tsc_shift) == offset_of!(abi::VcpuTimeInfo, tsc_shift));
    assert!(offset_of!(SharedInfo, pending) == offset_of!(abi::SharedInfo, evtchn_pending));
    assert!(offset_of!(SharedInfo, mask) == offset_of!(abi::SharedInfo, evtchn_mask));
};

/// A page of the image until the real one is mapped in its place, early at boot.
pub(crate) static SHARED_INFO: SharedInfo = SharedInfo {
    vcpu: VcpuInfo {
        upcall_pending: AtomicU8::new(0),
        upcall_mask: AtomicU8::new(0),
        _pad: [const { AtomicU8::new(0) }; 6],
        pending_selector: AtomicU64::new(0),
        fault_address: AtomicU64::new(0),
        _pad1: AtomicU64::new(0),
        time: TimeInfo {
            version: AtomicU32::new(0),
            _pad: AtomicU32::new(0),
            tsc_timestamp: AtomicU64::new(0),
            system_time: AtomicU64::new(0),
            tsc_to_system_mul: AtomicU32::new(0),
            tsc_shift: AtomicI8::new(0),
            _flags: [const { AtomicU8::new(0) }; 3],
        },
    },
    _other_vcpus: [const { AtomicU64::new(0) }; 248],
    pending: [const { AtomicU64::new(0) }; 64],
    mask: [const { AtomicU64::new(0) }; 64],
    _rest: [const { AtomicU64::new(0) }; 128],
};
