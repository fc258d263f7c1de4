//! Parts of the host that a domain gets for itself.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::{Invalid, Problem, Ranged};

/// Where a PCI function is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u16, u8, u8, u8)", into = "(u16, u8, u8, u8)")]
pub struct PciAddress {
    segment: u16,
    bus: u8,
    slot: u8,
    function: u8,
}

impl PciAddress {
    /// The function at this place.
    ///
    /// # Errors
    ///
    /// When the slot is above 31 or the function above 7.
    pub fn new(segment: u16, bus: u8, slot: u8, function: u8) -> Result<Self, Invalid> {
        if slot > 31 {
            return Err(Invalid::new("pci slot", Problem::OutOfRange { min: 0, max: 31 }));
        }
        if function > 7 {
            return Err(Invalid::new("pci function", Problem::OutOfRange { min: 0, max: 7 }));
        }
        Ok(Self { segment, bus, slot, function })
    }

    /// Segment (also called domain), bus, slot, function.
    #[must_use]
    pub const fn parts(self) -> (u16, u8, u8, u8) {
        (self.segment, self.bus, self.slot, self.function)
    }
}

impl FromStr for PciAddress {
    type Err = Invalid;

    /// Takes `0000:03:00.1`, and `03:00.1` in segment 0; all hexadecimal.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = Invalid::form("pci", "an address such as 0000:03:00.0 or 03:00.0");
        let byte = |text: &str| hex(text, 2).and_then(|n| u8::try_from(n).ok()).ok_or(wrong);
        let (place, function) = text.rsplit_once('.').ok_or(wrong)?;
        let (place, slot) = place.rsplit_once(':').ok_or(wrong)?;
        let (segment, bus) = place.rsplit_once(':').unwrap_or(("0", place));
        Self::new(hex(segment, 4).ok_or(wrong)?, byte(bus)?, byte(slot)?, byte(function)?)
    }
}

/// A hexadecimal number of at most `digits` digits.
fn hex(text: &str, digits: usize) -> Option<u16> {
    let plain = text.len() <= digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    u16::from_str_radix(text, 16).ok().filter(|_| plain)
}

impl TryFrom<(u16, u8, u8, u8)> for PciAddress {
    type Error = Invalid;

    fn try_from((segment, bus, slot, function): (u16, u8, u8, u8)) -> Result<Self, Invalid> {
        Self::new(segment, bus, slot, function)
    }
}

impl From<PciAddress> for (u16, u8, u8, u8) {
    fn from(address: PciAddress) -> Self {
        address.parts()
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.segment, self.bus, self.slot, self.function)
    }
}

/// One PCI function of the host.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PciDevice {
    /// Where it is on the host.
    pub address: PciAddress,
    /// The slot at which the guest sees it, when asked for.
    pub virtual_slot: Option<Ranged<0, 31>>,
    /// Message-signalled interrupts are offered as line interrupts, too.
    pub msi_translate: bool,
    /// The guest manages the device's power.
    pub power_management: bool,
    /// All of its configuration space is writable.
    pub permissive: bool,
}

/// A range of I/O ports of the host, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u16, u16)", into = "(u16, u16)")]
pub struct IoPorts {
    first: u16,
    last: u16,
}

impl IoPorts {
    /// The ports from `first` to `last`.
    ///
    /// # Errors
    ///
    /// When the last is before the first.
    pub fn new(first: u16, last: u16) -> Result<Self, Invalid> {
        if last < first {
            return Err(Invalid::conflict("ioports", "a range must not end before it starts"));
        }
        Ok(Self { first, last })
    }

    /// The first and the last port.
    #[must_use]
    pub const fn ends(self) -> (u16, u16) {
        (self.first, self.last)
    }
}

impl TryFrom<(u16, u16)> for IoPorts {
    type Error = Invalid;

    fn try_from((first, last): (u16, u16)) -> Result<Self, Invalid> {
        Self::new(first, last)
    }
}

impl From<IoPorts> for (u16, u16) {
    fn from(ports: IoPorts) -> Self {
        ports.ends()
    }
}

impl FromStr for IoPorts {
    type Err = Invalid;

    /// Takes `3f8` and `3f8-3ff`, hexadecimal.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = Invalid::form("ioports", "hexadecimal ports such as 2f8-2ff");
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Self::new(hex(first, 4).ok_or(wrong)?, hex(last, 4).ok_or(wrong)?)
    }
}

/// Frames of the host's memory-mapped registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub struct IoMemory {
    mfn: u64,
    count: u64,
    gfn: u64,
}

impl IoMemory {
    /// One more than the highest frame that x86 can address.
    const FRAMES: u64 = 1 << 40;

    /// `count` frames from `mfn` on, which the guest sees from `gfn` on.
    ///
    /// # Errors
    ///
    /// When there is none, or they end beyond the address space.
    pub fn new(mfn: u64, count: u64, gfn: u64) -> Result<Self, Invalid> {
        let fits = |start: u64| start.checked_add(count).is_some_and(|end| end <= Self::FRAMES);
        if count == 0 || !fits(mfn) || !fits(gfn) {
            return Err(Invalid::conflict("iomem", "must be at least one frame inside the address space"));
        }
        Ok(Self { mfn, count, gfn })
    }

    /// The first frame on the host, how many there are, the first frame in the guest.
    #[must_use]
    pub const fn parts(self) -> (u64, u64, u64) {
        (self.mfn, self.count, self.gfn)
    }
}

impl TryFrom<(u64, u64, u64)> for IoMemory {
    type Error = Invalid;

    fn try_from((mfn, count, gfn): (u64, u64, u64)) -> Result<Self, Invalid> {
        Self::new(mfn, count, gfn)
    }
}

impl From<IoMemory> for (u64, u64, u64) {
    fn from(memory: IoMemory) -> Self {
        memory.parts()
    }
}

impl FromStr for IoMemory {
    type Err = Invalid;

    /// Takes `fe000,2` and `fe000,2@f0000`, all hexadecimal: frame, frames, frame in the guest.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = Invalid::form("iomem", "hexadecimal frames such as fe000,2 or fe000,2@f0000");
        let frame =
            |text: &str| u64::from_str_radix(text, 16).ok().filter(|_| !text.starts_with('+')).ok_or(wrong);
        let (start, rest) = text.split_once(',').ok_or(wrong)?;
        let (count, gfn) = rest.split_once('@').unwrap_or((rest, start));
        Self::new(frame(start)?, frame(count)?, frame(gfn)?)
    }
}

/// An interrupt of the host.
pub type Irq = u8;
