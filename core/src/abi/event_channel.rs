//! Event channels. Source: `xen/event_channel.h`.

use super::table::{Header, abi_constants, abi_structs};

pub(super) const HEADER: Header =
    Header { path: "xen/event_channel.h", structs: STRUCTS, constants: CONSTANTS };

abi_structs! {
    /// The argument of [`EVTCHNOP_ALLOC_UNBOUND`].
    struct AllocUnbound = "struct evtchn_alloc_unbound", 8 {
        @0 dom: u16,
        @2 remote_dom: u16,
        /// Filled in.
        @4 port: u32,
    }

    /// The argument of [`EVTCHNOP_BIND_INTERDOMAIN`].
    struct BindInterdomain = "struct evtchn_bind_interdomain", 12 {
        @0 remote_dom: u16,
        @2 _pad: [u8; 2],
        @4 remote_port: u32,
        /// Filled in.
        @8 local_port: u32,
    }

    /// The argument of [`EVTCHNOP_BIND_VIRQ`].
    struct BindVirq = "struct evtchn_bind_virq", 12 {
        /// `VIRQ_*`.
        @0 virq: u32,
        @4 vcpu: u32,
        /// Filled in.
        @8 port: u32,
    }

    /// The argument of [`EVTCHNOP_CLOSE`].
    struct Close = "struct evtchn_close", 4 {
        @0 port: u32,
    }

    /// The argument of [`EVTCHNOP_SEND`].
    struct Send = "struct evtchn_send", 4 {
        @0 port: u32,
    }

    /// The argument of [`EVTCHNOP_UNMASK`].
    struct Unmask = "struct evtchn_unmask", 4 {
        @0 port: u32,
    }

    /// The argument of [`EVTCHNOP_RESET`].
    struct Reset = "struct evtchn_reset", 2 {
        @0 dom: u16,
    }

    /// The argument of [`EVTCHNOP_STATUS`]; all but the first two fields are filled in.
    struct Status = "struct evtchn_status", 24 {
        @0 dom: u16,
        @2 _pad: [u8; 2],
        @4 port: u32,
        /// `EVTCHNSTAT_*`.
        @8 status: u32,
        @12 vcpu: u32,
        /// The peer's domain id when unbound or between domains (in the low 16 bits), else the number of the
        /// interrupt.
        @16 peer: u32 = "u.virq",
        /// The peer's port, between domains.
        @20 peer_port: u32 = "u.interdomain.port",
    }
}

abi_constants! {
    const EVTCHNOP_BIND_INTERDOMAIN: u32 = 0 => "EVTCHNOP_bind_interdomain";
    const EVTCHNOP_BIND_VIRQ: u32 = 1 => "EVTCHNOP_bind_virq";
    const EVTCHNOP_CLOSE: u32 = 3 => "EVTCHNOP_close";
    const EVTCHNOP_SEND: u32 = 4 => "EVTCHNOP_send";
    const EVTCHNOP_STATUS: u32 = 5 => "EVTCHNOP_status";
    const EVTCHNOP_ALLOC_UNBOUND: u32 = 6 => "EVTCHNOP_alloc_unbound";
    const EVTCHNOP_UNMASK: u32 = 9 => "EVTCHNOP_unmask";
    const EVTCHNOP_RESET: u32 = 10 => "EVTCHNOP_reset";

    const EVTCHNSTAT_CLOSED: u32 = 0 => "EVTCHNSTAT_closed";
    const EVTCHNSTAT_UNBOUND: u32 = 1 => "EVTCHNSTAT_unbound";
    const EVTCHNSTAT_INTERDOMAIN: u32 = 2 => "EVTCHNSTAT_interdomain";
    const EVTCHNSTAT_PIRQ: u32 = 3 => "EVTCHNSTAT_pirq";
    const EVTCHNSTAT_VIRQ: u32 = 4 => "EVTCHNSTAT_virq";
    const EVTCHNSTAT_IPI: u32 = 5 => "EVTCHNSTAT_ipi";
}
