//! Carrying out a [`PvPlan`], a few hypercalls per step.
//!
//! Xen hands out scrubbed pages, so those that hold nothing at the start are not written; every page that is
//! written is written to its end. While pages are written they are mapped one at a time, and none is when the
//! page tables are pinned, because Xen allows no writable mapping of a table.

use alloc::{rc::Rc, vec::Vec};

use super::stages::Target;
use super::{Facts, PAGE, PvPlan};
use crate::builder::{BuildError, Cause, Request, image::Kernel};
use crate::hyper::{
    CreateDomain, DomId, Domains, EventChannels, ForeignMemory, Grants, Launch, PhysMemory, Progress,
};

/// More memory than the domain has, in KiB, that it may be given: Xen counts a few pages of its own.
const SLACK_KIB: u64 = 1024;

/// A domain that is complete and paused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Built {
    /// Its id.
    pub domid: DomId,
    /// What its kernel was told.
    pub facts: Facts,
}

/// A PV domain that is being built.
///
/// Dropping one leaves a half-built domain behind: whoever loses interest calls [`PvBuild::cancel`] and goes on
/// stepping until the answer comes.
#[derive(Debug)]
pub struct PvBuild<B, R> {
    pub(super) kernel: Rc<Kernel<B>>,
    pub(super) ramdisk: R,
    pub(super) plan: PvPlan,
    create: CreateDomain,
    /// Who serves XenStore and the console.
    pub(super) server: DomId,
    domid: Option<DomId>,
    /// Machine frames of what the plan has placed, as far as they are known.
    pub(super) frames: Vec<u64>,
    stage: Stage,
}

/// What the next step does. Numbers are where it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Create,
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
    /// Something failed; the domain goes.
    Undo(Cause),
}

impl<B, R> PvBuild<B, R>
where
    B: AsRef<[u8]>,
    R: AsRef<[u8]>,
{
    /// Plans a domain with this kernel and ramdisk, which may be empty. `request.ramdisk` is set to its length.
    pub fn new(
        kernel: Rc<Kernel<B>>,
        ramdisk: R,
        request: Request,
        create: CreateDomain,
        server: DomId,
    ) -> core::result::Result<Self, BuildError> {
        let request = Request { ramdisk: ramdisk.as_ref().len() as u64, ..request };
        let plan = kernel
            .pv()
            .map_err(Cause::from)
            .and_then(|pv| PvPlan::new(&pv, request).map_err(Cause::from))
            .map_err(BuildError::clean)?;
        let mut frames = Vec::new();
        let placed = usize::try_from(plan.placed()).unwrap_or(usize::MAX);
        frames.try_reserve_exact(placed).map_err(|_| BuildError::clean(Cause::ControlMemory))?;
        Ok(Self { kernel, ramdisk, plan, create, server, domid: None, frames, stage: Stage::Create })
    }

    /// Gives up; the steps that follow take everything back.
    pub fn cancel(&mut self) {
        if !matches!(self.stage, Stage::Undo(_)) {
            self.stage = Stage::Undo(Cause::Cancelled);
        }
    }

    /// Does a bounded piece of the work; the domain when it is complete. When something fails, the steps that
    /// follow take everything back, and the last of them says what it was.
    pub fn step<H>(&mut self, hv: &H) -> core::result::Result<Option<Built>, BuildError>
    where
        H: Domains + PhysMemory + ForeignMemory + Grants + EventChannels + Launch,
    {
        if let Stage::Undo(cause) = self.stage {
            return self.undo(hv, cause).map(|()| None);
        }
        let outcome = self.advance(hv);
        match outcome {
            Ok(None) => {}
            // The domain is the caller's now.
            Ok(Some(_)) => self.forget(Cause::Cancelled),
            Err(cause) => self.stage = Stage::Undo(cause),
        }
        Ok(outcome.unwrap_or(None))
    }

    fn undo<H: Domains>(&mut self, hv: &H, cause: Cause) -> core::result::Result<(), BuildError> {
        let Some(domid) = self.domid else { return Err(BuildError::clean(cause)) };
        let left = match hv.destroy_domain(domid) {
            Ok(Progress::Again) => return Ok(()),
            Ok(Progress::Done) => None,
            Err(error) => Some((domid, error)),
        };
        self.forget(cause);
        Err(BuildError { cause, left })
    }

    /// Has no domain to care for any more.
    fn forget(&mut self, cause: Cause) {
        self.domid = None;
        self.stage = Stage::Undo(cause);
    }

    fn advance<H>(&mut self, hv: &H) -> core::result::Result<Option<Built>, Cause>
    where
        H: Domains + PhysMemory + ForeignMemory + Grants + EventChannels + Launch,
    {
        let Some(domid) = self.domid else {
            self.domid = Some(hv.create_domain(&self.create)?);
            self.stage = Stage::Limits;
            return Ok(None);
        };
        let target = Target { hv, domid };
        self.stage = match self.stage {
            Stage::Create | Stage::Limits => {
                let kib = self.plan.request.pages.saturating_mul(PAGE >> 10);
                hv.set_max_vcpus(domid, self.create.max_vcpus)?;
                hv.set_max_memory(domid, kib.saturating_add(SLACK_KIB))?;
                Stage::Placed
            }
            Stage::Placed => self.populate_placed(&target)?,
            Stage::Blank => self.blank(&target)?,
            Stage::List(page) => self.write_list(&target, page)?,
            Stage::Rest(frame) => self.populate_rest(&target, frame)?,
            Stage::Kernel(frame) => self.write_kernel(&target, frame)?,
            Stage::Ramdisk(page) => self.write_ramdisk(&target, page)?,
            Stage::Tables(table) => self.write_tables(&target, table)?,
            Stage::Pin => {
                hv.pin_l4(domid, self.top_table())?;
                Stage::Finish
            }
            Stage::Finish => return Ok(Some(self.finish(&target)?)),
            Stage::Undo(cause) => return Err(cause),
        };
        Ok(None)
    }
}
