//! Virtual CPUs. Refusals follow `common/domctl.c` and `arch/x86/domctl.c` of Xen.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, CpuMap, DomId, Result, Trigger, VcpuId, VcpuInfo, Vcpus};

use super::machine::{Domain, Machine};
use super::transfer::VcpuState;
use super::{Answer, SimDomain, SimHypervisor};

impl Domain {
    /// `d->vcpu[v]`: nothing is behind the number that was made.
    pub(super) fn has(&self, vcpu: VcpuId, none: Errno) -> Answer<()> {
        if vcpu.0 >= self.max_vcpus {
            return Err(Errno::EINVAL);
        }
        if vcpu.0 < self.vcpus { Ok(()) } else { Err(none) }
    }

    /// The first one runs when the domain does; others only when their registers were set.
    pub(super) fn is_online(&self, vcpu: u32) -> bool {
        let first = vcpu == 0 && (self.started || self.start.is_some());
        let set = self.states.get(&vcpu).is_some_and(VcpuState::is_online);
        let loaded = self.records.as_ref().is_some_and(|records| records.online.contains(&vcpu));
        vcpu < self.vcpus && (first || set || loaded)
    }

    pub(super) fn online(&self) -> u32 {
        (0..self.vcpus).map(|vcpu| u32::from(self.is_online(vcpu))).sum()
    }
}

impl Machine {
    fn set_affinity(&mut self, me: DomId, domid: DomId, vcpu: VcpuId, cpus: &CpuMap) -> Answer<()> {
        let pool = self.domctl(me, domid)?.cpupool;
        let usable = cpus.iter().any(|cpu| self.pools[&pool].cpus.contains(&cpu));
        let domain = self.domain_mut(domid)?;
        domain.has(vcpu, Errno::ESRCH)?;
        // `vcpu_affinity_domctl`: one of them has to be in its pool.
        if !usable {
            return Err(Errno::EINVAL);
        }
        domain.affinity.insert(vcpu.0, *cpus);
        Ok(())
    }

    /// `arch_do_domctl`, `XEN_DOMCTL_sendtrigger`.
    fn trigger(&mut self, me: DomId, domid: DomId, vcpu: VcpuId, trigger: Trigger) -> Answer<()> {
        let domain = self.domctl(me, domid)?;
        match trigger {
            Trigger::Nmi => domain.has(vcpu, Errno::ESRCH)?,
            Trigger::Power | Trigger::Sleep if domain.is_hvm() => {}
            Trigger::Power | Trigger::Sleep => return Err(Errno::EINVAL),
            Trigger::Reset | Trigger::Init => return Err(Errno::ENOSYS),
        }
        domain.triggers.push((vcpu.0, trigger));
        Ok(())
    }
}

impl Vcpus for SimDomain {
    fn vcpu_info(&self, domid: DomId, vcpu: VcpuId) -> Result<VcpuInfo> {
        self.call(Call::VcpuInfo, |machine, me| {
            let domain = machine.domctl(me, domid)?;
            domain.has(vcpu, Errno::ESRCH)?;
            let online = domain.is_online(vcpu.0);
            Ok(VcpuInfo { online, blocked: domain.blocked, running: false, cpu: 0, cpu_time: 0 })
        })
    }

    fn vcpu_affinity(&self, domid: DomId, vcpu: VcpuId) -> Result<CpuMap> {
        self.call(Call::VcpuAffinityGet, |machine, me| {
            let domain = machine.domctl(me, domid)?;
            domain.has(vcpu, Errno::ESRCH)?;
            let own = domain.affinity.get(&vcpu.0).copied();
            // Everywhere is more than the CPUs that there are.
            Ok(own.unwrap_or_else(|| (0..256).collect()))
        })
    }

    fn set_vcpu_affinity(&self, domid: DomId, vcpu: VcpuId, cpus: &CpuMap) -> Result<()> {
        self.call(Call::VcpuAffinitySet, |machine, me| machine.set_affinity(me, domid, vcpu, cpus))
    }

    fn send_trigger(&self, domid: DomId, vcpu: VcpuId, trigger: Trigger) -> Result<()> {
        self.call(Call::SendTrigger, |machine, me| machine.trigger(me, domid, vcpu, trigger))
    }
}

impl SimHypervisor {
    /// What was sent to virtual CPUs of `domid`.
    #[must_use]
    pub fn triggers(&self, domid: DomId) -> Vec<(u32, Trigger)> {
        self.with(|machine| machine.domain(domid).map(|domain| domain.triggers.clone()).unwrap_or_default())
    }
}
