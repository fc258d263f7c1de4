//! What the service needs of the place it runs in.

use core::fmt;
use core::ops::Deref;

use embedded_io::ErrorKind;

use crate::hyper::{Access, DomId, Domains, EventChannels, GrantRef, Grants, HvError, Port};
use crate::ring::BadIndex;
use crate::ring::xenstore::ConnectionError;
use crate::shared::Page;
use crate::store::wire::Oversized;

/// The grant by which a domain's XenStore page is mapped (`GNTTAB_RESERVED_XENSTORE` of `xen/grant_table.h`).
pub const RING_GRANT: GrantRef = GrantRef(1);

/// Ring pages and event channels of other domains, and someone to tell.
pub trait Site {
    /// A ring page. Dropping it unmaps.
    type Page: Deref<Target = Page>;

    /// Maps a domain's ring page.
    ///
    /// # Errors
    /// When the domain did not grant it.
    fn map_ring(&self, domid: DomId) -> Result<Self::Page, HvError>;

    /// Connects a channel of ours to a domain's.
    ///
    /// # Errors
    /// When that channel does not wait for us.
    fn bind(&self, domid: DomId, port: Port) -> Result<Port, HvError>;

    /// Signals our `port`'s other end.
    ///
    /// # Errors
    /// When the channel is broken.
    fn notify(&self, port: Port) -> Result<(), HvError>;

    /// Gives our `port` back.
    fn close(&self, port: Port);

    /// Whether a domain exists.
    fn domain_exists(&self, domid: DomId) -> bool;

    /// Takes note of something that a person may want to know.
    fn note(&self, notice: Notice<'_>);
}

/// What a person may want to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice<'a> {
    /// A domain's connection was cut.
    Cut {
        /// Whose.
        domid: DomId,
        /// Why.
        fault: Fault,
    },
    /// A domain's first request came.
    Spoke(DomId),
    /// A domain asked for a fresh start of its connection, and got it.
    Reconnected(DomId),
    /// A privileged client wants this said.
    Print(&'a [u8]),
}

/// Why a connection cannot go on. All but the last two are the client's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It broke its ring.
    Index(BadIndex),
    /// It sent too long a message.
    Oversized(Oversized),
    /// It left.
    Closed,
    /// Its stream failed.
    Stream(ErrorKind),
    /// Its event channel failed.
    Channel(HvError),
}

impl Fault {
    /// What its ring page says about it.
    pub(super) fn code(self) -> ConnectionError {
        match self {
            Self::Index(_) => ConnectionError::RINGIDX,
            Self::Oversized(_) => ConnectionError::PROTO,
            Self::Closed | Self::Stream(_) | Self::Channel(_) => ConnectionError::COMM,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(bad) => bad.fmt(f),
            Self::Oversized(oversized) => oversized.fmt(f),
            Self::Closed => f.write_str("the peer closed the connection"),
            Self::Stream(kind) => write!(f, "the stream failed: {kind:?}"),
            Self::Channel(error) => error.fmt(f),
        }
    }
}

/// A hypervisor is a site, next to someone who takes notes.
#[derive(Debug)]
pub struct OnXen<'a, H, N> {
    /// The hypervisor.
    pub hypervisor: &'a H,
    /// Takes notes.
    pub note: N,
}

impl<H: Grants + EventChannels + Domains, N: Fn(Notice<'_>)> Site for OnXen<'_, H, N> {
    type Page = H::Granted;

    fn map_ring(&self, domid: DomId) -> Result<H::Granted, HvError> {
        self.hypervisor.map_grant(domid, RING_GRANT, Access::ReadWrite)
    }

    fn bind(&self, domid: DomId, port: Port) -> Result<Port, HvError> {
        self.hypervisor.bind_interdomain(domid, port)
    }

    fn notify(&self, port: Port) -> Result<(), HvError> {
        self.hypervisor.notify(port)
    }

    fn close(&self, port: Port) {
        // A channel that cannot be closed is gone already.
        let _gone = self.hypervisor.close(port);
    }

    fn domain_exists(&self, domid: DomId) -> bool {
        self.hypervisor.domain_info(domid).is_ok_and(|info| info.domid == domid)
    }

    fn note(&self, notice: Notice<'_>) {
        (self.note)(notice);
    }
}
