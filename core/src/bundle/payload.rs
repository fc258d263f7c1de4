//! The files in a bundle.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::header::{ALIGNMENT, checksum};
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
        if checksum(self.unchecked) == self.checksum {
            Ok(self.unchecked)
        } else {
            Err(BundleError::BadContent)
        }
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
