//! Our address space: one gigabyte at the top, made at boot.
//!
//! ```text
//! VIRT_BASE            all memory we use, page frame n at n * 4 KiB: image, what Xen laid out at boot, heap
//! VIRT_BASE + 512 MiB  the window in which pages of other domains appear
//! VIRT_BASE + 1 GiB    end
//! ```
//!
//! Xen maps only the first few MiB; [`init`] maps the rest, closes the page below the stack, takes write access
//! from code and constants, and gives what nothing uses to the heap.

mod heap;
mod ram;
mod table;
mod window;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use xendless_core::abi::errno::Errno;
use xendless_core::abi::start_info::{SIF_MOD_START_PFN, StartInfo};
use xendless_core::boot::{BootError, LEAST_PAGES};
use xendless_core::hyper::{Call, DomId, HvError, Mfn, Result};
use xendless_core::shared::Page;

use crate::entry;
use crate::shared_info::SHARED_INFO;
use ram::{FreePages, PAGE, Ram, size};
use table::{ENTRIES, Entry, Table};

pub(crate) use heap::usage;
pub(crate) use window::{ForeignPage, Slot, map_foreign, own_frame};

/// Entries of the level 2 table that map our own memory; each stands for 2 MiB. The others are the window.
const OWN_TABLES: u64 = 256;

/// Where the index into the level 4 table, and that into the level 3 table, begin in an address.
const L4_SHIFT: u32 = 39;
const L3_SHIFT: u32 = 30;

/// What boot needs to know of the memory it made.
pub(crate) struct Memory {
    /// Pages we have.
    pub(crate) pages: u64,
    /// The boot bundle.
    pub(crate) bundle: Option<&'static [u8]>,
}

/// A page of our own, on the heap.
pub(crate) type OwnPage = Box<[Page; 1]>;

/// A zeroed page, unless the heap is full.
pub(crate) fn own_page() -> Option<OwnPage> {
    let mut pages = Vec::new();
    pages.try_reserve_exact(1).ok()?;
    pages.push(Page::new());
    pages.into_boxed_slice().try_into().ok()
}

/// Builds the address space. After this the heap works, and the shared info page is Xen's.
pub(crate) fn init(start: &'static StartInfo) -> core::result::Result<Memory, BootError> {
    let ram = Ram::new(start);
    map_shared_info(start)?;
    protect(&ram)?;
    let l2 = find_l2(&ram, start).ok_or(HvError::new(Call::MapOwn, Errno::EFAULT))?;
    let free = map_all(&ram, l2, start)?;
    for range in free.into_addresses(&ram) {
        // SAFETY: `map_all` mapped these pages for reading and writing, and nothing is in them.
        unsafe { heap::add(range) };
    }
    window::open(ram, l2);
    Ok(Memory { pages: ram.pages(), bundle: bundle(&ram, start) })
}

/// Xen's page takes the place of one in our image.
fn map_shared_info(start: &StartInfo) -> Result<()> {
    let address = (&raw const SHARED_INFO).addr() as u64;
    let entry = Entry::data(Mfn(start.shared_info / PAGE));
    // SAFETY: the page has the layout that `SharedInfo` declares, and nothing was kept in the one it replaces.
    unsafe { table::map(Call::MapOwn, address, entry, DomId::SELF) }
}

/// Makes code and constants unwritable, all else not executable, and the page below the stack unusable.
fn protect(ram: &Ram) -> Result<()> {
    each_page(ram, entry::code(), Entry::code)?;
    each_page(ram, entry::constants(), Entry::constant)?;
    // SAFETY: nothing is in this page; the linker script keeps it for this.
    unsafe { table::map(Call::MapOwn, entry::stack_guard(), Entry::NONE, DomId::SELF) }
}

fn each_page(ram: &Ram, range: Range<u64>, entry: fn(Mfn) -> Entry) -> Result<()> {
    for pfn in ram.pfn(range.start)..ram.pfn(range.end) {
        let mfn = ram.mfn(pfn).ok_or(HvError::new(Call::MapOwn, Errno::EINVAL))?;
        // SAFETY: the same frame stays at the same address; nothing writes to code and constants.
        unsafe { table::map(Call::MapOwn, ram.address(pfn), entry(mfn), DomId::SELF) }?;
    }
    Ok(())
}

/// The level 2 table that Xen made for the gigabyte we live in.
fn find_l2(ram: &Ram, start: &StartInfo) -> Option<Mfn> {
    let base = ram.address(0);
    // SAFETY: `pt_base` is the level 4 table, which Xen mapped for us.
    let l4 = unsafe { Table::at(ram, ram.pfn(start.pt_base)) };
    let l3 = ram.find(l4.frame((base >> L4_SHIFT) % ENTRIES)?)?;
    // SAFETY: the level 3 table is one of the boot tables, which Xen mapped for us.
    let l3 = unsafe { Table::at(ram, l3) };
    l3.frame((base >> L3_SHIFT) % ENTRIES)
}

/// Maps what Xen did not, and returns what is free.
fn map_all(ram: &Ram, l2: Mfn, start: &StartInfo) -> core::result::Result<FreePages, BootError> {
    let limit = ram.pages().min(OWN_TABLES * ENTRIES);
    // The page tables are followed by the one page of Xen's boot stack, which ends what Xen laid out.
    let first = ram.pfn(start.pt_base) + start.nr_pt_frames + 1;
    let mut free = FreePages::new(first, limit, bundle_pages(start));
    // SAFETY: the level 2 table is one of the boot tables, which Xen mapped for us.
    let present = unsafe { Table::at(ram, ram.find(l2).unwrap_or_default()) };
    let tables = limit.div_ceil(ENTRIES);
    for index in (0..tables).filter(|index| present.frame(*index).is_none()) {
        let pfn = free.take().filter(|pfn| *pfn < index * ENTRIES);
        let pfn = pfn.ok_or(BootError::TooLittleMemory { pages: ram.pages(), needed: LEAST_PAGES })?;
        // SAFETY: the page lies below what is mapped so far, and is free.
        let table = unsafe { Table::at(ram, pfn) };
        table.fill(|entry| {
            let pfn = index * ENTRIES + entry;
            ram.mfn(pfn).filter(|_| pfn < limit).map_or(Entry::NONE, Entry::data)
        });
        // SAFETY: the table is complete; it maps our own pages at their addresses and nowhere else.
        unsafe { table::link(ram, l2, index, pfn) }?;
    }
    Ok(free)
}

/// The pages of the boot bundle; none without one.
fn bundle_pages(start: &StartInfo) -> Range<u64> {
    if start.flags & SIF_MOD_START_PFN == 0 {
        return 0..0;
    }
    start.mod_start..start.mod_start.saturating_add(start.mod_len.div_ceil(PAGE))
}

fn bundle(ram: &Ram, start: &StartInfo) -> Option<&'static [u8]> {
    let pages = bundle_pages(start);
    let mapped = !pages.is_empty() && pages.end <= ram.pages().min(OWN_TABLES * ENTRIES);
    let address = core::ptr::with_exposed_provenance::<u8>(size(ram.address(pages.start)));
    // SAFETY: Xen put the bundle there, `map_all` mapped it for good and kept it out of the heap.
    mapped.then(|| unsafe { core::slice::from_raw_parts(address, size(start.mod_len)) })
}
