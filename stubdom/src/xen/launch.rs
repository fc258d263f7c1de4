//! The last steps before a new domain can run.

use alloc::vec;

use xendless_core::abi::domctl::HYPERCALL_INIT;
use xendless_core::abi::domctl::life::HypercallInit;
use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, DomId, Gfn, HvError, Launch, PvStart, PvhStart, Result, Transfer, VcpuId};

use super::{Xen, other_domain};

impl Launch for Xen {
    fn init_hypercall_page(&self, domid: DomId, gfn: Gfn) -> Result<()> {
        other_domain(Call::HypercallInit, domid)?;
        let argument = HypercallInit { gmfn: gfn.0 };
        self.domctl(Call::HypercallInit, &HYPERCALL_INIT, domid, &argument).map(drop)
    }

    fn start_pv(&self, domid: DomId, start: &PvStart) -> Result<()> {
        let context = start.to_context();
        self.set_registers(domid, VcpuId(0), zerocopy::transmute_ref!(&context))
    }

    fn start_pvh(&self, domid: DomId, start: &PvhStart) -> Result<()> {
        let mut current = vec![0; self.platform_size(domid)?];
        self.platform(domid, &mut current)?;
        let wrong = HvError::new(Call::HvmContextGet, Errno::EBADMSG);
        let records = start.to_records(&current).ok_or(wrong)?;
        self.set_platform(domid, &records)
    }
}
