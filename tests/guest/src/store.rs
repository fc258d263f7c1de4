//! XenStore over our ring, for requests that wait for their answer.

use core::fmt;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use xendless_core::ring::RingError;
use xendless_core::ring::xenstore::{ConnectionError, GuestEnd};
use xendless_core::shared::Page;
use xendless_core::store::client::{ClientError, Session};
use xendless_core::store::transport::StreamError;

use crate::world::{Ring, World};

/// Why the ring is of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// We have none.
    NoRing,
    /// The indices are impossible.
    Broken(RingError),
    /// The server gave the connection up.
    CutOff(ConnectionError),
}

/// What can happen to a request.
pub type Trouble = ClientError<Lost>;

/// Our end of the ring, with waiting: reading and writing return when bytes have moved.
pub struct Stream<'w, W> {
    pub(crate) end: GuestEnd<&'w Page>,
    world: &'w W,
}

/// A session on our ring.
///
/// # Errors
/// Without a ring, or when its indices are impossible.
pub fn open<W: World>(world: &W) -> Result<Session<Stream<'_, W>>, Lost> {
    Stream::new(world).map(Session::new)
}

impl<'w, W: World> Stream<'w, W> {
    /// Goes on from where the ring stands.
    ///
    /// # Errors
    /// Without a ring, or when its indices are impossible.
    pub fn new(world: &'w W) -> Result<Self, Lost> {
        let page = world.page(Ring::Store).ok_or(Lost::NoRing)?;
        let end = GuestEnd::attach(page).map_err(|bad| Lost::Broken(bad.into()))?;
        Ok(Self { end, world })
    }

    /// Tries until bytes move.
    fn patiently(
        &mut self,
        mut attempt: impl FnMut(&mut GuestEnd<&Page>) -> Result<usize, RingError>,
    ) -> Result<usize, Lost> {
        loop {
            match (self.end.error(), attempt(&mut self.end)) {
                (ConnectionError::NONE, Err(RingError::NotReady)) => self.world.wait(None),
                (ConnectionError::NONE, Err(broken)) => return Err(Lost::Broken(broken)),
                (ConnectionError::NONE, Ok(moved)) => {
                    self.world.notify(Ring::Store);
                    return Ok(moved);
                }
                (error, _) => return Err(Lost::CutOff(error)),
            }
        }
    }
}

impl<W> ErrorType for Stream<'_, W> {
    type Error = Lost;
}

impl<W: World> Read for Stream<'_, W> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Lost> {
        self.patiently(|end| end.read(buf))
    }
}

impl<W: World> ReadReady for Stream<'_, W> {
    fn read_ready(&mut self) -> Result<bool, Lost> {
        self.end.read_ready().map_err(Lost::Broken)
    }
}

impl<W: World> WriteReady for Stream<'_, W> {
    fn write_ready(&mut self) -> Result<bool, Lost> {
        self.end.write_ready().map_err(Lost::Broken)
    }
}

impl<W: World> Write for Stream<'_, W> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Lost> {
        self.patiently(|end| end.write(buf))
    }

    /// Written bytes are published at once.
    fn flush(&mut self) -> Result<(), Lost> {
        Ok(())
    }
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        StreamError::Io(lost).into()
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRing => f.write_str("no XenStore ring"),
            Self::Broken(error) => error.fmt(f),
            Self::CutOff(why) => write!(f, "cut off: {why:?}"),
        }
    }
}

impl core::error::Error for Lost {}

impl embedded_io::Error for Lost {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotConnected
    }
}
