//! What is particular to a PV domain: whatever in it was a frame of the machine gets the one that it has now.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::offset_of;

use zerocopy::{FromZeros, IntoBytes};

use super::Wrong;
use crate::abi::arch::{VGCF_ONLINE, VcpuGuestContext};
use crate::abi::shared_info::{ArchSharedInfo, SharedInfo, VcpuInfo, XEN_LEGACY_MAX_VCPUS};
use crate::abi::start_info::StartInfo;
use crate::builder::build::Target;
use crate::builder::copy::WRITE;
use crate::builder::{BuildHypervisor, Built, Cause, Ring};
use crate::hyper::{DomId, EXTENDED, Gfn, Mfn, TableLevel, VcpuId};
use crate::saved::machine::{change_registers, change_table};
use crate::saved::{Frame, Piece};
use crate::shared::PAGE_SIZE;

/// No frame.
const NONE: u32 = u32::MAX;

/// The most numbers that a domain can have for frames: with 4 bytes for each, more than the control domain has.
const MOST: u64 = 1 << 28;

/// Page tables pinned in one step. Xen looks at all that they lead to.
const PINS: usize = 8;

/// Entries of a page of the domain's list of frames.
const ENTRIES: usize = PAGE_SIZE / size_of::<u64>();

/// What was said of a virtual CPU.
#[derive(Debug, Default)]
struct Vcpu {
    registers: Option<Box<VcpuGuestContext>>,
    extended: Option<Box<[u8; EXTENDED]>>,
    xsave: Vec<u8>,
}

/// What is done when all was said; numbers are where it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Finish {
    #[default]
    Start,
    List(usize),
    Pins(usize),
    Vcpus(usize),
    Grants,
}

/// What was said of it.
#[derive(Debug, Default)]
pub(super) struct Pv {
    /// The machine's frame for each number of the domain's.
    mfns: Vec<u32>,
    /// Page tables that were pinned, by the domain's number.
    pins: Vec<(u32, TableLevel)>,
    /// Where the domain has its list of frames.
    list: Vec<u64>,
    shared_info: Option<Box<[u8; PAGE_SIZE]>>,
    vcpus: Vec<Vcpu>,
    finish: Finish,
    rings: Option<[Ring; 2]>,
}

impl Pv {
    /// Makes room for a frame that is about to be listed.
    pub(super) fn reserve(&mut self, number: u64) -> Result<(), Cause> {
        let end = number.saturating_add(1);
        let end = usize::try_from(end).ok().filter(|_| end <= MOST).ok_or(Wrong::TooMany)?;
        let missing = end.saturating_sub(self.mfns.len());
        self.mfns.try_reserve(missing).map_err(|_| Cause::ControlMemory)?;
        self.mfns.resize(self.mfns.len() + missing, NONE);
        Ok(())
    }

    /// A frame got memory.
    pub(super) fn list(&mut self, frame: Frame, mfn: u64) -> Result<(), Cause> {
        let place = usize::try_from(frame.number).ok().and_then(|number| self.mfns.get_mut(number));
        let (place, mfn) = place.zip(u32::try_from(mfn).ok()).ok_or(Wrong::TooMany)?;
        *place = mfn;
        if let (true, Some(level)) = (frame.pinned, frame.table) {
            self.pins.try_reserve(1).map_err(|_| Cause::ControlMemory)?;
            self.pins.push((u32::try_from(frame.number).map_err(|_| Wrong::TooMany)?, level));
        }
        Ok(())
    }

    /// The machine's frame for a number of the domain's.
    fn mfn(&self, number: u64) -> Option<u64> {
        let mfn = self.mfns.get(usize::try_from(number).ok()?)?;
        (*mfn != NONE).then_some(u64::from(*mfn))
    }

    fn known(&self, number: u64) -> Result<u64, Wrong> {
        self.mfn(number).ok_or(Wrong::Lost)
    }

    /// Fills a page.
    pub(super) fn write<H: BuildHypervisor>(
        &self,
        target: &Target<'_, H>,
        frame: Frame,
        body: &[u8],
    ) -> Result<(), Cause> {
        let mut page = <[u8; PAGE_SIZE]>::try_from(body).map_err(|_| Wrong::Order)?;
        if let Some(level) = frame.table {
            change_table(&mut page, level, |number| self.mfn(number)).ok_or(Wrong::Lost)?;
        }
        target.page(Gfn(self.known(frame.number)?))?.write(0, &page);
        Ok(())
    }

    pub(super) fn take(&mut self, piece: Piece, body: &[u8], vcpus: u32) -> Result<(), Cause> {
        match piece {
            Piece::List => {
                let (words, _) = body.as_chunks::<8>();
                let listed = self.list.len() + words.len();
                if listed > self.mfns.len().div_ceil(ENTRIES).max(1) * ENTRIES {
                    return Err(Wrong::TooMany.into());
                }
                self.list.try_reserve(words.len()).map_err(|_| Cause::ControlMemory)?;
                self.list.extend(words.iter().map(|word| u64::from_le_bytes(*word)));
            }
            Piece::SharedInfo => self.shared_info = Some(boxed(body)?),
            Piece::Registers { vcpu } => {
                let mut context = VcpuGuestContext::new_box_zeroed().map_err(|_| Cause::ControlMemory)?;
                context.as_mut_bytes().copy_from_slice(body);
                self.vcpu(vcpu, vcpus)?.registers = Some(context);
            }
            Piece::Extended { vcpu } => self.vcpu(vcpu, vcpus)?.extended = Some(boxed(body)?),
            Piece::Xsave { vcpu } => {
                let vcpu = self.vcpu(vcpu, vcpus)?;
                vcpu.xsave.clear();
                vcpu.xsave.try_reserve_exact(body.len()).map_err(|_| Cause::ControlMemory)?;
                vcpu.xsave.extend_from_slice(body);
            }
            _ => return Err(Wrong::Order.into()),
        }
        Ok(())
    }

    fn vcpu(&mut self, vcpu: u32, vcpus: u32) -> Result<&mut Vcpu, Cause> {
        let index = usize::try_from(vcpu).ok().filter(|_| vcpu < vcpus).ok_or(Wrong::Other)?;
        let missing = (index + 1).saturating_sub(self.vcpus.len());
        self.vcpus.try_reserve(missing).map_err(|_| Cause::ControlMemory)?;
        let len = self.vcpus.len() + missing;
        self.vcpus.resize_with(len, Vcpu::default);
        self.vcpus.get_mut(index).ok_or_else(|| Wrong::Other.into())
    }

    /// Puts it all into the new domain, a bounded piece of work per step.
    pub(super) fn finish<H: BuildHypervisor>(
        &mut self,
        target: &Target<'_, H>,
        server: DomId,
    ) -> Result<Option<Built>, Cause> {
        let Target { hv, domid } = *target;
        self.finish = match self.finish {
            Finish::Start => {
                let shared_info = hv.domain_info(domid)?.shared_info;
                self.write_shared_info(target, shared_info)?;
                self.write_start_info(target, shared_info, server)?;
                Finish::List(0)
            }
            Finish::List(from) if from < self.list.len() => {
                self.write_list(target, from)?;
                Finish::List(from + WRITE)
            }
            Finish::List(_) => Finish::Pins(0),
            Finish::Pins(from) if from < self.pins.len() => {
                for (number, level) in self.pins.iter().skip(from).take(PINS) {
                    hv.pin_table(domid, *level, Mfn(self.known((*number).into())?))?;
                }
                Finish::Pins(from + PINS)
            }
            Finish::Pins(_) => Finish::Vcpus(0),
            Finish::Vcpus(index) if index < self.vcpus.len() => {
                self.start_vcpu(target, index)?;
                Finish::Vcpus(index + 1)
            }
            Finish::Vcpus(_) => Finish::Grants,
            Finish::Grants => {
                let [store, console] = self.rings.ok_or(Wrong::Missing)?;
                target.grant_rings(server, store, console)?;
                return Ok(Some(Built { domid, store, console }));
            }
        };
        Ok(None)
    }

    /// Virtual CPUs and what the domain says of itself stay; of events there are none, and all are masked.
    fn write_shared_info<H: BuildHypervisor>(&self, target: &Target<'_, H>, frame: u64) -> Result<(), Cause> {
        let saved = self.shared_info.as_ref().ok_or(Wrong::Missing)?;
        let page = target.page(Gfn(frame))?;
        let copy = |from: usize, len: usize| {
            page.write(from, saved.get(from..from + len).unwrap_or_default());
        };
        copy(offset_of!(SharedInfo, vcpu_info), XEN_LEGACY_MAX_VCPUS * size_of::<VcpuInfo>());
        copy(offset_of!(SharedInfo, arch), size_of::<ArchSharedInfo>());
        for vcpu in 0..XEN_LEGACY_MAX_VCPUS {
            let at = vcpu * size_of::<VcpuInfo>() + offset_of!(VcpuInfo, evtchn_pending_sel);
            page.write(at, &[0; 8]);
        }
        page.write(offset_of!(SharedInfo, evtchn_pending), &[0; 512]);
        page.write(offset_of!(SharedInfo, evtchn_mask), &[u8::MAX; 512]);
        let tree = offset_of!(SharedInfo, arch) + offset_of!(ArchSharedInfo, pfn_to_mfn_frame_list_list);
        page.write(tree, &[0; 8]);
        Ok(())
    }

    /// Makes the rings and tells the domain of them, as it expects when its hypercall to suspend returns.
    fn write_start_info<H: BuildHypervisor>(
        &mut self,
        target: &Target<'_, H>,
        shared_info: u64,
        server: DomId,
    ) -> Result<(), Cause> {
        let Target { hv, domid } = *target;
        let first = self.vcpus.first().and_then(|vcpu| vcpu.registers.as_ref()).ok_or(Wrong::Missing)?;
        let frame = self.known(first.user_regs.rdx)?;
        let mut info = StartInfo::ZERO;
        target.page(Gfn(frame))?.read(0, info.as_mut_bytes());
        let ring = |number| -> Result<Ring, Cause> {
            let frame = Gfn(self.known(number)?);
            target.page(frame)?.clear();
            Ok(Ring { frame, port: hv.alloc_unbound(domid, server)? })
        };
        let (store, console) = (ring(info.store_mfn)?, ring(info.console_mfn)?);
        info.nr_pages = self.mfns.len() as u64;
        info.shared_info = shared_info * PAGE_SIZE as u64;
        info.flags = 0;
        (info.store_mfn, info.store_evtchn) = (store.frame.0, store.port.0);
        (info.console_mfn, info.console_evtchn) = (console.frame.0, console.port.0);
        target.page(Gfn(frame))?.write(0, info.as_bytes());
        self.rings = Some([store, console]);
        Ok(())
    }

    /// Writes pages of the domain's list from `from` on.
    fn write_list<H: BuildHypervisor>(&self, target: &Target<'_, H>, from: usize) -> Result<(), Cause> {
        let mut pages = target.pages();
        for (index, number) in self.list.iter().enumerate().skip(from).take(WRITE) {
            let mut entries = [u64::MAX; ENTRIES];
            let mfns = self.mfns.get(index * ENTRIES..).unwrap_or_default();
            for (entry, mfn) in entries.iter_mut().zip(mfns).filter(|(_, mfn)| **mfn != NONE) {
                *entry = (*mfn).into();
            }
            pages.at(Gfn(self.known(*number)?))?.write(0, entries.as_bytes());
        }
        Ok(())
    }

    fn start_vcpu<H: BuildHypervisor>(&mut self, target: &Target<'_, H>, index: usize) -> Result<(), Cause> {
        let Target { hv, domid } = *target;
        let Some(vcpu) = self.vcpus.get_mut(index).map(core::mem::take) else { return Ok(()) };
        let Some(mut context) = vcpu.registers else { return Ok(()) };
        change_registers(&mut context, index == 0, |number| self.mfn(number)).ok_or(Wrong::Lost)?;
        context.flags |= VGCF_ONLINE;
        let id = VcpuId(u32::try_from(index).map_err(|_| Wrong::Other)?);
        hv.set_registers(domid, id, zerocopy::transmute_ref!(&*context))?;
        if let Some(extended) = &vcpu.extended {
            hv.set_extended(domid, id, extended)?;
        }
        hv.set_xsave(domid, id, &vcpu.xsave)?;
        Ok(())
    }
}

/// A body of a fixed size, as it is to be kept.
fn boxed<const N: usize>(body: &[u8]) -> Result<Box<[u8; N]>, Cause> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(N).map_err(|_| Cause::ControlMemory)?;
    bytes.extend_from_slice(body);
    bytes.into_boxed_slice().try_into().map_err(|_| Wrong::Order.into())
}
