//! Page tables. Xen checks every change, so a wrong one cannot harm others; to us it is as dangerous as on any
//! machine, which is what the `unsafe` here is about.

use core::sync::atomic::{AtomicU64, Ordering};

use xendless_core::abi::errno::Errno;
use xendless_core::abi::hypercall as number;
use xendless_core::abi::xen::{self, MMU_NORMAL_PT_UPDATE, MmuUpdate, UVMF_INVLPG, UVMF_LOCAL};
use xendless_core::hyper::{Call, DomId, HvError, Mfn, Result};

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
    const fn table(mfn: Mfn) -> Self {
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

/// Changes what the page at `address` is, in a table that exists, to a frame of `owner`.
///
/// # Safety
/// Nothing may rely on what is mapped there now, unless the new mapping serves it as well.
pub(crate) unsafe fn map(call: Call, address: u64, entry: Entry, owner: DomId) -> Result<()> {
    let arguments = [address, entry.0, UVMF_INVLPG | UVMF_LOCAL, owner.0.into(), 0];
    // SAFETY: Xen changes this entry and nothing else; the rest is the caller's promise.
    unsafe { hypercall(number::UPDATE_VA_MAPPING_OTHERDOMAIN, call, arguments) }.map(drop)
}

/// Makes page `pfn` of ours a page table and links it as entry `index` of the level 2 table `l2`.
///
/// # Safety
/// The page holds a level 1 table that nothing writes to any more, not even when this fails, and what it maps
/// may appear at the addresses that belong to `index`.
pub(crate) unsafe fn link(ram: &Ram, l2: Mfn, index: u64, pfn: u64) -> Result<()> {
    let mfn = ram.mfn(pfn).ok_or(HvError::new(Call::MapOwn, Errno::EINVAL))?;
    // SAFETY: what the page holds stays readable, and nothing writes to it.
    unsafe { map(Call::MapOwn, ram.address(pfn), Entry::constant(mfn), DomId::SELF) }?;
    let update =
        MmuUpdate { ptr: (l2.0 * PAGE + index * 8) | MMU_NORMAL_PT_UPDATE, val: Entry::table(mfn).0 };
    let arguments = [(&raw const update).addr() as u64, 1, 0, xen::DOMID_SELF.into(), 0];
    // SAFETY: Xen reads one update and changes one entry; the rest is the caller's promise.
    unsafe { hypercall(number::MMU_UPDATE, Call::MapOwn, arguments) }.map(drop)
}
