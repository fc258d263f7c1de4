//! The work: what each piece of a saved domain does to the new one.

use core::fmt;

use super::input::{Input, Overfull};
use super::pv::Pv;
use super::pvh::Pvh;
use crate::builder::build::Target;
use crate::builder::copy::{POPULATE, SLACK_KIB};
use crate::builder::{Build, BuildHypervisor, Built, Cause, Work};
use crate::hyper::{CreateDomain, CreateFlags, DomId, Gfn, PhysMemory, Progress};
use crate::saved::{Frame, FrameError, Piece, PieceError};
use crate::shared::PAGE_SIZE;

/// KiB of a page.
const PAGE_KIB: u64 = PAGE_SIZE as u64 >> 10;

/// Why what was saved makes no domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// Something is no piece of a saved domain.
    Piece(PieceError),
    /// A word is no frame.
    Frame(FrameError),
    /// A piece stands where it cannot.
    Order,
    /// The configuration has another kind of domain, or fewer virtual CPUs.
    Other,
    /// It lists more frames than it has.
    TooMany,
    /// Xen's records are larger than they can be.
    Platform,
    /// A page table, a register or a list leads to memory that the domain does not have.
    Lost,
    /// Something without which the domain cannot run is missing.
    Missing,
}

impl From<PieceError> for Wrong {
    fn from(error: PieceError) -> Self {
        Self::Piece(error)
    }
}

impl From<FrameError> for Wrong {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Piece(error) => error.fmt(f),
            Self::Frame(error) => error.fmt(f),
            Self::Order => f.write_str("its parts are not in order"),
            Self::Other => f.write_str("it does not go with its configuration"),
            Self::TooMany => f.write_str("it lists more memory than it has"),
            Self::Platform => f.write_str("it has too many records of its virtual CPUs"),
            Self::Lost => f.write_str("something in it leads to memory that it does not have"),
            Self::Missing => f.write_str("a part is missing"),
        }
    }
}

/// A saved domain that is being made again.
pub type Restore = Build<RestoreWork>;

/// The work on it.
#[derive(Debug)]
pub struct RestoreWork {
    input: Input,
    vcpus: u32,
    server: DomId,
    stage: Stage,
    /// Frames that it may list and has not.
    unlisted: u64,
    kind: Kind,
    hungry: bool,
}

/// What is particular to its kind.
#[derive(Debug)]
enum Kind {
    Pv(Pv),
    Pvh(Pvh),
}

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Head,
    /// Xen needs memory for the paging structures of a domain with so many pages.
    Pool(u32),
    /// Frames; so many of the next piece's have memory.
    Frames(usize),
    /// What is in them, and behind that the rest.
    Pages,
    Rest,
    /// All is there.
    Finish,
}

impl Restore {
    /// Begins to make a domain again; `server` serves its XenStore and console.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(create: CreateDomain, server: DomId) -> Result<Self, Cause> {
        let translated = create.flags.contains(CreateFlags::HVM);
        let work = RestoreWork {
            input: Input::new().ok_or(Cause::ControlMemory)?,
            vcpus: create.max_vcpus,
            server,
            stage: Stage::Head,
            unlisted: 0,
            kind: if translated { Kind::Pvh(Pvh::default()) } else { Kind::Pv(Pv::default()) },
            hungry: false,
        };
        Ok(Self::planned(work, create))
    }

    /// Takes more of what was saved.
    ///
    /// # Errors
    /// When it is more than there was room for.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Overfull> {
        self.work.hungry = false;
        self.work.input.feed(bytes)
    }

    /// How many more bytes it takes than it said before.
    pub fn takes(&mut self) -> usize {
        self.work.input.tell()
    }

    /// Whether there is nothing to do before more has come.
    #[must_use]
    pub const fn is_hungry(&self) -> bool {
        self.work.hungry
    }
}

impl Work for RestoreWork {
    fn advance<H: BuildHypervisor>(&mut self, target: &Target<'_, H>) -> Result<Option<Built>, Cause> {
        match self.stage {
            Stage::Pool(pages) => {
                let progress = target.hv.set_paging_pool(target.domid, Pvh::pool(self.vcpus, pages))?;
                if progress == Progress::Done {
                    self.stage = Stage::Frames(0);
                }
                return Ok(None);
            }
            Stage::Finish => {
                return match &mut self.kind {
                    Kind::Pv(pv) => pv.finish(target, self.server),
                    Kind::Pvh(pvh) => pvh.finish(target, self.server).map(Some),
                };
            }
            _ => {}
        }
        let Some((piece, body)) = self.input.next().map_err(Wrong::from)? else {
            self.hungry = true;
            return Ok(None);
        };
        let size = body.len();
        let next = match (self.stage, piece) {
            (Stage::Head, Piece::Head { translated, vcpus, pages }) => {
                if translated != matches!(self.kind, Kind::Pvh(_)) || u32::from(vcpus) != self.vcpus {
                    return Err(Wrong::Other.into());
                }
                self.unlisted = pages.into();
                target.hv.set_max_vcpus(target.domid, self.vcpus)?;
                target.hv.set_max_memory(target.domid, u64::from(pages) * PAGE_KIB + SLACK_KIB)?;
                Some(if translated { Stage::Pool(pages) } else { Stage::Frames(0) })
            }
            (Stage::Frames(done), Piece::Frames) => {
                let (given, all) = populate(target, &mut self.kind, body, done)?;
                self.unlisted = self.unlisted.checked_sub(given as u64).ok_or(Wrong::TooMany)?;
                if !all {
                    self.stage = Stage::Frames(done + given);
                    return Ok(None);
                }
                None
            }
            (Stage::Frames(0) | Stage::Pages, Piece::Page { frame }) => {
                match &self.kind {
                    Kind::Pv(pv) => pv.write(target, frame, body)?,
                    Kind::Pvh(_) => target.page(Gfn(frame.number))?.write(0, body),
                }
                Some(Stage::Pages)
            }
            (Stage::Frames(0) | Stage::Pages | Stage::Rest, Piece::End) => Some(Stage::Finish),
            (Stage::Frames(0) | Stage::Pages | Stage::Rest, piece) => {
                match &mut self.kind {
                    Kind::Pv(pv) => pv.take(piece, body, self.vcpus)?,
                    Kind::Pvh(pvh) => pvh.take(piece, body)?,
                }
                Some(Stage::Rest)
            }
            _ => return Err(Wrong::Order.into()),
        };
        self.stage = next.unwrap_or(Stage::Frames(0));
        self.input.take(size);
        Ok(None)
    }
}

/// Gives memory to listed frames behind the first `done`, at most [`POPULATE`]; returns to how many, and whether these were
/// all.
fn populate<H: PhysMemory>(
    target: &Target<'_, H>,
    kind: &mut Kind,
    body: &[u8],
    done: usize,
) -> Result<(usize, bool), Cause> {
    let mut batch = [0; POPULATE];
    let (words, _) = body.as_chunks::<8>();
    let frames = || words.iter().skip(done).map(|word| Frame::decode(u64::from_le_bytes(*word)));
    let mut wanted = 0;
    for (entry, frame) in batch.iter_mut().zip(frames()) {
        let frame = frame.map_err(Wrong::from)?;
        if let Kind::Pv(pv) = kind {
            pv.reserve(frame.number)?;
        }
        *entry = frame.number;
        wanted += 1;
    }
    if wanted == 0 {
        return Ok((0, true));
    }
    let given = target.hv.populate(target.domid, batch.get_mut(..wanted).unwrap_or_default())?;
    if given == 0 {
        return Err(Cause::HostMemory { wanted: words.len() as u64, given: done as u64 });
    }
    if let Kind::Pv(pv) = kind {
        for (frame, mfn) in frames().zip(batch).take(given) {
            pv.list(frame.map_err(Wrong::from)?, mfn)?;
        }
    }
    Ok((given, done + given >= words.len()))
}

/// The one word of a body.
pub(super) fn word(body: &[u8]) -> Result<u64, Wrong> {
    body.try_into().map(u64::from_le_bytes).map_err(|_| Wrong::Order)
}
