//! The machine and the hypervisor.

use xendless_core::abi::hypercall as number;
use xendless_core::abi::sysctl::host::{PhysInfo, ReadConsole};
use xendless_core::abi::sysctl::sched::SchedId;
use xendless_core::abi::sysctl::{PHYSINFO, READCONSOLE, SCHED_ID};
use xendless_core::abi::version::XENVER_VERSION;
use xendless_core::hyper::{Call, Host, HostInfo, Result, SchedulerKind, XenVersion};

use super::Xen;
use super::control::do_sysctl;
use crate::hypercall::hypercall;

/// The running release.
pub(super) fn version() -> Result<XenVersion> {
    // SAFETY: this command takes no memory.
    let code =
        unsafe { hypercall(number::XEN_VERSION, Call::XenVersion, [XENVER_VERSION.into(), 0, 0, 0, 0]) }?;
    Ok(XenVersion::from_code(u32::try_from(code).unwrap_or(u32::MAX)))
}

impl Host for Xen {
    fn xen_version(&self) -> Result<XenVersion> {
        version()
    }

    fn host_info(&self) -> Result<HostInfo> {
        self.sysctl(Call::PhysInfo, &PHYSINFO, &PhysInfo::ZERO).map(|answer| HostInfo::from(&answer))
    }

    fn scheduler(&self) -> Result<SchedulerKind> {
        let answer = self.sysctl(Call::SchedulerId, &SCHED_ID, &SchedId::ZERO)?;
        Ok(SchedulerKind::from_code(answer.sched_id))
    }

    fn read_console_ring(&self, index: u32, buffer: &mut [u8]) -> Result<(usize, u32)> {
        let argument = ReadConsole {
            incremental: 1,
            index,
            buffer: buffer.as_mut_ptr().expose_provenance() as u64,
            count: u32::try_from(buffer.len()).unwrap_or(u32::MAX),
            ..ReadConsole::ZERO
        };
        let mut request = READCONSOLE.ask(self.interface.sysctl, &argument);
        // SAFETY: Xen writes at most `count` bytes to the buffer.
        unsafe { do_sysctl(Call::ReadConsoleRing, &mut request) }?;
        let answer = READCONSOLE.answer(&request);
        Ok((buffer.len().min(usize::try_from(answer.count).unwrap_or(usize::MAX)), answer.index))
    }
}
