//! The configuration of a CPU pool.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::encoding::{self, DecodeError};
use super::name::checked;
use super::{Invalid, List, Ranged, Text, Uuid};

/// A CPU pool's name: letters, digits and `_ - . : / +`, from 1 to 63 of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PoolName(String);

impl PoolName {
    /// The longest name.
    pub const MAX: usize = 63;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// When it is empty, too long, or has a character that names cannot have.
    pub fn new(name: impl Into<String>) -> Result<Self, Invalid> {
        checked(name.into(), "_-.:/+", Self::MAX).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PoolName {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        Self::new(name)
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A CPU of the machine; see [`super::CpuSet::LIMIT`].
pub type CpuNumber = Ranged<0, 4095>;

/// A word that somebody keeps with a pool, and what it stands for.
pub type Remark = (Text<63>, Text<255>);

/// A CPU pool as it should be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolConfig {
    /// What it is called.
    pub name: PoolName,
    /// Its UUID.
    pub uuid: Uuid,
    /// Its scheduler. Whether there is such a one, the hypervisor knows.
    pub scheduler: Text<31>,
    /// How many CPUs it begins with.
    pub count: Ranged<1, 4096>,
    /// Those that it should have, as far as they are free.
    pub wanted: List<CpuNumber, 4096>,
    /// What somebody keeps with it.
    pub remarks: List<Remark, 16>,
}

impl PoolConfig {
    /// The configuration as bytes; `None` when they are too many.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        encoding::encode(self)
    }

    /// Reads what [`PoolConfig::encode`] wrote. Allocates no more than a small multiple of the input's length.
    ///
    /// # Errors
    ///
    /// When the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding::decode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_can_be() {
        for name in ["Pool-0", "a", "x/y:z+1._-", &"n".repeat(63)] {
            assert_eq!(PoolName::new(name).unwrap().as_str(), name);
        }
        for name in ["", "a b", "ä", "a\n", &"n".repeat(64)] {
            assert!(PoolName::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_pool_is_read_back_and_nothing_else_is() {
        let pool = PoolConfig {
            name: PoolName::new("fast").unwrap(),
            uuid: Uuid::from_bytes([7; 16]).unwrap(),
            scheduler: Text::new("sched", "credit").unwrap(),
            count: Ranged::new("cpus", 2).unwrap(),
            wanted: List::new("cpus", Vec::from([Ranged::new("cpus", 1).unwrap()])).unwrap(),
            remarks: List::default(),
        };
        let bytes = pool.encode().unwrap();
        assert_eq!(PoolConfig::decode(&bytes), Ok(pool));
        for length in 0..bytes.len() {
            assert!(PoolConfig::decode(&bytes[..length]).is_err(), "{length}");
        }
        assert!(PoolConfig::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
}
