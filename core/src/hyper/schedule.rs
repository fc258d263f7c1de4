//! Schedulers and CPU pools: what domains get of the physical CPUs, and which of these are whose.
//! Sources: `xen/domctl.h`, `xen/sysctl.h`.
#![forbid(unsafe_code)]

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::{DomId, Result, SchedulerKind, VcpuId};

/// A domain's share under credit and credit2.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Share {
    /// Its weight against other domains, at least 1.
    pub weight: u16,
    /// The most it may use, in percent of one physical CPU; 0 is no limit.
    pub cap: u16,
}

/// What rtds promises to one virtual CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub struct Promise {
    /// Microseconds from one budget to the next.
    pub period_us: u32,
    /// Microseconds of CPU time in each period.
    pub budget_us: u32,
    /// It may also use what nobody else does.
    pub extra: bool,
}

/// A set of physical CPUs, numbers below [`CpuMap::LIMIT`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CpuMap([u64; Self::WORDS]);

impl CpuMap {
    /// One more than the highest number.
    pub const LIMIT: u32 = 4096;

    const WORDS: usize = 64;

    /// No CPUs.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; Self::WORDS])
    }

    /// Adds a CPU; one whose number is too large is none.
    pub fn insert(&mut self, cpu: u32) {
        if let Some(word) = usize::try_from(cpu / 64).ok().and_then(|at| self.0.get_mut(at)) {
            *word |= 1 << (cpu % 64);
        }
    }

    /// Whether a CPU is among them.
    #[must_use]
    pub fn contains(&self, cpu: u32) -> bool {
        let word = usize::try_from(cpu / 64).ok().and_then(|at| self.0.get(at));
        word.is_some_and(|word| word & 1 << (cpu % 64) != 0)
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Their numbers, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.0).flat_map(|(at, word)| {
            (0..64).filter(move |bit| word & 1 << bit != 0).map(move |bit| at * 64 + bit)
        })
    }

    /// The set as words, CPU 0 in the lowest bit of the first; no empty one stands at the end.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        let used = self.0.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        self.0.get(..used).unwrap_or_default()
    }

    /// All words, for Xen to fill.
    #[must_use]
    pub const fn words_mut(&mut self) -> &mut [u64; Self::WORDS] {
        &mut self.0
    }
}

impl Default for CpuMap {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<u32> for CpuMap {
    fn from_iter<I: IntoIterator<Item = u32>>(cpus: I) -> Self {
        let mut map = Self::new();
        cpus.into_iter().for_each(|cpu| map.insert(cpu));
        map
    }
}

/// A CPU pool as the hypervisor sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolInfo {
    /// Its number.
    pub id: u32,
    /// Its scheduler.
    pub scheduler: SchedulerKind,
    /// Domains that run in it.
    pub domains: u32,
    /// Its CPUs.
    pub cpus: CpuMap,
}

/// What schedulers give domains. A domain whose pool has another scheduler than the one that is asked gets `EINVAL`.
pub trait Schedulers {
    /// The share of a domain under `scheduler`, which is credit or credit2.
    fn share(&self, domid: DomId, scheduler: SchedulerKind) -> Result<Share>;
    /// Sets it.
    fn set_share(&self, domid: DomId, scheduler: SchedulerKind, share: Share) -> Result<()>;
    /// What rtds promises to the virtual CPUs of a domain from `first` on, all of which have to exist.
    fn promises(&self, domid: DomId, first: VcpuId, out: &mut [Option<Promise>]) -> Result<()>;
    /// Sets it for one virtual CPU.
    fn set_promise(&self, domid: DomId, vcpu: VcpuId, promise: Promise) -> Result<()>;
}

/// CPU pools.
pub trait CpuPools {
    /// Makes a pool without CPUs; returns its number.
    fn create_pool(&self, scheduler: SchedulerKind) -> Result<u32>;
    /// Takes a pool apart that has neither CPUs nor domains.
    fn destroy_pool(&self, pool: u32) -> Result<()>;
    /// The pool with the least number that is at least `first`; `None` when there is none.
    fn next_pool(&self, first: u32) -> Result<Option<PoolInfo>>;
    /// Gives a CPU that no pool has to a pool.
    fn add_pool_cpu(&self, pool: u32, cpu: u32) -> Result<()>;
    /// Takes a CPU from a pool.
    fn remove_pool_cpu(&self, pool: u32, cpu: u32) -> Result<()>;
    /// Moves a domain to a pool.
    fn move_domain(&self, domid: DomId, pool: u32) -> Result<()>;
    /// The CPUs that no pool has.
    fn free_cpus(&self) -> Result<CpuMap>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_map_of_cpus_is_a_set() {
        let map: CpuMap = [64, 0, 5, 5, CpuMap::LIMIT, u32::MAX].into_iter().collect();
        assert_eq!(map.iter().collect::<Vec<_>>(), [0, 5, 64]);
        assert_eq!((map.len(), map.words()), (3, [0x21, 1].as_slice()));
        assert!(map.contains(5) && !map.contains(6) && !map.contains(CpuMap::LIMIT));
        assert!(CpuMap::new().is_empty() && CpuMap::new().words().is_empty() && !map.is_empty());
    }
}
