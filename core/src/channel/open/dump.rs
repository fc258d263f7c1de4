//! A domain's memory, read piece by piece.
//!
//! The domain is paused meanwhile, unless it is to be dumped live, and goes on when that ends in whatever way. Nothing
//! that it wrote is believed: which frames it has, the hypervisor says.

use alloc::vec::Vec;

use super::super::desk::{Desk, refused};
use super::super::session::{Ended, Outbox};
use super::Pump;
use super::outgoing::Outgoing;
use crate::abi::errno::Errno;
use crate::hyper::{CONTEXT, DomId, DomainFlags, DomainInfo, FRAMES, Gfn, HvError, Hypervisor, VcpuId};
use crate::protocol::dump::Piece;
use crate::protocol::{Answer, Failure, RequestId};
use crate::shared::{PAGE_SIZE, Page};
use crate::store::service::Local;

/// Pages read in one step.
const PAGES: usize = 3;

/// Frames looked at in one step. Not all that seem to be the domain's are.
const LOOKS: usize = 48;

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Head,
    /// Registers, of this virtual CPU next.
    Registers(u32),
    SharedInfo,
    /// Pages; from this frame on it is not known which there are.
    Frames(u64),
    /// The end was said.
    Said,
}

/// A dump.
#[derive(Debug)]
pub(in super::super) struct Dump {
    info: DomainInfo,
    /// It was paused for the dump.
    paused: bool,
    /// The domain stays as it is until the peer says that it has all.
    hold: bool,
    /// The frame behind the last that can be there.
    end: u64,
    stage: Stage,
    /// Frames that are there and were not read, with the domain's numbers for them, the next one last.
    frames: Vec<(u64, u64)>,
    outgoing: Outgoing,
    cancelled: bool,
}

impl Dump {
    pub(in super::super) fn new<H: Hypervisor, S>(
        desk: &Desk<'_, H, S>,
        info: DomainInfo,
        live: bool,
        hold: bool,
    ) -> Result<Self, Failure> {
        let failed = |error: HvError| refused(&error);
        let (mut frames, outgoing) = (Vec::new(), Outgoing::new()?);
        frames.try_reserve_exact(FRAMES).map_err(|_| Failure::ControlMemory)?;
        let end = desk.hv.frame_end(info.domid).map_err(failed)?;
        let still = DomainFlags::PAUSED | DomainFlags::SHUTDOWN;
        let paused = !live && !info.flags.intersects(still);
        if paused {
            desk.hv.pause_domain(info.domid).map_err(failed)?;
        }
        let stage = Stage::Head;
        Ok(Self { info, paused, hold, end, stage, frames, outgoing, cancelled: false })
    }

    pub(super) const fn credit(&mut self, bytes: u32) {
        self.outgoing.add_credit(bytes);
    }

    pub(super) const fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Lets the domain go on.
    pub(super) fn leave<H: Hypervisor, S>(&mut self, desk: &Desk<'_, H, S>) {
        if core::mem::take(&mut self.paused) && self.is_there(desk) {
            // What refuses is a domain that somebody else let go on.
            let _ = desk.hv.unpause_domain(self.info.domid);
        }
    }

    /// Whether the domain is still the one it was. The number alone could name another one by now.
    fn is_there<H: Hypervisor, S>(&self, desk: &Desk<'_, H, S>) -> bool {
        desk.hv
            .domain_info(self.info.domid)
            .is_ok_and(|info| info.handle == self.info.handle && !info.flags.contains(DomainFlags::DYING))
    }

    pub(super) fn pump<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        out: &mut Outbox,
        id: RequestId,
    ) -> Result<Pump, Ended> {
        let all = self.stage == Stage::Said && self.outgoing.is_empty();
        let result = if all && (self.cancelled || !self.hold || !self.is_there(desk)) {
            Ok(Answer::Done)
        } else if self.cancelled {
            Err(Failure::Cancelled)
        } else if !self.is_there(desk) {
            Err(Failure::NotRunning)
        } else if all || !self.outgoing.has_credit() {
            return Ok(Pump::Idle);
        } else if !self.outgoing.is_empty() {
            self.outgoing.send(out, id)?;
            return Ok(Pump::Moved);
        } else {
            match self.read(desk.hv) {
                Ok(()) => return Ok(Pump::Moved),
                Err(error) => Err(refused(&error)),
            }
        };
        self.leave(desk);
        out.answer(id, result)?;
        Ok(Pump::Answered)
    }

    fn push(&mut self, piece: Piece, body: &[u8]) {
        let bytes = self.outgoing.more();
        bytes.extend_from_slice(&piece.header());
        bytes.extend_from_slice(body);
    }

    fn push_page(&mut self, piece: Piece, page: &Page) {
        let mut body = [0; PAGE_SIZE];
        page.read(0, &mut body);
        self.push(piece, &body);
    }

    /// Reads some more.
    fn read(&mut self, hv: &impl Hypervisor) -> Result<(), HvError> {
        self.outgoing.refill();
        let translated = self.info.flags.contains(DomainFlags::HVM);
        let domid = self.info.domid;
        self.stage = match self.stage {
            Stage::Head => {
                self.push(Piece::Head { translated, pages: self.info.pages }, &[]);
                Stage::Registers(0)
            }
            Stage::Registers(vcpu) if self.info.max_vcpu.is_some_and(|last| vcpu <= last.0) => {
                self.registers(hv, vcpu)?;
                Stage::Registers(vcpu.saturating_add(1))
            }
            Stage::Registers(_) => Stage::SharedInfo,
            Stage::SharedInfo => {
                match hv.look_at(domid, Gfn(self.info.shared_info)) {
                    Ok(page) => self.push_page(Piece::SharedInfo, &page),
                    // A domain whose frames are translated need not have it anywhere.
                    Err(_) if translated => {}
                    Err(error) => return Err(error),
                }
                Stage::Frames(0)
            }
            Stage::Frames(next) if !self.frames.is_empty() => {
                self.pages(hv, domid)?;
                Stage::Frames(next)
            }
            Stage::Frames(next) if next < self.end => Stage::Frames(self.look(hv, next)?),
            Stage::Frames(_) | Stage::Said => {
                self.push(Piece::End, &[]);
                Stage::Said
            }
        };
        Ok(())
    }

    fn registers(&mut self, hv: &impl Hypervisor, vcpu: u32) -> Result<(), HvError> {
        let mut context = [0; CONTEXT];
        match hv.registers(self.info.domid, VcpuId(vcpu), &mut context) {
            Ok(()) => self.push(Piece::Registers { vcpu: vcpu.into() }, &context),
            // It never ran.
            Err(error) if matches!(error.errno, Errno::ENODATA | Errno::ESRCH) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Finds out which of the frames from `next` on there are; returns how far it came.
    fn look(&mut self, hv: &impl Hypervisor, next: u64) -> Result<u64, HvError> {
        let mut held = [None; FRAMES];
        let count = usize::try_from(self.end - next).unwrap_or(FRAMES).min(FRAMES);
        let (held, _) = held.split_at_mut(count);
        hv.frames_held(self.info.domid, next, held)?;
        let there = (next..).zip(held.iter()).filter_map(|(frame, held)| Some((frame, (*held)?)));
        self.frames.extend(there);
        self.frames.reverse();
        Ok(next.saturating_add(count as u64))
    }

    /// Reads some of the frames that there are.
    fn pages(&mut self, hv: &impl Hypervisor, domid: DomId) -> Result<(), HvError> {
        let mut read = 0;
        for _ in 0..LOOKS {
            if read == PAGES {
                break;
            }
            let Some((gmfn, pfn)) = self.frames.pop() else { break };
            match hv.look_at(domid, Gfn(gmfn)) {
                Ok(page) => {
                    self.push_page(Piece::Page { pfn, gmfn }, &page);
                    read += 1;
                }
                Err(error) if error.errno == Errno::ENOMEM => return Err(error),
                // It went meanwhile, or is somebody else's.
                Err(_) => {}
            }
        }
        Ok(())
    }
}
