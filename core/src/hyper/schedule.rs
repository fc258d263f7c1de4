//! Schedulers and CPU pools: what domains get of the physical CPUs, and which of these are whose.
//! Sources: `xen/domctl.h`, `xen/sysctl.h`.
#![forbid(unsafe_code)]

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::{CpuMap, DomId, Progress, Result, SchedulerKind, VcpuId};

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
    /// Takes a CPU from a pool. While a virtual CPU on it cannot be moved it says [`Progress::Again`]; then it is in no
    /// pool, and until it is done, or added again to the same pool, no other CPU can be taken from any.
    fn remove_pool_cpu(&self, pool: u32, cpu: u32) -> Result<Progress>;
    /// Moves a domain to a pool.
    fn move_domain(&self, domid: DomId, pool: u32) -> Result<()>;
    /// The CPUs that no pool has.
    fn free_cpus(&self) -> Result<CpuMap>;
}
