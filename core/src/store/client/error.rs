//! What a client can meet, by who is at fault.

use core::fmt;

use crate::store::transport::StreamError;
use crate::store::wire::{Kind, XsError};

/// A request that did not succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientError<E> {
    /// The server refused it.
    Refused(XsError),
    /// It cannot be sent: a path or token holds a NUL ([`XsError::EINVAL`]) or it is too long
    /// ([`XsError::E2BIG`]). The caller is at fault.
    Unsendable(XsError),
    /// The server broke the protocol.
    Server(Misbehaviour),
    /// The stream ended or failed.
    Stream(StreamError<E>),
}

/// How a server broke the protocol. Nothing that it says afterwards can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misbehaviour {
    /// It answered what was not asked.
    UnknownReply {
        /// The id of that answer.
        req_id: u32,
    },
    /// It answered with another type than was asked for.
    WrongKind {
        /// What was asked.
        asked: Kind,
        /// What came.
        came: Kind,
    },
    /// Its answer is not what the protocol says.
    Malformed(Kind),
    /// It sent more events than anyone could have waiting.
    TooManyEvents,
}

impl<E> From<Misbehaviour> for ClientError<E> {
    fn from(misbehaviour: Misbehaviour) -> Self {
        Self::Server(misbehaviour)
    }
}

impl<E> From<StreamError<E>> for ClientError<E> {
    fn from(error: StreamError<E>) -> Self {
        Self::Stream(error)
    }
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the XenStore server broke the protocol: ")?;
        match self {
            Self::UnknownReply { req_id } => write!(f, "it answered request {req_id}, which was not asked"),
            Self::WrongKind { asked, came } => write!(f, "it answered {asked} with {came}"),
            Self::Malformed(kind) => write!(f, "its answer to {kind} makes no sense"),
            Self::TooManyEvents => f.write_str("it sent too many events"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for ClientError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "XenStore answered {error}"),
            Self::Unsendable(XsError::E2BIG) => f.write_str("the request is too long"),
            Self::Unsendable(_) => f.write_str("the request holds a NUL where none may be"),
            Self::Server(misbehaviour) => misbehaviour.fmt(f),
            Self::Stream(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for ClientError<E> {}
