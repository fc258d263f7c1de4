//! What happens to control rings, for the log.

use core::fmt;

use super::LINKS;
use super::session::Ended;
use crate::hyper::{DomId, HvError};
use crate::protocol::Rejection;

/// Something that happened to the ring of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct News {
    /// Whose ring.
    pub domid: DomId,
    /// What.
    pub what: Happened,
}

/// What can happen to a ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened {
    /// A client came.
    Connected,
    /// It left.
    Left,
    /// It was cut off.
    Cut(Ended),
    /// The domain does not get a ring.
    NotOffered(Problem),
    /// The hypervisor refused something when the ring was taken away.
    Refused(HvError),
}

/// Why a domain does not get a ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The hypervisor refused.
    Hypervisor(HvError),
    /// The pages do not make a ring.
    Layout,
    /// There are as many as there may be.
    TooMany,
    /// The control domain has no memory for it.
    OutOfMemory,
}

impl From<HvError> for Problem {
    fn from(error: HvError) -> Self {
        Self::Hypervisor(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hypervisor(error) => error.fmt(f),
            Self::Layout => f.write_str("the pages do not make a ring"),
            Self::OutOfMemory => f.write_str("the control domain has no memory for it"),
            Self::TooMany => write!(f, "there are {LINKS} already"),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // What the rejection says is worded for the other side.
            Self::Rejected(Rejection::Version(_)) => f.write_str("it speaks another version"),
            Self::Rejected(why) => why.fmt(f),
            Self::Stream(_) => f.write_str("it broke its ring"),
            Self::OutOfMemory => f.write_str("the control domain has no memory for its messages"),
        }
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domid, what } = self;
        match what {
            Happened::Connected => write!(f, "domain {domid} is connected to the control channel"),
            Happened::Left => write!(f, "domain {domid} left the control channel"),
            Happened::Cut(why) => write!(f, "domain {domid} was cut off the control channel: {why}"),
            Happened::NotOffered(why) => write!(f, "domain {domid} gets no control channel: {why}"),
            Happened::Refused(refusal) => write!(f, "the control channel of domain {domid}: {refusal}"),
        }
    }
}
