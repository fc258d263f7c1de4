//! What can be wrong with a boot bundle. It is never our fault, and never the guest's: somebody made or copied it wrong.

use core::fmt;

use super::{Conflict, MAX_DOMAINS, MAX_PAYLOADS, VERSION};
use crate::config::{DecodeError, DomainName};

/// Why a bundle cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
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
    /// More domains than a bundle may have.
    TooManyDomains,
    /// A domain's record makes no sense.
    BadDomain {
        /// Which domain, from 0.
        index: u32,
    },
    /// A domain's configuration is not one.
    BadConfig {
        /// Which domain, from 0.
        index: u32,
        /// Why not.
        reason: DecodeError,
    },
    /// A domain cannot be started from this bundle.
    Conflict {
        /// Its name.
        name: DomainName,
        /// Why not.
        conflict: Conflict,
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
            Self::TooManyDomains => {
                write!(f, "it lists more than the {MAX_DOMAINS} domains that are allowed")
            }
            Self::BadDomain { index } => write!(f, "the entry of domain {index} is damaged"),
            Self::BadConfig { index, reason } => write!(f, "domain {index} cannot be used: {reason}"),
            Self::Conflict { name, conflict } => write!(f, "domain '{name}' {conflict}"),
            Self::BadContent => f.write_str("the contents of a payload are damaged"),
        }
    }
}

impl core::error::Error for BundleError {}

impl fmt::Display for Conflict {
    /// As what a domain does, without its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameTaken => "is there twice: names must differ",
            Self::UuidTaken => "has the UUID of one before it",
            Self::SecondAdmin => "is a second admin domain, and the machine has one serial line",
            Self::Bootloader => "has a boot loader, which nothing can run at boot: name a kernel instead",
            Self::Ramdisk => "has a ramdisk in the bundle or in its configuration, but not in both",
            Self::Memory => "and those before it want more memory than any machine has",
        })
    }
}
