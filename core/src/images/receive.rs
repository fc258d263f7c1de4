//! An image that arrives in pieces.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{Charge, Digest, Image, Images, Key};

/// The most bytes that one call takes: some 200,000 instructions.
pub const STEP: usize = 16 << 10;

/// More bytes came than were announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the image is longer than was announced")
    }
}

/// Why what was received is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FinishError {
    /// Fewer bytes came than were announced.
    TooShort {
        /// How many are missing.
        missing: usize,
    },
    /// The bytes are not those of the digest.
    Mismatch {
        /// The digest they have.
        found: Digest,
    },
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { missing } => write!(f, "the image is cut off: {missing} bytes are missing"),
            Self::Mismatch { found } => write!(f, "the image was damaged on its way: its digest is {found}"),
        }
    }
}

/// An image that is being received; its memory is there already. Dropping it frees everything.
#[must_use = "an image is not there until all of it was received"]
pub struct Receiving {
    digest: Digest,
    /// Has room for all of it.
    bytes: Vec<u8>,
    size: usize,
    hasher: Box<blake3::Hasher>,
    charge: Charge,
}

impl Receiving {
    pub(super) fn new(digest: Digest, bytes: Vec<u8>, size: usize, charge: Charge) -> Self {
        Self { digest, bytes, size, hasher: Box::new(blake3::Hasher::new()), charge }
    }

    /// Bytes that are still to come.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.size.saturating_sub(self.bytes.len())
    }

    /// Takes the first bytes of `piece`, at most [`STEP`] of them, and returns how many.
    pub fn append(&mut self, piece: &[u8]) -> Result<usize, TooLong> {
        if piece.len() > self.missing() {
            return Err(TooLong);
        }
        let piece = piece.get(..STEP).unwrap_or(piece);
        self.hasher.update(piece);
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    /// Checks that all is there and right. From then on the image can be found in `images`, which is where this
    /// began.
    pub fn finish(self, images: &mut Images) -> Result<Image, FinishError> {
        let missing = self.missing();
        if missing > 0 {
            return Err(FinishError::TooShort { missing });
        }
        let found = Digest(*self.hasher.finalize().as_bytes());
        if found != self.digest {
            return Err(FinishError::Mismatch { found });
        }
        // Somebody else may have sent the same meanwhile.
        if let Some(image) = images.get(&found) {
            return Ok(image);
        }
        let image = Image::new(Key::File(found), self.bytes, Some(self.charge));
        images.enter(&image);
        Ok(image)
    }
}

impl fmt::Debug for Receiving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiving({}, {} bytes missing)", self.digest, self.missing())
    }
}
