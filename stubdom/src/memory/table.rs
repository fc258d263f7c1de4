//! Page tables. Xen checks every change, so a wrong one cannot harm others; to us it is as dangerous as on any
//! machine, which is what the `unsafe` here is about.

use core::sync::atomic::{AtomicU64, Ordering};

use xendless_core::abi::hypercall as number;
use xendless_core::abi::xen::{
    self, MMU_NORMAL_PT_UPDATE, MMU_PT_UPDATE_NO_TRANSLATE, MmuUpdate, UVMF_INVLPG, UVMF_LOCAL,
};
use xendless_core::hyper::{Call, DomId, Mfn, Result};

use super::ram::{PAGE, Ram, size};
use crate::hypercall::hypercall;

/// Entries of a table.
pub(crate) const ENTRIES: u64 = 512;

/// A page table entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u64);

impl Entry {
    /// Maps nothing.
    pub(crate) const NONE: Self = Self(0);

    const PRESENT: u64 = 1 << 0;
    const WRITABLE: u64 = 1 << 1;
    /// A PV kernel runs in ring 3.
    const USER: u64 = 1 << 2;
    const ACCESSED: u64 = 1 << 5;
    const DIRTY: u64 = 1 << 6;
    const NO_EXECUTE: u64 = 1 << 63;
    const FRAME: u64 = 0x000f_ffff_ffff_f000;

    const fn new(mfn: Mfn, flags: u64) -> Self {
        Self((mfn.0 * PAGE) | Self::PRESENT | Self::USER | Self::ACCESSED | flags)
    }

    /// A page to read and write.
    pub(crate) const fn data(mfn: Mfn) -> Self {
        Self::new(mfn, Self::WRITABLE | Self::DIRTY | Self::NO_EXECUTE)
    }

    /// A page to read.
    pub(crate) const fn constant(mfn: Mfn) -> Self {
        Self::new(mfn, Self::NO_EXECUTE)
    }

    /// A page to execute and read.
    pub(crate) const fn code(mfn: Mfn) -> Self {
        Self::new(mfn, 0)
    }

    /// A table of the next lower level.
    pub(crate) const fn table(mfn: Mfn) -> Self {
        Self::new(mfn, Self::WRITABLE)
    }

    /// The frame it points to, if it is present.
    const fn frame(self) -> Option<Mfn> {
        if self.0 & Self::PRESENT == 0 { None } else { Some(Mfn((self.0 & Self::FRAME) / PAGE)) }
    }
}

/// One page of ours seen as a page table.
#[derive(Clone, Copy)]
pub(crate) struct Table(&'static [AtomicU64; size(ENTRIES)]);

impl Table {
    /// Page `pfn` of `ram`.
    ///
    /// # Safety
    /// The page is mapped for good, and is a page table or unused.
    pub(crate) unsafe fn at(ram: &Ram, pfn: u64) -> Self {
        let words = core::ptr::with_exposed_provenance::<[AtomicU64; size(ENTRIES)]>(size(ram.address(pfn)));
        // SAFETY: page-aligned, and mapped for good as the caller promises. Only Xen and this type look at it,
        // both by atomic accesses; any value is valid.
        Self(unsafe { &*words })
    }

    /// The frame that entry `index` points to.
    pub(crate) fn frame(self, index: u64) -> Option<Mfn> {
        Entry(self.0.get(size(index))?.load(Ordering::Relaxed)).frame()
    }

    /// Writes all entries. Works only while the page is no table yet.
    pub(crate) fn fill(self, entry: impl Fn(u64) -> Entry) {
        for (index, word) in (0..).zip(self.0) {
            word.store(entry(index).0, Ordering::Relaxed);
        }
    }
}

/// The machine address of entry `index` of the table in machine frame `table`.
const fn place(table: Mfn, index: u64) -> u64 {
    table.0 * PAGE + index * 8
}

/// Changes of page tables, collected and handed to Xen many at a time. Those still held when it is dropped are
/// not made. What was mapped before may be seen until the next flush of the TLB.
pub(crate) struct Changes(heapless::Vec<MmuUpdate, 512>);

impl Changes {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    /// Entry `index` of `table` is to become `entry`.
    ///
    /// # Safety
    /// Nothing relies on what is mapped there now, unless the new entry serves it as well.
    pub(crate) unsafe fn add(&mut self, table: Mfn, index: u64, entry: Entry) -> Result<()> {
        if self.0.is_full() {
            self.make()?;
        }
        // There is room now.
        let _ = self.0.push(MmuUpdate { ptr: place(table, index) | MMU_NORMAL_PT_UPDATE, val: entry.0 });
        Ok(())
    }

    /// Makes all changes, in order.
    pub(crate) fn make(&mut self) -> Result<()> {
        let arguments =
            [self.0.as_ptr().expose_provenance() as u64, self.0.len() as u64, 0, xen::DOMID_SELF.into(), 0];
        // SAFETY: Xen reads the list; whoever added a change promised that it is safe.
        unsafe { hypercall(number::MMU_UPDATE, Call::MapOwn, arguments) }?;
        self.0.clear();
        Ok(())
    }
}

/// Changes what the page at `address` is, in a table that exists, to a frame of `owner`, at once.
///
/// # Safety
/// Nothing may rely on what is mapped there now, unless the new mapping serves it as well.
pub(crate) unsafe fn map(call: Call, address: u64, entry: Entry, owner: DomId) -> Result<()> {
    let arguments = [address, entry.0, UVMF_INVLPG | UVMF_LOCAL, owner.0.into(), 0];
    // SAFETY: Xen changes this entry and nothing else; the rest is the caller's promise.
    unsafe { hypercall(number::UPDATE_VA_MAPPING_OTHERDOMAIN, call, arguments) }.map(drop)
}

/// As [`map`], where nothing is mapped, for a *machine* frame even when `owner` numbers its memory itself.
///
/// # Safety
/// Nothing is mapped by entry `index` of `table`, and nothing relies on that.
pub(crate) unsafe fn map_machine(
    call: Call,
    (table, index): (Mfn, u64),
    entry: Entry,
    owner: DomId,
) -> Result<()> {
    let update = MmuUpdate { ptr: place(table, index) | MMU_PT_UPDATE_NO_TRANSLATE, val: entry.0 };
    let arguments = [(&raw const update).expose_provenance() as u64, 1, 0, owner.0.into(), 0];
    // SAFETY: Xen reads one update and changes this entry; the rest is the caller's promise.
    unsafe { hypercall(number::MMU_UPDATE, call, arguments) }.map(drop)
}
