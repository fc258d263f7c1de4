//! Messages over byte streams: rings, sockets, anything with `embedded-io`'s traits.
//!
//! Streams hand over bytes as they come, in pieces of any size. An [`Assembler`] keeps at most one message that
//! is not whole yet; an [`Outbox`] keeps whole messages and how much of the first is gone. Neither waits.
#![forbid(unsafe_code)]

mod assembler;
mod outbox;

pub use assembler::{Assembler, Frame};
pub use outbox::Outbox;

use core::fmt;

use super::wire::Oversized;

/// Why a stream cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamError<E> {
    /// The peer announced a message that is too long.
    Oversized(Oversized),
    /// The peer closed it.
    Closed,
    /// The stream itself failed.
    Io(E),
}

impl<E: fmt::Display> fmt::Display for StreamError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oversized(oversized) => oversized.fmt(f),
            Self::Closed => f.write_str("the peer closed the connection"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for StreamError<E> {}
