//! The boot bundle: one file, loaded by Xen beside the control domain, with everything to start at boot.
//!
//! ```text
//! header    48 bytes, little-endian, see `Header`
//! manifest  one postcard record per payload, see `Entry`
//! payloads  in the order of the manifest; zeros before each up to a multiple of 16 bytes
//! ```
//!
//! No offset is written down: where a payload stands follows from the lengths before it, so payloads cannot
//! overlap. Names are in order, so none comes twice. The reader looks at the bundle in place and allocates nothing,
//! whatever the counts in it say.
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

    /// The checksum of everything but itself.
    fn checksum(&self) -> u64 {
        let (covered, _) = self.as_bytes().split_at(HEADER_LEN - size_of::<U64>());
        checksum(covered)
    }
}

/// What the manifest says about one payload.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// Its name, see [`is_name`].
    pub name: &'a str,
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

/// Whether a payload may be called that: 1 to [`MAX_NAME`] printable ASCII characters, no spaces.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Zeros between a part of `len` bytes that began aligned, and the next payload.
#[must_use]
pub const fn padding(len: usize) -> usize {
    len.next_multiple_of(ALIGNMENT) - len
}

/// A bundle whose header and manifest are sound.
#[derive(Clone, Copy, Debug)]
pub struct Bundle<'a> {
    entries: u32,
    manifest: &'a [u8],
    area: &'a [u8],
}

impl<'a> Bundle<'a> {
    /// Checks everything but the payloads' contents.
    pub fn open(bytes: &'a [u8]) -> Result<Self, BundleError> {
        let (header, rest) = Header::ref_from_prefix(bytes).map_err(|_| BundleError::TooShort)?;
        check_header(header, bytes.len() as u64)?;
        let (manifest, area) = usize::try_from(header.manifest_len.get())
            .ok()
            .and_then(|len| rest.split_at_checked(len))
            .filter(|(manifest, _)| checksum(manifest) == header.manifest_checksum.get())
            .ok_or(BundleError::BadManifest)?;
        let bundle = Self { entries: header.payloads.get(), manifest, area };
        bundle.check_entries()?;
        Ok(bundle)
    }

    /// What is in the bundle, in order of name.
    pub fn payloads(&self) -> impl Iterator<Item = Payload<'a>> + use<'a> {
        // `open` went the same way to the end.
        self.walk().map_while(Result::ok)
    }

    fn walk(&self) -> Walk<'a> {
        Walk {
            index: 0,
            entries: self.entries,
            manifest: self.manifest,
            before: self.manifest.len(),
            area: self.area,
        }
    }

    fn check_entries(&self) -> Result<(), BundleError> {
        let mut walk = self.walk();
        let mut last = "";
        while let Some(payload) = walk.next() {
            let payload = payload?;
            if !is_name(payload.name) || payload.name <= last {
                return Err(BundleError::BadName { index: walk.index - 1 });
            }
            last = payload.name;
        }
        if walk.manifest.is_empty() && walk.area.is_empty() { Ok(()) } else { Err(BundleError::BadManifest) }
    }
}

/// One payload of a [`Bundle`].
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// Its name.
    pub name: &'a str,
    unchecked: &'a [u8],
    checksum: u64,
}

impl<'a> Payload<'a> {
    /// Its bytes, after comparing all of them with the checksum.
    pub fn content(&self) -> Result<&'a [u8], BundleError> {
        if checksum(self.unchecked) == self.checksum {
            Ok(self.unchecked)
        } else {
            Err(BundleError::BadContent)
        }
    }
}

/// Goes through manifest and payloads side by side.
struct Walk<'a> {
    index: u32,
    entries: u32,
    manifest: &'a [u8],
    /// Length of the part in front of `area`, which decides the padding.
    before: usize,
    area: &'a [u8],
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Payload<'a>, BundleError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index == self.entries {
            return None;
        }
        let index = self.index;
        self.index += 1;
        Some(self.take().ok_or(BundleError::BadEntry { index }))
    }
}

impl<'a> Walk<'a> {
    fn take(&mut self) -> Option<Payload<'a>> {
        let (entry, manifest): (Entry<'a>, _) = postcard::take_from_bytes(self.manifest).ok()?;
        let (zeros, area) = self.area.split_at_checked(padding(self.before))?;
        let (content, behind) = area.split_at_checked(usize::try_from(entry.len).ok()?)?;
        if zeros.iter().any(|byte| *byte != 0) {
            return None;
        }
        (self.manifest, self.before, self.area) = (manifest, content.len(), behind);
        Some(Payload { name: entry.name, unchecked: content, checksum: entry.checksum })
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
