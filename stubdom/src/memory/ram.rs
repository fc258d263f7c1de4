//! Our own memory by number: page frame `pfn` is mapped at `base + pfn * 4096` and is machine frame `p2m[pfn]`.

use core::ops::Range;

use xendless_core::abi::start_info::StartInfo;
use xendless_core::hyper::Mfn;
use xendless_core::shared::PAGE_SIZE;

use crate::pv;

/// Bytes per page, as Xen counts addresses.
pub(crate) const PAGE: u64 = PAGE_SIZE as u64;

/// An address or a count of Xen's as Rust counts.
#[expect(clippy::cast_possible_truncation, reason = "a PV domain of this kind is a 64-bit one")]
pub(crate) const fn size(value: u64) -> usize {
    value as usize
}

/// The memory Xen gave us.
#[derive(Clone, Copy)]
pub(crate) struct Ram {
    base: u64,
    p2m: &'static [u64],
}

impl Ram {
    /// What `start` describes.
    pub(crate) fn new(start: &'static StartInfo) -> Self {
        let list = core::ptr::with_exposed_provenance::<u64>(size(start.mfn_list));
        // SAFETY: Xen mapped the list, one word for each of `nr_pages`, for good, and nothing changes it.
        let p2m = unsafe { core::slice::from_raw_parts(list, size(start.nr_pages)) };
        Self { base: pv::virt_base(), p2m }
    }

    /// How many pages.
    pub(crate) const fn pages(&self) -> u64 {
        self.p2m.len() as u64
    }

    /// The machine frames of page `pfn` and all behind it.
    pub(crate) fn frames_from(&self, pfn: u64) -> &'static [u64] {
        self.p2m.get(size(pfn)..).unwrap_or_default()
    }

    /// Where page `pfn` is mapped.
    pub(crate) const fn address(&self, pfn: u64) -> u64 {
        self.base + pfn * PAGE
    }

    /// The page that is mapped at `address`.
    pub(crate) const fn pfn(&self, address: u64) -> u64 {
        (address - self.base) / PAGE
    }

    /// The machine frame of page `pfn`.
    pub(crate) fn mfn(&self, pfn: u64) -> Option<Mfn> {
        self.p2m.get(usize::try_from(pfn).ok()?).copied().map(Mfn)
    }

    /// The page that is machine frame `mfn`.
    pub(crate) fn find(&self, mfn: Mfn) -> Option<u64> {
        self.p2m.iter().position(|entry| *entry == mfn.0).map(|pfn| pfn as u64)
    }
}

/// Pages that nothing uses: behind what Xen laid out at boot, before and behind the boot bundle.
pub(crate) struct FreePages([Range<u64>; 2]);

impl FreePages {
    /// The pages from `first` up to `limit`, without those of `bundle`.
    pub(crate) fn new(first: u64, limit: u64, bundle: Range<u64>) -> Self {
        Self([first..bundle.start.clamp(first, limit), bundle.end.clamp(first, limit)..limit])
    }

    /// Takes the lowest page.
    pub(crate) fn take(&mut self) -> Option<u64> {
        self.0.iter_mut().find_map(Iterator::next)
    }

    /// What is left, as ranges of addresses.
    pub(crate) fn into_addresses(self, ram: &Ram) -> [Range<u64>; 2] {
        self.0.map(|pages| ram.address(pages.start)..ram.address(pages.end))
    }
}
