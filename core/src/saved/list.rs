//! Where a PV domain has its own list of the machine's frames, which has to hold others when it is made again.
//!
//! A domain says that in its shared info page: by page tables and an address (`p2m_cr3`, `p2m_vaddr`), or by a tree of
//! pages of frames (`pfn_to_mfn_frame_list_list`). Either is the domain's word, and decides nothing but which pages of its
//! own get the list. Source: `xen/arch-x86/xen.h`.

use alloc::vec::Vec;

use super::machine::{ADDRESS, PAGE_SHIFT, PRESENT};
use super::save::SaveError;
use crate::abi::shared_info::ArchSharedInfo;
use crate::hyper::{DomId, Gfn, Hypervisor};
use crate::shared::PAGE_SIZE;

/// Entries of a page of the list, of the tree, and of a page table.
const ENTRIES: u64 = PAGE_SIZE as u64 / 8;

/// More pages of the list than any domain has.
const MOST: u64 = 1 << 24;

/// Bits of an address that each level of page tables decides.
const LEVEL_BITS: u32 = 9;

/// How the list is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Root {
    /// Page tables, from this frame on, and where the list begins.
    Tables { top: u64, virt: u64 },
    /// A page of frames of pages of frames.
    Tree(u64),
}

/// A list whose pages are being found.
#[derive(Debug)]
pub(super) struct List {
    root: Root,
    /// Pages that it has.
    pages: u64,
    /// The next one.
    next: u64,
}

impl List {
    pub(super) fn of(arch: &ArchSharedInfo) -> Result<Self, SaveError> {
        let pages = arch.max_pfn.div_ceil(ENTRIES);
        let root = match (arch.p2m_cr3, arch.pfn_to_mfn_frame_list_list) {
            (0, 0) => return Err(SaveError::List),
            (0, tree) => Root::Tree(tree),
            (cr3, _) => Root::Tables { top: cr3 >> PAGE_SHIFT, virt: arch.p2m_vaddr },
        };
        if pages > MOST {
            return Err(SaveError::List);
        }
        Ok(Self { root, pages, next: 0 })
    }

    /// Appends the domain's numbers of at most `most` pages of the list; says whether there are more.
    pub(super) fn read(
        &mut self,
        hv: &impl Hypervisor,
        domid: DomId,
        translate: impl Fn(u64) -> Option<u64>,
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, SaveError> {
        let last = match self.root {
            Root::Tables { virt, .. } => (virt >> PAGE_SHIFT).wrapping_add(self.next),
            Root::Tree(_) => self.next,
        };
        // Pages that stand in one table, or page of the tree.
        let (slot, rest) = (last % ENTRIES, ENTRIES - last % ENTRIES);
        let count = rest.min(self.pages - self.next).min(most as u64);
        if count == 0 {
            return Ok(false);
        }
        let table = self.table(hv, domid, last)?;
        let page = hv.look_at(domid, Gfn(table))?;
        for slot in slot..slot + count {
            let frame = self.frame(word(&page, slot)?)?;
            let number = translate(frame).ok_or(SaveError::List)?;
            out.extend_from_slice(&number.to_le_bytes());
        }
        self.next += count;
        Ok(true)
    }

    /// The frame of the table, or the page of the tree, that leads to page `last`.
    fn table(&self, hv: &impl Hypervisor, domid: DomId, last: u64) -> Result<u64, SaveError> {
        let step = |table: u64, slot: u64| self.frame(word(&*hv.look_at(domid, Gfn(table))?, slot)?);
        match self.root {
            Root::Tree(top) => step(top, last / ENTRIES),
            Root::Tables { top, .. } => (1..4)
                .rev()
                .try_fold(top, |table, level| step(table, (last >> (level * LEVEL_BITS)) % ENTRIES)),
        }
    }

    /// The frame that a word stands for.
    fn frame(&self, word: u64) -> Result<u64, SaveError> {
        match self.root {
            Root::Tree(_) => Ok(word),
            Root::Tables { .. } if word & PRESENT != 0 => Ok((word & ADDRESS) >> PAGE_SHIFT),
            Root::Tables { .. } => Err(SaveError::List),
        }
    }
}

fn word(page: &crate::shared::Page, slot: u64) -> Result<u64, SaveError> {
    let at = usize::try_from(slot % ENTRIES).map_err(|_| SaveError::List)? * 8;
    let mut bytes = [0; 8];
    page.read(at, &mut bytes);
    Ok(u64::from_le_bytes(bytes))
}
