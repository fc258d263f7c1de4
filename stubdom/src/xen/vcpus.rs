//! Virtual CPUs of other domains.

use xendless_core::abi::domctl::life::SendTrigger;
use xendless_core::abi::domctl::sched::GetVcpuInfo;
use xendless_core::abi::domctl::{GETVCPUAFFINITY, GETVCPUINFO, SENDTRIGGER, SETVCPUAFFINITY};
use xendless_core::hyper::encode::cpus::affinity;
use xendless_core::hyper::{Call, CpuMap, DomId, Result, Trigger, VcpuId, VcpuInfo, Vcpus};

use super::Xen;
use super::control::do_domctl;

impl Vcpus for Xen {
    fn vcpu_info(&self, domid: DomId, vcpu: VcpuId) -> Result<VcpuInfo> {
        let argument = GetVcpuInfo { vcpu: vcpu.0, ..GetVcpuInfo::ZERO };
        self.domctl(Call::VcpuInfo, &GETVCPUINFO, domid, &argument).map(|answer| VcpuInfo::from(&answer))
    }

    fn vcpu_affinity(&self, domid: DomId, vcpu: VcpuId) -> Result<CpuMap> {
        let mut map = CpuMap::EMPTY;
        let argument = affinity(vcpu, map.as_mut_bytes().as_mut_ptr().expose_provenance() as u64);
        let mut request = GETVCPUAFFINITY.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen fills the bytes of the map, whose length the argument gives.
        unsafe { do_domctl(Call::VcpuAffinityGet, &mut request) }?;
        Ok(map)
    }

    fn set_vcpu_affinity(&self, domid: DomId, vcpu: VcpuId, cpus: &CpuMap) -> Result<()> {
        // Xen writes back on which of them the virtual CPU can run now.
        let mut map = *cpus;
        let argument = affinity(vcpu, map.as_mut_bytes().as_mut_ptr().expose_provenance() as u64);
        let mut request = SETVCPUAFFINITY.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen reads and writes the bytes of the map, whose length the argument gives.
        unsafe { do_domctl(Call::VcpuAffinitySet, &mut request) }
    }

    fn send_trigger(&self, domid: DomId, vcpu: VcpuId, trigger: Trigger) -> Result<()> {
        let argument = SendTrigger { trigger: trigger.code(), vcpu: vcpu.0 };
        self.domctl(Call::SendTrigger, &SENDTRIGGER, domid, &argument).map(drop)
    }
}
