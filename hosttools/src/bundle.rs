//! Writing boot bundles. The format, and reading it, stand in `xendless_core::bundle`.

use std::collections::BTreeMap;
use std::fmt;

use xendless_core::bundle::{Entry, HEADER_LEN, Header, MAX_NAME, MAX_PAYLOADS, checksum, is_name, padding};

/// A boot bundle in the making.
#[derive(Debug, Default)]
pub struct Maker {
    payloads: BTreeMap<String, Vec<u8>>,
}

impl Maker {
    /// A bundle with nothing in it, which is a valid one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `content` in under `name`.
    pub fn add(&mut self, name: &str, content: Vec<u8>) -> Result<(), MakeError> {
        if !is_name(name) {
            return Err(MakeError::BadName(name.into()));
        }
        if self.payloads.contains_key(name) {
            return Err(MakeError::Twice(name.into()));
        }
        if self.payloads.len() >= MAX_PAYLOADS as usize {
            return Err(MakeError::TooMany);
        }
        self.payloads.insert(name.into(), content);
        Ok(())
    }

    /// The bundle's bytes. The same payloads always give the same bytes.
    pub fn make(&self) -> Result<Vec<u8>, MakeError> {
        let mut manifest = Vec::new();
        let mut area = Vec::new();
        for (name, content) in &self.payloads {
            let entry = Entry { name, len: content.len() as u64, checksum: checksum(content) };
            manifest = postcard::to_extend(&entry, manifest).map_err(MakeError::Encode)?;
        }
        let mut before = manifest.len();
        for content in self.payloads.values() {
            area.resize(area.len() + padding(before), 0);
            area.extend_from_slice(content);
            before = content.len();
        }
        let count = u32::try_from(self.payloads.len()).map_err(|_| MakeError::TooMany)?;
        let total = (HEADER_LEN + manifest.len() + area.len()) as u64;
        let header = Header::new(count, &manifest, total);
        Ok([&header.to_bytes()[..], &manifest, &area].concat())
    }
}

/// Why a bundle cannot be made of what was given.
#[derive(Debug)]
pub enum MakeError {
    /// A name that a payload may not have.
    BadName(String),
    /// A name given twice.
    Twice(String),
    /// More payloads than a bundle may have.
    TooMany,
    /// The manifest could not be encoded.
    Encode(postcard::Error),
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName(name) => write!(
                f,
                "'{}' cannot be a payload's name: use 1 to {MAX_NAME} printable ASCII characters without spaces",
                name.escape_debug()
            ),
            Self::Twice(name) => write!(f, "two payloads are called '{name}'"),
            Self::TooMany => write!(f, "a bundle holds at most {MAX_PAYLOADS} payloads"),
            Self::Encode(error) => write!(f, "the manifest cannot be encoded: {error}"),
        }
    }
}

impl std::error::Error for MakeError {}
