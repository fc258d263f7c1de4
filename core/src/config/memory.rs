//! How much memory a domain has. The unit is always part of the name of the function.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Invalid, Problem};

/// An amount of memory: a whole number of 4 KiB pages, at least one, at most 16 TiB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct MemorySize {
    pages: u64,
}

impl MemorySize {
    /// What Xen for x86 can address.
    const MAX_PAGES: u64 = 1 << 32;
    const KIB_PER_PAGE: u64 = 4;
    const PAGES_PER_MIB: u64 = 256;

    /// `mib` mebibytes; `what` names the setting in the error.
    ///
    /// # Errors
    ///
    /// When it is nothing, or more than 16 TiB.
    pub const fn from_mib(what: &'static str, mib: u64) -> Result<Self, Invalid> {
        match mib.checked_mul(Self::PAGES_PER_MIB) {
            Some(pages) if pages > 0 && pages <= Self::MAX_PAGES => Ok(Self { pages }),
            _ => {
                let max = Self::MAX_PAGES / Self::PAGES_PER_MIB;
                Err(Invalid::new(what, Problem::OutOfRange { min: 1, max }))
            }
        }
    }

    /// `kib` kibibytes, rounded down to whole pages; `what` names the setting in the error.
    ///
    /// # Errors
    ///
    /// When it is less than a page, or more than 16 TiB.
    pub const fn from_kib(what: &'static str, kib: u64) -> Result<Self, Invalid> {
        let pages = kib / Self::KIB_PER_PAGE;
        if pages == 0 || pages > Self::MAX_PAGES {
            let (min, max) = (Self::KIB_PER_PAGE, Self::MAX_PAGES * Self::KIB_PER_PAGE);
            return Err(Invalid::new(what, Problem::OutOfRange { min, max }));
        }
        Ok(Self { pages })
    }

    /// In pages of 4 KiB.
    #[must_use]
    pub const fn pages(self) -> u64 {
        self.pages
    }

    /// In KiB.
    #[must_use]
    pub const fn kib(self) -> u64 {
        self.pages * Self::KIB_PER_PAGE
    }

    /// In MiB, rounded down.
    #[must_use]
    pub const fn mib(self) -> u64 {
        self.pages / Self::PAGES_PER_MIB
    }
}

impl TryFrom<u64> for MemorySize {
    type Error = Invalid;

    fn try_from(pages: u64) -> Result<Self, Invalid> {
        match pages.checked_mul(Self::KIB_PER_PAGE) {
            Some(kib) => Self::from_kib("memory", kib),
            None => Err(Invalid::new("memory", Problem::OutOfRange { min: 1, max: Self::MAX_PAGES })),
        }
    }
}

impl From<MemorySize> for u64 {
    fn from(size: MemorySize) -> Self {
        size.pages
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pages.is_multiple_of(Self::PAGES_PER_MIB) {
            write!(f, "{} MiB", self.mib())
        } else {
            write!(f, "{} KiB", self.kib())
        }
    }
}

/// A domain's memory: what it starts with, never more than what it can grow to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(MemorySize, MemorySize)", into = "(MemorySize, MemorySize)")]
pub struct Memory {
    initial: MemorySize,
    maximum: MemorySize,
}

impl Memory {
    /// `initial` at the start, up to `maximum` by ballooning.
    ///
    /// # Errors
    ///
    /// When the start is above the maximum.
    pub fn new(initial: MemorySize, maximum: MemorySize) -> Result<Self, Invalid> {
        if initial > maximum {
            return Err(Invalid::conflict("maxmem", "must not be less than memory"));
        }
        Ok(Self { initial, maximum })
    }

    /// What the domain starts with.
    #[must_use]
    pub const fn initial(self) -> MemorySize {
        self.initial
    }

    /// What the domain can grow to.
    #[must_use]
    pub const fn maximum(self) -> MemorySize {
        self.maximum
    }
}

impl TryFrom<(MemorySize, MemorySize)> for Memory {
    type Error = Invalid;

    fn try_from((initial, maximum): (MemorySize, MemorySize)) -> Result<Self, Invalid> {
        Self::new(initial, maximum)
    }
}

impl From<Memory> for (MemorySize, MemorySize) {
    fn from(memory: Memory) -> Self {
        (memory.initial, memory.maximum)
    }
}
