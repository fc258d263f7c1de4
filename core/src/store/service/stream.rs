//! Where a connection's bytes come from and go to.

use core::mem;
use core::ops::Deref;

use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use super::Fault;
use crate::hyper::{DomId, Port};
use crate::ring::RingError;
use crate::ring::xenstore::ServerEnd;
use crate::shared::Page;

/// A domain's ring and the channel that goes with it.
#[derive(Debug)]
pub(super) struct Ring<P> {
    pub(super) domid: DomId,
    pub(super) end: ServerEnd<P>,
    /// Our port; `None` when the channel broke.
    pub(super) port: Option<Port>,
}

/// A ring or a stream of this place, and whether bytes moved since that was last asked.
#[derive(Debug)]
pub(super) struct Stream<P, S> {
    pub(super) ends: Ends<P, S>,
    moved: bool,
}

#[derive(Debug)]
pub(super) enum Ends<P, S> {
    Ring(Ring<P>),
    Local(S),
}

impl<P, S> Stream<P, S> {
    pub(super) fn new(ends: Ends<P, S>) -> Self {
        Self { ends, moved: false }
    }

    pub(super) fn ring(&mut self) -> Option<&mut Ring<P>> {
        match &mut self.ends {
            Ends::Ring(ring) => Some(ring),
            Ends::Local(_) => None,
        }
    }

    pub(super) fn take_moved(&mut self) -> bool {
        mem::take(&mut self.moved)
    }
}

impl From<RingError> for Fault {
    fn from(error: RingError) -> Self {
        match error {
            RingError::Peer(bad) => Self::Index(bad),
            RingError::NotReady => Self::Stream(error.kind()),
        }
    }
}

impl core::error::Error for Fault {}

impl Error for Fault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Stream(kind) => *kind,
            Self::Closed => ErrorKind::BrokenPipe,
            Self::Index(_) | Self::Oversized(_) => ErrorKind::InvalidData,
            Self::Channel(_) => ErrorKind::ConnectionAborted,
        }
    }
}

impl<P, S> ErrorType for Stream<P, S> {
    type Error = Fault;
}

fn local(error: impl Error) -> Fault {
    Fault::Stream(error.kind())
}

impl<P: Deref<Target = Page>, S: ReadReady> ReadReady for Stream<P, S> {
    fn read_ready(&mut self) -> Result<bool, Fault> {
        match &mut self.ends {
            Ends::Ring(ring) => Ok(ring.end.read_ready()?),
            Ends::Local(stream) => stream.read_ready().map_err(local),
        }
    }
}

impl<P: Deref<Target = Page>, S: Read> Read for Stream<P, S> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        let bytes = match &mut self.ends {
            Ends::Ring(ring) => ring.end.read(buf)?,
            Ends::Local(stream) => stream.read(buf).map_err(local)?,
        };
        self.moved |= bytes != 0;
        Ok(bytes)
    }
}

impl<P: Deref<Target = Page>, S: WriteReady> WriteReady for Stream<P, S> {
    fn write_ready(&mut self) -> Result<bool, Fault> {
        match &mut self.ends {
            Ends::Ring(ring) => Ok(ring.end.write_ready()?),
            Ends::Local(stream) => stream.write_ready().map_err(local),
        }
    }
}

impl<P: Deref<Target = Page>, S: Write> Write for Stream<P, S> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Fault> {
        let bytes = match &mut self.ends {
            Ends::Ring(ring) => ring.end.write(buf)?,
            Ends::Local(stream) => stream.write(buf).map_err(local)?,
        };
        self.moved |= bytes != 0;
        Ok(bytes)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        match &mut self.ends {
            Ends::Ring(ring) => Ok(ring.end.flush()?),
            Ends::Local(stream) => stream.flush().map_err(local),
        }
    }
}
