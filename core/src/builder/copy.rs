//! Filling pages of a domain from files.
#![forbid(unsafe_code)]

use super::image::Kernel;
use crate::shared::{PAGE_SIZE, Page};

/// Pages that one step asks Xen for; Xen scrubs them, some 2000 instructions each.
pub(super) const POPULATE: usize = 256;
/// Pages that one step maps and writes, some 6000 instructions each.
pub(super) const WRITE: usize = 64;
/// More memory than the domain has, in KiB, that it may be given: Xen counts a few pages of its own.
pub(super) const SLACK_KIB: u64 = 1024;

/// The kernel's bytes for one page.
pub(super) struct KernelPage<'a, B> {
    pub(super) kernel: &'a Kernel<B>,
    /// The physical address that its segments know the page by.
    pub(super) start: u64,
}

impl<'a, B: AsRef<[u8]>> KernelPage<'a, B> {
    /// Bytes from the file, and where in the page they go.
    fn pieces(&self) -> impl Iterator<Item = (usize, &'a [u8])> + '_ {
        let kernel = self.kernel;
        kernel.segments().iter().filter_map(move |segment| {
            let contents = kernel.contents(segment);
            // One of the two is zero: either the page or the segment starts first.
            let skip = usize::try_from(self.start.saturating_sub(segment.paddr)).ok()?;
            let at = usize::try_from(segment.paddr.saturating_sub(self.start)).ok()?;
            let rest = contents.get(skip..).filter(|rest| !rest.is_empty())?;
            let room = PAGE_SIZE.checked_sub(at).filter(|room| *room > 0)?;
            Some((at, rest.get(..room).unwrap_or(rest)))
        })
    }

    /// Whether the file has no bytes for this page. Xen gave it scrubbed, so it needs no writing.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces().next().is_none()
    }

    /// Writes all of the page.
    pub(super) fn write(&self, page: &Page) {
        if self.pieces().map(|(_, piece)| piece.len()).sum::<usize>() < PAGE_SIZE {
            page.clear();
        }
        for (at, piece) in self.pieces() {
            page.write(at, piece);
        }
    }
}

/// Writes all of a page: `bytes`, at most a page of them, and then zeros.
pub(super) fn write_padded(page: &Page, bytes: &[u8]) {
    if bytes.len() < PAGE_SIZE {
        page.clear();
    }
    page.write(0, bytes.get(..PAGE_SIZE).unwrap_or(bytes));
}
