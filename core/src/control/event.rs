//! What happens in the control domain, as its log and its journal have it.

use core::fmt;

use crate::channel;
use crate::console::Notice;
use crate::hyper::{DomId, HvError, Port, ShutdownReason};
use crate::life::News;
use crate::ring::BadIndex;
use crate::store::service::Fault;

/// What happened, for the log and for the services that act on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Boot is done.
    Ready {
        /// Nanoseconds since Xen handed over.
        after_ns: u64,
    },
    /// A domain stopped by itself.
    DomainShutdown {
        /// Which.
        domid: DomId,
        /// Why.
        reason: ShutdownReason,
    },
    /// A domain is being torn down.
    DomainDying(DomId),
    /// A domain is no more; its id may come again.
    DomainGone(DomId),
    /// A domain broke the ring of its console and lost it.
    ConsoleCut {
        /// Which.
        domid: DomId,
        /// How.
        reason: BadIndex,
    },
    /// A domain broke its connection to XenStore and lost it.
    StoreCut {
        /// Which.
        domid: DomId,
        /// How.
        fault: Fault,
    },
    /// A domain's first request to XenStore came: its kernel is at work.
    StoreSpoke(DomId),
    /// A domain asked for a fresh start of its connection to XenStore, and got it.
    StoreReconnected(DomId),
    /// Something happened to a managed domain.
    Life(News),
    /// Something happened to the control ring of a domain.
    Channel(channel::News),
    /// Bytes typed at the machine's console were read and dropped: no domain is joined to it.
    TypedDropped(usize),
    /// An event came on a channel that nothing is bound to.
    StrayPort(Port),
    /// The hypervisor refused something at run time; what it was for is tried again.
    Refused(HvError),
    /// The heap is full; what it was for is tried again.
    OutOfMemory,
}

impl From<Notice> for Event {
    fn from(notice: Notice) -> Self {
        match notice {
            Notice::Cut { domid, reason } => Self::ConsoleCut { domid, reason },
            Notice::TypedDropped(count) => Self::TypedDropped(count),
            Notice::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { after_ns } => write!(f, "ready {} us after hand-over", after_ns / 1000),
            Self::DomainShutdown { domid, reason } => {
                write!(f, "domain {domid} shut down, reason {}", reason.code())
            }
            Self::DomainDying(domid) => write!(f, "domain {domid} is being torn down"),
            Self::DomainGone(domid) => write!(f, "domain {domid} is gone"),
            Self::ConsoleCut { domid, reason } => write!(f, "domain {domid} lost its console: {reason}"),
            Self::StoreCut { domid, fault } => {
                write!(f, "domain {domid} lost its connection to XenStore: {fault}")
            }
            Self::StoreSpoke(domid) => write!(f, "domain {domid} speaks to XenStore"),
            Self::StoreReconnected(domid) => {
                write!(f, "domain {domid} starts its connection to XenStore afresh")
            }
            Self::Life(news) => news.fmt(f),
            Self::Channel(news) => news.fmt(f),
            Self::TypedDropped(count) => write!(f, "{count} typed bytes dropped"),
            Self::StrayPort(port) => write!(f, "event on channel {port}, which is not bound"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::OutOfMemory => f.write_str("the heap is full"),
        }
    }
}
