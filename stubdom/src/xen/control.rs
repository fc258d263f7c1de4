//! The two hypercalls for control, and which interface to speak.

use xendless_core::abi::command::Command;
use xendless_core::abi::domctl::context::ExtVcpuContext;
use xendless_core::abi::domctl::life::{
    GetDomainInfo, HypercallInit, MaxMem, MaxVcpus, PagingMempool, SendTrigger, SetDomainHandle,
};
use xendless_core::abi::domctl::sched::GetVcpuInfo;
use xendless_core::abi::domctl::{self, Domctl};
use xendless_core::abi::errno::Errno;
use xendless_core::abi::hypercall as number;
use xendless_core::abi::interface::{INTERFACES, Interface};
use xendless_core::abi::sysctl::host::{AvailHeap, PhysInfo};
use xendless_core::abi::sysctl::sched::SchedId;
use xendless_core::abi::sysctl::{self, Sysctl};
use xendless_core::hyper::{Call, DomId, HvError, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Xen;
use crate::hypercall::hypercall;

/// An argument of a control command.
///
/// # Safety
/// It holds no address: Xen reads and writes nothing of ours but the argument itself.
pub(super) unsafe trait Plain: FromBytes + IntoBytes + Immutable {}

macro_rules! plain {
    ($($argument:ty),*) => {
        $(
            // SAFETY: ids, numbers and flags only.
            unsafe impl Plain for $argument {}
        )*
    };
}

plain!(
    (),
    ExtVcpuContext,
    GetDomainInfo,
    GetVcpuInfo,
    HypercallInit,
    MaxMem,
    MaxVcpus,
    PagingMempool,
    SendTrigger,
    SetDomainHandle
);
plain!(AvailHeap, PhysInfo, SchedId);

impl Xen {
    /// Finds out how to speak to the running release.
    pub(crate) fn new() -> Result<Self> {
        let running = super::host::version()?;
        let mut failure = None;
        let chosen = Interface::select(running, |interface| {
            Self { interface: *interface }.is_understood().unwrap_or_else(|error| {
                failure = Some(error);
                false
            })
        });
        match (chosen, failure, INTERFACES) {
            (Ok(interface), ..) => Ok(Self { interface: *interface }),
            (Err(_), Some(error), _) => Err(error),
            // Boot refuses to go on with a release it does not know, and says so better than we could here.
            (Err(_), None, [interface, ..]) => Ok(Self { interface: *interface }),
            (Err(_), None, []) => Err(HvError::new(Call::XenVersion, Errno::ENOSYS)),
        }
    }

    /// Whether Xen takes both numbers of the interface; it answers EACCES when not.
    fn is_understood(&self) -> Result<bool> {
        let calls = self.sysctl(Call::SchedulerId, &sysctl::SCHED_ID, &SchedId::ZERO).and_then(|_| {
            self.domctl(Call::DomainInfo, &domctl::GETDOMAININFO, DomId(0), &GetDomainInfo::ZERO)
        });
        match calls {
            Ok(_) => Ok(true),
            Err(HvError { errno: Errno::EACCES, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks for `command` on `domid`, and gives the answer.
    pub(super) fn domctl<T: Plain>(
        &self,
        call: Call,
        command: &Command<Domctl, T>,
        domid: DomId,
        argument: &T,
    ) -> Result<T> {
        let mut request = command.on(self.interface.domctl, domid.0, argument);
        // SAFETY: `Plain` promises that Xen stays within the request.
        unsafe { do_domctl(call, &mut request) }?;
        Ok(command.answer(&request))
    }

    /// Asks for `command`, and gives the answer.
    pub(super) fn sysctl<T: Plain>(
        &self,
        call: Call,
        command: &Command<Sysctl, T>,
        argument: &T,
    ) -> Result<T> {
        let mut request = command.ask(self.interface.sysctl, argument);
        // SAFETY: `Plain` promises that Xen stays within the request.
        unsafe { do_sysctl(call, &mut request) }?;
        Ok(command.answer(&request))
    }
}

/// # Safety
/// Addresses in the request lead to memory that Xen may use as the command says.
pub(super) unsafe fn do_domctl(call: Call, request: &mut Domctl) -> Result<()> {
    let address = (&raw mut *request).expose_provenance() as u64;
    // SAFETY: Xen reads and writes the request; the rest is the caller's promise.
    unsafe { hypercall(number::DOMCTL, call, [address, 0, 0, 0, 0]) }.map(drop)
}

/// # Safety
/// Addresses in the request lead to memory that Xen may use as the command says.
pub(super) unsafe fn do_sysctl(call: Call, request: &mut Sysctl) -> Result<()> {
    let address = (&raw mut *request).expose_provenance() as u64;
    // SAFETY: Xen reads and writes the request; the rest is the caller's promise.
    unsafe { hypercall(number::SYSCTL, call, [address, 0, 0, 0, 0]) }.map(drop)
}
