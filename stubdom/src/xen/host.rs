//! The machine and the hypervisor.

use alloc::string::String;

use xendless_core::abi::hypercall as number;
use xendless_core::abi::sysctl::host::{PhysInfo, ReadConsole};
use xendless_core::abi::sysctl::sched::SchedId;
use xendless_core::abi::sysctl::{PHYSINFO, READCONSOLE, SCHED_ID};
use xendless_core::abi::version::{
    self, CAPABILITIES_LEN, CHANGESET_LEN, COMMANDLINE_LEN, CompileInfo, EXTRAVERSION_LEN,
    PlatformParameters, XENVER_VERSION,
};
use xendless_core::hyper::{Call, Host, HostInfo, Result, SchedulerKind, XenBuild, XenVersion};
use zerocopy::{FromBytes, IntoBytes};

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

/// What `command` of `xen_version` writes, which is a `T`.
///
/// # Safety
/// It has to be one that writes at most the bytes of a `T`, and no command that reads an address from it.
unsafe fn about<T: FromBytes + IntoBytes>(command: u32) -> Result<T> {
    let mut answer = T::new_zeroed();
    let address = (&raw mut answer).expose_provenance() as u64;
    // SAFETY: Xen writes to the answer only, as the caller promises.
    unsafe { hypercall(number::XEN_VERSION, Call::XenVersion, [command.into(), address, 0, 0, 0]) }?;
    Ok(answer)
}

/// Text up to its terminator.
fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

impl Host for Xen {
    fn xen_version(&self) -> Result<XenVersion> {
        version()
    }

    fn xen_build(&self) -> Result<XenBuild> {
        // SAFETY: this command writes a text of that length.
        let extra: [u8; EXTRAVERSION_LEN] = unsafe { about(version::XENVER_EXTRAVERSION) }?;
        // SAFETY: this command writes a text of that length.
        let capabilities: [u8; CAPABILITIES_LEN] = unsafe { about(version::XENVER_CAPABILITIES) }?;
        // SAFETY: this command writes a text of that length.
        let changeset: [u8; CHANGESET_LEN] = unsafe { about(version::XENVER_CHANGESET) }?;
        // SAFETY: this command writes a text of that length.
        let command_line: [u8; COMMANDLINE_LEN] = unsafe { about(version::XENVER_COMMANDLINE) }?;
        // SAFETY: this command writes this structure.
        let compile: CompileInfo = unsafe { about(version::XENVER_COMPILE_INFO) }?;
        // SAFETY: this command writes this structure.
        let platform: PlatformParameters = unsafe { about(version::XENVER_PLATFORM_PARAMETERS) }?;
        Ok(XenBuild {
            extra: text(&extra),
            capabilities: text(&capabilities),
            changeset: text(&changeset),
            command_line: text(&command_line),
            compiler: text(&compile.compiler),
            compile_by: text(&compile.compile_by),
            compile_domain: text(&compile.compile_domain),
            compile_date: text(&compile.compile_date),
            virt_start: platform.virt_start,
        })
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

    fn clear_console_ring(&self, index: u32) -> Result<()> {
        // Xen forgets what it passed over in this call: what is before the index.
        let argument = ReadConsole { clear: 1, incremental: 1, index, ..ReadConsole::ZERO };
        let mut request = READCONSOLE.ask(self.interface.sysctl, &argument);
        // SAFETY: the buffer has no bytes, so Xen writes none.
        unsafe { do_sysctl(Call::ReadConsoleRing, &mut request) }
    }
}
