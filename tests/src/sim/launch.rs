//! The last steps before a domain can run. Refusals follow `arch_set_info_guest` and `XEN_DOMCTL_hypercall_init`.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, DomId, Gfn, Launch, PvStart, PvhStart, Result};

use super::machine::Machine;
use super::{Answer, SimDomain};

/// What a hypercall entry begins with here: nothing ever runs it.
const ENTRY: [u8; 2] = [0x0f, 0x0b];

impl Machine {
    fn init_hypercall_page(&mut self, me: DomId, domid: DomId, gfn: u64) -> Answer<()> {
        let mfn = self.domctl(me, domid)?.frame(gfn).ok_or(Errno::EINVAL)?;
        let frame = self.frames.get_mut(&mfn).filter(|frame| frame.owner == domid).ok_or(Errno::EINVAL)?;
        if frame.table.is_some() {
            return Err(Errno::EPERM);
        }
        frame.page().write(0, &ENTRY);
        Ok(())
    }

    fn start_pv(&mut self, me: DomId, domid: DomId, start: &PvStart) -> Answer<()> {
        let domain = self.domctl(me, domid)?;
        if domid == me || domain.vcpus == 0 || domain.is_hvm() {
            return Err(Errno::EINVAL);
        }
        let root = self.frames.get(&start.top_table.0).filter(|frame| frame.owner == domid);
        if root.is_none_or(|frame| frame.table != Some(4)) {
            return Err(Errno::EINVAL);
        }
        self.domain_mut(domid)?.start = Some(*start);
        Ok(())
    }

    fn start_pvh(&mut self, me: DomId, domid: DomId, start: &PvhStart) -> Answer<()> {
        let domain = self.domctl(me, domid)?;
        if domid == me || start.vcpus != domain.vcpus || !domain.is_hvm() {
            return Err(Errno::EINVAL);
        }
        domain.pvh_start = Some(*start);
        Ok(())
    }
}

impl Launch for SimDomain {
    fn init_hypercall_page(&self, domid: DomId, gfn: Gfn) -> Result<()> {
        self.call(Call::HypercallInit, |machine, me| machine.init_hypercall_page(me, domid, gfn.0))
    }

    fn start_pv(&self, domid: DomId, start: &PvStart) -> Result<()> {
        self.call(Call::VcpuContextSet, |machine, me| machine.start_pv(me, domid, start))
    }

    fn start_pvh(&self, domid: DomId, start: &PvhStart) -> Result<()> {
        self.call(Call::HvmContextSet, |machine, me| machine.start_pvh(me, domid, start))
    }
}
