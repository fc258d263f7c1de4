//! The window: addresses at which pages that are not ours appear.
//!
//! It grows by one page table, 512 pages, whenever it is full, up to its end. A slot belongs to whoever holds
//! it. A slot that Xen would not clear is never used again.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Deref;

use spin::Mutex;
use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, DomId, Gfn, HvError, Mfn, Result};
use xendless_core::shared::Page;

use super::ram::{PAGE, size};
use super::space::Space;
use super::table::{self, Changes, ENTRIES, Entry};
use super::{OWN_TABLES, own_page};
use crate::pv;

/// Page tables the window may have.
const TABLES: u64 = ENTRIES - OWN_TABLES;

struct Window {
    space: Space,
    tables: u64,
    /// Has room for every slot there is, so that giving one back cannot fail.
    free: Vec<u64>,
}

static WINDOW: Mutex<Option<Window>> = Mutex::new(None);

/// Makes the window usable.
pub(super) fn open(space: Space) {
    *WINDOW.lock() = Some(Window { space, tables: 0, free: Vec::new() });
}

impl Window {
    fn take(&mut self) -> Option<u64> {
        if self.free.is_empty() {
            self.grow()?;
        }
        self.free.pop()
    }

    /// Adds a page table and its slots.
    fn grow(&mut self) -> Option<()> {
        if self.tables == TABLES {
            return None;
        }
        let slots = self.tables * ENTRIES..(self.tables + 1) * ENTRIES;
        self.free.try_reserve_exact(size(slots.end)).ok()?;
        let pfn = self.space.ram.pfn(Box::leak(own_page()?).as_ptr().expose_provenance() as u64);
        let mut changes = Changes::new();
        // SAFETY: an empty table in a page that is never given back; its addresses are those of the window.
        unsafe { self.space.link(&mut changes, OWN_TABLES + self.tables, pfn) }.ok()?;
        changes.make().ok()?;
        self.tables += 1;
        self.free.extend(slots.rev());
        Some(())
    }
}

/// The machine frame of a page from [`own_page`].
pub(crate) fn own_frame(page: &Page) -> Option<Mfn> {
    let window = WINDOW.lock();
    let ram = &window.as_ref()?.space.ram;
    ram.mfn(ram.pfn((&raw const *page).expose_provenance() as u64))
}

/// One page of the window.
pub(crate) struct Slot {
    number: u64,
    retired: bool,
}

impl Slot {
    /// Takes a free slot, for `call`. Nothing is mapped there.
    pub(crate) fn take(call: Call) -> Result<Self> {
        let number = WINDOW.lock().as_mut().and_then(Window::take);
        number.map(|number| Self { number, retired: false }).ok_or(HvError::new(call, Errno::ENOMEM))
    }

    /// Where it is.
    pub(crate) fn address(&self) -> u64 {
        pv::virt_base() + (OWN_TABLES * ENTRIES + self.number) * PAGE
    }

    /// The page table and the entry that say what is there.
    fn place(&self) -> Option<(Mfn, u64)> {
        WINDOW.lock().as_ref()?.space.leaf(OWN_TABLES * ENTRIES + self.number).ok()
    }

    /// Never to be used again, because something is still mapped there.
    pub(crate) fn retire(&mut self) {
        self.retired = true;
    }

    /// The page that is mapped there.
    ///
    /// # Safety
    /// One is, and stays as long as the slot is borrowed.
    pub(crate) unsafe fn page(&self) -> &Page {
        let page = core::ptr::with_exposed_provenance::<Page>(size(self.address()));
        // SAFETY: page-aligned, and mapped as the caller promises. Others may write to it, which `Page` allows.
        unsafe { &*page }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let (false, Some(window)) = (self.retired, WINDOW.lock().as_mut()) {
            window.free.push(self.number);
        }
    }
}

/// A frame of another domain, or one that Xen shares with us, mapped by its number.
pub(crate) struct ForeignPage(Slot);

/// Maps frame `gfn` of `domid` to read and write, for `call`.
pub(crate) fn map_foreign(call: Call, domid: DomId, gfn: Gfn) -> Result<ForeignPage> {
    let slot = Slot::take(call)?;
    // SAFETY: the slot is free, so nothing relies on what is mapped there.
    unsafe { table::map(call, slot.address(), Entry::data(Mfn(gfn.0)), domid) }?;
    Ok(ForeignPage(slot))
}

/// Maps frame `gfn` of `domid` to read, for `call`. That works for page tables, too.
pub(crate) fn look_at(call: Call, domid: DomId, gfn: Gfn) -> Result<ForeignPage> {
    let slot = Slot::take(call)?;
    // SAFETY: the slot is free, so nothing relies on what is mapped there.
    unsafe { table::map(call, slot.address(), Entry::constant(Mfn(gfn.0)), domid) }?;
    Ok(ForeignPage(slot))
}

/// Maps machine frame `mfn`, which belongs to `domid`, to read and write, for `call`.
pub(crate) fn map_machine(call: Call, domid: DomId, mfn: Mfn) -> Result<ForeignPage> {
    let slot = Slot::take(call)?;
    let place = slot.place().ok_or(HvError::new(call, Errno::ENOMEM))?;
    // SAFETY: the slot is free, so nothing is mapped there.
    unsafe { table::map_machine(call, place, Entry::data(mfn), domid) }?;
    Ok(ForeignPage(slot))
}

impl ForeignPage {
    /// Maps frame `gfn` of `domid` to read and write where this page is now, for `call`.
    pub(crate) fn become_foreign(&mut self, call: Call, domid: DomId, gfn: Gfn) -> Result<()> {
        // SAFETY: references into the page are borrows of `self`, so there are none.
        unsafe { table::map(call, self.0.address(), Entry::data(Mfn(gfn.0)), domid) }
    }
}

impl Deref for ForeignPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        // SAFETY: `map_foreign` mapped it, and only `drop` unmaps it.
        unsafe { self.0.page() }
    }
}

impl Drop for ForeignPage {
    fn drop(&mut self) {
        // SAFETY: references into the page are borrows of `self`, so there are none left.
        if unsafe { table::map(Call::ForeignMap, self.0.address(), Entry::NONE, DomId::SELF) }.is_err() {
            self.0.retire();
        }
    }
}
