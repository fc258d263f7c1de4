//! What a build needs to know of a plain ELF kernel.
//!
//! [`Kernel::parse`] checks everything that can be checked without knowing the domain: the header, that no
//! segment leaves the file, overlaps another or wraps around, and the Xen notes. [`Kernel::pv`] and
//! [`Kernel::pvh`] then say what the file offers for that kind of domain. All addresses stay hostile numbers:
//! whoever adds to them has to check again.
//!
//! Sources: the System V ABI for ELF and its AMD64 supplement, `xen/elfnote.h`.
#![forbid(unsafe_code)]

mod elf;
mod error;
mod notes;

use alloc::vec::Vec;
use core::ops::Range;

pub use error::ImageError;
pub use notes::{Feature, Features, Notes};

/// Frames and boot regions are laid out in units of this many bytes.
const PAGE: u64 = crate::shared::PAGE_SIZE as u64;

/// PV memory maps begin at a multiple of 4 MiB.
const PV_ALIGN: u64 = 4 << 20;

/// One piece of the kernel in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// The physical address the file names, before [`Notes::paddr_offset`] is taken off.
    pub paddr: u64,
    /// Bytes it takes in memory; what the file has no bytes for is zero. Never 0.
    pub size: u64,
    /// Where its first bytes are in the file; at most `size` of them.
    pub file: Range<usize>,
}

impl Segment {
    /// The first address behind it.
    #[must_use]
    pub const fn end(&self) -> u64 {
        // `parse` refused segments for which this wraps around.
        self.paddr.saturating_add(self.size)
    }
}

/// A kernel that was checked, with its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kernel<B> {
    bytes: B,
    entry: u64,
    segments: Vec<Segment>,
    notes: Notes,
}

/// How a kernel wants to be started as a PV domain. Addresses are virtual.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PvKernel {
    /// Where frame 0 of the domain is mapped, a multiple of 4 MiB.
    pub virt_base: u64,
    /// The first address of the kernel itself.
    pub start: u64,
    /// The first address behind it.
    pub end: u64,
    /// What is added to a segment's physical address to get its virtual one, modulo 2^64.
    pub offset: u64,
    /// The first instruction.
    pub entry: u64,
    /// The page that Xen fills with hypercall stubs, if the kernel has one.
    pub hypercall_page: Option<u64>,
    /// Where the frame list is to be mapped, if not behind the kernel.
    pub init_p2m: Option<u64>,
    /// A ramdisk may be given as frames that are not mapped.
    pub unmapped_ramdisk: bool,
}

/// How a kernel wants to be started as a PVH domain. Addresses are physical.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PvhKernel {
    /// The first instruction, in 32-bit protected mode without paging.
    pub entry: u32,
    /// The first address of the kernel itself.
    pub start: u64,
    /// The first address behind it.
    pub end: u64,
}

impl<B: AsRef<[u8]>> Kernel<B> {
    /// Checks an ELF file.
    pub fn parse(bytes: B) -> Result<Self, ImageError> {
        let (entry, segments, notes) = elf::parse(bytes.as_ref())?;
        Ok(Self { bytes, entry, segments, notes })
    }

    /// The file's bytes for a segment; the rest of the segment is zero.
    #[must_use]
    pub fn contents(&self, segment: &Segment) -> &[u8] {
        self.bytes.as_ref().get(segment.file.clone()).unwrap_or_default()
    }
}

impl<B> Kernel<B> {
    /// The pieces in order of their addresses, at least one.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// What the Xen notes say.
    #[must_use]
    pub const fn notes(&self) -> &Notes {
        &self.notes
    }

    /// What the kernel offers to a PV domain.
    pub fn pv(&self) -> Result<PvKernel, ImageError> {
        let notes = &self.notes;
        if !notes.is_xen_3 {
            return Err(ImageError::NoPv);
        }
        let virt_base = notes.virt_base.unwrap_or(0);
        let offset = virt_base.wrapping_sub(notes.paddr_offset.unwrap_or(0));
        let (start, end) = self.span();
        let (start, end) = (start.wrapping_add(offset), end.wrapping_add(offset));
        let virt_base = virt_base - virt_base % PV_ALIGN;
        if start >= end || start < virt_base {
            return Err(ImageError::OutsideBase { start, end, virt_base });
        }
        let inside = start..end;
        let entry = notes.entry.unwrap_or(self.entry);
        if !inside.contains(&entry) {
            return Err(ImageError::Entry(entry));
        }
        if let Some(page) = notes.hypercall_page {
            let fits = page.is_multiple_of(PAGE) && page >= start && page <= end.saturating_sub(PAGE);
            if !fits {
                return Err(ImageError::HypercallPage(page));
            }
        }
        Ok(PvKernel {
            virt_base,
            start,
            end,
            offset,
            entry,
            hypercall_page: notes.hypercall_page,
            init_p2m: notes.init_p2m,
            unmapped_ramdisk: notes.mod_start_pfn,
        })
    }

    /// What the kernel offers to a PVH domain.
    pub fn pvh(&self) -> Result<PvhKernel, ImageError> {
        let entry = self.notes.phys32_entry.ok_or(ImageError::NoPvh)?;
        let (start, end) = self.span();
        if !(start..end).contains(&u64::from(entry)) {
            return Err(ImageError::Entry(u64::from(entry)));
        }
        Ok(PvhKernel { entry, start, end })
    }

    fn span(&self) -> (u64, u64) {
        let start = self.segments.first().map_or(0, |segment| segment.paddr);
        (start, self.segments.last().map_or(0, Segment::end))
    }
}
