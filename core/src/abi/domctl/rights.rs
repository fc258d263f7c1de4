//! Arguments for giving a domain rights to hardware and to other domains. Source: `xen/domctl.h`.

use crate::abi::table::{Header, abi_structs};

pub(in crate::abi) const HEADER: Header = Header { path: "xen/domctl.h", structs: STRUCTS, constants: &[] };

abi_structs! {
    /// Use of a physical interrupt.
    struct IrqPermission = "struct xen_domctl_irq_permission", 8 {
        @0 pirq: u32,
        @4 allow_access: u8,
        @5 _zero: [u8; 3],
    }

    /// Use of memory-mapped registers.
    struct IomemPermission = "struct xen_domctl_iomem_permission", 24 {
        @0 first_mfn: u64,
        @8 nr_mfns: u64,
        @16 allow_access: u8,
        @17 _pad: [u8; 7],
    }

    /// Use of I/O ports.
    struct IoportPermission = "struct xen_domctl_ioport_permission", 12 {
        @0 first_port: u32,
        @4 nr_ports: u32,
        @8 allow_access: u8,
        @9 _pad: [u8; 3],
    }

    /// The one domain over which this one has control, as a device model has.
    struct SetTarget = "struct xen_domctl_set_target", 2 {
        @0 target: u16,
    }
}
