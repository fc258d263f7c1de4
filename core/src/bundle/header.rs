//! The first bytes of a bundle, and the checksum that the rest is held against.

use twox_hash::XxHash64;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{BundleError, MAX_PAYLOADS};

/// How every bundle begins. The first byte is not text, so that no text file passes for a bundle.
pub const MAGIC: [u8; 8] = *b"\x89XDLBDL\n";

/// The version of the format that is written and read.
pub const VERSION: u32 = 2;

/// Payloads begin at multiples of this.
pub const ALIGNMENT: usize = 16;

/// The first bytes of a bundle.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: U32,
    /// Payloads listed in the manifest.
    pub payloads: U32,
    /// Bytes of manifest behind this header.
    pub manifest_len: U64,
    /// Bytes of the whole bundle.
    pub total_len: U64,
    /// Checksum of the manifest.
    pub manifest_checksum: U64,
    /// Checksum of the fields above.
    pub header_checksum: U64,
}

/// Bytes of the [`Header`].
pub const HEADER_LEN: usize = 48;

const _: () = assert!(size_of::<Header>() == HEADER_LEN && HEADER_LEN.is_multiple_of(ALIGNMENT));

impl Header {
    /// A header that describes `manifest` and a bundle of `total_len` bytes.
    #[must_use]
    pub fn new(payloads: u32, manifest: &[u8], total_len: u64) -> Self {
        let mut header = Self {
            magic: MAGIC,
            version: VERSION.into(),
            payloads: payloads.into(),
            manifest_len: (manifest.len() as u64).into(),
            total_len: total_len.into(),
            manifest_checksum: checksum(manifest).into(),
            header_checksum: U64::ZERO,
        };
        header.header_checksum = header.checksum().into();
        header
    }

    /// The header as it stands in a bundle.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        zerocopy::transmute!(self)
    }

    /// Whether this describes a bundle of `len` bytes that can be read here.
    pub(super) fn check(&self, len: u64) -> Result<(), BundleError> {
        if self.magic != MAGIC {
            return Err(BundleError::NotABundle);
        }
        if self.version.get() != VERSION {
            return Err(BundleError::WrongVersion(self.version.get()));
        }
        if self.header_checksum.get() != self.checksum() {
            return Err(BundleError::BadHeader);
        }
        if self.payloads.get() > MAX_PAYLOADS {
            return Err(BundleError::TooMany(self.payloads.get()));
        }
        if self.total_len.get() != len {
            return Err(BundleError::WrongLength { stated: self.total_len.get(), found: len });
        }
        Ok(())
    }

    /// The checksum of everything but itself.
    fn checksum(&self) -> u64 {
        let (covered, _) = self.as_bytes().split_at(HEADER_LEN - size_of::<U64>());
        checksum(covered)
    }
}

/// The checksum used throughout a bundle.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes)
}
