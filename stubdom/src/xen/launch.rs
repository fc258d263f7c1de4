//! The last steps before a new domain can run.

use xendless_core::abi::domctl::context::VcpuContext;
use xendless_core::abi::domctl::life::HypercallInit;
use xendless_core::abi::domctl::{HYPERCALL_INIT, SETVCPUCONTEXT};
use xendless_core::hyper::{Call, DomId, Gfn, Launch, PvStart, Result};

use super::control::do_domctl;
use super::{Xen, other_domain};

impl Launch for Xen {
    fn init_hypercall_page(&self, domid: DomId, gfn: Gfn) -> Result<()> {
        other_domain(Call::HypercallInit, domid)?;
        let argument = HypercallInit { gmfn: gfn.0 };
        self.domctl(Call::HypercallInit, &HYPERCALL_INIT, domid, &argument).map(drop)
    }

    fn start_pv(&self, domid: DomId, start: &PvStart) -> Result<()> {
        let context = start.to_context();
        let argument =
            VcpuContext { ctxt: (&raw const context).expose_provenance() as u64, ..VcpuContext::ZERO };
        let mut request = SETVCPUCONTEXT.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen reads the context that the argument leads to and writes none of it.
        unsafe { do_domctl(Call::VcpuContextSet, &mut request) }
    }
}
