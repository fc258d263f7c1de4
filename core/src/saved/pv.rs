//! Reading a PV domain. Its page tables and registers have the machine's frames in them, which are another domain's by the
//! time it is made again, so the stream has the domain's numbers instead.
//!
//! Which frames are the domain's, and what for, the hypervisor says; the number of each is in the hypervisor's own table.
//! All of it is kept, 8 bytes for each page of the domain.

use alloc::vec::Vec;
use core::mem::offset_of;

use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::list::List;
use super::machine::{change_registers, change_table};
use super::save::{LOOKS, PAGES, SaveError, append, push, push_page, room};
use super::{BODY, Frame, Piece};
use crate::abi::arch::VcpuGuestContext;
use crate::abi::errno::Errno;
use crate::abi::shared_info::{ArchSharedInfo, SharedInfo};
use crate::hyper::{DomId, DomainInfo, EXTENDED, FRAMES, FrameUse, Gfn, Hypervisor, VcpuId};
use crate::shared::{PAGE_SIZE, Page};

/// The domain's frames by the machine's, in order of the latter.
#[derive(Debug)]
pub(super) struct Map {
    /// The machine's frame, the domain's number for it, and what it is used for.
    frames: Vec<(u32, u32, FrameUse)>,
}

impl Map {
    fn with_capacity(pages: u64) -> Result<Self, SaveError> {
        Ok(Self { frames: room(usize::try_from(pages).map_err(|_| SaveError::ControlMemory)?)? })
    }

    /// Adds a frame behind all others.
    fn add(&mut self, mfn: u64, pfn: u64, what: FrameUse) -> Result<(), SaveError> {
        let small = |number| u32::try_from(number).map_err(|_| SaveError::ControlMemory);
        self.frames.try_reserve(1).map_err(|_| SaveError::ControlMemory)?;
        self.frames.push((small(mfn)?, small(pfn)?, what));
        Ok(())
    }

    /// The number that the domain has for a frame of the machine, if that is the domain's.
    pub(super) fn number(&self, mfn: u64) -> Option<u64> {
        let mfn = u32::try_from(mfn).ok()?;
        let at = self.frames.binary_search_by_key(&mfn, |(mfn, ..)| *mfn).ok()?;
        self.frames.get(at).map(|(_, pfn, _)| u64::from(*pfn))
    }
}

/// What comes next.
#[derive(Debug)]
enum Stage {
    /// Which of the machine's frames are the domain's, from this one on.
    Scan(u64),
    /// What is in the domain's frames, from this one on.
    Pages(usize),
    SharedInfo,
    /// Where the domain has its list of frames.
    List(List),
    /// Virtual CPUs, from this one on.
    Vcpus(u32),
}

/// A domain that is being read.
#[derive(Debug)]
pub(super) struct Reader {
    domid: DomId,
    shared_info: u64,
    vcpus: u32,
    /// The machine's frame behind the last.
    end: u64,
    map: Map,
    stage: Stage,
    scan: Scan,
}

/// What the hypervisor says of some frames.
#[derive(Debug)]
struct Scan {
    held: Vec<Option<u64>>,
    /// Those of the machine that may be the domain's, with its numbers, and what they are used for.
    frames: Vec<u64>,
    numbers: Vec<u64>,
    uses: Vec<FrameUse>,
}

impl Reader {
    pub(super) fn new(hv: &impl Hypervisor, info: &DomainInfo) -> Result<Self, SaveError> {
        Ok(Self {
            domid: info.domid,
            shared_info: info.shared_info,
            vcpus: info.max_vcpus(),
            end: hv.frame_end(info.domid)?,
            map: Map::with_capacity(info.pages)?,
            stage: Stage::Scan(0),
            scan: Scan {
                held: room(FRAMES)?,
                frames: room(FRAMES)?,
                numbers: room(FRAMES)?,
                uses: room(FRAMES)?,
            },
        })
    }

    pub(super) fn read(&mut self, hv: &impl Hypervisor, out: &mut Vec<u8>) -> Result<bool, SaveError> {
        match &mut self.stage {
            Stage::Scan(next) if *next < self.end => {
                let from = *next;
                *next = from.saturating_add(FRAMES as u64).min(self.end);
                self.scan(hv, from, out)?;
            }
            Stage::Scan(_) => self.stage = Stage::Pages(0),
            Stage::Pages(next) if *next < self.map.frames.len() => {
                let from = *next;
                *next = read_pages(hv, self.domid, &self.map, from, out)?;
            }
            Stage::Pages(_) => self.stage = Stage::SharedInfo,
            Stage::SharedInfo => {
                let body = append(out, Piece::SharedInfo, PAGE_SIZE)?;
                Page::read(&*hv.look_at(self.domid, Gfn(self.shared_info))?, 0, body);
                let arch = body.get(offset_of!(SharedInfo, arch)..).unwrap_or_default();
                let (arch, _) = ArchSharedInfo::read_from_prefix(arch).map_err(|_| SaveError::List)?;
                self.stage = Stage::List(List::of(&arch)?);
            }
            Stage::List(list) => {
                let mut body = room(BODY / 2)?;
                let translate = |mfn| self.map.number(mfn);
                if list.read(hv, self.domid, translate, BODY / 16, &mut body)? {
                    push(out, Piece::List, &body)?;
                } else {
                    self.stage = Stage::Vcpus(0);
                }
            }
            Stage::Vcpus(next) if *next < self.vcpus => {
                let vcpu = *next;
                *next += 1;
                self.read_vcpu(hv, vcpu, out)?;
            }
            Stage::Vcpus(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Finds out which of the machine's frames from `from` on are the domain's.
    fn scan(&mut self, hv: &impl Hypervisor, from: u64, out: &mut Vec<u8>) -> Result<(), SaveError> {
        let Scan { held, frames, numbers, uses } = &mut self.scan;
        let count = usize::try_from(self.end - from).unwrap_or(FRAMES).min(FRAMES);
        held.clear();
        held.resize(count, None);
        hv.frames_held(self.domid, from, held)?;
        frames.clear();
        numbers.clear();
        for (mfn, number) in (from..).zip(held.iter()).filter_map(|(mfn, held)| Some((mfn, (*held)?))) {
            frames.push(mfn);
            numbers.push(number);
        }
        if frames.is_empty() {
            return Ok(());
        }
        uses.clear();
        uses.resize(frames.len(), FrameUse::Absent);
        hv.frame_uses(self.domid, frames, uses)?;
        let known = self.map.frames.len();
        for ((mfn, number), what) in frames.iter().zip(numbers.iter()).zip(uses.iter()) {
            if *what != FrameUse::Absent {
                self.map.add(*mfn, *number, *what)?;
            }
        }
        let found = self.map.frames.get(known..).unwrap_or_default();
        if !found.is_empty() {
            let body = append(out, Piece::Frames, found.len() * 8)?;
            for (word, (_, number, what)) in body.as_chunks_mut().0.iter_mut().zip(found) {
                *word = Frame::used((*number).into(), *what).map_or(0, Frame::encode).to_le_bytes();
            }
        }
        Ok(())
    }

    fn read_vcpu(&self, hv: &impl Hypervisor, vcpu: u32, out: &mut Vec<u8>) -> Result<(), SaveError> {
        let (domid, id) = (self.domid, VcpuId(vcpu));
        if !hv.vcpu_info(domid, id)?.online {
            return Ok(());
        }
        let wrong = SaveError::Registers(vcpu);
        let mut context = VcpuGuestContext::new_box_zeroed().map_err(|_| SaveError::ControlMemory)?;
        match hv.registers(domid, id, zerocopy::transmute_mut!(&mut *context)) {
            Ok(()) => {}
            // It never ran.
            Err(error) if error.errno == Errno::ENODATA => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        change_registers(&mut context, vcpu == 0, |mfn| self.map.number(mfn)).ok_or(wrong)?;
        push(out, Piece::Registers { vcpu }, context.as_bytes())?;
        let extended = append(out, Piece::Extended { vcpu }, EXTENDED)?;
        hv.extended(domid, id, extended.first_chunk_mut().ok_or(SaveError::ControlMemory)?)?;
        let size = hv.xsave_size(domid, id)?;
        let mut state = room(size)?;
        state.resize(size, 0);
        let size = hv.xsave(domid, id, &mut state)?;
        push(out, Piece::Xsave { vcpu }, state.get(..size).unwrap_or_default())
    }
}

/// Reads some of the frames from `from` on; returns how far it came.
fn read_pages(
    hv: &impl Hypervisor,
    domid: DomId,
    map: &Map,
    from: usize,
    out: &mut Vec<u8>,
) -> Result<usize, SaveError> {
    let (mut read, mut next) = (0, from);
    for (mfn, pfn, what) in map.frames.iter().skip(from).take(LOOKS) {
        if read == PAGES {
            break;
        }
        next += 1;
        let Some(frame) = Frame::used((*pfn).into(), *what) else { continue };
        let change = |page: &mut [u8; PAGE_SIZE]| match frame.table {
            Some(level) => change_table(page, level, |mfn| map.number(mfn)),
            None => Some(()),
        };
        read += usize::from(push_page(hv, domid, (*mfn).into(), frame, change, out)?);
    }
    Ok(next)
}
