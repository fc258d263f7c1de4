//! Reading a PVH domain. Its frames are its own, so all there is to do is to find them.

use alloc::vec::Vec;

use super::save::{LOOKS, PAGES, SaveError, append, push, push_page, room};
use super::{BODY, Frame, Piece};
use crate::abi::hvm::op::{HVM_PARAM_CONSOLE_PFN, HVM_PARAM_IDENT_PT, HVM_PARAM_STORE_PFN};
use crate::hyper::{DomId, FRAMES, HvError, Hypervisor};

/// What a domain was given at its start and cannot tell anew.
const PARAMETERS: [u32; 3] = [HVM_PARAM_STORE_PFN, HVM_PARAM_CONSOLE_PFN, HVM_PARAM_IDENT_PT];

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Which frames there are, from this one on.
    Frames(u64),
    /// What is in them; which there are is not known from this one on.
    Pages(u64),
    Parameters(usize),
    /// Xen's records, from this piece on.
    Platform(usize),
}

/// A domain that is being read.
#[derive(Debug)]
pub(super) struct Reader {
    domid: DomId,
    /// The frame behind the last that can be there.
    end: u64,
    stage: Stage,
    /// What the hypervisor says of some frames.
    held: Vec<Option<u64>>,
    /// Frames that are there and were not read, the next one last.
    found: Vec<u64>,
    /// Xen's records, once they were asked for.
    platform: Vec<u8>,
}

impl Reader {
    pub(super) fn new(hv: &impl Hypervisor, domid: DomId) -> Result<Self, SaveError> {
        let end = hv.frame_end(domid)?;
        let (held, found) = (room(FRAMES)?, room(FRAMES)?);
        Ok(Self { domid, end, stage: Stage::Frames(0), held, found, platform: Vec::new() })
    }

    pub(super) fn read(&mut self, hv: &impl Hypervisor, out: &mut Vec<u8>) -> Result<bool, SaveError> {
        self.stage = match self.stage {
            Stage::Frames(next) if next < self.end => {
                let next = self.look(hv, next)?;
                if !self.found.is_empty() {
                    let body = append(out, Piece::Frames, self.found.len() * 8)?;
                    for (word, frame) in body.as_chunks_mut().0.iter_mut().zip(self.found.drain(..).rev()) {
                        *word = Frame::plain(frame).encode().to_le_bytes();
                    }
                }
                Stage::Frames(next)
            }
            Stage::Frames(_) => Stage::Pages(0),
            Stage::Pages(next) if !self.found.is_empty() => {
                self.read_pages(hv, out)?;
                Stage::Pages(next)
            }
            Stage::Pages(next) if next < self.end => Stage::Pages(self.look(hv, next)?),
            Stage::Pages(_) => Stage::Parameters(0),
            Stage::Parameters(next) => match PARAMETERS.get(next) {
                Some(index) => {
                    let value = hv.hvm_param(self.domid, *index)?;
                    push(out, Piece::Parameter { index: *index }, &value.to_le_bytes())?;
                    Stage::Parameters(next + 1)
                }
                None => {
                    self.ask_platform(hv)?;
                    Stage::Platform(0)
                }
            },
            Stage::Platform(next) => match self.platform.chunks(BODY / 2).nth(next) {
                Some(body) => {
                    push(out, Piece::Platform, body)?;
                    Stage::Platform(next + 1)
                }
                None => return Ok(false),
            },
        };
        Ok(true)
    }

    /// Finds out which of the frames from `next` on there are; returns how far it came.
    fn look(&mut self, hv: &impl Hypervisor, next: u64) -> Result<u64, HvError> {
        let count = usize::try_from(self.end - next).unwrap_or(FRAMES).min(FRAMES);
        self.held.clear();
        self.held.resize(count, None);
        hv.frames_held(self.domid, next, &mut self.held)?;
        let there = (next..).zip(self.held.iter()).filter_map(|(frame, held)| held.and(Some(frame)));
        self.found.extend(there);
        self.found.reverse();
        Ok(next.saturating_add(count as u64))
    }

    /// Reads some of the frames that there are.
    fn read_pages(&mut self, hv: &impl Hypervisor, out: &mut Vec<u8>) -> Result<(), SaveError> {
        let mut read = 0;
        for _ in 0..LOOKS {
            if read == PAGES {
                break;
            }
            let Some(frame) = self.found.pop() else { break };
            read += usize::from(push_page(hv, self.domid, frame, Frame::plain(frame), |_| Some(()), out)?);
        }
        Ok(())
    }

    fn ask_platform(&mut self, hv: &impl Hypervisor) -> Result<(), SaveError> {
        let size = hv.platform_size(self.domid)?;
        self.platform = room(size)?;
        self.platform.resize(size, 0);
        let size = hv.platform(self.domid, &mut self.platform)?;
        self.platform.truncate(size);
        Ok(())
    }
}
