//! Taking out what a domain is besides its memory, and putting it into another.

use xendless_core::abi::domctl::context::{ExtVcpuContext, HvmContext, VcpuContext, VcpuExtState};
use xendless_core::abi::domctl::{
    GET_EXT_VCPUCONTEXT, GETHVMCONTEXT, GETVCPUEXTSTATE, SET_EXT_VCPUCONTEXT, SETHVMCONTEXT, SETVCPUCONTEXT,
    SETVCPUEXTSTATE,
};
use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    CONTEXT, Call, DomId, EXTENDED, FRAMES, FrameUse, HvError, Mfn, Result, TableLevel, Transfer, VcpuId,
};
use zerocopy::IntoBytes;

use super::control::do_domctl;
use super::{Xen, memory};

/// Bytes of the two masks before an XSAVE area.
const MASKS: usize = 2 * size_of::<u64>();

impl Transfer for Xen {
    fn platform_size(&self, domid: DomId) -> Result<usize> {
        // SAFETY: there is no buffer.
        unsafe { self.hvm_context(Call::HvmContextGet, domid, 0, 0) }
    }

    fn platform(&self, domid: DomId, out: &mut [u8]) -> Result<usize> {
        let address = out.as_mut_ptr().expose_provenance() as u64;
        // SAFETY: Xen fills the buffer, which is that large and ours to change.
        unsafe { self.hvm_context(Call::HvmContextGet, domid, address, out.len()) }
    }

    fn set_platform(&self, domid: DomId, records: &[u8]) -> Result<()> {
        let address = records.as_ptr().expose_provenance() as u64;
        // SAFETY: Xen reads the records.
        unsafe { self.hvm_context(Call::HvmContextSet, domid, address, records.len()) }.map(drop)
    }

    fn set_registers(&self, domid: DomId, vcpu: VcpuId, context: &[u8; CONTEXT]) -> Result<()> {
        let ctxt = context.as_ptr().expose_provenance() as u64;
        let argument = VcpuContext { vcpu: vcpu.0, ctxt, ..VcpuContext::ZERO };
        let mut request = SETVCPUCONTEXT.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen reads the context that the argument leads to and writes none of it.
        unsafe { do_domctl(Call::VcpuContextSet, &mut request) }
    }

    fn extended(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8; EXTENDED]) -> Result<()> {
        let argument = ExtVcpuContext { vcpu: vcpu.0, ..ExtVcpuContext::ZERO };
        let answer = self.domctl(Call::VcpuExtendedGet, &GET_EXT_VCPUCONTEXT, domid, &argument)?;
        out.copy_from_slice(answer.as_bytes());
        Ok(())
    }

    fn set_extended(&self, domid: DomId, vcpu: VcpuId, context: &[u8; EXTENDED]) -> Result<()> {
        let mut argument = ExtVcpuContext::ZERO;
        argument.as_mut_bytes().copy_from_slice(context);
        argument.vcpu = vcpu.0;
        argument.size = u32::try_from(EXTENDED).unwrap_or(0);
        self.domctl(Call::VcpuExtendedSet, &SET_EXT_VCPUCONTEXT, domid, &argument).map(drop)
    }

    fn xsave_size(&self, domid: DomId, vcpu: VcpuId) -> Result<usize> {
        let whole = self.xsave_of_machine(domid, vcpu)?;
        Ok(if whole.xfeature_mask == 0 { 0 } else { usize::try_from(whole.size).unwrap_or(0) })
    }

    fn xsave(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8]) -> Result<usize> {
        let mut argument = self.xsave_of_machine(domid, vcpu)?;
        if argument.xfeature_mask == 0 {
            return Ok(0);
        }
        argument.size = out.len() as u64;
        argument.buffer = out.as_mut_ptr().expose_provenance() as u64;
        // SAFETY: Xen writes at most `size` bytes of the buffer, which is that large and ours to change.
        let filled = unsafe { self.xsave_state(Call::VcpuXsaveGet, domid, &argument) }?.size;
        let filled = usize::try_from(filled).unwrap_or(0);
        Ok(if filled > MASKS { filled } else { 0 })
    }

    fn set_xsave(&self, domid: DomId, vcpu: VcpuId, state: &[u8]) -> Result<()> {
        if state.is_empty() {
            return Ok(());
        }
        let buffer = state.as_ptr().expose_provenance() as u64;
        let size = state.len() as u64;
        let argument = VcpuExtState { vcpu: vcpu.0, size, buffer, ..VcpuExtState::ZERO };
        // SAFETY: Xen reads `size` bytes of the state.
        unsafe { self.xsave_state(Call::VcpuXsaveSet, domid, &argument) }.map(drop)
    }

    fn frame_uses(&self, domid: DomId, frames: &[u64], uses: &mut [FrameUse]) -> Result<()> {
        let mut infos = [0; FRAMES];
        let asked = infos.get_mut(..frames.len()).filter(|_| frames.len() == uses.len());
        let infos = asked.ok_or(HvError::new(Call::FrameUses, Errno::E2BIG))?;
        infos.copy_from_slice(frames);
        self.page_infos(Call::FrameUses, domid, infos)?;
        for (what, info) in uses.iter_mut().zip(infos) {
            *what = FrameUse::from_page_info(*info);
        }
        Ok(())
    }

    fn pin_table(&self, domid: DomId, level: TableLevel, mfn: Mfn) -> Result<()> {
        memory::mmuext(Call::PinTable, level.pin_command(), domid, mfn)
    }
}

impl Xen {
    /// Reads or sets the records of an HVM or PVH domain; returns their size, which without a buffer is the most that
    /// they can be.
    ///
    /// # Safety
    /// The buffer is `size` bytes of memory that Xen may read, and write unless the call is to set them.
    unsafe fn hvm_context(&self, call: Call, domid: DomId, buffer: u64, size: usize) -> Result<usize> {
        let command = if call == Call::HvmContextSet { SETHVMCONTEXT } else { GETHVMCONTEXT };
        let size = u32::try_from(size).map_err(|_| HvError::new(call, Errno::E2BIG))?;
        let argument = HvmContext { size, buffer, ..HvmContext::ZERO };
        let mut request = command.on(self.interface.domctl, domid.0, &argument);
        // SAFETY: Xen stays within `size` bytes of the buffer; the rest is the caller's promise.
        unsafe { do_domctl(call, &mut request) }?;
        Ok(usize::try_from(command.answer(&request).size).unwrap_or(0))
    }

    /// What XSAVE state there can be: mask and size.
    fn xsave_of_machine(&self, domid: DomId, vcpu: VcpuId) -> Result<VcpuExtState> {
        let argument = VcpuExtState { vcpu: vcpu.0, ..VcpuExtState::ZERO };
        // SAFETY: there is no buffer.
        unsafe { self.xsave_state(Call::VcpuXsaveGet, domid, &argument) }
    }

    /// Reads or sets an XSAVE state.
    ///
    /// # Safety
    /// The argument's buffer is memory that Xen may read, and write unless the call is to set it.
    unsafe fn xsave_state(&self, call: Call, domid: DomId, argument: &VcpuExtState) -> Result<VcpuExtState> {
        let command = if call == Call::VcpuXsaveSet { SETVCPUEXTSTATE } else { GETVCPUEXTSTATE };
        let mut request = command.on(self.interface.domctl, domid.0, argument);
        // SAFETY: Xen stays within `size` bytes of the buffer; the rest is the caller's promise.
        unsafe { do_domctl(call, &mut request) }?;
        Ok(command.answer(&request))
    }
}
