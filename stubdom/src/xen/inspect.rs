//! Looking into another domain.

use core::sync::atomic::{AtomicU64, Ordering};

use xendless_core::abi::arch::VcpuGuestContext;
use xendless_core::abi::domctl::context::{
    PageFrameInfo, VcpuContext, XEN_DOMCTL_PFINFO_BROKEN, XEN_DOMCTL_PFINFO_LTAB_MASK, XEN_DOMCTL_PFINFO_XTAB,
};
use xendless_core::abi::domctl::{GETPAGEFRAMEINFO3, GETVCPUCONTEXT};
use xendless_core::abi::hypercall as number;
use xendless_core::abi::memory::{MemoryDomain, XENMEM_MAXIMUM_GPFN, XENMEM_MAXIMUM_RAM_PAGE};
use xendless_core::abi::xen::MACH2PHYS_VIRT_START;
use xendless_core::hyper::{
    CONTEXT, Call, DomId, DomainFlags, Domains, FRAMES, Gfn, Inspect, Result, VcpuId,
};
use zerocopy::IntoBytes;

use super::control::do_domctl;
use super::{Xen, other_domain};
use crate::hypercall::hypercall;
use crate::memory::{ForeignPage, look_at};

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
        let pv = self.is_pv(domid)?;
        let mut kinds = [0; FRAMES];
        let (kinds, _) = kinds.split_at_mut(held.len().min(FRAMES));
        for (kind, frame) in kinds.iter_mut().zip(first..) {
            *kind = frame;
        }
        let array = kinds.as_mut_ptr().expose_provenance() as u64;
        let argument = PageFrameInfo { num: kinds.len() as u64, array };
        let mut request = GETPAGEFRAMEINFO3.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen reads and writes `num` entries of the array, which is that long and ours to change.
        unsafe { do_domctl(Call::FramesHeld, &mut request) }?;
        for ((held, kind), frame) in held.iter_mut().zip(kinds.iter()).zip(first..) {
            let kind = *kind & XEN_DOMCTL_PFINFO_LTAB_MASK;
            let memory = kind != XEN_DOMCTL_PFINFO_XTAB && kind != XEN_DOMCTL_PFINFO_BROKEN;
            // SAFETY: Xen said just now that this machine frame is memory of a PV domain.
            *held = memory.then(|| if pv { unsafe { own_number(frame) } } else { frame });
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
    fn is_pv(&self, domid: DomId) -> Result<bool> {
        Ok(!self.domain_info(domid)?.flags.contains(DomainFlags::HVM))
    }
}

/// The number that a PV domain has for a machine frame of its own.
///
/// # Safety
/// The frame is memory of the machine, for which Xen's table always has an entry.
unsafe fn own_number(frame: u64) -> u64 {
    let entry = MACH2PHYS_VIRT_START + frame * size_of::<u64>() as u64;
    let entry = core::ptr::with_exposed_provenance::<AtomicU64>(usize::try_from(entry).unwrap_or(0));
    // SAFETY: Xen maps its table to read for every PV domain; it and domains change it, which atomics allow.
    unsafe { &*entry }.load(Ordering::Relaxed)
}
