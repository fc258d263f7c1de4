//! The gigabyte we live in: one level 2 table, the tables below it, and what they map.

use core::ops::Range;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::start_info::StartInfo;
use xendless_core::hyper::{Call, DomId, HvError, Mfn, Result};

use super::ram::{PAGE, Ram};
use super::table::{self, Changes, ENTRIES, Entry, Table};
use crate::entry;
use crate::shared_info::SHARED_INFO;

/// Where the index into the level 4 table, and that into the level 3 table, begin in an address.
const L4_SHIFT: u32 = 39;
const L3_SHIFT: u32 = 30;

/// Something is not where Xen says it put it.
const LOST: HvError = HvError::new(Call::MapOwn, Errno::EFAULT);

/// The address space.
#[derive(Clone, Copy)]
pub(crate) struct Space {
    pub(crate) ram: Ram,
    /// The level 2 table, by frame and as we read it.
    l2: Mfn,
    tables: Table,
}

impl Space {
    /// What Xen made for us.
    pub(crate) fn find(start: &'static StartInfo) -> Result<Self> {
        let ram = Ram::new(start);
        let base = ram.address(0);
        let l3 = Self::below(&ram, ram.pfn(start.pt_base), base >> L4_SHIFT).ok_or(LOST)?;
        let l2 = Self::below(&ram, ram.find(l3).ok_or(LOST)?, base >> L3_SHIFT).ok_or(LOST)?;
        // SAFETY: one of the boot tables, which Xen mapped for us to read.
        let tables = unsafe { Table::at(&ram, ram.find(l2).ok_or(LOST)?) };
        Ok(Self { ram, l2, tables })
    }

    /// The table that entry `index` of the boot table in page `pfn` points to.
    fn below(ram: &Ram, pfn: u64, index: u64) -> Option<Mfn> {
        // SAFETY: the page is one of the boot tables, which Xen mapped for us to read.
        let table = unsafe { Table::at(ram, pfn) };
        table.frame(index % ENTRIES)
    }

    /// Whether the 2 MiB that entry `index` stands for have a table.
    pub(crate) fn has_table(&self, index: u64) -> bool {
        self.tables.frame(index).is_some()
    }

    /// The table, and the entry in it, for the page `pfn` pages behind the start.
    pub(crate) fn leaf(&self, pfn: u64) -> Result<(Mfn, u64)> {
        Ok((self.tables.frame(pfn / ENTRIES).ok_or(LOST)?, pfn % ENTRIES))
    }

    /// Makes page `pfn` of ours a page table, the one of entry `index`.
    ///
    /// # Safety
    /// The page holds a level 1 table and nothing writes to it any more, not even when this fails; what it maps
    /// may appear at the addresses that belong to `index`.
    pub(crate) unsafe fn link(&self, changes: &mut Changes, index: u64, pfn: u64) -> Result<()> {
        let mfn = self.ram.mfn(pfn).ok_or(LOST)?;
        let (table, at) = self.leaf(pfn)?;
        // SAFETY: the page stays readable, and nothing writes to it.
        unsafe { changes.add(table, at, Entry::constant(mfn)) }?;
        // SAFETY: the caller's promise; there was no table before.
        unsafe { changes.add(self.l2, index, Entry::table(mfn)) }
    }

    /// Of what Xen mapped, leaves only the code executable, and nothing writable that has no need of it. Xen's
    /// page of shared info takes the place of ours; the page below the stack is closed.
    pub(crate) fn protect(&self, start: &StartInfo) -> Result<()> {
        let pages = |range: Range<u64>| self.ram.pfn(range.start)..self.ram.pfn(range.end);
        let (code, constants) = (pages(entry::code()), pages(entry::constants()));
        let tables = pages(start.pt_base..start.pt_base + start.nr_pt_frames * PAGE);
        let mut changes = Changes::new();
        let mapped = (0..ENTRIES).take_while(|index| self.has_table(*index)).count() as u64 * ENTRIES;
        for pfn in 0..mapped.min(self.ram.pages()) {
            let mfn = self.ram.mfn(pfn).ok_or(LOST)?;
            let entry = match pfn {
                _ if code.contains(&pfn) => Entry::code(mfn),
                _ if constants.contains(&pfn) || tables.contains(&pfn) => Entry::constant(mfn),
                _ => Entry::data(mfn),
            };
            let (table, at) = self.leaf(pfn)?;
            // SAFETY: the same frame stays at the same address, and nothing writes to code, constants and tables.
            unsafe { changes.add(table, at, entry) }?;
        }
        changes.make()?;
        let shared = Entry::data(Mfn(start.shared_info / PAGE));
        // SAFETY: the page has the layout that `SharedInfo` declares, and nothing was kept in the one it replaces.
        unsafe {
            table::map(Call::MapOwn, (&raw const SHARED_INFO).expose_provenance() as u64, shared, DomId::SELF)
        }?;
        // SAFETY: nothing is in this page; the linker script keeps it for this.
        unsafe { table::map(Call::MapOwn, entry::stack_guard(), Entry::NONE, DomId::SELF) }
    }
}
