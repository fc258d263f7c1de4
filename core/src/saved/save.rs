//! Reading a domain that was suspended, a bounded piece of work per step.

use alloc::vec::Vec;
use core::fmt;

use super::{Frame, HEADER, Piece, pv, pvh};
use crate::hyper::{DomId, DomainFlags, DomainInfo, Gfn, HvError, Hypervisor};
use crate::shared::{PAGE_SIZE, Page};

/// Pages sent in one step.
pub(super) const PAGES: usize = 3;

/// Frames looked at in one step. Not all of them have to be sent.
pub(super) const LOOKS: usize = 48;

/// Why a domain cannot be saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaveError {
    /// The hypervisor refused.
    Hypervisor(HvError),
    /// The control domain has no memory for it.
    ControlMemory,
    /// A page table of the domain leads to memory that is not its own, this one's.
    Table(u64),
    /// The registers of this virtual CPU lead to memory that is not the domain's.
    Registers(u32),
    /// The domain does not say where its list of frames is, or that leads nowhere.
    List,
}

impl From<HvError> for SaveError {
    fn from(error: HvError) -> Self {
        Self::Hypervisor(error)
    }
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hypervisor(error) => error.fmt(f),
            Self::ControlMemory => f.write_str("the control domain has too little memory for this"),
            Self::Table(frame) => {
                write!(f, "the domain uses memory of another one: its page table {frame:#x} leads there")
            }
            Self::Registers(vcpu) => {
                write!(f, "the registers of virtual CPU {vcpu} lead to memory that is not the domain's")
            }
            Self::List => f.write_str("the domain's list of its frames is not where it says"),
        }
    }
}

/// A domain that is being read.
#[derive(Debug)]
pub struct Saver {
    /// The first piece, until it was given.
    head: Option<Piece>,
    kind: Kind,
    /// All but the last piece was given.
    done: bool,
}

#[derive(Debug)]
enum Kind {
    Pv(pv::Reader),
    Pvh(pvh::Reader),
}

impl Saver {
    /// Begins to read a domain that stands still.
    ///
    /// # Errors
    /// When the hypervisor refuses, or there is no memory for it.
    pub fn new(hv: &impl Hypervisor, info: &DomainInfo) -> Result<Self, SaveError> {
        let translated = info.flags.contains(DomainFlags::HVM);
        let vcpus = u16::try_from(info.max_vcpus()).map_err(|_| SaveError::ControlMemory)?;
        let pages = u32::try_from(info.pages).map_err(|_| SaveError::ControlMemory)?;
        let kind = if translated {
            Kind::Pvh(pvh::Reader::new(hv, info.domid)?)
        } else {
            Kind::Pv(pv::Reader::new(hv, info)?)
        };
        Ok(Self { head: Some(Piece::Head { translated, vcpus, pages }), kind, done: false })
    }

    /// Appends what comes next to `out`; returns whether more follows.
    ///
    /// # Errors
    /// When the hypervisor refuses, there is no memory for it, or the domain is none that can be saved.
    pub fn read(&mut self, hv: &impl Hypervisor, out: &mut Vec<u8>) -> Result<bool, SaveError> {
        if let Some(head) = self.head.take() {
            push(out, head, &[])?;
        } else if self.done {
            push(out, Piece::End, &[])?;
            return Ok(false);
        } else {
            self.done = !match &mut self.kind {
                Kind::Pv(reader) => reader.read(hv, out)?,
                Kind::Pvh(reader) => reader.read(hv, out)?,
            };
        }
        Ok(true)
    }
}

pub(super) fn push(out: &mut Vec<u8>, piece: Piece, body: &[u8]) -> Result<(), SaveError> {
    append(out, piece, body.len())?.copy_from_slice(body);
    Ok(())
}

/// Appends a piece, whose body of so many bytes is to be filled.
pub(super) fn append(out: &mut Vec<u8>, piece: Piece, body: usize) -> Result<&mut [u8], SaveError> {
    let start = out.len() + HEADER;
    out.try_reserve(HEADER + body).map_err(|_| SaveError::ControlMemory)?;
    out.extend_from_slice(&piece.header(body));
    out.resize(start + body, 0);
    Ok(out.get_mut(start..).unwrap_or_default())
}

/// Room for so many of something, which is on the heap: the stack is small.
pub(super) fn room<T>(count: usize) -> Result<Vec<T>, SaveError> {
    let mut room = Vec::new();
    room.try_reserve_exact(count).map_err(|_| SaveError::ControlMemory)?;
    Ok(room)
}

/// Reads the page that is mapped as `gfn`, changes it, and appends it unless it holds nothing; returns whether it did.
pub(super) fn push_page(
    hv: &impl Hypervisor,
    domid: DomId,
    gfn: u64,
    frame: Frame,
    change: impl FnOnce(&mut [u8; PAGE_SIZE]) -> Option<()>,
    out: &mut Vec<u8>,
) -> Result<bool, SaveError> {
    let start = out.len();
    let body = append(out, Piece::Page { frame }, PAGE_SIZE)?;
    Page::read(&*hv.look_at(domid, Gfn(gfn))?, 0, body);
    let page = body.first_chunk_mut().ok_or(SaveError::ControlMemory)?;
    change(page).ok_or(SaveError::Table(frame.number))?;
    let holds = page.iter().any(|byte| *byte != 0);
    if !holds {
        out.truncate(start);
    }
    Ok(holds)
}
