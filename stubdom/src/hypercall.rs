//! Hypercalls with results that name them, and a safe way to make the calls that concern nothing but their argument.

use core::arch::asm;

use xendless_core::abi::{event_channel, hypercall as number, sched, xen};
use xendless_core::hyper::{Call, HvError, Result};
use zerocopy::{FromBytes, IntoBytes};

use crate::shared_info::SHARED_INFO;
use crate::{faults, pv};

/// Makes hypercall `number` and turns Xen's answer into a result that names `call`.
///
/// # Safety
/// Whatever these arguments make Xen read, write or map has to be the caller's to give.
pub(crate) unsafe fn hypercall(number: u32, call: Call, arguments: [u64; 5]) -> Result<u64> {
    faults::check(call)?;
    // SAFETY: the caller's promise.
    unsafe { pv::hypercall(number, arguments) }.map_err(|errno| HvError::new(call, errno))
}

/// Sleeps until an event is pending. Upcalls are masked before and behind it.
pub(crate) fn block() -> Result<()> {
    faults::check(Call::Block)?;
    let mask = SHARED_INFO.vcpu.upcall_mask.as_ptr();
    let answer: i64;
    // SAFETY: Xen unmasks upcalls and waits. Most often it delivers one as the call returns, and masks them again. But it
    // also wakes us late for an event that we found by ourselves before: then there is none to deliver, and an upcall could
    // come anywhere later. So they are masked here; one that comes before that takes rcx and r11, which nothing holds. The
    // mask is a byte that only we and Xen on our behalf write.
    unsafe {
        asm!(
            "call rax",
            "mov byte ptr [r12], 1",
            inlateout("rax") pv::entry(number::SCHED_OP) => answer,
            inlateout("rdi") u64::from(sched::SCHEDOP_BLOCK) => _,
            inlateout("rsi") 0_u64 => _,
            in("r12") mask,
            out("rcx") _,
            out("r11") _,
            lateout("rdx") _,
            lateout("r10") _,
            lateout("r8") _,
        );
    }
    pv::result(answer).map(drop).map_err(|errno| HvError::new(Call::Block, errno))
}

/// The argument structure of one command.
///
/// # Safety
/// Under this command Xen reads and writes the structure and follows no address in it, and what it does leaves
/// our memory, our mappings and where our code runs alone.
pub(crate) unsafe trait Operation: FromBytes + IntoBytes {
    /// The hypercall.
    const NUMBER: u32;
    /// The command, its first argument.
    const COMMAND: u32;
    /// What errors call it.
    const CALL: Call;
}

/// Makes the call that `operation` describes; Xen may fill in fields.
pub(crate) fn perform<O: Operation>(operation: &mut O) -> Result<u64> {
    let address = core::ptr::from_mut(operation).expose_provenance() as u64;
    // SAFETY: `Operation` promises that Xen stays within the structure, which is ours to change.
    unsafe { hypercall(O::NUMBER, O::CALL, [O::COMMAND.into(), address, 0, 0, 0]) }
}

macro_rules! operations {
    ($($structure:ty: $number:ident, $command:expr, $call:ident;)*) => {
        $(
            // SAFETY: the structure holds ids, ports and numbers, and no address.
            unsafe impl Operation for $structure {
                const NUMBER: u32 = number::$number;
                const COMMAND: u32 = $command;
                const CALL: Call = Call::$call;
            }
        )*
    };
}

operations! {
    event_channel::AllocUnbound: EVENT_CHANNEL_OP, event_channel::EVTCHNOP_ALLOC_UNBOUND, EvtchnAllocUnbound;
    event_channel::BindInterdomain:
        EVENT_CHANNEL_OP, event_channel::EVTCHNOP_BIND_INTERDOMAIN, EvtchnBindInterdomain;
    event_channel::BindVirq: EVENT_CHANNEL_OP, event_channel::EVTCHNOP_BIND_VIRQ, EvtchnBindVirq;
    event_channel::Send: EVENT_CHANNEL_OP, event_channel::EVTCHNOP_SEND, EvtchnSend;
    event_channel::Unmask: EVENT_CHANNEL_OP, event_channel::EVTCHNOP_UNMASK, EvtchnUnmask;
    event_channel::Close: EVENT_CHANNEL_OP, event_channel::EVTCHNOP_CLOSE, EvtchnClose;
    event_channel::Status: EVENT_CHANNEL_OP, event_channel::EVTCHNOP_STATUS, EvtchnStatus;
    sched::SchedShutdown: SCHED_OP, sched::SCHEDOP_SHUTDOWN, Shutdown;
}

/// Writes to Xen's console.
pub(crate) fn console_write(text: &[u8]) -> Result<()> {
    let arguments =
        [xen::CONSOLEIO_WRITE.into(), text.len() as u64, text.as_ptr().expose_provenance() as u64, 0, 0];
    // SAFETY: Xen reads exactly the bytes of `text`.
    unsafe { hypercall(number::CONSOLE_IO, Call::ConsoleWrite, arguments) }.map(drop)
}
