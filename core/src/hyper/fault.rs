//! A hypervisor that fails on purpose, to see what its callers do then.
#![forbid(unsafe_code)]

mod transfer;

use alloc::string::String;
use core::cell::Cell;

use super::{
    Access, CONTEXT, Call, Console, CpuMap, CpuPlace, CpuPools, CreateDomain, DomId, DomainHandle,
    DomainInfo, Domains, EventChannels, ForeignMemory, Gfn, GrantRef, Grants, Host, HostInfo, HvError,
    Inspect, Labelled, Labels, Launch, Mfn, NodeMemory, PhysMemory, PoolInfo, Port, PortState, Progress,
    Promise, PvStart, PvhStart, Result, Scheduler, SchedulerKind, Schedulers, Share, ShutdownReason,
    Topology, Trigger, VcpuId, VcpuInfo, Vcpus, Virq, XenBuild, XenVersion,
};
use crate::abi::errno::Errno;

/// Which call fails, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Count only this kind of call; `None` counts all.
    pub call: Option<Call>,
    /// The call that fails; the first one is number 1.
    pub nth: u64,
    /// The answer it gets. The hypervisor never sees the call.
    pub errno: Errno,
}

/// Wraps a hypervisor, counts every call and lets at most one fail.
#[derive(Debug)]
pub struct FaultInjector<H> {
    inner: H,
    fault: Cell<Option<Fault>>,
    total: Cell<u64>,
    counts: [Cell<u64>; Call::ALL.len()],
}

impl<H> FaultInjector<H> {
    /// Wraps `inner`; with no `fault` it only counts.
    pub const fn new(inner: H, fault: Option<Fault>) -> Self {
        let counts = [const { Cell::new(0) }; Call::ALL.len()];
        Self { inner, fault: Cell::new(fault), total: Cell::new(0), counts }
    }

    /// Calls made so far, the failed one included.
    pub fn calls(&self) -> u64 {
        self.total.get()
    }

    /// Calls of one kind made so far.
    pub fn calls_of(&self, call: Call) -> u64 {
        self.counts.get(call as usize).map_or(0, Cell::get)
    }

    /// Whether the fault is still to come.
    pub fn is_armed(&self) -> bool {
        self.fault.get().is_some()
    }

    /// The hypervisor inside, to look at.
    pub const fn inner(&self) -> &H {
        &self.inner
    }

    fn gate(&self, call: Call) -> Result<&H> {
        self.total.set(self.total.get() + 1);
        if let Some(count) = self.counts.get(call as usize) {
            count.set(count.get() + 1);
        }
        let Some(fault) = self.fault.get() else { return Ok(&self.inner) };
        let count = match fault.call {
            None => self.calls(),
            Some(only) if only == call => self.calls_of(call),
            Some(_) => return Ok(&self.inner),
        };
        if count != fault.nth {
            return Ok(&self.inner);
        }
        self.fault.set(None);
        Err(HvError::new(call, fault.errno))
    }
}

impl<H: Console> Console for FaultInjector<H> {
    fn console_write(&self, text: &[u8]) -> Result<()> {
        self.gate(Call::ConsoleWrite)?.console_write(text)
    }

    fn console_read(&self, buffer: &mut [u8]) -> Result<usize> {
        self.gate(Call::ConsoleRead)?.console_read(buffer)
    }
}

impl<H: Scheduler> Scheduler for FaultInjector<H> {
    fn block(&self) -> Result<()> {
        self.gate(Call::Block)?.block()
    }

    fn set_timer(&self, deadline: Option<u64>) -> Result<()> {
        self.gate(Call::SetTimer)?.set_timer(deadline)
    }

    fn shutdown(&self, reason: ShutdownReason) -> Result<()> {
        self.gate(Call::Shutdown)?.shutdown(reason)
    }
}

impl<H: EventChannels> EventChannels for FaultInjector<H> {
    fn alloc_unbound(&self, owner: DomId, remote: DomId) -> Result<Port> {
        self.gate(Call::EvtchnAllocUnbound)?.alloc_unbound(owner, remote)
    }

    fn bind_interdomain(&self, remote: DomId, remote_port: Port) -> Result<Port> {
        self.gate(Call::EvtchnBindInterdomain)?.bind_interdomain(remote, remote_port)
    }

    fn bind_virq(&self, virq: Virq) -> Result<Port> {
        self.gate(Call::EvtchnBindVirq)?.bind_virq(virq)
    }

    fn notify(&self, port: Port) -> Result<()> {
        self.gate(Call::EvtchnSend)?.notify(port)
    }

    fn unmask(&self, port: Port) -> Result<()> {
        self.gate(Call::EvtchnUnmask)?.unmask(port)
    }

    fn close(&self, port: Port) -> Result<()> {
        self.gate(Call::EvtchnClose)?.close(port)
    }

    fn port_state(&self, domid: DomId, port: Port) -> Result<PortState> {
        self.gate(Call::EvtchnStatus)?.port_state(domid, port)
    }
}

impl<H: Grants> Grants for FaultInjector<H> {
    type Granted = H::Granted;
    type Offered = H::Offered;

    fn map_grant(&self, domid: DomId, gref: GrantRef, access: Access) -> Result<Self::Granted> {
        self.gate(Call::GrantMap)?.map_grant(domid, gref, access)
    }

    fn offer_page(&self, domid: DomId, access: Access) -> Result<Self::Offered> {
        self.gate(Call::GrantShare)?.offer_page(domid, access)
    }

    fn seed_grant(&self, owner: DomId, gref: GrantRef, backend: DomId, frame: Gfn) -> Result<()> {
        self.gate(Call::GrantSeed)?.seed_grant(owner, gref, backend, frame)
    }
}

impl<H: ForeignMemory> ForeignMemory for FaultInjector<H> {
    type Foreign = H::Foreign;

    fn map_foreign(&self, domid: DomId, gfn: Gfn) -> Result<Self::Foreign> {
        self.gate(Call::ForeignMap)?.map_foreign(domid, gfn)
    }

    fn map_instead(&self, page: Self::Foreign, domid: DomId, gfn: Gfn) -> Result<Self::Foreign> {
        self.gate(Call::ForeignMap)?.map_instead(page, domid, gfn)
    }
}

impl<H: PhysMemory> PhysMemory for FaultInjector<H> {
    fn populate(&self, domid: DomId, frames: &mut [u64]) -> Result<usize> {
        self.gate(Call::Populate)?.populate(domid, frames)
    }

    fn release(&self, domid: DomId, frames: &[u64]) -> Result<usize> {
        self.gate(Call::Release)?.release(domid, frames)
    }

    fn pin_l4(&self, domid: DomId, mfn: Mfn) -> Result<()> {
        self.gate(Call::PinTable)?.pin_l4(domid, mfn)
    }

    fn unpin_l4(&self, domid: DomId, mfn: Mfn) -> Result<()> {
        self.gate(Call::UnpinTable)?.unpin_l4(domid, mfn)
    }
}

impl<H: Domains> Domains for FaultInjector<H> {
    fn create_domain(&self, request: &CreateDomain) -> Result<DomId> {
        self.gate(Call::DomainCreate)?.create_domain(request)
    }

    fn destroy_domain(&self, domid: DomId) -> Result<Progress> {
        self.gate(Call::DomainDestroy)?.destroy_domain(domid)
    }

    fn pause_domain(&self, domid: DomId) -> Result<()> {
        self.gate(Call::DomainPause)?.pause_domain(domid)
    }

    fn unpause_domain(&self, domid: DomId) -> Result<()> {
        self.gate(Call::DomainUnpause)?.unpause_domain(domid)
    }

    fn resume_domain(&self, domid: DomId) -> Result<()> {
        self.gate(Call::DomainResume)?.resume_domain(domid)
    }

    fn domain_info(&self, domid: DomId) -> Result<DomainInfo> {
        self.gate(Call::DomainInfo)?.domain_info(domid)
    }

    fn list_domains(&self, first: DomId, out: &mut [Option<DomainInfo>]) -> Result<usize> {
        self.gate(Call::DomainList)?.list_domains(first, out)
    }

    fn set_domain_handle(&self, domid: DomId, handle: &DomainHandle) -> Result<()> {
        self.gate(Call::DomainSetHandle)?.set_domain_handle(domid, handle)
    }

    fn set_max_memory(&self, domid: DomId, kib: u64) -> Result<()> {
        self.gate(Call::DomainMaxMem)?.set_max_memory(domid, kib)
    }

    fn set_max_vcpus(&self, domid: DomId, vcpus: u32) -> Result<()> {
        self.gate(Call::DomainMaxVcpus)?.set_max_vcpus(domid, vcpus)
    }

    fn set_paging_pool(&self, domid: DomId, bytes: u64) -> Result<Progress> {
        self.gate(Call::DomainPagingPool)?.set_paging_pool(domid, bytes)
    }

    fn hvm_param(&self, domid: DomId, index: u32) -> Result<u64> {
        self.gate(Call::HvmParamGet)?.hvm_param(domid, index)
    }

    fn set_hvm_param(&self, domid: DomId, index: u32, value: u64) -> Result<()> {
        self.gate(Call::HvmParamSet)?.set_hvm_param(domid, index, value)
    }
}

impl<H: Launch> Launch for FaultInjector<H> {
    fn init_hypercall_page(&self, domid: DomId, gfn: Gfn) -> Result<()> {
        self.gate(Call::HypercallInit)?.init_hypercall_page(domid, gfn)
    }

    fn start_pv(&self, domid: DomId, start: &PvStart) -> Result<()> {
        self.gate(Call::VcpuContextSet)?.start_pv(domid, start)
    }

    fn start_pvh(&self, domid: DomId, start: &PvhStart) -> Result<()> {
        self.gate(Call::HvmContextSet)?.start_pvh(domid, start)
    }
}

impl<H: Host> Host for FaultInjector<H> {
    fn xen_version(&self) -> Result<XenVersion> {
        self.gate(Call::XenVersion)?.xen_version()
    }

    fn xen_build(&self) -> Result<XenBuild> {
        self.gate(Call::XenVersion)?.xen_build()
    }

    fn host_info(&self) -> Result<HostInfo> {
        self.gate(Call::PhysInfo)?.host_info()
    }

    fn scheduler(&self) -> Result<SchedulerKind> {
        self.gate(Call::SchedulerId)?.scheduler()
    }

    fn read_console_ring(&self, index: u32, buffer: &mut [u8]) -> Result<(usize, u32)> {
        self.gate(Call::ReadConsoleRing)?.read_console_ring(index, buffer)
    }

    fn clear_console_ring(&self, index: u32) -> Result<()> {
        self.gate(Call::ReadConsoleRing)?.clear_console_ring(index)
    }
}

impl<H: Vcpus> Vcpus for FaultInjector<H> {
    fn vcpu_info(&self, domid: DomId, vcpu: VcpuId) -> Result<VcpuInfo> {
        self.gate(Call::VcpuInfo)?.vcpu_info(domid, vcpu)
    }

    fn vcpu_affinity(&self, domid: DomId, vcpu: VcpuId) -> Result<CpuMap> {
        self.gate(Call::VcpuAffinityGet)?.vcpu_affinity(domid, vcpu)
    }

    fn set_vcpu_affinity(&self, domid: DomId, vcpu: VcpuId, cpus: &CpuMap) -> Result<()> {
        self.gate(Call::VcpuAffinitySet)?.set_vcpu_affinity(domid, vcpu, cpus)
    }

    fn send_trigger(&self, domid: DomId, vcpu: VcpuId, trigger: Trigger) -> Result<()> {
        self.gate(Call::SendTrigger)?.send_trigger(domid, vcpu, trigger)
    }
}

impl<H: Topology> Topology for FaultInjector<H> {
    fn cpu_places(&self, out: &mut [Option<CpuPlace>]) -> Result<usize> {
        self.gate(Call::CpuTopology)?.cpu_places(out)
    }

    fn nodes(&self, memory: &mut [Option<NodeMemory>], distances: &mut [Option<u32>]) -> Result<usize> {
        self.gate(Call::NumaInfo)?.nodes(memory, distances)
    }

    fn free_below(&self, node: u32, bits: u32) -> Result<u64> {
        self.gate(Call::FreeMemory)?.free_below(node, bits)
    }

    fn debug_key(&self, key: u8) -> Result<()> {
        self.gate(Call::DebugKeys)?.debug_key(key)
    }
}

impl<H: Schedulers> Schedulers for FaultInjector<H> {
    fn share(&self, domid: DomId, scheduler: SchedulerKind) -> Result<Share> {
        self.gate(Call::SchedulerGet)?.share(domid, scheduler)
    }

    fn set_share(&self, domid: DomId, scheduler: SchedulerKind, share: Share) -> Result<()> {
        self.gate(Call::SchedulerSet)?.set_share(domid, scheduler, share)
    }

    fn promises(&self, domid: DomId, first: VcpuId, out: &mut [Option<Promise>]) -> Result<()> {
        self.gate(Call::SchedulerGet)?.promises(domid, first, out)
    }

    fn set_promise(&self, domid: DomId, vcpu: VcpuId, promise: Promise) -> Result<()> {
        self.gate(Call::SchedulerSet)?.set_promise(domid, vcpu, promise)
    }
}

impl<H: CpuPools> CpuPools for FaultInjector<H> {
    fn create_pool(&self, scheduler: SchedulerKind) -> Result<u32> {
        self.gate(Call::PoolCreate)?.create_pool(scheduler)
    }

    fn destroy_pool(&self, pool: u32) -> Result<()> {
        self.gate(Call::PoolDestroy)?.destroy_pool(pool)
    }

    fn next_pool(&self, first: u32) -> Result<Option<PoolInfo>> {
        self.gate(Call::PoolInfo)?.next_pool(first)
    }

    fn add_pool_cpu(&self, pool: u32, cpu: u32) -> Result<()> {
        self.gate(Call::PoolAddCpu)?.add_pool_cpu(pool, cpu)
    }

    fn remove_pool_cpu(&self, pool: u32, cpu: u32) -> Result<Progress> {
        self.gate(Call::PoolRemoveCpu)?.remove_pool_cpu(pool, cpu)
    }

    fn move_domain(&self, domid: DomId, pool: u32) -> Result<()> {
        self.gate(Call::PoolMoveDomain)?.move_domain(domid, pool)
    }

    fn free_cpus(&self) -> Result<CpuMap> {
        self.gate(Call::PoolFreeInfo)?.free_cpus()
    }
}

impl<H: Inspect> Inspect for FaultInjector<H> {
    type Seen = H::Seen;

    fn frame_end(&self, domid: DomId) -> Result<u64> {
        self.gate(Call::FrameEnd)?.frame_end(domid)
    }

    fn frames_held(&self, domid: DomId, first: u64, held: &mut [Option<u64>]) -> Result<()> {
        self.gate(Call::FramesHeld)?.frames_held(domid, first, held)
    }

    fn look_at(&self, domid: DomId, gfn: Gfn) -> Result<Self::Seen> {
        self.gate(Call::LookAt)?.look_at(domid, gfn)
    }

    fn registers(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8; CONTEXT]) -> Result<()> {
        self.gate(Call::VcpuContextGet)?.registers(domid, vcpu, out)
    }
}

impl<H: Labels> Labels for FaultInjector<H> {
    fn enforcing(&self) -> Result<bool> {
        self.gate(Call::PolicyEnforceGet)?.enforcing()
    }

    fn set_enforcing(&self, enforcing: bool) -> Result<()> {
        self.gate(Call::PolicyEnforceSet)?.set_enforcing(enforcing)
    }

    fn policy_version(&self) -> Result<u32> {
        self.gate(Call::PolicyVersion)?.policy_version()
    }

    fn load_policy(&self, policy: &[u8]) -> Result<()> {
        self.gate(Call::PolicyLoad)?.load_policy(policy)
    }

    fn label_number(&self, label: &str) -> Result<u32> {
        self.gate(Call::LabelNumber)?.label_number(label)
    }

    fn label_text(&self, number: u32) -> Result<String> {
        self.gate(Call::LabelText)?.label_text(number)
    }

    fn label_domain(&self, domid: DomId, number: u32) -> Result<()> {
        self.gate(Call::LabelDomain)?.label_domain(domid, number)
    }

    fn label_resource(&self, what: Labelled, first: u64, last: u64, number: Option<u32>) -> Result<()> {
        self.gate(Call::LabelResource)?.label_resource(what, first, last, number)
    }
}
