//! The state of domains besides their memory.

use super::FaultInjector;
use crate::hyper::{CONTEXT, Call, DomId, EXTENDED, FrameUse, Mfn, Result, TableLevel, Transfer, VcpuId};

impl<H: Transfer> Transfer for FaultInjector<H> {
    fn platform_size(&self, domid: DomId) -> Result<usize> {
        self.gate(Call::HvmContextGet)?.platform_size(domid)
    }

    fn platform(&self, domid: DomId, out: &mut [u8]) -> Result<usize> {
        self.gate(Call::HvmContextGet)?.platform(domid, out)
    }

    fn set_platform(&self, domid: DomId, records: &[u8]) -> Result<()> {
        self.gate(Call::HvmContextSet)?.set_platform(domid, records)
    }

    fn set_registers(&self, domid: DomId, vcpu: VcpuId, context: &[u8; CONTEXT]) -> Result<()> {
        self.gate(Call::VcpuContextSet)?.set_registers(domid, vcpu, context)
    }

    fn extended(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8; EXTENDED]) -> Result<()> {
        self.gate(Call::VcpuExtendedGet)?.extended(domid, vcpu, out)
    }

    fn set_extended(&self, domid: DomId, vcpu: VcpuId, context: &[u8; EXTENDED]) -> Result<()> {
        self.gate(Call::VcpuExtendedSet)?.set_extended(domid, vcpu, context)
    }

    fn xsave_size(&self, domid: DomId, vcpu: VcpuId) -> Result<usize> {
        self.gate(Call::VcpuXsaveGet)?.xsave_size(domid, vcpu)
    }

    fn xsave(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8]) -> Result<usize> {
        self.gate(Call::VcpuXsaveGet)?.xsave(domid, vcpu, out)
    }

    fn set_xsave(&self, domid: DomId, vcpu: VcpuId, state: &[u8]) -> Result<()> {
        self.gate(Call::VcpuXsaveSet)?.set_xsave(domid, vcpu, state)
    }

    fn frame_uses(&self, domid: DomId, frames: &[u64], uses: &mut [FrameUse]) -> Result<()> {
        self.gate(Call::FrameUses)?.frame_uses(domid, frames, uses)
    }

    fn pin_table(&self, domid: DomId, level: TableLevel, mfn: Mfn) -> Result<()> {
        self.gate(Call::PinTable)?.pin_table(domid, level, mfn)
    }
}
