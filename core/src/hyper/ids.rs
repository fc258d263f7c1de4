//! The numbers by which Xen names things, each a type of its own so that they cannot be mixed up.
//! Sources: `xen/xen.h`, `xen/event_channel.h`, `xen/grant_table.h`.

use core::fmt;

use crate::abi::xen;

/// A domain id. Numbers from [`DomId::FIRST_RESERVED`] on name no domain but have a meaning to Xen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomId(pub u16);

impl DomId {
    /// The first number that can never be a domain (`DOMID_FIRST_RESERVED`).
    pub const FIRST_RESERVED: u16 = xen::DOMID_FIRST_RESERVED;
    /// The calling domain itself (`DOMID_SELF`).
    pub const SELF: Self = Self(xen::DOMID_SELF);
    /// The owner of I/O memory (`DOMID_IO`).
    pub const IO: Self = Self(xen::DOMID_IO);
    /// The owner of Xen's own memory (`DOMID_XEN`).
    pub const XEN: Self = Self(xen::DOMID_XEN);
    /// Never valid (`DOMID_INVALID`).
    pub const INVALID: Self = Self(xen::DOMID_INVALID);

    /// Whether this number can name a real domain.
    #[must_use]
    pub const fn is_domain(self) -> bool {
        self.0 < Self::FIRST_RESERVED
    }
}

impl fmt::Display for DomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for DomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d{}", self.0)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $debug:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, $debug, self.0)
            }
        }
    };
}

number!(
    /// An event channel of some domain. Port 0 is never a channel.
    Port(u32), "port{}"
);
number!(
    /// An entry in a domain's grant table.
    GrantRef(u32), "gref{}"
);
number!(
    /// A machine frame number: a 4 KiB page of the machine's memory.
    Mfn(u64), "mfn:{:#x}"
);
number!(
    /// A guest frame number: a page as its domain numbers it (for a PV domain, a machine frame).
    Gfn(u64), "gfn:{:#x}"
);
number!(
    /// A virtual CPU of some domain.
    VcpuId(u32), "v{}"
);

/// The virtual interrupts the control plane listens to. Source: `xen/xen.h`, `VIRQ_*`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Virq {
    /// The one-shot timer of this virtual CPU.
    Timer,
    /// Xen asks every domain to report its state (debug key `q`).
    Debug,
    /// A byte arrived on Xen's console.
    Console,
    /// A domain was created, shut down or went away.
    DomainException,
    /// Xen's console ring has new text.
    ConsoleRing,
}
