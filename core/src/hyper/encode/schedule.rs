//! Schedulers and CPU pools as Xen lays them out.

use crate::abi::command::Union;
use crate::abi::domctl::sched::{
    SchedCredit, SchedParamVcpu, SchedRtds, SchedVcpus, SchedulerOp, XEN_DOMCTL_SCHEDOP_GETINFO,
    XEN_DOMCTL_SCHEDOP_GETVCPUINFO, XEN_DOMCTL_SCHEDOP_PUTINFO, XEN_DOMCTL_SCHEDOP_PUTVCPUINFO,
    XEN_DOMCTL_SCHEDRT_EXTRA, XEN_SCHEDULER_RTDS,
};
use crate::abi::sysctl::sched::CpupoolOp;
use crate::hyper::{CpuMap, PoolInfo, Promise, SchedulerKind, Share, VcpuId};

impl Share {
    /// The question for a domain's share.
    #[must_use]
    pub fn question(scheduler: SchedulerKind) -> SchedulerOp {
        let cmd = XEN_DOMCTL_SCHEDOP_GETINFO;
        SchedulerOp { sched_id: scheduler.code(), cmd, ..SchedulerOp::ZERO }
    }

    /// The order to set it.
    #[must_use]
    pub fn order(self, scheduler: SchedulerKind) -> SchedulerOp {
        let Self { weight, cap } = self;
        let cmd = XEN_DOMCTL_SCHEDOP_PUTINFO;
        SchedulerOp { sched_id: scheduler.code(), cmd, u: Union::of(&SchedCredit { weight, cap }) }
    }

    /// From Xen's answer.
    #[must_use]
    pub fn answered(answer: &SchedulerOp) -> Self {
        let SchedCredit { weight, cap } = answer.u.read();
        Self { weight, cap }
    }
}

impl Promise {
    /// The question for, or the order to set, what some virtual CPUs get.
    #[must_use]
    pub fn operation(order: bool, address: u64, count: u32) -> SchedulerOp {
        let cmd = if order { XEN_DOMCTL_SCHEDOP_PUTVCPUINFO } else { XEN_DOMCTL_SCHEDOP_GETVCPUINFO };
        let vcpus = SchedVcpus { vcpus: address, nr_vcpus: count, ..SchedVcpus::ZERO };
        SchedulerOp { sched_id: XEN_SCHEDULER_RTDS, cmd, u: Union::of(&vcpus) }
    }

    /// As Xen takes it.
    #[must_use]
    pub const fn to_param(self, vcpu: VcpuId) -> SchedParamVcpu {
        let flags = if self.extra { XEN_DOMCTL_SCHEDRT_EXTRA } else { 0 };
        let rtds = SchedRtds { period: self.period_us, budget: self.budget_us, flags };
        SchedParamVcpu { rtds, vcpuid: vcpu.0 }
    }
}

impl From<&SchedParamVcpu> for Promise {
    fn from(raw: &SchedParamVcpu) -> Self {
        let SchedRtds { period, budget, flags } = raw.rtds;
        Self { period_us: period, budget_us: budget, extra: flags & XEN_DOMCTL_SCHEDRT_EXTRA != 0 }
    }
}

impl PoolInfo {
    /// From Xen's answer, and the CPUs that came with it.
    #[must_use]
    pub const fn answered(answer: &CpupoolOp, cpus: CpuMap) -> Self {
        let scheduler = SchedulerKind::from_code(answer.sched_id);
        Self { id: answer.cpupool_id, scheduler, domains: answer.n_dom, cpus }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::IntoBytes;

    #[test]
    fn shares_are_these_bytes() {
        let order = Share { weight: 512, cap: 50 }.order(SchedulerKind::Credit2);
        let mut expected = [0; 24];
        (expected[0], expected[4], expected[9], expected[10]) = (6, 0, 2, 50);
        assert_eq!(order.as_bytes(), expected);
        let question = Share::question(SchedulerKind::Credit);
        assert_eq!((question.sched_id, question.cmd, question.u), (5, 1, Union::ZERO));
        assert_eq!(Share::answered(&order), Share { weight: 512, cap: 50 });
    }

    #[test]
    fn promises_are_these_bytes() {
        let promise = Promise { period_us: 10_000, budget_us: 4_000, extra: true };
        let param = promise.to_param(VcpuId(3));
        let mut expected = [0; 16];
        expected[..2].copy_from_slice(&[0x10, 0x27]);
        expected[4..6].copy_from_slice(&[0xa0, 0x0f]);
        (expected[8], expected[12]) = (1, 3);
        assert_eq!(param.as_bytes(), expected);
        assert_eq!(Promise::from(&param), promise);
        assert!(!Promise::from(&Promise { extra: false, ..promise }.to_param(VcpuId(0))).extra);
        let operation = Promise::operation(true, 0x1000, 2);
        assert_eq!((operation.sched_id, operation.cmd), (8, 2));
        assert_eq!(operation.u.read::<SchedVcpus>().nr_vcpus, 2);
        assert_eq!(Promise::operation(false, 0, 1).cmd, 3);
    }

    #[test]
    fn pools_are_read_from_the_answer() {
        let answer = CpupoolOp { cpupool_id: 2, sched_id: 5, n_dom: 7, ..CpupoolOp::ZERO };
        let cpus: CpuMap = [1].into_iter().collect();
        let expected = PoolInfo { id: 2, scheduler: SchedulerKind::Credit, domains: 7, cpus };
        assert_eq!(PoolInfo::answered(&answer, cpus), expected);
    }
}
