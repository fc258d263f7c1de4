//! The files in a bundle.

use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::header::ALIGNMENT;
use super::{BundleError, MAX_NAME};

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

/// Bytes compared in one step: some 250,000 instructions.
pub const CHECK_STEP: usize = 512 << 10;

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

/// One payload of a [`Bundle`](super::Bundle).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload<'a> {
    /// Its name.
    pub name: &'a str,
    unchecked: &'a [u8],
    checksum: u64,
}

impl<'a> Payload<'a> {
    /// Its bytes, after comparing all of them with the checksum.
    pub fn content(&self) -> Result<&'a [u8], BundleError> {
        let mut check = self.check();
        loop {
            if let Some(content) = check.step()? {
                return Ok(content);
            }
        }
    }

    /// Begins to compare its bytes with the checksum.
    #[must_use]
    pub fn check(&self) -> Check<'a> {
        Check { payload: *self, left: self.unchecked, hasher: XxHash64::with_seed(0) }
    }
}

/// A payload whose bytes are being compared with its checksum.
pub struct Check<'a> {
    payload: Payload<'a>,
    left: &'a [u8],
    hasher: XxHash64,
}

impl<'a> Check<'a> {
    /// The payload's name.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.payload.name
    }

    /// Goes through the next [`CHECK_STEP`] bytes; gives all of them once all are right.
    pub fn step(&mut self) -> Result<Option<&'a [u8]>, BundleError> {
        let (piece, left) = self.left.split_at_checked(CHECK_STEP).unwrap_or((self.left, &[]));
        self.hasher.write(piece);
        self.left = left;
        if !left.is_empty() {
            return Ok(None);
        }
        if self.hasher.finish() == self.payload.checksum {
            Ok(Some(self.payload.unchecked))
        } else {
            Err(BundleError::BadContent)
        }
    }
}

impl fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({}, {} bytes left)", self.name(), self.left.len())
    }
}

/// Goes through the first `count` records of the manifest and the payloads behind it, side by side. Gives the
/// payloads, which take up all of `area`, and the rest of the manifest.
pub(super) fn read<'a>(
    count: u32,
    manifest: &'a [u8],
    area: &'a [u8],
) -> Result<(Vec<Payload<'a>>, &'a [u8]), BundleError> {
    let mut walk = Walk { manifest, before: manifest.len(), area };
    let mut payloads = Vec::new();
    let mut last = "";
    for index in 0..count {
        let payload = walk.take().ok_or(BundleError::BadEntry { index })?;
        if !is_name(payload.name) || payload.name <= last {
            return Err(BundleError::BadName { index });
        }
        last = payload.name;
        payloads.push(payload);
    }
    if walk.area.is_empty() { Ok((payloads, walk.manifest)) } else { Err(BundleError::BadManifest) }
}

struct Walk<'a> {
    manifest: &'a [u8],
    /// Length of the part in front of `area`, which decides the padding.
    before: usize,
    area: &'a [u8],
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
