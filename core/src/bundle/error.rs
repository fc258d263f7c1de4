//! What can be wrong with a boot bundle. It is never our fault, and never the guest's: somebody made or copied it wrong.

use core::fmt;

use super::{MAX_PAYLOADS, VERSION};

/// Why a bundle cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BundleError {
    /// Shorter than a header.
    TooShort,
    /// Something else: the magic number is missing.
    NotABundle,
    /// Made for another version of the format.
    WrongVersion(u32),
    /// The header is damaged.
    BadHeader,
    /// More payloads than a bundle may have.
    TooMany(u32),
    /// Cut off, or something was appended.
    WrongLength {
        /// Bytes the header speaks of.
        stated: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The manifest is damaged.
    BadManifest,
    /// A name is not allowed, or names are not in order.
    BadName {
        /// Which payload, from 0.
        index: u32,
    },
    /// An entry of the manifest makes no sense, or its payload does not fit into the bundle.
    BadEntry {
        /// Which payload, from 0.
        index: u32,
    },
    /// A payload's bytes are not those that were put in.
    BadContent,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("it is shorter than a bundle's header"),
            Self::NotABundle => f.write_str("it is not a bundle made by xm-bundle"),
            Self::WrongVersion(version) => {
                write!(f, "it has format version {version}, this xendless reads version {VERSION}")
            }
            Self::BadHeader => f.write_str("its header is damaged"),
            Self::TooMany(count) => {
                write!(f, "it lists {count} payloads, at most {MAX_PAYLOADS} are allowed")
            }
            Self::WrongLength { stated, found } if found < stated => {
                write!(f, "it is cut off: {found} of {stated} bytes are there")
            }
            Self::WrongLength { stated, found } => {
                write!(f, "it has {found} bytes where {stated} are expected")
            }
            Self::BadManifest => f.write_str("its manifest is damaged"),
            Self::BadName { index } => {
                write!(f, "payload {index} has a name that is not allowed or not in order")
            }
            Self::BadEntry { index } => write!(f, "the entry of payload {index} is damaged"),
            Self::BadContent => f.write_str("the contents of a payload are damaged"),
        }
    }
}

impl core::error::Error for BundleError {}
