//! What a domain is called: its name and its UUID.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Invalid, Problem};
use crate::hyper::{DomId, DomainHandle};

/// A name of letters, digits and `signs`, from 1 to `max` of them.
pub(super) fn checked(name: String, signs: &str, max: usize) -> Result<String, Invalid> {
    let bad = |c: &char| !(c.is_ascii_alphanumeric() || signs.contains(*c));
    match name.chars().find(bad) {
        _ if name.is_empty() => Err(Invalid::new("name", Problem::Empty)),
        _ if name.len() > max => Err(Invalid::new("name", Problem::TooLong { max })),
        Some(c) => Err(Invalid::new("name", Problem::Character(c))),
        None => Ok(name),
    }
}

/// A domain's name: letters, digits and `_ - . : +`, from 1 to 255 of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DomainName(String);

impl DomainName {
    /// The longest name.
    pub const MAX: usize = 255;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// When it is empty, too long, or has a character names cannot have.
    pub fn new(name: impl Into<String>) -> Result<Self, Invalid> {
        checked(name.into(), "_-.:+", Self::MAX).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DomainName {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        Self::new(name)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A domain's UUID. All zeros is the initial domain's and cannot be given to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "DomainHandle", into = "DomainHandle")]
pub struct Uuid(DomainHandle);

impl Uuid {
    /// From the bytes in the order in which they are printed.
    ///
    /// # Errors
    ///
    /// When all are zero.
    pub fn from_bytes(bytes: DomainHandle) -> Result<Self, Invalid> {
        if bytes == [0; 16] {
            return Err(Invalid::conflict("uuid", "all zeros is the UUID of the initial domain"));
        }
        Ok(Self(bytes))
    }

    /// The bytes in the order in which they are printed, as Xen takes them.
    #[must_use]
    pub const fn handle(self) -> DomainHandle {
        self.0
    }
}

impl TryFrom<DomainHandle> for Uuid {
    type Error = Invalid;

    fn try_from(bytes: DomainHandle) -> Result<Self, Invalid> {
        Self::from_bytes(bytes)
    }
}

impl From<Uuid> for DomainHandle {
    fn from(uuid: Uuid) -> Self {
        uuid.0
    }
}

impl FromStr for Uuid {
    type Err = Invalid;

    /// Takes 32 hexadecimal digits with hyphens anywhere between two of them.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong =
            Invalid::form("uuid", "32 hexadecimal digits, as in 5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11");
        let mut digits = text.chars().filter(|c| *c != '-');
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            for _ in 0..2 {
                let digit = digits.next().and_then(|c| c.to_digit(16)).ok_or(wrong)?;
                *byte = *byte << 4 | u8::try_from(digit).map_err(|_| wrong)?;
            }
        }
        if digits.next().is_some() { Err(wrong) } else { Self::from_bytes(bytes) }
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PrintedUuid(self.0).fmt(f)
    }
}

/// A UUID as it is printed; all zeros, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PrintedUuid(pub DomainHandle);

impl fmt::Display for PrintedUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

/// Which domain is meant, where a setting names another domain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Designator {
    /// The domain with this id.
    Id(DomId),
    /// The domain with this name.
    Name(DomainName),
}

impl FromStr for Designator {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.parse().map(DomId) {
            Ok(domid) if domid.is_domain() => Ok(Self::Id(domid)),
            Ok(_) => Err(Invalid::new(
                "backend",
                Problem::OutOfRange { min: 0, max: u64::from(DomId::FIRST_RESERVED) - 1 },
            )),
            Err(_) => DomainName::new(text).map(Self::Name).map_err(|e| Invalid::new("backend", e.problem)),
        }
    }
}

impl TryFrom<String> for Designator {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Designator> for String {
    fn from(designator: Designator) -> Self {
        alloc::format!("{designator}")
    }
}

impl fmt::Display for Designator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(domid) => domid.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
