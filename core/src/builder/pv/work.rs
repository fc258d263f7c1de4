//! Carrying out a [`PvPlan`], a few hypercalls per step.
//!
//! Xen hands out scrubbed pages, so those that hold nothing at the start are not written; every page that is
//! written is written to its end. While pages are written they are mapped one at a time, and none is when the
//! page tables are pinned, because Xen allows no writable mapping of a table.

use alloc::{rc::Rc, vec::Vec};

use super::{PAGE, PvPlan};
use crate::builder::build::Target;
use crate::builder::copy::SLACK_KIB;
use crate::builder::{Build, BuildError, BuildHypervisor, Built, Cause, Request, Work, image::Kernel};
use crate::hyper::{CreateDomain, DomId};

/// A PV domain that is being built.
pub type PvBuild<B, R> = Build<PvWork<B, R>>;

/// The work on a PV domain.
#[derive(Debug)]
pub struct PvWork<B, R> {
    pub(super) kernel: Rc<Kernel<B>>,
    pub(super) ramdisk: R,
    pub(super) plan: PvPlan,
    /// Who serves XenStore and the console.
    pub(super) server: DomId,
    vcpus: u32,
    /// Machine frames of what the plan has placed, as far as they are known.
    pub(super) frames: Vec<u64>,
    stage: Stage,
}

/// What the next step does. Numbers are where it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Limits,
    /// Memory for what is placed, whose machine frames are kept.
    Placed,
    /// Pages that start as zeros.
    Blank,
    /// The frame list, as far as it is known.
    List(u64),
    /// The rest of the memory, whose machine frames go straight into the list.
    Rest(u64),
    Kernel(u64),
    Ramdisk(u64),
    Tables(usize),
    Pin,
    Finish,
}

impl<B, R: AsRef<[u8]>> PvBuild<B, R> {
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
            .pv()
            .map_err(Cause::from)
            .and_then(|pv| PvPlan::new(&pv, request).map_err(Cause::from))
            .map_err(BuildError::clean)?;
        let mut frames = Vec::new();
        let placed = usize::try_from(plan.placed()).unwrap_or(usize::MAX);
        frames.try_reserve_exact(placed).map_err(|_| BuildError::clean(Cause::ControlMemory))?;
        let vcpus = create.max_vcpus;
        let work = PvWork { kernel, ramdisk, plan, server, vcpus, frames, stage: Stage::Limits };
        Ok(Self::planned(work, create))
    }
}

impl<B: AsRef<[u8]>, R: AsRef<[u8]>> Work for PvWork<B, R> {
    fn advance<H: BuildHypervisor>(&mut self, target: &Target<'_, H>) -> Result<Option<Built>, Cause> {
        let Target { hv, domid } = *target;
        self.stage = match self.stage {
            Stage::Limits => {
                let kib = self.plan.request().pages.saturating_mul(PAGE >> 10);
                hv.set_max_vcpus(domid, self.vcpus)?;
                hv.set_max_memory(domid, kib.saturating_add(SLACK_KIB))?;
                Stage::Placed
            }
            Stage::Placed => self.populate_placed(target)?,
            Stage::Blank => self.blank(target)?,
            Stage::List(page) => self.write_list(target, page)?,
            Stage::Rest(frame) => self.populate_rest(target, frame)?,
            Stage::Kernel(frame) => self.write_kernel(target, frame)?,
            Stage::Ramdisk(page) => self.write_ramdisk(target, page)?,
            Stage::Tables(table) => self.write_tables(target, table)?,
            Stage::Pin => {
                hv.pin_l4(domid, self.top_table())?;
                Stage::Finish
            }
            Stage::Finish => return Ok(Some(self.finish(target)?)),
        };
        Ok(None)
    }
}
