//! Looking into another domain.

use core::sync::atomic::{AtomicU64, Ordering};

use xendless_core::abi::arch::VcpuGuestContext;
use xendless_core::abi::domctl::context::{PageFrameInfo, VcpuContext};
use xendless_core::abi::domctl::{GETPAGEFRAMEINFO3, GETVCPUCONTEXT};
use xendless_core::abi::hvm::start_info::XEN_HVM_MEMMAP_TYPE_RAM;
use xendless_core::abi::hypercall as number;
use xendless_core::abi::memory::{
    E820Entry, MemoryDomain, MemoryMap, XENMEM_MACHINE_MEMORY_MAP, XENMEM_MAXIMUM_GPFN,
    XENMEM_MAXIMUM_RAM_PAGE,
};
use xendless_core::abi::xen::MACH2PHYS_VIRT_START;
use xendless_core::hyper::{
    CONTEXT, Call, DomId, DomainFlags, Domains, FRAMES, FrameUse, Gfn, Inspect, Result, VcpuId,
};
use xendless_core::shared::PAGE_SIZE;
use zerocopy::{FromZeros, IntoBytes};

use super::control::do_domctl;
use super::{Xen, other_domain};
use crate::hypercall::hypercall;
use crate::memory::{ForeignPage, look_at};

/// The most ranges of a machine's memory map.
const RANGES: usize = 256;

/// How many numbers for frames a kernel may have for each that it can fill: it may leave holes.
const HOLES: u64 = 2;

impl Inspect for Xen {
    type Seen = ForeignPage;

    fn frame_end(&self, domid: DomId) -> Result<u64> {
        let command = if self.is_pv(domid)? { XENMEM_MAXIMUM_RAM_PAGE } else { XENMEM_MAXIMUM_GPFN };
        let argument = MemoryDomain { domid: domid.0 };
        let address = (&raw const argument).expose_provenance() as u64;
        let arguments = [command.into(), address, 0, 0, 0];
        // SAFETY: Xen reads the argument, or nothing.
        let last = unsafe { hypercall(number::MEMORY_OP, Call::FrameEnd, arguments) }?;
        Ok(last.saturating_add(1))
    }

    fn frames_held(&self, domid: DomId, first: u64, held: &mut [Option<u64>]) -> Result<()> {
        let info = self.domain_info(domid)?;
        if info.flags.contains(DomainFlags::HVM) {
            return self.translated(domid, first, held);
        }
        // Xen writes a line about every frame that is asked about and is another domain's, and the machine has many. Its
        // table does not tell whose a frame is, but what number its domain has for it, which leaves few.
        let limit = info.max_pages.saturating_mul(HOLES);
        let ram = Ram::of_machine()?;
        for (held, frame) in held.iter_mut().zip(first..) {
            // SAFETY: the frame is memory of the machine.
            let number = ram.contains(frame).then(|| unsafe { own_number(frame) });
            *held = number.filter(|number| *number < limit);
        }
        Ok(())
    }

    fn look_at(&self, domid: DomId, gfn: Gfn) -> Result<ForeignPage> {
        other_domain(Call::LookAt, domid)?;
        look_at(Call::LookAt, domid, gfn)
    }

    fn registers(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8; CONTEXT]) -> Result<()> {
        other_domain(Call::VcpuContextGet, domid)?;
        let mut context = VcpuGuestContext::ZERO;
        let argument = VcpuContext {
            vcpu: vcpu.0,
            ctxt: (&raw mut context).expose_provenance() as u64,
            ..VcpuContext::ZERO
        };
        let mut request = GETVCPUCONTEXT.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen writes the context that the argument leads to.
        unsafe { do_domctl(Call::VcpuContextGet, &mut request) }?;
        out.copy_from_slice(context.as_bytes());
        Ok(())
    }
}

impl Xen {
    /// Which frames of a domain there are that Xen translates.
    fn translated(&self, domid: DomId, first: u64, held: &mut [Option<u64>]) -> Result<()> {
        let mut infos = [0; FRAMES];
        let (infos, _) = infos.split_at_mut(held.len().min(FRAMES));
        for (info, frame) in infos.iter_mut().zip(first..) {
            *info = frame;
        }
        self.page_infos(Call::FramesHeld, domid, infos)?;
        for ((held, info), frame) in held.iter_mut().zip(infos).zip(first..) {
            *held = (FrameUse::from_page_info(*info) != FrameUse::Absent).then_some(frame);
        }
        Ok(())
    }

    /// Puts what frames are in place of their numbers; at most 1024.
    pub(super) fn page_infos(&self, call: Call, domid: DomId, infos: &mut [u64]) -> Result<()> {
        let array = infos.as_mut_ptr().expose_provenance() as u64;
        let argument = PageFrameInfo { num: infos.len() as u64, array };
        let mut request = GETPAGEFRAMEINFO3.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen reads and writes `num` entries of the array, which is that long and ours to change.
        unsafe { do_domctl(call, &mut request) }
    }

    fn is_pv(&self, domid: DomId) -> Result<bool> {
        Ok(!self.domain_info(domid)?.flags.contains(DomainFlags::HVM))
    }
}

/// Where the machine has memory, as frames.
struct Ram {
    ranges: [E820Entry; RANGES],
    count: usize,
}

impl Ram {
    fn of_machine() -> Result<Self> {
        let mut ranges = [E820Entry::new_zeroed(); RANGES];
        let buffer = ranges.as_mut_ptr().expose_provenance() as u64;
        let nr_entries = u32::try_from(RANGES).unwrap_or(0);
        let mut argument = MemoryMap { nr_entries, buffer, ..MemoryMap::ZERO };
        let address = (&raw mut argument).expose_provenance() as u64;
        let arguments = [XENMEM_MACHINE_MEMORY_MAP.into(), address, 0, 0, 0];
        // SAFETY: Xen reads and writes the argument, and writes at most so many entries.
        unsafe { hypercall(number::MEMORY_OP, Call::MachineMemoryMap, arguments) }?;
        let count = usize::try_from(argument.nr_entries).unwrap_or(0).min(RANGES);
        Ok(Self { ranges, count })
    }

    /// Whether all of a frame is memory.
    fn contains(&self, frame: u64) -> bool {
        let page = PAGE_SIZE as u64;
        let (Some(first), Some(end)) = (frame.checked_mul(page), (frame + 1).checked_mul(page)) else {
            return false;
        };
        self.ranges.iter().take(self.count).any(|range| {
            let start = range.addr.get();
            range.kind.get() == XEN_HVM_MEMMAP_TYPE_RAM
                && start <= first
                && end <= start.saturating_add(range.size.get())
        })
    }
}

/// The number that a PV domain has for a machine frame.
///
/// # Safety
/// The frame is memory of the machine, for which Xen's table always has an entry.
unsafe fn own_number(frame: u64) -> u64 {
    let entry = MACH2PHYS_VIRT_START + frame * size_of::<u64>() as u64;
    let entry = core::ptr::with_exposed_provenance::<AtomicU64>(usize::try_from(entry).unwrap_or(0));
    // SAFETY: Xen maps its table to read for every PV domain; it and domains change it, which atomics allow.
    unsafe { &*entry }.load(Ordering::Relaxed)
}
