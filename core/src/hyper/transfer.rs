//! Taking out what a domain is besides its memory, and putting it into another: what saving and restoring are made of.
//! Sources: `xen/domctl.h`, `xen/hvm/save.h`, and `arch/x86/domctl.c` of Xen.
//!
//! Xen pauses the domain during each of these calls. Between them it does not, so the domain has to be paused, or
//! suspended, for the parts to fit together.
#![forbid(unsafe_code)]

use alloc::vec;

use super::{CONTEXT, DomId, Inspect, Mfn, Result, VcpuId};
use crate::abi::arch::VcpuGuestContext;
use crate::abi::domctl::context::{
    ExtVcpuContext, XEN_DOMCTL_PFINFO_BROKEN, XEN_DOMCTL_PFINFO_LPINTAB, XEN_DOMCTL_PFINFO_LTAB_MASK,
    XEN_DOMCTL_PFINFO_LTAB_SHIFT, XEN_DOMCTL_PFINFO_LTABTYPE_MASK, XEN_DOMCTL_PFINFO_XTAB,
};
use crate::abi::xen::{MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE};

/// Bytes of what [`Inspect::registers`] leaves out of a PV virtual CPU, as `struct xen_domctl_ext_vcpucontext` lays
/// them out. Number of the virtual CPU and size, its first two fields, are filled in by whoever makes the call.
pub const EXTENDED: usize = size_of::<ExtVcpuContext>();

/// The level of a page table; the first one leads to pages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "numbers")]
pub enum TableLevel {
    L1,
    L2,
    L3,
    L4,
}

/// What a frame is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameUse {
    /// Any data.
    Plain,
    /// A page table that Xen has checked.
    Table {
        /// Its level.
        level: TableLevel,
        /// It stays one when nothing leads to it.
        pinned: bool,
    },
    /// No memory of the domain, or such that is Xen's (the shared info page, the grant table), or damaged.
    Absent,
}

/// Taking out what a domain is besides its memory, and putting it into another.
pub trait Transfer {
    /// The most bytes that [`Transfer::platform`] needs room for.
    fn platform_size(&self, domid: DomId) -> Result<usize>;
    /// Virtual CPUs and platform of an HVM or PVH domain, as Xen's records (`xen/hvm/save.h`); returns their bytes,
    /// often fewer than [`Transfer::platform_size`]. Virtual CPUs that are offline have no records of registers.
    fn platform(&self, domid: DomId, out: &mut [u8]) -> Result<usize>;
    /// Puts such records into a domain that never ran. Virtual CPUs with a record of registers come online, the
    /// others go offline. After a refusal the domain is of no use.
    fn set_platform(&self, domid: DomId, records: &[u8]) -> Result<()>;

    /// Sets the registers of a virtual CPU, in the layout of [`Inspect::registers`]; frames in them are those of the
    /// machine. Of a PV virtual CPU that has registers already, page tables and descriptor tables have to stay as they
    /// are (`EOPNOTSUPP`). For an HVM or PVH domain, Xen takes general registers, debug registers and FPU, no other.
    ///
    /// What XSAVE holds besides FPU and SSE is lost, so [`Transfer::set_xsave`] comes after this.
    fn set_registers(&self, domid: DomId, vcpu: VcpuId, context: &[u8; CONTEXT]) -> Result<()>;
    /// What [`Inspect::registers`] leaves out of a PV virtual CPU.
    fn extended(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8; EXTENDED]) -> Result<()>;
    /// Sets that.
    fn set_extended(&self, domid: DomId, vcpu: VcpuId, context: &[u8; EXTENDED]) -> Result<()>;
    /// The most bytes that [`Transfer::xsave`] needs room for; 0 when the machine has no XSAVE.
    fn xsave_size(&self, domid: DomId, vcpu: VcpuId) -> Result<usize>;
    /// The XSAVE state of a virtual CPU: the features it uses and those it ever used, 8 bytes each, and the area in
    /// the layout of the processor. Returns its bytes; 0 when it never used any.
    fn xsave(&self, domid: DomId, vcpu: VcpuId, out: &mut [u8]) -> Result<usize>;
    /// Sets such a state; nothing, when it is empty. Xen refuses features that the machine has not (`EINVAL`).
    fn set_xsave(&self, domid: DomId, vcpu: VcpuId, state: &[u8]) -> Result<()>;

    /// What frames of a domain are used for; machine frames for a PV domain. As many entries as frames, at most
    /// [`FRAMES`](super::FRAMES) (`E2BIG`).
    fn frame_uses(&self, domid: DomId, frames: &[u64], uses: &mut [FrameUse]) -> Result<()>;
    /// Pins `mfn` as a page table of a PV domain, with all that it leads to.
    fn pin_table(&self, domid: DomId, level: TableLevel, mfn: Mfn) -> Result<()>;
}

/// Lets the hypercall in which a virtual CPU of a suspended or paused domain is return `value`.
pub fn set_return_value(
    hv: &(impl Inspect + Transfer),
    domid: DomId,
    vcpu: VcpuId,
    value: u64,
) -> Result<()> {
    let mut state = vec![0; hv.xsave_size(domid, vcpu)?];
    let used = hv.xsave(domid, vcpu, &mut state)?;
    let mut context = VcpuGuestContext::ZERO;
    hv.registers(domid, vcpu, zerocopy::transmute_mut!(&mut context))?;
    context.user_regs.rax = value;
    hv.set_registers(domid, vcpu, zerocopy::transmute_ref!(&context))?;
    hv.set_xsave(domid, vcpu, state.get(..used).unwrap_or_default())
}

impl TableLevel {
    /// The command of `mmuext_op` that pins a table of this level.
    #[must_use]
    pub const fn pin_command(self) -> u32 {
        match self {
            Self::L1 => MMUEXT_PIN_L1_TABLE,
            Self::L2 => MMUEXT_PIN_L2_TABLE,
            Self::L3 => MMUEXT_PIN_L3_TABLE,
            Self::L4 => MMUEXT_PIN_L4_TABLE,
        }
    }
}

impl FrameUse {
    /// What `XEN_DOMCTL_getpageframeinfo3` says of a frame.
    #[must_use]
    pub const fn from_page_info(info: u64) -> Self {
        match info & XEN_DOMCTL_PFINFO_LTAB_MASK {
            XEN_DOMCTL_PFINFO_XTAB | XEN_DOMCTL_PFINFO_BROKEN => return Self::Absent,
            _ => {}
        }
        let level = match (info & XEN_DOMCTL_PFINFO_LTABTYPE_MASK) >> XEN_DOMCTL_PFINFO_LTAB_SHIFT {
            1 => TableLevel::L1,
            2 => TableLevel::L2,
            3 => TableLevel::L3,
            4 => TableLevel::L4,
            _ => return Self::Plain,
        };
        Self::Table { level, pinned: info & XEN_DOMCTL_PFINFO_LPINTAB != 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_used_as_xen_says() {
        let table = |level, pinned| FrameUse::Table { level, pinned };
        for (info, what) in [
            (0x0, FrameUse::Plain),
            (0x1, table(TableLevel::L1, false)),
            (0x2, table(TableLevel::L2, false)),
            (0x3, table(TableLevel::L3, false)),
            (0x4, table(TableLevel::L4, false)),
            (0x9, table(TableLevel::L1, true)),
            (0xc, table(TableLevel::L4, true)),
            // A pinned page that is no table cannot be.
            (0x8, FrameUse::Plain),
            (0xd, FrameUse::Absent),
            (0xf, FrameUse::Absent),
        ] {
            assert_eq!(FrameUse::from_page_info(info << 28), what, "{info:#x}");
            assert_eq!(FrameUse::from_page_info(info << 28 | 7), what, "other bits say nothing");
        }
    }

    #[test]
    fn levels_are_in_order_and_each_has_its_command() {
        let levels = [TableLevel::L1, TableLevel::L2, TableLevel::L3, TableLevel::L4];
        assert_eq!(levels.map(TableLevel::pin_command), [0, 1, 2, 3]);
        assert!(levels.is_sorted());
    }
}
