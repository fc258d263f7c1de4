//! A saved domain as it is written, to a file or to another host.
//!
//! A signature and a version (32 bits, little-endian), the bytes of the domain's configuration behind their number
//! (32 bits), the pieces as the control domain sends them, and a BLAKE3 digest of all that.

use std::io;
use std::os::fd::BorrowedFd;

use super::pieces::Pieces;
use super::{SIGNATURE, VERSION};
use crate::xm::error::Error;

/// Where a saved domain goes.
pub(super) trait Sink {
    /// Takes more of it.
    ///
    /// # Errors
    ///
    /// What there is to say when that does not work; so do the others.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// All of it was written: brings it to where it stays.
    fn whole(&mut self) -> Result<(), Error>;

    /// The domain is taken down next.
    fn commit(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Readable when there is something to hear from it meanwhile.
    fn watched(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// What that is.
    fn heard(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// What to say about an error.
    fn failed(&self, error: &io::Error) -> Error;
}

/// Writes a saved domain.
#[derive(Debug)]
pub(super) struct Writer<'a, S> {
    pub(super) to: &'a mut S,
    hash: blake3::Hasher,
    pieces: Pieces,
}

impl<'a, S: Sink> Writer<'a, S> {
    /// Writes what stands before the pieces.
    pub(super) fn begin(to: &'a mut S, config: &[u8]) -> Result<Self, Error> {
        let size = u32::try_from(config.len()).map_err(|error| to.failed(&io::Error::other(error)))?;
        let mut writer = Self { to, hash: blake3::Hasher::new(), pieces: Pieces::default() };
        let mut start = SIGNATURE.to_vec();
        start.extend(VERSION.to_le_bytes());
        start.extend(size.to_le_bytes());
        start.extend(config);
        writer.write(&start)?;
        Ok(writer)
    }

    /// Writes more of the pieces. Behind the last one comes the digest, and all of it is whole then, which this says.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        self.pieces.pass(bytes).map_err(|error| self.to.failed(&error))?;
        self.write(bytes)?;
        if !self.pieces.ended() {
            return Ok(false);
        }
        self.to.write(self.hash.finalize().as_bytes())?;
        self.to.whole()?;
        Ok(true)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        self.to.write(bytes)
    }
}
