//! What concerns ourselves: Xen's console, sleeping, the timer, ending, where events enter.

use xendless_core::abi::callback::{CALLBACKOP_REGISTER, CALLBACKTYPE_EVENT, CallbackRegister};
use xendless_core::abi::sched::SchedShutdown;
use xendless_core::abi::vcpu::VCPUOP_STOP_PERIODIC_TIMER;
use xendless_core::abi::{hypercall as number, xen};
use xendless_core::hyper::{Call, Console, Result, Scheduler, ShutdownReason};

use super::Xen;
use crate::entry;
use crate::hypercall::{self, hypercall, perform};

impl Console for Xen {
    fn console_write(&self, text: &[u8]) -> Result<()> {
        hypercall::console_write(text)
    }

    fn console_read(&self, buffer: &mut [u8]) -> Result<usize> {
        let address = buffer.as_mut_ptr().expose_provenance() as u64;
        let arguments = [xen::CONSOLEIO_READ.into(), buffer.len() as u64, address, 0, 0];
        // SAFETY: Xen writes at most `buffer.len()` bytes there.
        let count = unsafe { hypercall(number::CONSOLE_IO, Call::ConsoleRead, arguments) }?;
        Ok(buffer.len().min(usize::try_from(count).unwrap_or(usize::MAX)))
    }
}

impl Scheduler for Xen {
    fn block(&self) -> Result<()> {
        hypercall::block()
    }

    fn set_timer(&self, deadline: Option<u64>) -> Result<()> {
        // Zero is Xen's word for "none".
        let deadline = deadline.map_or(0, |deadline| deadline.max(1));
        // SAFETY: no memory is involved.
        unsafe { hypercall(number::SET_TIMER_OP, Call::SetTimer, [deadline, 0, 0, 0, 0]) }.map(drop)
    }

    fn shutdown(&self, reason: ShutdownReason) -> Result<()> {
        perform(&mut SchedShutdown { reason: reason.code().into() }).map(drop)
    }
}

/// Tells Xen where to enter for events.
pub(crate) fn register_upcall() -> Result<()> {
    let address = entry::event_upcall();
    let request = CallbackRegister { kind: CALLBACKTYPE_EVENT, address, ..CallbackRegister::ZERO };
    let arguments = [CALLBACKOP_REGISTER.into(), (&raw const request).expose_provenance() as u64, 0, 0, 0];
    // SAFETY: the address is that of code made for it.
    unsafe { hypercall(number::CALLBACK_OP, Call::RegisterCallback, arguments) }.map(drop)
}

/// Stops the tick that Xen gives every new virtual CPU.
pub(crate) fn stop_periodic_timer() -> Result<()> {
    // SAFETY: no memory is involved.
    unsafe {
        hypercall(number::VCPU_OP, Call::StopPeriodicTimer, [VCPUOP_STOP_PERIODIC_TIMER.into(), 0, 0, 0, 0])
    }
    .map(drop)
}
