//! Carrying out a [`PvhPlan`], a few hypercalls per step.
//!
//! Xen hands out scrubbed pages, so those that hold nothing at the start are not written; every page that is
//! written is written to its end.

use alloc::{rc::Rc, vec::Vec};

use super::{PAGE, PvhPlan};
use crate::builder::build::Target;
use crate::builder::copy::{KernelPage, POPULATE, SLACK_KIB, WRITE, write_padded};
use crate::builder::{Build, BuildError, BuildHypervisor, Built, Cause, Request, Ring, Work, image::Kernel};
use crate::hyper::{CreateDomain, DomId, ForeignMemory, Gfn, PhysMemory, Progress, PvhStart};
use crate::shared::PAGE_SIZE;

/// Pages without contents that one step looks at.
const LOOK: u64 = 4096;

/// A PVH domain that is being built.
pub type PvhBuild<B, R> = Build<PvhWork<B, R>>;

/// The work on a PVH domain.
#[derive(Debug)]
pub struct PvhWork<B, R> {
    kernel: Rc<Kernel<B>>,
    ramdisk: R,
    plan: PvhPlan,
    /// Who serves XenStore and the console.
    server: DomId,
    /// Every frame the domain gets: first its memory, then what is beside it.
    extra: Vec<u64>,
    stage: Stage,
}

/// What the next step does. Numbers are where it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Limits,
    /// Memory for Xen's own paging structures.
    Pool,
    Populate(u64),
    Kernel(u64),
    Ramdisk(u64),
    /// Start info, ACPI, identity page table and rings.
    Boot,
    Finish,
}

type Outcome = Result<Stage, Cause>;

impl<B, R: AsRef<[u8]>> PvhBuild<B, R> {
    /// Plans a domain with this kernel and ramdisk, which may be empty; the plan takes the ramdisk's length from
    /// it. `server` serves the domain's XenStore and console.
    pub fn new(
        kernel: Rc<Kernel<B>>,
        ramdisk: R,
        request: Request,
        create: CreateDomain,
        server: DomId,
    ) -> Result<Self, BuildError> {
        let request = Request { ramdisk: ramdisk.as_ref().len() as u64, ..request };
        let plan = kernel
            .pvh()
            .map_err(Cause::from)
            .and_then(|pvh| PvhPlan::new(&pvh, request, create.max_vcpus).map_err(Cause::from))
            .map_err(BuildError::clean)?;
        let extra = plan.extra();
        Ok(Self::planned(PvhWork { kernel, ramdisk, plan, server, extra, stage: Stage::Limits }, create))
    }
}

impl<B: AsRef<[u8]>, R: AsRef<[u8]>> Work for PvhWork<B, R> {
    fn advance<H: BuildHypervisor>(&mut self, target: &Target<'_, H>) -> Result<Option<Built>, Cause> {
        let Target { hv, domid } = *target;
        self.stage = match self.stage {
            Stage::Limits => {
                hv.set_max_vcpus(domid, self.plan.vcpus())?;
                hv.set_max_memory(domid, self.pages() * (PAGE >> 10) + SLACK_KIB)?;
                Stage::Pool
            }
            Stage::Pool => match hv.set_paging_pool(domid, self.plan.paging_pool())? {
                Progress::Again => Stage::Pool,
                Progress::Done => Stage::Populate(0),
            },
            Stage::Populate(first) => self.populate(target, first)?,
            Stage::Kernel(frame) => self.write_kernel(target, frame)?,
            Stage::Ramdisk(page) => self.write_ramdisk(target, page)?,
            Stage::Boot => self.write_boot(target)?,
            Stage::Finish => return self.finish(target).map(Some),
        };
        Ok(None)
    }
}

impl<B: AsRef<[u8]>, R: AsRef<[u8]>> PvhWork<B, R> {
    fn pages(&self) -> u64 {
        self.plan.request().pages.saturating_add(self.extra.len() as u64)
    }

    /// The guest frame that is given as number `index`.
    fn frame(&self, index: u64) -> Option<u64> {
        let [low, high] = self.plan.ram();
        let beside = index.checked_sub(self.plan.request().pages);
        match beside {
            Some(index) => self.extra.get(usize::try_from(index).ok()?).copied(),
            None if index < low.end => Some(index),
            None => Some(high.start + (index - low.end)),
        }
    }

    fn populate<H: PhysMemory>(&self, target: &Target<'_, H>, first: u64) -> Outcome {
        let mut batch = [0; POPULATE];
        let mut count = 0;
        for (entry, frame) in batch.iter_mut().zip((first..).map_while(|index| self.frame(index))) {
            *entry = frame;
            count += 1;
        }
        match target.hv.populate(target.domid, batch.get_mut(..count).unwrap_or_default())? {
            0 => Err(Cause::HostMemory { wanted: self.pages(), given: first }),
            given => {
                let next = first + given as u64;
                let all = next >= self.pages();
                Ok(if all { Stage::Kernel(self.plan.kernel().start / PAGE) } else { Stage::Populate(next) })
            }
        }
    }

    fn write_kernel<H: ForeignMemory>(&self, target: &Target<'_, H>, first: u64) -> Outcome {
        let end = self.plan.kernel().end.div_ceil(PAGE);
        let (mut pages, mut written) = (target.pages(), 0);
        for frame in first..end {
            if written == WRITE || frame - first == LOOK {
                return Ok(Stage::Kernel(frame));
            }
            let contents = KernelPage { kernel: &*self.kernel, start: frame * PAGE };
            if !contents.is_empty() {
                contents.write(pages.at(Gfn(frame))?);
                written += 1;
            }
        }
        Ok(Stage::Ramdisk(0))
    }

    fn write_ramdisk<H: ForeignMemory>(&self, target: &Target<'_, H>, first: u64) -> Outcome {
        let contents = self.ramdisk.as_ref().chunks(PAGE_SIZE).zip(self.plan.ramdisk());
        let (mut pages, mut next) = (target.pages(), first);
        for (bytes, frame) in contents.skip(usize::try_from(first).unwrap_or(usize::MAX)).take(WRITE) {
            write_padded(pages.at(Gfn(frame))?, bytes);
            next += 1;
        }
        let all = next * PAGE >= self.plan.request().ramdisk;
        Ok(if all { Stage::Boot } else { Stage::Ramdisk(next) })
    }

    fn write_boot<H: ForeignMemory>(&self, target: &Target<'_, H>) -> Outcome {
        let mut pages = target.pages();
        let mut write = |first: u64, bytes: &[u8]| -> Result<(), Cause> {
            for (frame, bytes) in (first..).zip(bytes.chunks(PAGE_SIZE)) {
                write_padded(pages.at(Gfn(frame))?, bytes);
            }
            Ok(())
        };
        write(self.plan.start_info() / PAGE, &self.plan.boot_block())?;
        write(self.plan.acpi_frames().start, self.plan.acpi())?;
        let identity: Vec<u8> = PvhPlan::identity_entries().flat_map(u32::to_le_bytes).collect();
        write(self.plan.identity(), &identity)?;
        write(self.plan.store(), &[0])?;
        write(self.plan.console(), &[0])?;
        Ok(Stage::Finish)
    }

    fn finish<H: BuildHypervisor>(&self, target: &Target<'_, H>) -> Result<Built, Cause> {
        let Target { hv, domid } = *target;
        let store = Ring { frame: Gfn(self.plan.store()), port: hv.alloc_unbound(domid, self.server)? };
        let console = Ring { frame: Gfn(self.plan.console()), port: hv.alloc_unbound(domid, self.server)? };
        for (index, value) in self.plan.params(store.port, console.port) {
            hv.set_hvm_param(domid, index, value)?;
        }
        target.grant_rings(self.server, store, console)?;
        let start = PvhStart {
            entry: self.plan.kernel().entry,
            start_info: self.plan.start_info(),
            vcpus: self.plan.vcpus(),
        };
        hv.start_pvh(domid, &start)?;
        Ok(Built { domid, store, console })
    }
}
