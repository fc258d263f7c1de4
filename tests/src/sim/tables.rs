//! Page tables of PV domains: what Xen checks before it lets a processor walk them (`arch/x86/mm.c`).
//!
//! Every table must belong to the domain and be used at one level only, and no entry may make a table
//! writable or point at memory of somebody else.

use std::collections::BTreeMap;

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::DomId;
use xendless_core::shared::PAGE_SIZE;

use super::Answer;
use super::machine::Machine;

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const LARGE: u64 = 1 << 7;
const FRAME: u64 = 0x000f_ffff_ffff_f000;

/// Entries of the root table that belong to Xen (`ROOT_PAGETABLE_FIRST_XEN_SLOT` and `_LAST_`).
const XEN_SLOTS: std::ops::RangeInclusive<usize> = 256..=271;

/// Tables found below a root, with their levels.
type Tables = BTreeMap<u64, u8>;

impl Machine {
    pub(super) fn pin(&mut self, me: DomId, domid: DomId, root: u64, level: u8) -> Answer<()> {
        let owner = self.pv_domain(me, domid)?;
        self.validate(owner, root, level)?;
        let frame = self.frames.get_mut(&root).ok_or(Errno::EINVAL)?;
        if std::mem::replace(&mut frame.pinned, true) { Err(Errno::EINVAL) } else { Ok(()) }
    }

    /// `get_page_type`: makes a frame a page table of a level, with all that it leads to.
    pub(super) fn validate(&mut self, owner: DomId, root: u64, level: u8) -> Answer<()> {
        let mut tables = Tables::new();
        self.collect(owner, root, level, &mut tables)?;
        self.check_leaves(owner, &tables)?;
        self.mark_tables(&tables);
        Ok(())
    }

    pub(super) fn unpin(&mut self, me: DomId, domid: DomId, root: u64) -> Answer<()> {
        let owner = self.pv_domain(me, domid)?;
        let frame = self.frames.get_mut(&root).filter(|frame| frame.owner == owner && frame.pinned);
        frame.ok_or(Errno::EINVAL)?.pinned = false;
        let pinned = self.frames.iter().filter(|(_, frame)| frame.owner == owner && frame.pinned);
        let pinned: Vec<_> = pinned.filter_map(|(mfn, frame)| Some((*mfn, frame.table?))).collect();
        for frame in self.frames.values_mut().filter(|frame| frame.owner == owner) {
            frame.table = None;
        }
        // What is still pinned stays a table, with those below it.
        for (root, level) in pinned {
            let mut tables = Tables::new();
            self.collect(owner, root, level, &mut tables)?;
            self.mark_tables(&tables);
        }
        Ok(())
    }

    /// What `do_mmuext_op` checks first.
    fn pv_domain(&self, me: DomId, domid: DomId) -> Answer<DomId> {
        let owner = self.resolve(me, domid)?;
        if self.domain(owner)?.is_hvm() {
            return Err(Errno::EINVAL);
        }
        self.require_rights_over(me, owner)?;
        Ok(owner)
    }

    fn mark_tables(&mut self, tables: &Tables) {
        for (mfn, level) in tables {
            if let Some(frame) = self.frames.get_mut(mfn) {
                frame.table = Some(*level);
            }
        }
    }

    fn collect(&self, owner: DomId, mfn: u64, level: u8, tables: &mut Tables) -> Answer<()> {
        let frame = self.frames.get(&mfn).filter(|frame| frame.owner == owner).ok_or(Errno::EINVAL)?;
        let known = tables.insert(mfn, level).or(frame.table);
        if known.is_some_and(|known| known != level) {
            return Err(Errno::EINVAL);
        }
        // Somebody could still write to it.
        if frame.table.is_none() && frame.mappings > 0 {
            return Err(Errno::EINVAL);
        }
        if level == 1 {
            return Ok(());
        }
        for (slot, entry) in self.entries(mfn).enumerate() {
            let of_xen = level == 4 && XEN_SLOTS.contains(&slot);
            if entry & PRESENT == 0 || of_xen {
                continue;
            }
            if entry & LARGE != 0 {
                return Err(Errno::EINVAL);
            }
            let below = (entry & FRAME) / PAGE_SIZE as u64;
            if tables.get(&below) != Some(&(level - 1)) {
                self.collect(owner, below, level - 1, tables)?;
            }
        }
        Ok(())
    }

    fn check_leaves(&self, owner: DomId, tables: &Tables) -> Answer<()> {
        for mfn in tables.iter().filter(|(_, level)| **level == 1).map(|(mfn, _)| *mfn) {
            for entry in self.entries(mfn).filter(|entry| entry & PRESENT != 0) {
                let target = (entry & FRAME) / PAGE_SIZE as u64;
                let frame =
                    self.frames.get(&target).filter(|frame| frame.owner == owner).ok_or(Errno::EBUSY)?;
                let table = frame.table.is_some() || tables.contains_key(&target);
                if entry & WRITABLE != 0 && table {
                    return Err(Errno::EBUSY);
                }
            }
        }
        Ok(())
    }

    /// A copy of a table's entries.
    fn entries(&self, mfn: u64) -> impl Iterator<Item = u64> + use<> {
        let mut bytes = [0; PAGE_SIZE];
        if let Some(page) = self.frames.get(&mfn).and_then(|frame| frame.page.as_ref()) {
            page.read(0, &mut bytes);
        }
        (0..PAGE_SIZE / 8).map(move |slot| {
            let mut entry = [0; 8];
            entry.copy_from_slice(&bytes[slot * 8..][..8]);
            u64::from_le_bytes(entry)
        })
    }
}
