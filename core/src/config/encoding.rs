//! A configuration as bytes: the number of the schema, then postcard.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::DomainConfig;
use super::devices::Equipment;

/// The schema this code writes and reads. It changes whenever the encoding of any setting does.
pub const SCHEMA: u16 = 1;

/// The longest encoding of a configuration, in bytes.
pub const MAX_ENCODED: usize = 64 * 1024;

/// Why bytes are not a configuration. Whoever sent them is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// More than [`MAX_ENCODED`] bytes.
    TooLong,
    /// Written by a version of this project whose settings differ.
    Schema {
        /// The schema they were written in.
        found: u16,
    },
    /// They end early, go on after the end, or hold a setting that is not valid.
    Malformed,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the configuration is longer than {MAX_ENCODED} bytes"),
            Self::Schema { found } => {
                write!(f, "the configuration has schema {found}, this version knows schema {SCHEMA}")
            }
            Self::Malformed => f.write_str("the bytes are not a valid configuration"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// A configuration as bytes; `None` when there are more than [`MAX_ENCODED`] of them.
pub(super) fn encode(config: &impl Serialize) -> Option<Vec<u8>> {
    let bytes = postcard::to_extend(config, SCHEMA.to_le_bytes().to_vec()).ok()?;
    (bytes.len() <= MAX_ENCODED).then_some(bytes)
}

/// Reads what [`encode`] wrote. Allocates no more than a small multiple of the input's length.
pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    if bytes.len() > MAX_ENCODED {
        return Err(DecodeError::TooLong);
    }
    let (schema, body) = bytes.split_first_chunk().ok_or(DecodeError::Malformed)?;
    let found = u16::from_le_bytes(*schema);
    if found != SCHEMA {
        return Err(DecodeError::Schema { found });
    }
    match postcard::take_from_bytes(body) {
        Ok((config, [])) => Ok(config),
        _ => Err(DecodeError::Malformed),
    }
}

impl Equipment {
    /// The device as bytes; `None` when there are more than [`MAX_ENCODED`] of them.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        encode(self)
    }

    /// Reads what [`Equipment::encode`] wrote. Allocates no more than a small multiple of the input's length.
    ///
    /// # Errors
    ///
    /// When the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }
}

impl DomainConfig {
    /// The configuration as bytes; `None` when there are more than [`MAX_ENCODED`] of them.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        encode(self)
    }

    /// Reads what [`DomainConfig::encode`] wrote. Allocates no more than a small multiple of the input's length.
    ///
    /// # Errors
    ///
    /// When the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes)
    }
}
