//! Why asking did not work.

use std::fmt;
use std::io;

use xendless_core::protocol::frame::FrameError;
use xendless_core::protocol::{Failure, Rejection};

/// Why there is no answer, or a bad one.
#[derive(Debug)]
pub enum Error {
    /// Nobody listens on the socket, or the caller may not use it.
    Connect(io::Error),
    /// The connection broke.
    Io(io::Error),
    /// `xmd` closed the connection instead of answering the hello.
    Refused,
    /// `xmd` closed the connection before the answer.
    Closed,
    /// `xmd` or the control domain will not talk any more.
    Rejected(Rejection),
    /// What came is not the protocol.
    Garbage(FrameError),
    /// A message came that does not belong there.
    Unexpected,
    /// The request was refused, or failed.
    Failed(Failure),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) | Self::Io(error) => error.fmt(f),
            Self::Refused => f.write_str("the connection was closed at once"),
            Self::Closed => f.write_str("the connection was closed before the answer"),
            Self::Rejected(rejection) => rejection.fmt(f),
            Self::Garbage(error) => error.fmt(f),
            Self::Unexpected => f.write_str("a message that does not belong there"),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        Self::Garbage(error)
    }
}
