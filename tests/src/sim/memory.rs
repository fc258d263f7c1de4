//! Frames of memory: who owns them, who has them mapped, who may have more.
//! Refusals follow `common/memory.c` and `arch/x86/mm.c` of Xen.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, DomId, ForeignMemory, Gfn, Mfn, PhysMemory, Result};
use xendless_core::shared::{PAGE_SIZE, Page};

use super::machine::{Domain, Life, Machine};
use super::{Answer, SimDomain, SimHypervisor};

/// What memory that is not scrubbed is full of.
const SECRET: u8 = 0x5e;

/// What a frame is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    /// Counts as the domain's memory.
    Ordinary,
    /// Shared by Xen with the domain.
    SharedInfo,
    /// Part of the memory a domain had from the start, taken to be offered to another.
    Offered,
}

pub(super) struct Frame {
    pub(super) owner: DomId,
    pub(super) purpose: Use,
    /// Made when somebody first looks; until then all zeros.
    pub(super) page: Option<Arc<Page>>,
    /// Mappings by domains other than the owner.
    pub(super) mappings: u32,
    /// The owner gave it back; it goes when the last mapping does.
    pub(super) released: bool,
    /// Its level, while it is part of a pinned page table.
    pub(super) table: Option<u8>,
    /// It is the root of a pinned page table.
    pub(super) pinned: bool,
    /// The number that a PV domain has for it.
    pub(super) number: u64,
}

impl Frame {
    fn new(owner: DomId, purpose: Use) -> Self {
        Self {
            owner,
            purpose,
            page: None,
            mappings: 0,
            released: false,
            table: None,
            pinned: false,
            number: u64::MAX,
        }
    }

    pub(super) fn page(&mut self) -> Arc<Page> {
        Arc::clone(self.page.get_or_insert_default())
    }
}

/// One mapping of another domain's frame.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) mapper: DomId,
    pub(super) frame: u64,
    /// The grant it was made by.
    pub(super) grant: Option<MappedGrant>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct MappedGrant {
    pub(super) owner: DomId,
    pub(super) gref: u32,
    pub(super) writable: bool,
}

/// A mapped page of another domain. Dropping it unmaps.
pub struct SimMapping {
    sim: SimHypervisor,
    id: u64,
    page: Arc<Page>,
}

impl fmt::Debug for SimMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mapping {}", self.id)
    }
}

impl Deref for SimMapping {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl Drop for SimMapping {
    fn drop(&mut self) {
        self.sim.with(|machine| machine.unmap(self.id));
    }
}

impl Domain {
    /// The frame behind a guest frame: the same for a PV domain.
    pub(super) fn frame(&self, gfn: u64) -> Option<u64> {
        if self.is_hvm() { self.p2m.get(&gfn).copied() } else { Some(gfn) }
    }
}

impl Machine {
    /// A frame from outside of the memory that calls hand out.
    pub(super) fn private_frame(&mut self, owner: DomId, purpose: Use) -> u64 {
        let frame = self.next_private;
        self.next_private += 1;
        self.frames.insert(frame, Frame::new(owner, purpose));
        frame
    }

    fn allocate(&mut self, owner: DomId) -> Option<u64> {
        let domain = self.domain_mut(owner).ok()?;
        // `assign_pages`: neither for the dying nor beyond the limit.
        if domain.life != Life::Alive || domain.pages >= domain.max_pages || self.free.is_empty() {
            return None;
        }
        let at = self.rng.usize(..self.free.len());
        let frame = self.free.swap_remove(at);
        let mut new = Frame::new(owner, Use::Ordinary);
        if self.config.dirty {
            new.page().write(0, &[SECRET; PAGE_SIZE]);
        }
        self.frames.insert(frame, new);
        self.domain_mut(owner).ok()?.pages += 1;
        Some(frame)
    }

    /// The owner lets go of a frame. It is free again when nobody has it mapped.
    pub(super) fn let_go(&mut self, mfn: u64) {
        let Some(frame) = self.frames.get_mut(&mfn) else { return };
        frame.released = true;
        if frame.mappings > 0 {
            return;
        }
        let (owner, purpose) = (frame.owner, frame.purpose);
        self.frames.remove(&mfn);
        if purpose == Use::Ordinary {
            self.free.push(mfn);
            if let Ok(domain) = self.domain_mut(owner) {
                domain.pages -= 1;
            }
        }
        self.reap(owner);
    }

    pub(super) fn map(
        &mut self,
        mapper: DomId,
        mfn: u64,
        grant: Option<MappedGrant>,
    ) -> Option<(u64, Arc<Page>)> {
        let frame = self.frames.get_mut(&mfn)?;
        frame.mappings += 1;
        let page = frame.page();
        let id = self.next_mapping;
        self.next_mapping += 1;
        self.mappings.insert(id, Mapping { mapper, frame: mfn, grant });
        Some((id, page))
    }

    pub(super) fn unmap(&mut self, id: u64) {
        // Gone already when the mapper died first.
        let Some(mapping) = self.mappings.remove(&id) else { return };
        if let Some(grant) = mapping.grant {
            self.unmap_grant(grant);
        }
        let Some(frame) = self.frames.get_mut(&mapping.frame) else { return };
        frame.mappings -= 1;
        if frame.mappings == 0 && frame.released {
            self.let_go(mapping.frame);
        }
    }

    fn map_foreign(&mut self, me: DomId, domid: DomId, gfn: u64) -> Answer<(u64, Arc<Page>)> {
        let owner = self.resolve(me, domid)?;
        self.require_rights_over(me, owner)?;
        let domain = self.domain(owner)?;
        let hvm = domain.is_hvm();
        let mfn = domain.frame(gfn).ok_or(Errno::EINVAL)?;
        let Some(frame) = self.frames.get(&mfn) else {
            // `get_page_from_l1e`: a free frame is nobody's; what is no memory could be a device's.
            return Err(if self.free.contains(&mfn) { Errno::EBUSY } else { Errno::EPERM });
        };
        // The same function: another domain's frame, or a page table of a PV domain.
        if frame.owner != owner || frame.released || (frame.table.is_some() && !hvm) {
            return Err(Errno::EBUSY);
        }
        self.map(me, mfn, None).ok_or(Errno::EINVAL)
    }

    fn populate(&mut self, me: DomId, domid: DomId, frames: &mut [u64]) -> usize {
        // `do_memory_op` answers every refusal of this call with "none done".
        let Ok(owner) = self.resolve(me, domid) else { return 0 };
        if self.require_rights_over(me, owner).is_err() {
            return 0;
        }
        for (done, entry) in frames.iter_mut().enumerate() {
            let Some(frame) = self.allocate(owner) else { return done };
            let Ok(domain) = self.domain_mut(owner) else { return done };
            if domain.is_hvm() {
                domain.p2m.insert(*entry, frame);
            } else {
                if let Some(frame) = self.frames.get_mut(&frame) {
                    frame.number = *entry;
                }
                *entry = frame;
            }
        }
        frames.len()
    }

    fn release(&mut self, me: DomId, domid: DomId, frames: &[u64]) -> usize {
        let Ok(owner) = self.resolve(me, domid) else { return 0 };
        if self.require_rights_over(me, owner).is_err() {
            return 0;
        }
        for (done, gfn) in frames.iter().enumerate() {
            let Ok(domain) = self.domain_mut(owner) else { return done };
            let Some(mfn) = domain.frame(*gfn) else { return done };
            let held = self.frames.get(&mfn).is_some_and(|frame| {
                frame.owner == owner && frame.purpose == Use::Ordinary && !frame.released
            });
            if !held {
                return done;
            }
            if let Ok(domain) = self.domain_mut(owner) {
                domain.p2m.remove(gfn);
            }
            self.let_go(mfn);
        }
        frames.len()
    }
}

impl ForeignMemory for SimDomain {
    type Foreign = SimMapping;

    fn map_foreign(&self, domid: DomId, gfn: Gfn) -> Result<SimMapping> {
        self.call(Call::ForeignMap, |machine, me| machine.map_foreign(me, domid, gfn.0))
            .map(|(id, page)| self.mapping(id, page))
    }

    fn map_instead(&self, page: SimMapping, domid: DomId, gfn: Gfn) -> Result<SimMapping> {
        drop(page);
        self.map_foreign(domid, gfn)
    }
}

impl SimDomain {
    pub(super) fn mapping(&self, id: u64, page: Arc<Page>) -> SimMapping {
        SimMapping { sim: self.sim.clone(), id, page }
    }
}

impl PhysMemory for SimDomain {
    fn populate(&self, domid: DomId, frames: &mut [u64]) -> Result<usize> {
        self.call(Call::Populate, |machine, me| Ok(machine.populate(me, domid, frames)))
    }

    fn release(&self, domid: DomId, frames: &[u64]) -> Result<usize> {
        self.call(Call::Release, |machine, me| Ok(machine.release(me, domid, frames)))
    }

    fn pin_l4(&self, domid: DomId, mfn: Mfn) -> Result<()> {
        self.call(Call::PinTable, |machine, me| machine.pin(me, domid, mfn.0, 4))
    }

    fn unpin_l4(&self, domid: DomId, mfn: Mfn) -> Result<()> {
        self.call(Call::UnpinTable, |machine, me| machine.unpin(me, domid, mfn.0))
    }
}
