//! Network interfaces.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::config::{Designator, Invalid, Problem, Ranged, Text, Uuid};

/// A MAC address of one interface: never a group address, never all zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "[u8; 6]", into = "[u8; 6]")]
pub struct Mac([u8; 6]);

impl Mac {
    /// Checks an address.
    ///
    /// # Errors
    ///
    /// When it is a group address or all zeros.
    pub fn new(bytes: [u8; 6]) -> Result<Self, Invalid> {
        let [first, ..] = bytes;
        if first & 1 == 1 {
            return Err(Invalid::conflict(
                "mac",
                "is a group address (its first byte is odd), not an interface's",
            ));
        }
        if bytes == [0; 6] {
            return Err(Invalid::conflict("mac", "is all zeros"));
        }
        Ok(Self(bytes))
    }

    /// An address in the range that IEEE lists as Xen's, in the half of it that the classic tools used.
    #[must_use]
    pub const fn of_xen([a, b, c]: [u8; 3]) -> Self {
        Self([0x00, 0x16, 0x3e, a & 0x7f, b, c])
    }

    /// The first address made for a domain with this UUID that is not `used`. So a domain has the same ones in all of its
    /// lives.
    pub fn free(uuid: Uuid, used: impl Fn(Self) -> bool) -> Self {
        let made = |attempt: u64| {
            let [a, b, c, ..] = XxHash64::oneshot(attempt, &uuid.handle()).to_le_bytes();
            Self::of_xen([a, b, c])
        };
        // There are eight million of them, far more than there can be interfaces.
        (0..1 << 32).map(made).find(|mac| !used(*mac)).unwrap_or(made(0))
    }

    /// The bytes in the order in which they are sent.
    #[must_use]
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }
}

impl TryFrom<[u8; 6]> for Mac {
    type Error = Invalid;

    fn try_from(bytes: [u8; 6]) -> Result<Self, Invalid> {
        Self::new(bytes)
    }
}

impl From<Mac> for [u8; 6] {
    fn from(mac: Mac) -> Self {
        mac.0
    }
}

impl FromStr for Mac {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = Invalid::form("mac", "six hexadecimal bytes, as in 00:16:3e:01:02:03");
        let mut parts = text.split(':');
        let mut bytes = [0; 6];
        for byte in &mut bytes {
            let part =
                parts.next().filter(|p| matches!(p.len(), 1 | 2) && !p.starts_with('+')).ok_or(wrong)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| wrong)?;
        }
        if parts.next().is_some() { Err(wrong) } else { Self::new(bytes) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A limit on what an interface sends: some bytes in each interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct Rate {
    bytes: u32,
    interval: u32,
}

impl Rate {
    /// `bytes` in each `interval` of microseconds.
    ///
    /// # Errors
    ///
    /// When one of them is 0.
    pub fn new(bytes: u32, interval: u32) -> Result<Self, Invalid> {
        if bytes == 0 || interval == 0 {
            return Err(Invalid::conflict("rate", "must let at least one byte through"));
        }
        Ok(Self { bytes, interval })
    }

    /// Bytes in each interval, as the backend takes them.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        self.bytes
    }

    /// The interval in microseconds, as the backend takes it.
    #[must_use]
    pub const fn interval_us(self) -> u32 {
        self.interval
    }
}

impl TryFrom<(u32, u32)> for Rate {
    type Error = Invalid;

    fn try_from((bytes, interval): (u32, u32)) -> Result<Self, Invalid> {
        Self::new(bytes, interval)
    }
}

impl From<Rate> for (u32, u32) {
    fn from(rate: Rate) -> Self {
        (rate.bytes, rate.interval)
    }
}

impl FromStr for Rate {
    type Err = Invalid;

    /// Takes `10Mb/s`, `250KB/s` (b: bits, B: bytes), with an interval as in `1MB/s@20ms`; usually it is 50 ms.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = Invalid::form("rate", "an amount per second such as 10Mb/s, 250KB/s or 1MB/s@20ms");
        let (amount, interval) = text.split_once('@').unwrap_or((text, "50ms"));
        let (amount, bits) = match amount.strip_suffix("b/s") {
            Some(amount) => (amount, 8),
            None => (amount.strip_suffix("B/s").ok_or(wrong)?, 1),
        };
        let per_second =
            scaled(amount, &[('G', 1_000_000_000), ('M', 1_000_000), ('K', 1_000)]).ok_or(wrong)?;
        let seconds = interval.strip_suffix('s').ok_or(wrong)?;
        let interval = match seconds.strip_suffix('u') {
            Some(micros) => scaled(micros, &[]),
            None => scaled(seconds, &[('m', 1_000)])
                .map(|n| if seconds.ends_with('m') { n } else { n * 1_000_000 }),
        };
        let interval = interval.ok_or(wrong)?;
        let too_much = Invalid::new("rate", Problem::OutOfRange { min: 1, max: u64::from(u32::MAX) });
        let bytes = per_second.checked_mul(interval).ok_or(too_much)? / bits / 1_000_000;
        let bytes = u32::try_from(bytes).map_err(|_| too_much)?;
        Self::new(bytes, u32::try_from(interval).map_err(|_| too_much)?)
    }
}

/// A decimal number with at most one of the given units behind it.
fn scaled(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let unit = units.iter().find(|(unit, _)| text.ends_with(*unit));
    let (digits, factor) = match unit {
        Some((unit, factor)) => (text.strip_suffix(*unit)?, *factor),
        None => (text, 1),
    };
    let number: u32 = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
    u64::from(number).checked_mul(factor)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.bytes, self.interval)
    }
}

/// What the guest sees.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum VifModel {
    /// The paravirtual interface.
    #[default]
    Netfront,
    /// An emulated card of this model besides; there is no emulator, so it stays configuration.
    Emulated(Text<31>),
}

/// One network interface. What is not set is the backend's choice.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Vif {
    /// Its address.
    pub mac: Option<Mac>,
    /// The bridge it is put on.
    pub bridge: Option<Text<63>>,
    /// The interface it is routed through.
    pub gateway_dev: Option<Text<63>>,
    /// The address the guest will use, for the hotplug script.
    pub ip: Option<Text<255>>,
    /// The hotplug script, when not the usual one.
    pub script: Option<Text<255>>,
    /// The name of the backend's end.
    pub vifname: Option<Text<15>>,
    /// How much it may send.
    pub rate: Option<Rate>,
    /// What the guest sees.
    pub model: VifModel,
    /// The largest packet.
    pub mtu: Option<Ranged<68, 65_535>>,
    /// The domain that serves it, when not the usual one.
    pub backend: Option<Designator>,
    /// The guest is told not to trust the domain that serves it.
    pub untrusted_backend: bool,
}

impl Vif {
    /// Whether this is the same interface as another one: it has the same address.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.mac.is_some() && self.mac == other.mac
    }
}
