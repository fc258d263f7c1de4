//! Schedulers and CPU pools.

use xendless_core::abi::domctl::SCHEDULER_OP;
use xendless_core::abi::domctl::sched::{SchedParamVcpu, SchedVcpus, SchedulerOp};
use xendless_core::abi::errno::Errno;
use xendless_core::abi::sysctl::CPUPOOL_OP;
use xendless_core::abi::sysctl::sched::{
    CpupoolOp, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, XEN_SYSCTL_CPUPOOL_OP_CREATE, XEN_SYSCTL_CPUPOOL_OP_DESTROY,
    XEN_SYSCTL_CPUPOOL_OP_FREEINFO, XEN_SYSCTL_CPUPOOL_OP_INFO, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN,
    XEN_SYSCTL_CPUPOOL_OP_RMCPU, XEN_SYSCTL_CPUPOOL_PAR_ANY,
};
use xendless_core::hyper::encode::cpus::bitmap;
use xendless_core::hyper::{
    Call, CpuMap, CpuPools, DomId, HvError, PoolInfo, Progress, Promise, Result, SchedulerKind, Schedulers,
    Share, VcpuId,
};

use super::Xen;
use super::control::{do_domctl, do_sysctl};

/// Virtual CPUs that one call asks about.
const BATCH: usize = 32;

impl Schedulers for Xen {
    fn share(&self, domid: DomId, scheduler: SchedulerKind) -> Result<Share> {
        let answer = self.scheduler_op(Call::SchedulerGet, domid, &Share::question(scheduler))?;
        Ok(Share::answered(&answer))
    }

    fn set_share(&self, domid: DomId, scheduler: SchedulerKind, share: Share) -> Result<()> {
        self.scheduler_op(Call::SchedulerSet, domid, &share.order(scheduler)).map(drop)
    }

    fn promises(&self, domid: DomId, first: VcpuId, out: &mut [Option<Promise>]) -> Result<()> {
        let mut vcpu = first.0;
        for chunk in out.chunks_mut(BATCH) {
            let mut batch = [SchedParamVcpu::ZERO; BATCH];
            let (batch, _) = batch.split_at_mut(chunk.len());
            for (param, id) in batch.iter_mut().zip(vcpu..) {
                param.vcpuid = id;
            }
            self.promise_op(Call::SchedulerGet, domid, batch)?;
            for (promise, param) in chunk.iter_mut().zip(batch.iter()) {
                *promise = Some(Promise::from(param));
                vcpu = vcpu.saturating_add(1);
            }
        }
        Ok(())
    }

    fn set_promise(&self, domid: DomId, vcpu: VcpuId, promise: Promise) -> Result<()> {
        self.promise_op(Call::SchedulerSet, domid, &mut [promise.to_param(vcpu)])
    }
}

impl CpuPools for Xen {
    fn create_pool(&self, scheduler: SchedulerKind) -> Result<u32> {
        let argument = CpupoolOp {
            op: XEN_SYSCTL_CPUPOOL_OP_CREATE,
            cpupool_id: XEN_SYSCTL_CPUPOOL_PAR_ANY,
            sched_id: scheduler.code(),
            ..CpupoolOp::ZERO
        };
        Ok(self.pool_op(Call::PoolCreate, &argument)?.cpupool_id)
    }

    fn destroy_pool(&self, pool: u32) -> Result<()> {
        let op = XEN_SYSCTL_CPUPOOL_OP_DESTROY;
        self.pool_op(Call::PoolDestroy, &CpupoolOp { op, cpupool_id: pool, ..CpupoolOp::ZERO }).map(drop)
    }

    fn next_pool(&self, first: u32) -> Result<Option<PoolInfo>> {
        let op = XEN_SYSCTL_CPUPOOL_OP_INFO;
        let argument = CpupoolOp { op, cpupool_id: first, ..CpupoolOp::ZERO };
        match self.pool_cpus(Call::PoolInfo, argument) {
            Ok((answer, cpus)) => Ok(Some(PoolInfo::answered(&answer, cpus))),
            Err(HvError { errno: Errno::ENOENT, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn add_pool_cpu(&self, pool: u32, cpu: u32) -> Result<()> {
        let op = XEN_SYSCTL_CPUPOOL_OP_ADDCPU;
        self.pool_op(Call::PoolAddCpu, &CpupoolOp { op, cpupool_id: pool, cpu, ..CpupoolOp::ZERO }).map(drop)
    }

    fn remove_pool_cpu(&self, pool: u32, cpu: u32) -> Result<Progress> {
        let op = XEN_SYSCTL_CPUPOOL_OP_RMCPU;
        let argument = CpupoolOp { op, cpupool_id: pool, cpu, ..CpupoolOp::ZERO };
        match self.pool_op(Call::PoolRemoveCpu, &argument) {
            Ok(_) => Ok(Progress::Done),
            // A virtual CPU on it is at work in Xen, or pinned for a moment.
            Err(HvError { errno: Errno::EAGAIN | Errno::EADDRINUSE, .. }) => Ok(Progress::Again),
            Err(error) => Err(error),
        }
    }

    fn move_domain(&self, domid: DomId, pool: u32) -> Result<()> {
        let op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN;
        let argument = CpupoolOp { op, cpupool_id: pool, domid: domid.0.into(), ..CpupoolOp::ZERO };
        self.pool_op(Call::PoolMoveDomain, &argument).map(drop)
    }

    fn free_cpus(&self) -> Result<CpuMap> {
        let argument = CpupoolOp { op: XEN_SYSCTL_CPUPOOL_OP_FREEINFO, ..CpupoolOp::ZERO };
        self.pool_cpus(Call::PoolFreeInfo, argument).map(|(_, cpus)| cpus)
    }
}

impl Xen {
    /// An operation about a share, whose argument holds no address.
    fn scheduler_op(&self, call: Call, domid: DomId, argument: &SchedulerOp) -> Result<SchedulerOp> {
        let mut request = SCHEDULER_OP.on(self.interface.domctl, domid.0, argument);
        // SAFETY: with `getinfo` and `putinfo`, which shares are, Xen uses no memory but the request.
        unsafe { do_domctl(call, &mut request) }?;
        Ok(SCHEDULER_OP.answer(&request))
    }

    /// Reads or sets what virtual CPUs are promised.
    fn promise_op(&self, call: Call, domid: DomId, params: &mut [SchedParamVcpu]) -> Result<()> {
        let address = params.as_mut_ptr().expose_provenance() as u64;
        let count = u32::try_from(params.len()).unwrap_or(u32::MAX);
        let argument = Promise::operation(call == Call::SchedulerSet, address, count);
        let mut request = SCHEDULER_OP.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen reads and writes at most `count` entries, which are there and ours to change.
        unsafe { do_domctl(call, &mut request) }?;
        let done = SCHEDULER_OP.answer(&request).u.read::<SchedVcpus>().nr_vcpus;
        if done == count { Ok(()) } else { Err(HvError::new(call, Errno::EAGAIN)) }
    }

    /// An operation on pools that tells nothing of their CPUs.
    fn pool_op(&self, call: Call, argument: &CpupoolOp) -> Result<CpupoolOp> {
        let mut request = CPUPOOL_OP.ask(self.interface.sysctl, argument);
        // SAFETY: these operations do not use the map of CPUs, the only address in the argument.
        unsafe { do_sysctl(call, &mut request) }?;
        Ok(CPUPOOL_OP.answer(&request))
    }

    /// An operation on pools that tells of CPUs.
    fn pool_cpus(&self, call: Call, mut argument: CpupoolOp) -> Result<(CpupoolOp, CpuMap)> {
        let mut cpus = CpuMap::EMPTY;
        argument.cpumap = bitmap(cpus.as_mut_bytes().as_mut_ptr().expose_provenance() as u64);
        let mut request = CPUPOOL_OP.ask(self.interface.sysctl, &argument);
        // SAFETY: Xen writes at most the bits of the map, which is as large as the argument says.
        unsafe { do_sysctl(call, &mut request) }?;
        Ok((CPUPOOL_OP.answer(&request), cpus))
    }
}
