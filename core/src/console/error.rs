//! What can go wrong with a console, and whose fault it is.

use core::fmt;

use super::TableError;
use crate::events::BindError;
use crate::hyper::{DomId, HvError, Port};
use crate::ring::BadIndex;

/// What a person may want to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A domain broke its ring and lost its console.
    Cut {
        /// Which.
        domid: DomId,
        /// How.
        reason: BadIndex,
    },
    /// Bytes typed at the machine's console were dropped: no domain is joined to it.
    TypedDropped(usize),
    /// The hypervisor refused something.
    Refused(HvError),
}

/// Why a domain does not get its console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachError {
    /// The caller named a console that is gone.
    NoSuchConsole,
    /// The domain's page contradicts itself.
    BadRing(BadIndex),
    /// The hypervisor refused to map the page or to bind the channel.
    Refused(HvError),
    /// Our end of the channel cannot be used.
    BadPort {
        /// Which.
        port: Port,
        /// Why.
        reason: BindError,
    },
}

impl From<BadIndex> for AttachError {
    fn from(bad: BadIndex) -> Self {
        Self::BadRing(bad)
    }
}

impl From<HvError> for AttachError {
    fn from(refusal: HvError) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchConsole => f.write_str("there is no such console"),
            Self::BadRing(bad) => bad.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::BadPort { port, reason } => write!(f, "event channel {port} cannot be used: {reason:?}"),
        }
    }
}

/// Why there is no new viewer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubscribeError {
    /// The caller named a console that is gone.
    NoSuchConsole,
    /// No room for another viewer.
    Table(TableError),
}

/// Why nothing can be typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeError {
    /// The caller named a viewer that is gone, or one of a console that is gone.
    NoSuchViewer,
    /// No domain has the console now.
    NoDomain,
}
