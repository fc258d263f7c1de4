//! Our address space: one gigabyte at the top, made at boot.
//!
//! ```text
//! VIRT_BASE            all memory we use, page frame n at n * 4 KiB: image, what Xen laid out at boot, heap
//! VIRT_BASE + 768 MiB  the window in which pages of other domains appear
//! VIRT_BASE + 1 GiB    end
//! ```
//!
//! Xen maps only the first few MiB; [`init`] maps the rest, closes the page below the stack, takes write access
//! from code and constants, and gives what nothing uses to the heap. What is beyond 768 MiB goes back to Xen, for
//! guests: without `dom0_mem` Xen gives its initial domain nearly all there is.

mod heap;
mod ram;
mod space;
mod table;
mod window;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use xendless_core::abi::start_info::{SIF_MOD_START_PFN, StartInfo};
use xendless_core::boot::{BootError, LEAST_PAGES};
use xendless_core::shared::Page;

use crate::xen::give_back;
use ram::{FreePages, PAGE, Ram, size};
use space::Space;
use table::{Changes, ENTRIES, Entry, Table};

pub(crate) use heap::{usage, used as heap_used};
pub(crate) use window::{ForeignPage, Slot, look_at, map_foreign, map_machine, own_frame};

/// Entries of the level 2 table that map our own memory; each stands for 2 MiB. The others are the window.
const OWN_TABLES: u64 = 384;

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
pub(crate) fn init(start: &'static StartInfo) -> Result<Memory, BootError> {
    let space = Space::find(start)?;
    space.protect(start)?;
    let free = map_all(&space, start)?;
    for range in free.into_addresses(&space.ram) {
        // SAFETY: these pages are mapped for reading and writing, and nothing is in them.
        unsafe { heap::add(range) };
    }
    window::open(space);
    let beyond = space.ram.frames_from(OWN_TABLES * ENTRIES);
    if !beyond.is_empty() {
        give_back(beyond)?;
    }
    let pages = space.ram.pages() - beyond.len() as u64;
    Ok(Memory { pages, bundle: bundle(&space.ram, start) })
}

/// Maps what Xen did not, and returns what is free.
fn map_all(space: &Space, start: &StartInfo) -> Result<FreePages, BootError> {
    let ram = &space.ram;
    let limit = ram.pages().min(OWN_TABLES * ENTRIES);
    // The page tables are followed by the one page of Xen's boot stack, which ends what Xen laid out.
    let first = ram.pfn(start.pt_base) + start.nr_pt_frames + 1;
    let mut free = FreePages::new(first, limit, bundle_pages(start));
    let mut changes = Changes::new();
    for index in (0..limit.div_ceil(ENTRIES)).filter(|index| !space.has_table(*index)) {
        let pfn = free.take().filter(|pfn| *pfn < index * ENTRIES);
        let pfn = pfn.ok_or(BootError::TooLittleMemory { pages: ram.pages(), needed: LEAST_PAGES })?;
        if !space.has_table(pfn / ENTRIES) {
            changes.make()?;
        }
        // SAFETY: the page is mapped now, and free.
        let table = unsafe { Table::at(ram, pfn) };
        table.fill(|entry| {
            let pfn = index * ENTRIES + entry;
            ram.mfn(pfn).filter(|_| pfn < limit).map_or(Entry::NONE, Entry::data)
        });
        // SAFETY: the table is complete; it maps our own pages at their addresses and nowhere else.
        unsafe { space.link(&mut changes, index, pfn) }?;
    }
    changes.make()?;
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
