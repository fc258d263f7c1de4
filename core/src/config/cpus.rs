//! Virtual CPUs, the physical CPUs they may use, and their share of them.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Invalid, List, Problem, Ranged};

/// How many virtual CPUs a domain has: some online at boot, never more than it can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct Vcpus {
    online: u32,
    max: u32,
}

impl Vcpus {
    /// The most virtual CPUs of any domain; [`Vcpus::LIMIT_PVH`] is lower.
    pub const LIMIT: u32 = 512;
    /// The most virtual CPUs of a PVH domain (`HVM_MAX_VCPUS`).
    pub const LIMIT_PVH: u32 = 128;

    /// `online` at boot out of `max`.
    ///
    /// # Errors
    ///
    /// When one of them is out of range, or more are online than exist.
    pub fn new(online: u32, max: u32) -> Result<Self, Invalid> {
        let range = Problem::OutOfRange { min: 1, max: u64::from(Self::LIMIT) };
        if online == 0 || online > Self::LIMIT {
            return Err(Invalid::new("vcpus", range));
        }
        if max == 0 || max > Self::LIMIT {
            return Err(Invalid::new("maxvcpus", range));
        }
        if online > max {
            return Err(Invalid::conflict("maxvcpus", "must not be less than vcpus"));
        }
        Ok(Self { online, max })
    }

    /// Those online at boot.
    #[must_use]
    pub const fn online(self) -> u32 {
        self.online
    }

    /// Those that exist.
    #[must_use]
    pub const fn max(self) -> u32 {
        self.max
    }
}

impl TryFrom<(u32, u32)> for Vcpus {
    type Error = Invalid;

    fn try_from((online, max): (u32, u32)) -> Result<Self, Invalid> {
        Self::new(online, max)
    }
}

impl From<Vcpus> for (u32, u32) {
    fn from(vcpus: Vcpus) -> Self {
        (vcpus.online, vcpus.max)
    }
}

/// A set of physical CPUs, numbers 0 to 4095, never empty.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "List<u64, 64>", into = "List<u64, 64>")]
pub struct CpuSet {
    /// Bit `n` of word `w` is CPU `64 w + n`; the last word is not zero.
    words: List<u64, 64>,
}

impl CpuSet {
    /// One more than the highest CPU number.
    pub const LIMIT: u32 = 4096;

    /// The CPUs of `cpus`, in any order.
    ///
    /// # Errors
    ///
    /// When there is none, or a number is too large.
    pub fn new(cpus: impl IntoIterator<Item = u32>) -> Result<Self, Invalid> {
        let mut words = Vec::new();
        for cpu in cpus {
            let range = Invalid::new("cpus", Problem::OutOfRange { min: 0, max: u64::from(Self::LIMIT) - 1 });
            if cpu >= Self::LIMIT {
                return Err(range);
            }
            let index = usize::try_from(cpu / 64).map_err(|_| range)?;
            if words.len() <= index {
                words.resize(index + 1, 0_u64);
            }
            if let Some(word) = words.get_mut(index) {
                *word |= 1 << (cpu % 64);
            }
        }
        Self::try_from(List::new("cpus", words)?)
    }

    /// The CPUs in rising order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(self.words.iter()).flat_map(|(w, word)| {
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| w * 64 + bit)
        })
    }

    /// The set as words, CPU 0 in the lowest bit of the first.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}

impl TryFrom<List<u64, 64>> for CpuSet {
    type Error = Invalid;

    fn try_from(words: List<u64, 64>) -> Result<Self, Invalid> {
        match words.last() {
            None => Err(Invalid::new("cpus", Problem::Empty)),
            Some(0) => Err(Invalid::form("cpus", "a set without trailing empty words")),
            Some(_) => Ok(Self { words }),
        }
    }
}

impl From<CpuSet> for List<u64, 64> {
    fn from(set: CpuSet) -> Self {
        set.words
    }
}

impl fmt::Display for CpuSet {
    /// As a list of ranges, `0-3,7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cpus = self.iter().peekable();
        let mut comma = "";
        while let Some(first) = cpus.next() {
            let mut last = first;
            while let Some(next) = cpus.next_if(|cpu| *cpu == last + 1) {
                last = next;
            }
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
            comma = ",";
        }
        Ok(())
    }
}

/// Which physical CPUs the virtual ones may use.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Affinity {
    /// All of them.
    #[default]
    Any,
    /// These, for every virtual CPU.
    Same(CpuSet),
    /// A set for each virtual CPU, from the first on; those without one may use all.
    PerVcpu(List<CpuSet, 512>),
}

impl Affinity {
    /// Those that one virtual CPU may use; `None` when these are all.
    #[must_use]
    pub fn of(&self, vcpu: u32) -> Option<&CpuSet> {
        match self {
            Self::Any => None,
            Self::Same(set) => Some(set),
            Self::PerVcpu(sets) => usize::try_from(vcpu).ok().and_then(|index| sets.get(index)),
        }
    }
}

/// A domain's share of the physical CPUs. What is not set is left to the scheduler.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Scheduling {
    /// Its weight against other domains.
    pub weight: Option<Weight>,
    /// The most it may use, in percent of one physical CPU; 0 is no limit.
    pub cap: Option<u32>,
    /// A reservation, for the rtds scheduler.
    pub reservation: Option<Reservation>,
}

/// A weight of the credit schedulers; 256 is the usual one.
pub type Weight = Ranged<1, 65535>;

/// CPU time promised to each virtual CPU: `budget` in every `period`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct Reservation {
    period: u32,
    budget: u32,
}

impl Reservation {
    /// `budget` microseconds in every `period` microseconds.
    ///
    /// # Errors
    ///
    /// When there is no budget, or it does not fit in the period.
    pub fn new(period: u32, budget: u32) -> Result<Self, Invalid> {
        if budget == 0 || budget > period {
            return Err(Invalid::conflict("budget", "must be at least 1 and at most the period"));
        }
        Ok(Self { period, budget })
    }

    /// The period, in microseconds.
    #[must_use]
    pub const fn period_us(self) -> u32 {
        self.period
    }

    /// The budget, in microseconds.
    #[must_use]
    pub const fn budget_us(self) -> u32 {
        self.budget
    }
}

impl TryFrom<(u32, u32)> for Reservation {
    type Error = Invalid;

    fn try_from((period, budget): (u32, u32)) -> Result<Self, Invalid> {
        Self::new(period, budget)
    }
}

impl From<Reservation> for (u32, u32) {
    fn from(reservation: Reservation) -> Self {
        (reservation.period, reservation.budget)
    }
}
