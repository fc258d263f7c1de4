//! Why a bundle cannot be made.

use std::fmt;
use std::path::PathBuf;

use xendless_core::bundle::{BundleError, MAX_NAME, MAX_PAYLOADS};
use xendless_core::config::{DomainName, MAX_ENCODED};

use crate::config::diagnostic::Errors;

/// Why a bundle cannot be made of what was given.
#[derive(Debug)]
pub enum MakeError {
    /// A name that a payload may not have.
    BadName(String),
    /// A name given twice.
    Twice(String),
    /// More payloads than a bundle may have.
    TooMany,
    /// A domain whose kernel would come from a boot loader.
    Bootloader(DomainName),
    /// A domain whose configuration is too long.
    TooLong(DomainName),
    /// The manifest could not be encoded.
    Encode(postcard::Error),
    /// What was given does not go together.
    Unusable(BundleError),
    /// A file could not be read.
    Read(PathBuf, std::io::Error),
    /// A configuration is wrong.
    Config(Errors),
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
            Self::Bootloader(name) => write!(
                f,
                "domain '{name}' has a boot loader, which nothing can run at boot: name a kernel instead"
            ),
            Self::TooLong(name) => {
                write!(f, "the configuration of domain '{name}' is longer than {MAX_ENCODED} bytes")
            }
            Self::Encode(error) => write!(f, "the manifest cannot be encoded: {error}"),
            Self::Unusable(error) => write!(f, "no bundle can be made of this: {error}"),
            Self::Read(path, error) => {
                write!(f, "cannot read {}: {error}", path.to_string_lossy().escape_debug())
            }
            Self::Config(errors) => errors.fmt(f),
        }
    }
}

impl std::error::Error for MakeError {}
