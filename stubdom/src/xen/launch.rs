//! The last steps before a new domain can run.

use alloc::vec;

use xendless_core::abi::domctl::context::{HvmContext, VcpuContext};
use xendless_core::abi::domctl::life::HypercallInit;
use xendless_core::abi::domctl::{GETHVMCONTEXT, HYPERCALL_INIT, SETHVMCONTEXT, SETVCPUCONTEXT};
use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, DomId, Gfn, HvError, Launch, PvStart, PvhStart, Result};

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

    fn start_pvh(&self, domid: DomId, start: &PvhStart) -> Result<()> {
        // Without a buffer Xen says how large it has to be.
        let size = self.hvm_context(Call::HvmContextGet, domid, &mut [])?;
        let mut current = vec![0; size];
        self.hvm_context(Call::HvmContextGet, domid, &mut current)?;
        let wrong = HvError::new(Call::HvmContextGet, Errno::EBADMSG);
        let mut records = start.to_records(&current).ok_or(wrong)?;
        self.hvm_context(Call::HvmContextSet, domid, &mut records).map(drop)
    }
}

impl Xen {
    /// Reads or sets the records of a PVH domain; returns their size.
    fn hvm_context(&self, call: Call, domid: DomId, records: &mut [u8]) -> Result<usize> {
        let command = if call == Call::HvmContextSet { SETHVMCONTEXT } else { GETHVMCONTEXT };
        let argument = HvmContext {
            size: u32::try_from(records.len()).unwrap_or(u32::MAX),
            buffer: if records.is_empty() { 0 } else { records.as_mut_ptr().addr() as u64 },
            ..HvmContext::ZERO
        };
        let mut request = command.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen reads or fills at most `size` bytes of the buffer, which is that large and ours to change.
        unsafe { do_domctl(call, &mut request) }?;
        Ok(usize::try_from(command.answer(&request).size).unwrap_or(0))
    }
}
