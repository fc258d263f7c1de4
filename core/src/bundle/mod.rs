//! The boot bundle: one file, loaded by Xen beside the control domain, with everything to start at boot.
//!
//! ```text
//! header    48 bytes, little-endian, see `Header`
//! manifest  one postcard record per payload: name, offset, length, checksum
//! payloads  each at a multiple of 16 bytes; what lies between is zero
//! ```
//!
//! Payloads stand in order of name and of offset, so one pass shows that no name comes twice and no two payloads
//! overlap. The reader looks at the bundle in place and allocates nothing, whatever the counts in it say.
//!
//! Checksums are XXH64: a bundle is as trusted as the kernel beside it, so they guard against damage and
//! truncation, not against forgers. 64 bits leave no realistic chance of missing damage where CRC-32 misses one in
//! four billion, it costs well under an instruction per byte (checking a 30 MiB kernel takes some 15 ms of
//! counted instructions, a table CRC three times that), and it can be fed in pieces without a buffer of its own. The
//! header and the manifest are checked when the bundle is opened, a payload when it is used: boot time does not
//! grow with what is in the bundle.
#![forbid(unsafe_code)]

mod error;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

pub use error::BundleError;

/// How every bundle begins. The first byte is not text, so that no text file passes for a bundle.
pub const MAGIC: [u8; 8] = *b"\x89XDLBDL\n";

/// The version of the format that is written and read.
pub const VERSION: u32 = 1;

/// The most payloads of a bundle.
pub const MAX_PAYLOADS: u32 = 1024;

/// The longest name of a payload, in bytes.
pub const MAX_NAME: usize = 64;

/// Payloads begin at multiples of this.
pub const ALIGNMENT: u64 = 16;

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

const _: () = assert!(size_of::<Header>() == HEADER_LEN);

/// Bytes of the [`Header`].
pub const HEADER_LEN: usize = 48;

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

    /// The checksum of everything but itself.
    fn checksum(&self) -> u64 {
        let (covered, _) = self.as_bytes().split_at(HEADER_LEN - size_of::<U64>());
        checksum(covered)
    }
}

/// What the manifest says about one payload.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload<'a> {
    /// Its name: 1 to [`MAX_NAME`] printable ASCII characters, no spaces.
    pub name: &'a str,
    /// Where it begins, in bytes from the start of the bundle.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Its checksum.
    pub checksum: u64,
}

/// The checksum used throughout a bundle.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes)
}

/// Whether a payload may be called that.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A bundle whose header and manifest are sound.
#[derive(Clone, Copy, Debug)]
pub struct Bundle<'a> {
    bytes: &'a [u8],
    manifest: &'a [u8],
    payloads: u32,
}

impl<'a> Bundle<'a> {
    /// Checks everything but the payloads' contents.
    pub fn open(bytes: &'a [u8]) -> Result<Self, BundleError> {
        let (header, rest) = Header::ref_from_prefix(bytes).map_err(|_| BundleError::TooShort)?;
        check_header(header, bytes.len() as u64)?;
        let manifest = usize::try_from(header.manifest_len.get())
            .ok()
            .and_then(|len| rest.get(..len))
            .ok_or(BundleError::BadManifest)?;
        if checksum(manifest) != header.manifest_checksum.get() {
            return Err(BundleError::BadManifest);
        }
        let bundle = Self { bytes, manifest, payloads: header.payloads.get() };
        bundle.check_payloads(header.total_len.get())?;
        Ok(bundle)
    }

    /// What is in the bundle, in order of name.
    pub fn payloads(&self) -> impl Iterator<Item = Payload<'a>> + use<'a> {
        let mut rest = self.manifest;
        (0..self.payloads).map_while(move |_| {
            let (payload, behind) = postcard::take_from_bytes(rest).ok()?;
            rest = behind;
            Some(payload)
        })
    }

    /// The bytes of one of this bundle's payloads, after comparing them with their checksum.
    pub fn content(&self, payload: &Payload<'_>) -> Result<&'a [u8], BundleError> {
        let content = range(payload.offset, payload.len)
            .and_then(|range| self.bytes.get(range))
            .ok_or(BundleError::BadManifest)?;
        if checksum(content) != payload.checksum {
            return Err(BundleError::BadContent);
        }
        Ok(content)
    }

    fn check_payloads(&self, total_len: u64) -> Result<(), BundleError> {
        let mut rest = self.manifest;
        let mut last_name = "";
        let mut end = (HEADER_LEN + self.manifest.len()) as u64;
        for index in 0..self.payloads {
            let (payload, behind): (Payload<'_>, _) =
                postcard::take_from_bytes(rest).map_err(|_| BundleError::BadManifest)?;
            if !is_name(payload.name) || payload.name <= last_name {
                return Err(BundleError::BadName { index });
            }
            if payload.offset < end || !payload.offset.is_multiple_of(ALIGNMENT) {
                return Err(BundleError::BadPlace { index });
            }
            end = payload.offset.checked_add(payload.len).ok_or(BundleError::BadPlace { index })?;
            if end > total_len {
                return Err(BundleError::BadPlace { index });
            }
            last_name = payload.name;
            rest = behind;
        }
        if !rest.is_empty() || end != total_len {
            return Err(BundleError::BadManifest);
        }
        Ok(())
    }
}

fn check_header(header: &Header, len: u64) -> Result<(), BundleError> {
    if header.magic != MAGIC {
        return Err(BundleError::NotABundle);
    }
    if header.version.get() != VERSION {
        return Err(BundleError::WrongVersion(header.version.get()));
    }
    if header.header_checksum.get() != header.checksum() {
        return Err(BundleError::BadHeader);
    }
    if header.payloads.get() > MAX_PAYLOADS {
        return Err(BundleError::TooMany(header.payloads.get()));
    }
    if header.total_len.get() != len {
        return Err(BundleError::WrongLength { stated: header.total_len.get(), found: len });
    }
    Ok(())
}

fn range(offset: u64, len: u64) -> Option<core::ops::Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(usize::try_from(len).ok()?)?)
}
