//! Filling pages of a domain from files.

use super::{PAGE, PvPlan};
use crate::builder::image::Kernel;
use crate::shared::{PAGE_SIZE, Page};

/// The kernel's bytes for one page.
pub(super) struct KernelPage<'a, B> {
    pub(super) kernel: &'a Kernel<B>,
    /// The first byte, counted from the virtual base.
    pub(super) start: u64,
}

impl<'a, B: AsRef<[u8]>> KernelPage<'a, B> {
    pub(super) const fn new(plan: &PvPlan, kernel: &'a Kernel<B>, frame: u64) -> Self {
        // Segments are found by physical address, which the page's virtual one is `offset` above.
        let virt = plan.kernel.virt_base.wrapping_add(frame * PAGE);
        Self { kernel, start: virt.wrapping_sub(plan.kernel.offset) }
    }

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
