//! Memory of other domains: giving and taking it, and looking at it.

use xendless_core::abi::hypercall as number;
use xendless_core::abi::memory::{MemoryReservation, XENMEM_DECREASE_RESERVATION, XENMEM_POPULATE_PHYSMAP};
use xendless_core::abi::xen::{MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE, MmuextOp};
use xendless_core::hyper::{Call, DomId, ForeignMemory, Gfn, Mfn, PhysMemory, Result};

use super::{Xen, other_domain};
use crate::hypercall::hypercall;
use crate::memory::{ForeignPage, map_foreign};

impl ForeignMemory for Xen {
    type Foreign = ForeignPage;

    fn map_foreign(&self, domid: DomId, gfn: Gfn) -> Result<ForeignPage> {
        other_domain(Call::ForeignMap, domid)?;
        map_foreign(Call::ForeignMap, domid, gfn)
    }

    fn map_instead(&self, mut page: ForeignPage, domid: DomId, gfn: Gfn) -> Result<ForeignPage> {
        other_domain(Call::ForeignMap, domid)?;
        page.become_foreign(Call::ForeignMap, domid, gfn)?;
        Ok(page)
    }
}

impl PhysMemory for Xen {
    fn populate(&self, domid: DomId, frames: &mut [u64]) -> Result<usize> {
        let list = frames.as_mut_ptr().expose_provenance() as u64;
        let argument = reservation(domid, list, frames.len());
        // SAFETY: Xen reads and writes the frame numbers of the list, which is ours to change; it gives memory to
        // `domid` and takes none from us.
        unsafe { memory_op(Call::Populate, XENMEM_POPULATE_PHYSMAP, &argument) }
    }

    fn release(&self, domid: DomId, frames: &[u64]) -> Result<usize> {
        let argument = reservation(domid, frames.as_ptr().expose_provenance() as u64, frames.len());
        // SAFETY: Xen reads the list. A page of ours that is in use cannot be taken: Xen counts its mappings.
        unsafe { memory_op(Call::Release, XENMEM_DECREASE_RESERVATION, &argument) }
    }

    fn pin_l4(&self, domid: DomId, mfn: Mfn) -> Result<()> {
        mmuext(Call::PinTable, MMUEXT_PIN_L4_TABLE, domid, mfn)
    }

    fn unpin_l4(&self, domid: DomId, mfn: Mfn) -> Result<()> {
        mmuext(Call::UnpinTable, MMUEXT_UNPIN_TABLE, domid, mfn)
    }
}

/// Gives machine frames of ours, which are not mapped, back to Xen.
pub(crate) fn give_back(frames: &[u64]) -> Result<()> {
    let argument = reservation(DomId::SELF, frames.as_ptr().expose_provenance() as u64, frames.len());
    // SAFETY: Xen reads the list. A page of ours that is in use cannot be taken: Xen counts its mappings.
    unsafe { memory_op(Call::Release, XENMEM_DECREASE_RESERVATION, &argument) }.map(drop)
}

const fn reservation(domid: DomId, list: u64, count: usize) -> MemoryReservation {
    MemoryReservation {
        extent_start: list,
        nr_extents: count as u64,
        domid: domid.0,
        ..MemoryReservation::ZERO
    }
}

/// Returns how many extents were done.
///
/// # Safety
/// The list that the argument names is memory that Xen may use as the command says.
unsafe fn memory_op(call: Call, command: u32, argument: &MemoryReservation) -> Result<usize> {
    let address = (&raw const *argument).expose_provenance() as u64;
    // SAFETY: Xen reads the argument; the rest is the caller's promise.
    let done = unsafe { hypercall(number::MEMORY_OP, call, [command.into(), address, 0, 0, 0]) }?;
    Ok(usize::try_from(done).unwrap_or(usize::MAX))
}

pub(super) fn mmuext(call: Call, command: u32, domid: DomId, mfn: Mfn) -> Result<()> {
    let operation = MmuextOp { cmd: command, arg1: mfn.0, ..MmuextOp::ZERO };
    let arguments = [(&raw const operation).expose_provenance() as u64, 1, 0, domid.0.into(), 0];
    // SAFETY: Xen reads one operation, which changes what a page of `domid` counts as; our own tables stay linked
    // and so keep their kind.
    unsafe { hypercall(number::MMUEXT_OP, call, arguments) }.map(drop)
}
