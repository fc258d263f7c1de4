//! The number by which a guest knows a disk, and the name by which a person does.
//! Source: `docs/man/xen-vbd-interface.7` and the block majors of Linux.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::{Invalid, Ranged};

/// A virtual block device number, as it stands in XenStore.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct VirtualDevice(u32);

/// A family of device names: the letters, the partitions of a disk, and the majors it is spread over.
struct Family {
    prefix: &'static str,
    partition_bits: u32,
    disks_per_major: u32,
    majors: &'static [u32],
}

const SCSI: Family = Family {
    prefix: "sd",
    partition_bits: 4,
    disks_per_major: 16,
    majors: &[8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135],
};
const IDE: Family = Family {
    prefix: "hd",
    partition_bits: 6,
    disks_per_major: 2,
    majors: &[3, 22, 33, 34, 56, 57, 88, 89, 90, 91],
};
const XEN: Family = Family { prefix: "xvd", partition_bits: 4, disks_per_major: 16, majors: &[202] };

/// Disks from `xvdq` on have numbers of this form: the flag, the disk, eight bits of partition.
const EXTENDED: u32 = 1 << 28;
const EXTENDED_PARTITION_BITS: u32 = 8;
const EXTENDED_DISKS: u32 = 1 << 20;

impl VirtualDevice {
    /// The number, as it stands in XenStore.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// A device by its number, for names this project does not know.
    ///
    /// # Errors
    ///
    /// When it is above 29 bits.
    pub fn from_number(number: u32) -> Result<Self, Invalid> {
        Ranged::<0, { (EXTENDED << 1) - 1 }>::new("disk", number).map(|number| Self(number.get()))
    }

    /// Disk number `disk` of the Xen family, as a whole.
    fn xen(disk: u32, partition: u32) -> Option<Self> {
        if let Some(number) = XEN.number(disk, partition) {
            return Some(Self(number));
        }
        let fits = disk < EXTENDED_DISKS && partition < 1 << EXTENDED_PARTITION_BITS;
        fits.then_some(Self(EXTENDED | disk << EXTENDED_PARTITION_BITS | partition))
    }

    fn name(self) -> Option<String> {
        let extended = (self.0 & EXTENDED != 0).then_some(self.0 & !EXTENDED);
        let (prefix, (disk, partition)) = match extended {
            Some(rest) => (XEN.prefix, (rest >> EXTENDED_PARTITION_BITS, rest & 0xff)),
            None => [&SCSI, &IDE, &XEN].into_iter().find_map(|fam| Some((fam.prefix, fam.disk(self.0)?)))?,
        };
        let partition = if partition == 0 { String::new() } else { partition.to_string() };
        Some(format!("{prefix}{}{partition}", letters(disk)))
    }

    fn by_name(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_prefix('d')
            && let Some((disk, partition)) = rest.split_once('p')
            && let (Some(disk), Some(partition)) = (decimal(disk), decimal(partition))
        {
            return Self::xen(disk, partition);
        }
        for family in [&SCSI, &IDE] {
            if let Some((disk, partition)) = name.strip_prefix(family.prefix).and_then(disk_and_partition) {
                return family.number(disk, partition).map(Self);
            }
        }
        let (disk, partition) = name.strip_prefix(XEN.prefix).and_then(disk_and_partition)?;
        Self::xen(disk, partition)
    }
}

impl Family {
    fn number(&self, disk: u32, partition: u32) -> Option<u32> {
        let major = self.majors.get(usize::try_from(disk / self.disks_per_major).ok()?)?;
        let fits = partition < 1 << self.partition_bits;
        fits.then_some(major << 8 | (disk % self.disks_per_major) << self.partition_bits | partition)
    }

    fn disk(&self, number: u32) -> Option<(u32, u32)> {
        let index = (0_u32..).zip(self.majors).find(|(_, major)| **major == number >> 8)?.0;
        let minor = number & 0xff;
        let disk = index * self.disks_per_major + (minor >> self.partition_bits);
        Some((disk, minor & ((1 << self.partition_bits) - 1)))
    }
}

/// Splits `b7` into disk 1 and partition 7.
fn disk_and_partition(text: &str) -> Option<(u32, u32)> {
    let letters = text.len() - text.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
    let (letters, digits) = text.split_at_checked(letters)?;
    let partition = if digits.is_empty() { 0 } else { decimal(digits).filter(|n| *n > 0)? };
    let mut disk = 0_u32;
    for letter in letters.bytes() {
        disk = disk.checked_mul(26)?.checked_add(u32::from(letter - b'a') + 1)?;
    }
    Some((disk.checked_sub(1)?, partition))
}

/// A decimal number without sign or leading zeros.
fn decimal(text: &str) -> Option<u32> {
    let canonical = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| canonical && text.bytes().all(|b| b.is_ascii_digit()))
}

impl FromStr for VirtualDevice {
    type Err = Invalid;

    /// Takes `xvda`, `hda1`, `sdaa`, `d0p1`, each with or without `/dev/`, and numbers.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = Invalid::form("disk", "a virtual device such as xvda, xvdb1, hdc, sda or a number");
        let name = text.strip_prefix("/dev/").unwrap_or(text);
        let number = match name.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => decimal(name),
        };
        match number {
            Some(number) => Self::from_number(number),
            None => Self::by_name(name).ok_or(wrong),
        }
    }
}

impl TryFrom<u32> for VirtualDevice {
    type Error = Invalid;

    fn try_from(number: u32) -> Result<Self, Invalid> {
        Self::from_number(number)
    }
}

impl fmt::Display for VirtualDevice {
    /// The name, when there is one that means this very number; otherwise the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name().filter(|name| Self::by_name(name) == Some(*self)) {
            Some(name) => f.write_str(&name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The letters of disk number `disk`: a to z, aa, ab and so on.
fn letters(mut disk: u32) -> String {
    let mut letters = String::new();
    loop {
        letters.insert(0, char::from(b'a' + (disk % 26).to_le_bytes()[0]));
        if disk < 26 {
            return letters;
        }
        disk = disk / 26 - 1;
    }
}
