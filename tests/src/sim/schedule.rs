//! Schedulers and CPU pools. Refusals follow `common/sched/{core,credit,credit2,rt,cpupool}.c` of Xen.

use std::collections::{BTreeMap, BTreeSet};

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    Call, CpuMap, CpuPools, DomId, PoolInfo, Progress, Promise, Result, SchedulerKind, Schedulers, Share,
    VcpuId,
};

use super::machine::Machine;
use super::{Answer, SimDomain};

/// What a new domain has (`CSCHED_DEFAULT_WEIGHT`).
const SHARE: Share = Share { weight: 256, cap: 0 };
/// What a new virtual CPU has (`RTDS_DEFAULT_*`), in microseconds.
const PROMISE: Promise = Promise { period_us: 10_000, budget_us: 4_000, extra: true };
/// `RTDS_MAX_PERIOD`, `RTDS_MIN_PERIOD` and `RTDS_MIN_BUDGET` in microseconds.
const LONGEST_US: u32 = 31 * 24 * 60 * 60;
const SHORTEST_US: u32 = 10;

/// How long the hypervisor tries to take a CPU away on which something cannot be moved.
const STICKY_NS: u64 = 10_000_000;

/// A CPU pool.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) scheduler: SchedulerKind,
    pub(super) cpus: BTreeSet<u32>,
}

/// What a domain has under its scheduler. It is lost when the domain moves to another pool.
#[derive(Clone, Debug)]
pub(super) struct Scheduled {
    share: Share,
    promises: BTreeMap<u32, Promise>,
}

impl Default for Scheduled {
    fn default() -> Self {
        Self { share: SHARE, promises: BTreeMap::new() }
    }
}

impl Machine {
    /// The pools of a machine that starts: one with all CPUs.
    pub(super) fn first_pools(cpus: u32) -> BTreeMap<u32, Pool> {
        [(0, Pool { scheduler: SchedulerKind::Credit2, cpus: (0..cpus).collect() })].into()
    }

    fn free(&self) -> CpuMap {
        let taken = |cpu: &u32| self.pools.values().any(|pool| pool.cpus.contains(cpu));
        (0..self.config.cpus).filter(|cpu| !taken(cpu)).collect()
    }

    fn domains_in(&self, pool: u32) -> u32 {
        self.domains.values().filter(|domain| domain.cpupool == pool).count() as u32
    }

    /// `sched_adjust`: the caller has to name the right scheduler.
    fn scheduled(&mut self, me: DomId, domid: DomId, kind: SchedulerKind) -> Answer<&mut Scheduled> {
        let pool = self.domctl(me, domid)?.cpupool;
        if self.pools[&pool].scheduler != kind {
            return Err(Errno::EINVAL);
        }
        Ok(&mut self.domain_mut(domid)?.scheduled)
    }

    fn pool_mut(&mut self, me: DomId, id: u32) -> Answer<&mut Pool> {
        self.sysctl(me)?;
        self.pools.get_mut(&id).ok_or(Errno::ENOENT)
    }

    fn create_pool(&mut self, me: DomId, scheduler: SchedulerKind) -> Answer<u32> {
        self.sysctl(me)?;
        let known = [SchedulerKind::Credit, SchedulerKind::Credit2, SchedulerKind::Rtds];
        if !known.contains(&scheduler) {
            return Err(Errno::ENOENT);
        }
        let id = (0..).find(|id| !self.pools.contains_key(id)).ok_or(Errno::ENOSPC)?;
        self.pools.insert(id, Pool { scheduler, cpus: BTreeSet::new() });
        Ok(id)
    }

    fn destroy_pool(&mut self, me: DomId, id: u32) -> Answer<()> {
        let domains = self.domains_in(id);
        if domains > 0 || !self.pool_mut(me, id)?.cpus.is_empty() {
            return Err(Errno::EBUSY);
        }
        self.pools.remove(&id);
        Ok(())
    }

    fn add_cpu(&mut self, me: DomId, id: u32, cpu: u32) -> Answer<()> {
        self.pool_mut(me, id)?;
        if !self.free().contains(cpu) {
            return Err(Errno::ENODEV);
        }
        match self.moving_cpu {
            Some((from, moving)) if moving == cpu && from != id => return Err(Errno::EADDRNOTAVAIL),
            Some((_, moving)) if moving == cpu => self.moving_cpu = None,
            _ => {}
        }
        self.pool_mut(me, id)?.cpus.insert(cpu);
        Ok(())
    }

    /// `cpupool_unassign_cpu`.
    fn remove_cpu(&mut self, me: DomId, id: u32, cpu: u32) -> Answer<Progress> {
        let (domains, cpus) = (self.domains_in(id), self.config.cpus);
        let moving = self.moving_cpu;
        let pool = self.pool_mut(me, id)?;
        if (id == 0 && cpu == 0) || cpu >= cpus {
            return Err(Errno::EINVAL);
        }
        let again = moving == Some((id, cpu));
        if !again && (moving.is_some() || !pool.cpus.contains(&cpu)) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if !again && pool.cpus.len() == 1 && domains > 0 {
            return Err(Errno::EBUSY);
        }
        pool.cpus.remove(&cpu);
        if self.sticky_cpus > 0 {
            self.sticky_cpus -= 1;
            // Xen tries for a while itself.
            self.advance(STICKY_NS);
            self.moving_cpu = Some((id, cpu));
            return Ok(Progress::Again);
        }
        self.moving_cpu = None;
        Ok(Progress::Done)
    }

    fn move_domain(&mut self, me: DomId, domid: DomId, id: u32) -> Answer<()> {
        self.sysctl(me)?;
        if domid == me {
            return Err(Errno::EINVAL);
        }
        if self.domain(domid)?.cpupool == id {
            return Ok(());
        }
        if self.pool_mut(me, id)?.cpus.is_empty() {
            return Err(Errno::ENOENT);
        }
        let domain = self.domain_mut(domid)?;
        (domain.cpupool, domain.scheduled) = (id, Scheduled::default());
        // `sched_move_domain`: everywhere again.
        domain.affinity.clear();
        Ok(())
    }
}

impl Schedulers for SimDomain {
    fn share(&self, domid: DomId, scheduler: SchedulerKind) -> Result<Share> {
        self.call(Call::SchedulerGet, |machine, me| Ok(machine.scheduled(me, domid, scheduler)?.share))
    }

    fn set_share(&self, domid: DomId, scheduler: SchedulerKind, share: Share) -> Result<()> {
        self.call(Call::SchedulerSet, |machine, me| {
            machine.scheduled(me, domid, scheduler)?.share = share;
            Ok(())
        })
    }

    fn promises(&self, domid: DomId, first: VcpuId, out: &mut [Option<Promise>]) -> Result<()> {
        self.call(Call::SchedulerGet, |machine, me| {
            let vcpus = machine.domctl(me, domid)?.vcpus;
            let scheduled = machine.scheduled(me, domid, SchedulerKind::Rtds)?;
            for (vcpu, promise) in (first.0..).zip(out) {
                if vcpu >= vcpus {
                    return Err(Errno::EINVAL);
                }
                *promise = Some(scheduled.promises.get(&vcpu).copied().unwrap_or(PROMISE));
            }
            Ok(())
        })
    }

    fn set_promise(&self, domid: DomId, vcpu: VcpuId, promise: Promise) -> Result<()> {
        self.call(Call::SchedulerSet, |machine, me| {
            let vcpus = machine.domctl(me, domid)?.vcpus;
            let scheduled = machine.scheduled(me, domid, SchedulerKind::Rtds)?;
            let Promise { period_us, budget_us, .. } = promise;
            let possible = (SHORTEST_US..=LONGEST_US.saturating_mul(1000)).contains(&period_us)
                && (SHORTEST_US..=period_us).contains(&budget_us);
            if vcpu.0 >= vcpus || !possible {
                return Err(Errno::EINVAL);
            }
            scheduled.promises.insert(vcpu.0, promise);
            Ok(())
        })
    }
}

impl CpuPools for SimDomain {
    fn create_pool(&self, scheduler: SchedulerKind) -> Result<u32> {
        self.call(Call::PoolCreate, |machine, me| machine.create_pool(me, scheduler))
    }

    fn destroy_pool(&self, pool: u32) -> Result<()> {
        self.call(Call::PoolDestroy, |machine, me| machine.destroy_pool(me, pool))
    }

    fn next_pool(&self, first: u32) -> Result<Option<PoolInfo>> {
        self.call(Call::PoolInfo, |machine, me| {
            machine.sysctl(me)?;
            let found = machine.pools.range(first..).next();
            Ok(found.map(|(id, pool)| PoolInfo {
                id: *id,
                scheduler: pool.scheduler,
                domains: machine.domains_in(*id),
                cpus: pool.cpus.iter().copied().collect(),
            }))
        })
    }

    fn add_pool_cpu(&self, pool: u32, cpu: u32) -> Result<()> {
        self.call(Call::PoolAddCpu, |machine, me| machine.add_cpu(me, pool, cpu))
    }

    fn remove_pool_cpu(&self, pool: u32, cpu: u32) -> Result<Progress> {
        self.call(Call::PoolRemoveCpu, |machine, me| machine.remove_cpu(me, pool, cpu))
    }

    fn move_domain(&self, domid: DomId, pool: u32) -> Result<()> {
        self.call(Call::PoolMoveDomain, |machine, me| machine.move_domain(me, domid, pool))
    }

    fn free_cpus(&self) -> Result<CpuMap> {
        self.call(Call::PoolFreeInfo, |machine, me| {
            machine.sysctl(me)?;
            Ok(machine.free())
        })
    }
}
