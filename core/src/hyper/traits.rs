//! The traits, one per family of hypercalls.

use core::ops::Deref;

use super::{
    CpuMap, CpuPlace, CpuPools, CreateDomain, DomId, DomainHandle, DomainInfo, Gfn, GrantRef, HostInfo,
    Inspect, Labels, Mfn, NodeMemory, Port, PvStart, PvhStart, Result, SchedulerKind, Schedulers,
    ShutdownReason, Transfer, Trigger, VcpuId, VcpuInfo, Virq, XenBuild, XenVersion,
};
use crate::shared::Page;

/// How far a call that Xen may interrupt has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "an interrupted call has to be asked again"]
pub enum Progress {
    /// All done.
    Done,
    /// Part of the work is done; ask again, after other work had its turn.
    Again,
}

/// What a mapping may be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reads only; the hypervisor enforces it.
    ReadOnly,
    /// Reads and writes.
    ReadWrite,
}

/// Xen's own console (the machine's serial line).
pub trait Console {
    /// Writes text; Xen takes all of it.
    fn console_write(&self, text: &[u8]) -> Result<()>;
    /// Takes typed bytes that are waiting, at most `buffer.len()`; 0 when there are none.
    fn console_read(&self, buffer: &mut [u8]) -> Result<usize>;
}

/// This virtual CPU's own scheduling.
pub trait Scheduler {
    /// Sleeps until an event is pending. Returns at once when one already is.
    fn block(&self) -> Result<()>;
    /// Sets the one-shot timer to `deadline`, in nanoseconds since Xen booted; `None` stops it.
    fn set_timer(&self, deadline: Option<u64>) -> Result<()>;
    /// Ends the calling domain. Returns only when Xen refuses.
    fn shutdown(&self, reason: ShutdownReason) -> Result<()>;
}

/// Who is at the other end of an event channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortState {
    /// Not in use.
    Closed,
    /// Waits for a domain to bind to it.
    Unbound(DomId),
    /// Connected to a port of a domain.
    Interdomain(DomId, Port),
    /// A virtual interrupt.
    Virq(u32),
    /// Another kind (physical interrupt, inter-processor).
    Other,
}

/// Event channels, ours and other domains'.
pub trait EventChannels {
    /// Makes a channel in `owner` that `remote` may bind to.
    fn alloc_unbound(&self, owner: DomId, remote: DomId) -> Result<Port>;
    /// Makes a channel of ours that is connected to `remote_port`.
    fn bind_interdomain(&self, remote: DomId, remote_port: Port) -> Result<Port>;
    /// Makes a channel of ours that receives `virq`.
    fn bind_virq(&self, virq: Virq) -> Result<Port>;
    /// Signals the other end of our `port`.
    fn notify(&self, port: Port) -> Result<()>;
    /// Lets our `port` deliver again; an event that came while masked is delivered now.
    fn unmask(&self, port: Port) -> Result<()>;
    /// Gives our `port` back.
    fn close(&self, port: Port) -> Result<()>;
    /// What a channel of any domain is connected to.
    fn port_state(&self, domid: DomId, port: Port) -> Result<PortState>;
}

/// A page of ours that another domain may map. Dropping it withdraws the grant first.
pub trait SharedOut: Deref<Target = Page> {
    /// The reference by which the other domain maps it.
    fn grant(&self) -> GrantRef;
}

/// Memory shared by grants.
pub trait Grants {
    /// A page of another domain. Dropping it unmaps.
    type Granted: Deref<Target = Page>;
    /// A page of ours.
    type Offered: SharedOut;

    /// Maps what `domid` granted to us as `gref`.
    fn map_grant(&self, domid: DomId, gref: GrantRef, access: Access) -> Result<Self::Granted>;
    /// Takes a zeroed page of ours and grants it to `domid`.
    fn offer_page(&self, domid: DomId, access: Access) -> Result<Self::Offered>;
    /// Writes entry `gref` of another domain's grant table before it first runs, so that `backend` may map
    /// `frame` read-write: how the builder hands out console and XenStore pages.
    fn seed_grant(&self, owner: DomId, gref: GrantRef, backend: DomId, frame: Gfn) -> Result<()>;
}

/// Direct access to another domain's memory, for the builder and for XenStore and console rings.
pub trait ForeignMemory {
    /// A page of another domain. Dropping it unmaps.
    type Foreign: Deref<Target = Page>;

    /// Maps frame `gfn` of `domid` read-write.
    fn map_foreign(&self, domid: DomId, gfn: Gfn) -> Result<Self::Foreign>;
    /// The same in place of `page`, in one call instead of two. When it fails, neither is mapped.
    fn map_instead(&self, page: Self::Foreign, domid: DomId, gfn: Gfn) -> Result<Self::Foreign>;
}

/// Memory of other domains.
pub trait PhysMemory {
    /// Gives `domid` one page per entry of `frames`. On entry each is the guest frame to fill; on return, for a
    /// PV domain, the machine frame it got. Returns how many were filled: fewer than asked means that memory or
    /// the limit ran out, or that Xen wants a pause (then some were filled).
    fn populate(&self, domid: DomId, frames: &mut [u64]) -> Result<usize>;
    /// Takes pages back from `domid`; returns how many went.
    fn release(&self, domid: DomId, frames: &[u64]) -> Result<usize>;
    /// Pins `mfn` as a top-level page table of the PV domain `domid`.
    fn pin_l4(&self, domid: DomId, mfn: Mfn) -> Result<()>;
    /// Undoes [`PhysMemory::pin_l4`].
    fn unpin_l4(&self, domid: DomId, mfn: Mfn) -> Result<()>;
}

/// The life of other domains.
pub trait Domains {
    /// Makes a paused domain without memory or virtual CPUs; returns its id.
    fn create_domain(&self, request: &CreateDomain) -> Result<DomId>;
    /// Takes a domain's resources; call again while it says so.
    fn destroy_domain(&self, domid: DomId) -> Result<Progress>;
    /// Raises the pause count.
    fn pause_domain(&self, domid: DomId) -> Result<()>;
    /// Lowers the pause count; at zero the domain runs.
    fn unpause_domain(&self, domid: DomId) -> Result<()>;
    /// Lets a suspended domain go on.
    fn resume_domain(&self, domid: DomId) -> Result<()>;
    /// Looks at one domain.
    fn domain_info(&self, domid: DomId) -> Result<DomainInfo>;
    /// Fills `out` with domains whose id is at least `first`, in order; returns how many.
    fn list_domains(&self, first: DomId, out: &mut [Option<DomainInfo>]) -> Result<usize>;
    /// Sets the UUID.
    fn set_domain_handle(&self, domid: DomId, handle: &DomainHandle) -> Result<()>;
    /// Sets the most memory the domain may have, in KiB.
    fn set_max_memory(&self, domid: DomId, kib: u64) -> Result<()>;
    /// Makes the virtual CPUs; the number has to be the one given at creation.
    fn set_max_vcpus(&self, domid: DomId, vcpus: u32) -> Result<()>;
    /// Sets the memory Xen may use for an HVM domain's paging structures, in bytes.
    fn set_paging_pool(&self, domid: DomId, bytes: u64) -> Result<Progress>;
    /// Reads an HVM parameter (`HVM_PARAM_*` of `xen/hvm/params.h`).
    fn hvm_param(&self, domid: DomId, index: u32) -> Result<u64>;
    /// Sets an HVM parameter.
    fn set_hvm_param(&self, domid: DomId, index: u32, value: u64) -> Result<()>;
}

/// What a new domain gets right before it can run.
pub trait Launch {
    /// Has Xen fill a page of `domid` with entries for hypercalls.
    fn init_hypercall_page(&self, domid: DomId, gfn: Gfn) -> Result<()>;
    /// Sets the registers of the first virtual CPU of a PV domain.
    fn start_pv(&self, domid: DomId, start: &PvStart) -> Result<()>;
    /// Sets the registers of the first virtual CPU of a PVH domain, and the memory types of all.
    fn start_pvh(&self, domid: DomId, start: &PvhStart) -> Result<()>;
}

/// The host and the hypervisor itself.
pub trait Host {
    /// Xen's version.
    fn xen_version(&self) -> Result<XenVersion>;
    /// What Xen was built from, and its command line.
    fn xen_build(&self) -> Result<XenBuild>;
    /// CPUs and memory.
    fn host_info(&self) -> Result<HostInfo>;
    /// The default scheduler.
    fn scheduler(&self) -> Result<SchedulerKind>;
    /// Copies text of Xen's console ring from `index` on; returns the number of bytes and the next index.
    fn read_console_ring(&self, index: u32, buffer: &mut [u8]) -> Result<(usize, u32)>;
    /// Lets Xen forget the text of its console ring that is before `index`.
    fn clear_console_ring(&self, index: u32) -> Result<()>;
}

/// Virtual CPUs of other domains.
pub trait Vcpus {
    /// Looks at one.
    fn vcpu_info(&self, domid: DomId, vcpu: VcpuId) -> Result<VcpuInfo>;
    /// The physical CPUs on which it may run.
    fn vcpu_affinity(&self, domid: DomId, vcpu: VcpuId) -> Result<CpuMap>;
    /// Says on which it may run.
    fn set_vcpu_affinity(&self, domid: DomId, vcpu: VcpuId, cpus: &CpuMap) -> Result<()>;
    /// Gives it a signal.
    fn send_trigger(&self, domid: DomId, vcpu: VcpuId, trigger: Trigger) -> Result<()>;
}

/// Where the machine's CPUs and memory are, and Xen's debug keys.
pub trait Topology {
    /// Fills `out` with the places of physical CPUs from number 0 on; those that are not online have none. Returns how
    /// many entries were filled.
    fn cpu_places(&self, out: &mut [Option<CpuPlace>]) -> Result<usize>;
    /// Fills `memory` with that of each node from number 0 on, and `distances` with a row for each; returns the number of
    /// nodes, which is also the length of a row. What is not known is `None`.
    fn nodes(&self, memory: &mut [Option<NodeMemory>], distances: &mut [Option<u32>]) -> Result<usize>;
    /// Free memory of a node that has addresses of at most so many bits, in bytes.
    fn free_below(&self, node: u32, bits: u32) -> Result<u64>;
    /// Presses a key of Xen's debug console.
    fn debug_key(&self, key: u8) -> Result<()>;
}

/// All of it.
pub trait Hypervisor:
    Console
    + Scheduler
    + EventChannels
    + Grants
    + ForeignMemory
    + PhysMemory
    + Domains
    + Host
    + Vcpus
    + Topology
    + Schedulers
    + CpuPools
    + Inspect
    + Labels
    + Transfer
{
}

impl<T> Hypervisor for T where
    T: Console
        + Scheduler
        + EventChannels
        + Grants
        + ForeignMemory
        + PhysMemory
        + Domains
        + Host
        + Vcpus
        + Topology
        + Schedulers
        + CpuPools
        + Inspect
        + Labels
        + Transfer
{
}
