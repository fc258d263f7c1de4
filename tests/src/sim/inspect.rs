//! Looking into another domain. Refusals follow `arch/x86/domctl.c` and `arch/x86/mm.c` of Xen.

use std::sync::Arc;

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{CONTEXT, Call, DomId, FRAMES, Gfn, Inspect, Result, VcpuId};
use xendless_core::shared::Page;

use super::machine::{FIRST_FRAME, Life, Machine};
use super::memory::{SimMapping, Use};
use super::{Answer, SimDomain};

impl Machine {
    fn frame_end(&mut self, me: DomId, domid: DomId) -> Answer<u64> {
        let domain = self.domctl(me, domid)?;
        let last = domain.p2m.keys().next_back().copied().unwrap_or(0);
        Ok(if domain.is_hvm() { last + 1 } else { FIRST_FRAME + self.config.pages as u64 })
    }

    fn frames_held(&mut self, me: DomId, domid: DomId, first: u64, held: &mut [Option<u64>]) -> Answer<()> {
        self.domctl(me, domid)?;
        if held.len() > FRAMES {
            return Err(Errno::E2BIG);
        }
        for (gfn, held) in (first..).zip(held) {
            let domain = self.domain(domid)?;
            let frame = if domain.is_hvm() {
                let frame = domain.frame(gfn).and_then(|mfn| self.frames.get(&mfn));
                frame.filter(|frame| frame.owner == domid && !frame.released).map(|frame| (frame, gfn))
            } else {
                // Xen's table tells what number its domain has for a frame, and not whose it is.
                let limit = domain.max_pages.saturating_mul(2);
                let frame = self.frames.get(&gfn).map(|frame| (frame, frame.number));
                frame.filter(|(_, number)| *number < limit)
            };
            *held = frame.filter(|(frame, _)| frame.purpose == Use::Ordinary).map(|(_, number)| number);
        }
        Ok(())
    }

    /// `get_page_from_l1e` without the right to write: page tables, too.
    fn look_at(&mut self, me: DomId, domid: DomId, gfn: u64) -> Answer<(u64, Arc<Page>)> {
        let owner = self.resolve(me, domid)?;
        self.require_rights_over(me, owner)?;
        let domain = self.domain(owner)?;
        if domain.life != Life::Alive {
            return Err(Errno::EINVAL);
        }
        let mfn = domain.frame(gfn).ok_or(Errno::EINVAL)?;
        let held = self.frames.get(&mfn).is_some_and(|frame| frame.owner == owner && !frame.released);
        if !held {
            return Err(Errno::EPERM);
        }
        self.map(me, mfn, None).ok_or(Errno::EINVAL)
    }

    fn registers(&mut self, me: DomId, domid: DomId, vcpu: u32, out: &mut [u8; CONTEXT]) -> Answer<()> {
        let domain = self.domctl(me, domid)?;
        if vcpu >= domain.vcpus || domid == me {
            return Err(Errno::EINVAL);
        }
        *out = domain.registers(vcpu).ok_or(Errno::ENODATA)?;
        Ok(())
    }
}

impl Inspect for SimDomain {
    type Seen = SimMapping;

    fn frame_end(&self, domid: DomId) -> Result<u64> {
        self.call(Call::FrameEnd, |machine, me| machine.frame_end(me, domid))
    }

    fn frames_held(&self, domid: DomId, first: u64, held: &mut [Option<u64>]) -> Result<()> {
        self.call(Call::FramesHeld, |machine, me| machine.frames_held(me, domid, first, held))
    }

    fn look_at(&self, domid: DomId, gfn: Gfn) -> Result<SimMapping> {
        self.call(Call::LookAt, |machine, me| machine.look_at(me, domid, gfn.0))
            .map(|(id, page)| self.mapping(id, page))
    }

    fn registers(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8; CONTEXT]) -> Result<()> {
        self.call(Call::VcpuContextGet, |machine, me| machine.registers(me, domid, vcpu.0, out))
    }
}
