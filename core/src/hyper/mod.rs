//! What the hypervisor can do for us, as traits that are safe to call.
//!
//! The control domain implements them with hypercalls, the simulator with a model, [`FaultInjector`] by
//! wrapping either. Services take `&impl Hypervisor` (or the one trait they need) and never see a Xen
//! structure, a buffer address or an interface version.
//!
//! Every method names one hypercall (a [`Call`]); that name is what an error reports and what fault injection
//! counts. Long work is asked for in steps: a method that Xen may interrupt returns [`Progress`].
#![forbid(unsafe_code)]

mod cpus;
mod domain;
pub mod encode;
mod error;
mod fault;
mod ids;
mod inspect;
mod labels;
mod schedule;
mod traits;
mod transfer;

pub use crate::abi::version::XenVersion;
pub use cpus::{CpuMap, CpuPlace, NodeMemory, Trigger, VcpuInfo};
pub use domain::{
    CreateDomain, CreateFlags, DomainFlags, DomainHandle, DomainInfo, HostInfo, PvStart, PvhStart,
    SchedulerKind, ShutdownReason, XenBuild,
};
pub use error::{Call, HvError, Result};
pub use fault::{Fault, FaultInjector};
pub use ids::{DomId, Gfn, GrantRef, Mfn, Port, VcpuId, Virq};
pub use inspect::{CONTEXT, FRAMES, Inspect};
pub use labels::{LABEL, Labelled, Labels, NO_LABELS, USUAL_LABEL};
pub use schedule::{CpuPools, PoolInfo, Promise, Schedulers, Share};
pub use traits::{
    Access, Console, Domains, EventChannels, ForeignMemory, Grants, Host, Hypervisor, Launch, PhysMemory,
    PortState, Progress, Scheduler, SharedOut, Topology, Vcpus,
};
pub use transfer::{EXTENDED, FrameUse, TableLevel, Transfer, set_return_value};
