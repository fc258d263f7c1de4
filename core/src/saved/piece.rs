//! A piece of a saved domain: a header, and the body that it announces.
//!
//! A header is two little-endian words of 64 bits: in the first, what it is (16 bits) and the bytes of the body (in the
//! upper half); in the second, what that kind of piece says there.

use core::fmt;

use super::Frame;
use crate::hyper::{CONTEXT, EXTENDED};
use crate::shared::PAGE_SIZE;

/// Bytes of a header.
pub const HEADER: usize = 16;

/// The most bytes of a body.
pub const BODY: usize = 16 << 10;

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// The first piece.
    Head {
        /// Xen translates its frames: it is PVH, not PV.
        translated: bool,
        /// Its virtual CPUs.
        vcpus: u16,
        /// Pages it has.
        pages: u32,
    },
    /// Frames that it has follow, each a [`super::Frame`] of 8 bytes.
    Frames,
    /// What is in a frame follows: a page.
    Page {
        /// Which. If it is a page table, what is in it are numbers that the domain has for frames.
        frame: Frame,
    },
    /// More of Xen's records of a PVH domain follow; together they are all.
    Platform,
    /// The value of a parameter of a PVH domain follows, 8 bytes.
    Parameter {
        /// `HVM_PARAM_*`.
        index: u32,
    },
    /// The registers of a virtual CPU of a PV domain follow; frames in them are the domain's numbers.
    Registers {
        /// Which.
        vcpu: u32,
    },
    /// What registers leave out follows.
    Extended {
        /// Of which.
        vcpu: u32,
    },
    /// What XSAVE holds for it follows.
    Xsave {
        /// For which.
        vcpu: u32,
    },
    /// The shared info page of a PV domain follows.
    SharedInfo,
    /// Frames follow in which a PV domain has its own list of frames, 8 bytes each, in order.
    List,
    /// The last piece.
    End,
}

/// What is no piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PieceError;

impl fmt::Display for PieceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something in it is no part of a saved domain")
    }
}

/// Bit 63 of a head's second word.
const TRANSLATED: u64 = 1 << 63;

impl Piece {
    fn code(self) -> u16 {
        match self {
            Self::Head { .. } => 1,
            Self::Frames => 2,
            Self::Page { .. } => 3,
            Self::Platform => 4,
            Self::Parameter { .. } => 5,
            Self::Registers { .. } => 6,
            Self::Extended { .. } => 7,
            Self::Xsave { .. } => 8,
            Self::SharedInfo => 9,
            Self::List => 10,
            Self::End => 11,
        }
    }

    fn says(self) -> u64 {
        match self {
            Self::Head { translated, vcpus, pages } => {
                u64::from(pages) | u64::from(vcpus) << 32 | if translated { TRANSLATED } else { 0 }
            }
            Self::Page { frame } => frame.encode(),
            Self::Parameter { index: number }
            | Self::Registers { vcpu: number }
            | Self::Extended { vcpu: number }
            | Self::Xsave { vcpu: number } => number.into(),
            Self::Frames | Self::Platform | Self::SharedInfo | Self::List | Self::End => 0,
        }
    }

    /// Whether a body of so many bytes can follow.
    const fn takes(self, body: usize) -> bool {
        match self {
            Self::Head { .. } | Self::End => body == 0,
            Self::Frames | Self::List => body.is_multiple_of(8) && body <= BODY,
            Self::Page { .. } | Self::SharedInfo => body == PAGE_SIZE,
            Self::Platform | Self::Xsave { .. } => body <= BODY,
            Self::Extended { .. } => body == EXTENDED,
            Self::Parameter { .. } => body == 8,
            Self::Registers { .. } => body == CONTEXT,
        }
    }

    /// Its header, for a body of so many bytes.
    #[must_use]
    pub fn header(self, body: usize) -> [u8; HEADER] {
        let first = u64::from(self.code()) | (body as u64) << 32;
        let mut bytes = [0; HEADER];
        for (to, word) in bytes.chunks_mut(8).zip([first, self.says()]) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// From a header; also says how many bytes follow.
    ///
    /// # Errors
    /// When it is no piece, or has a length that such a piece does not have.
    pub fn parse(header: &[u8; HEADER]) -> Result<(Self, usize), PieceError> {
        let mut words = [0; 2];
        for (word, bytes) in words.iter_mut().zip(header.chunks(8)) {
            *word = u64::from_le_bytes(bytes.try_into().map_err(|_| PieceError)?);
        }
        let [first, says] = words;
        let number = || u32::try_from(says).map_err(|_| PieceError);
        let nothing = |piece| if says == 0 { Ok(piece) } else { Err(PieceError) };
        let piece = match first & 0xffff_ffff {
            1 => Self::Head {
                translated: says & TRANSLATED != 0,
                vcpus: u16::try_from((says & !TRANSLATED) >> 32).map_err(|_| PieceError)?,
                pages: u32::try_from(says & 0xffff_ffff).map_err(|_| PieceError)?,
            },
            2 => nothing(Self::Frames)?,
            3 => Self::Page { frame: Frame::decode(says).map_err(|_| PieceError)? },
            4 => nothing(Self::Platform)?,
            5 => Self::Parameter { index: number()? },
            6 => Self::Registers { vcpu: number()? },
            7 => Self::Extended { vcpu: number()? },
            8 => Self::Xsave { vcpu: number()? },
            9 => nothing(Self::SharedInfo)?,
            10 => nothing(Self::List)?,
            11 => nothing(Self::End)?,
            _ => return Err(PieceError),
        };
        let body = usize::try_from(first >> 32).map_err(|_| PieceError)?;
        if piece.takes(body) { Ok((piece, body)) } else { Err(PieceError) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hyper::TableLevel;

    const TABLE: Frame = Frame { number: 7, table: Some(TableLevel::L2), pinned: true };
    const ALL: [(Piece, usize); 13] = [
        (Piece::Head { translated: true, vcpus: u16::MAX >> 1, pages: u32::MAX }, 0),
        (Piece::Head { translated: false, vcpus: 1, pages: 7 }, 0),
        (Piece::Frames, BODY),
        (Piece::Page { frame: Frame::plain((1 << 60) - 1) }, PAGE_SIZE),
        (Piece::Page { frame: TABLE }, PAGE_SIZE),
        (Piece::Platform, 5),
        (Piece::Parameter { index: u32::MAX }, 8),
        (Piece::Registers { vcpu: 3 }, CONTEXT),
        (Piece::Extended { vcpu: 4 }, EXTENDED),
        (Piece::Xsave { vcpu: 5 }, 600),
        (Piece::List, 24),
        (Piece::SharedInfo, PAGE_SIZE),
        (Piece::End, 0),
    ];

    #[test]
    fn headers_are_read_back() {
        for (piece, body) in ALL {
            assert_eq!(Piece::parse(&piece.header(body)), Ok((piece, body)));
        }
    }

    #[test]
    fn a_body_has_the_length_that_its_piece_has() {
        for (piece, body) in ALL {
            assert_eq!(Piece::parse(&piece.header(BODY + 8)), Err(PieceError), "{piece:?}");
            if !matches!(piece, Piece::Platform | Piece::Xsave { .. }) {
                assert_eq!(Piece::parse(&piece.header(body + 1)), Err(PieceError), "{piece:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn attack_d03_what_is_read_is_what_was_written_and_nothing_else(header: [u8; HEADER]) {
            if let Ok((piece, body)) = Piece::parse(&header) {
                prop_assert_eq!(piece.header(body), header);
            }
        }
    }
}
