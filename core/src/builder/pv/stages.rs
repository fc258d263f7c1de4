//! The stages of a build: each does a bounded piece of its work and says where the build goes on.

use core::mem::offset_of;

use zerocopy::IntoBytes;

use super::work::{PvWork, Stage};
use super::{ENTRIES, FRAMES_PER_PAGE, Facts, PAGE};
use crate::abi::shared_info::{VcpuInfo, XEN_LEGACY_MAX_VCPUS};
use crate::builder::build::Target;
use crate::builder::copy::{KernelPage, POPULATE, WRITE, write_padded};
use crate::builder::{BuildHypervisor, Built, Cause, Ring};
use crate::hyper::{ForeignMemory, Gfn, Mfn, PhysMemory, Result};
use crate::shared::PAGE_SIZE;

/// Pages without contents that one step looks at.
const LOOK: u64 = 4096;

/// What is answered for a frame nobody knows; Xen refuses it.
const INVALID: u64 = u64::MAX;

type Outcome = core::result::Result<Stage, Cause>;

impl<B: AsRef<[u8]>, R: AsRef<[u8]>> PvWork<B, R> {
    /// The machine frame of a placed frame.
    fn mfn(&self, frame: u64) -> Mfn {
        Mfn(usize::try_from(frame).ok().and_then(|frame| self.frames.get(frame)).copied().unwrap_or(INVALID))
    }

    /// The same, as a PV domain's frames are mapped.
    fn gfn(&self, frame: u64) -> Gfn {
        Gfn(self.mfn(frame).0)
    }

    pub(super) fn top_table(&self) -> Mfn {
        self.mfn(self.plan.tables().boot().start)
    }

    pub(super) fn populate_placed<H: PhysMemory>(&mut self, target: &Target<'_, H>) -> Outcome {
        let first = self.frames.len() as u64;
        let mut batch = [0; POPULATE];
        let given = self.populate(target, first, self.plan.placed(), &mut batch)?;
        self.frames.extend(given);
        let all = self.frames.len() as u64 == self.plan.placed();
        Ok(if all { Stage::Blank } else { Stage::Placed })
    }

    /// The last page of the frame list ends in zeros, too.
    pub(super) fn blank<H: ForeignMemory>(&self, target: &Target<'_, H>) -> Outcome {
        let last_of_list = self.plan.frame_list().end.saturating_sub(1);
        let mut pages = target.pages();
        for frame in [self.plan.store(), self.plan.console(), self.plan.stack(), last_of_list] {
            pages.at(self.gfn(frame))?.clear();
        }
        Ok(Stage::List(0))
    }

    pub(super) fn write_list<H: ForeignMemory>(&self, target: &Target<'_, H>, first: u64) -> Outcome {
        let chunks = self.frames.chunks(ENTRIES);
        let (mut pages, mut next) = (target.pages(), first);
        for (chunk, frame) in chunks.zip(self.plan.frame_list()).skip(index(first)).take(WRITE) {
            pages.at(self.gfn(frame))?.write(0, chunk.as_bytes());
            next += 1;
        }
        let all = next * FRAMES_PER_PAGE >= self.plan.placed();
        Ok(if all { Stage::Rest(self.plan.placed()) } else { Stage::List(next) })
    }

    pub(super) fn populate_rest<H: PhysMemory + ForeignMemory>(
        &self,
        target: &Target<'_, H>,
        first: u64,
    ) -> Outcome {
        if first == self.plan.request().pages {
            return Ok(Stage::Kernel(self.plan.frame_of(self.plan.kernel().start)));
        }
        let mut batch = [0; POPULATE];
        let given = self.populate(target, first, self.plan.request().pages, &mut batch)?;
        // A batch does not cross a multiple of its size, so all of it goes into one page of the list.
        let page = self.plan.frame_list().start + first / FRAMES_PER_PAGE;
        let at = index(first % FRAMES_PER_PAGE) * size_of::<u64>();
        target.page(self.gfn(page))?.write(at, given.as_bytes());
        Ok(Stage::Rest(first + given.len() as u64))
    }

    /// Gives the domain frames from `first` on, up to `end` or the next multiple of the batch size; returns
    /// their machine frames.
    fn populate<'a, H: PhysMemory>(
        &self,
        target: &Target<'_, H>,
        first: u64,
        end: u64,
        batch: &'a mut [u64; POPULATE],
    ) -> core::result::Result<&'a [u64], Cause> {
        let end = end.min((first / POPULATE as u64 + 1) * POPULATE as u64);
        for (entry, frame) in batch.iter_mut().zip(first..end) {
            *entry = frame;
        }
        let wanted = batch.get_mut(..index(end - first)).unwrap_or_default();
        let given = target.hv.populate(target.domid, wanted)?;
        match batch.get(..given) {
            Some(given) if !given.is_empty() => Ok(given),
            _ => Err(Cause::HostMemory { wanted: self.plan.request().pages, given: first }),
        }
    }

    pub(super) fn write_kernel<H: ForeignMemory>(&self, target: &Target<'_, H>, first: u64) -> Outcome {
        let end = self.plan.frame_of(self.plan.kernel().end - 1) + 1;
        let (mut pages, mut written) = (target.pages(), 0);
        for frame in first..end {
            if written == WRITE || frame - first == LOOK {
                return Ok(Stage::Kernel(frame));
            }
            // Segments are found by physical address, which the page's virtual one is `offset` above.
            let start = self.plan.virt_of(frame).wrapping_sub(self.plan.kernel().offset);
            let contents = KernelPage { kernel: &self.kernel, start };
            if !contents.is_empty() {
                contents.write(pages.at(self.gfn(frame))?);
                written += 1;
            }
        }
        Ok(Stage::Ramdisk(0))
    }

    pub(super) fn write_ramdisk<H: ForeignMemory>(&self, target: &Target<'_, H>, first: u64) -> Outcome {
        let contents = self.ramdisk.as_ref().chunks(PAGE_SIZE).zip(self.plan.ramdisk());
        let (mut pages, mut next) = (target.pages(), first);
        for (bytes, frame) in contents.skip(index(first)).take(WRITE) {
            write_padded(pages.at(self.gfn(frame))?, bytes);
            next += 1;
        }
        let all = next * PAGE >= self.plan.request().ramdisk;
        Ok(if all { Stage::Tables(0) } else { Stage::Ramdisk(next) })
    }

    pub(super) fn write_tables<H: ForeignMemory>(&self, target: &Target<'_, H>, first: usize) -> Outcome {
        let machine = |frame| self.frames.get(index(frame)).copied();
        let (mut pages, mut next) = (target.pages(), first);
        let mut entries = [0; ENTRIES];
        for table in self.plan.tables().iter().skip(first).take(WRITE) {
            self.plan.tables().fill(table, machine, &mut entries);
            pages.at(self.gfn(table.frame))?.write(0, entries.as_bytes());
            next += 1;
        }
        Ok(if next - first < WRITE { Stage::Pin } else { Stage::Tables(next) })
    }

    pub(super) fn finish<H: BuildHypervisor>(&self, target: &Target<'_, H>) -> Result<Built> {
        let Target { hv, domid } = *target;
        if let Some(virt) = self.plan.kernel().hypercall_page {
            hv.init_hypercall_page(domid, self.gfn(self.plan.frame_of(virt)))?;
        }
        let shared_info = Mfn(hv.domain_info(domid)?.shared_info);
        mask_events(&*target.page(Gfn(shared_info.0))?);
        let store = Ring { frame: self.gfn(self.plan.store()), port: hv.alloc_unbound(domid, self.server)? };
        let console =
            Ring { frame: self.gfn(self.plan.console()), port: hv.alloc_unbound(domid, self.server)? };
        let start_info = self.plan.start_info_page(&Facts { shared_info, store, console });
        write_padded(&*target.page(self.gfn(self.plan.start_info()))?, start_info.as_bytes());
        target.grant_rings(self.server, store, console)?;
        hv.start_pv(domid, &self.plan.start(self.top_table()))?;
        Ok(Built { domid, store, console })
    }
}

/// Virtual CPUs start with events masked, until their kernel has somewhere to deliver them.
fn mask_events(shared_info: &crate::shared::Page) {
    for vcpu in 0..XEN_LEGACY_MAX_VCPUS {
        shared_info.write(vcpu * size_of::<VcpuInfo>() + offset_of!(VcpuInfo, evtchn_upcall_mask), &[1]);
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
