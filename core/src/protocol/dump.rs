//! The stream of [`super::Request::Dump`]: pieces, each a header and what it announces.

use crate::hyper::CONTEXT;
use crate::shared::PAGE_SIZE;

/// Bytes of a header.
pub const HEADER: usize = 24;

/// A piece of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// The first piece: what kind of domain it is.
    Head {
        /// Xen translates its frames: it is PVH, not PV.
        translated: bool,
        /// Pages it has; so many will about come.
        pages: u64,
    },
    /// The registers of a virtual CPU follow.
    Registers {
        /// Which.
        vcpu: u64,
    },
    /// The shared info page follows.
    SharedInfo,
    /// A page follows.
    Page {
        /// The number that the domain has for it.
        pfn: u64,
        /// The frame by which it is mapped: the machine's for a PV domain, else the domain's.
        gmfn: u64,
    },
    /// The last piece.
    End,
}

impl Piece {
    /// Bytes that follow.
    #[must_use]
    pub const fn body(self) -> usize {
        match self {
            Self::Head { .. } | Self::End => 0,
            Self::Registers { .. } => CONTEXT,
            Self::SharedInfo | Self::Page { .. } => PAGE_SIZE,
        }
    }

    /// Its header.
    #[must_use]
    pub fn header(self) -> [u8; HEADER] {
        let words: [u64; 3] = match self {
            Self::Head { translated, pages } => [0, translated.into(), pages],
            Self::Registers { vcpu } => [1, vcpu, 0],
            Self::SharedInfo => [2, 0, 0],
            Self::Page { pfn, gmfn } => [3, pfn, gmfn],
            Self::End => [4, 0, 0],
        };
        let mut bytes = [0; HEADER];
        for (to, word) in bytes.chunks_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// From its header.
    #[must_use]
    pub fn parse(header: &[u8; HEADER]) -> Option<Self> {
        let mut words = [0; 3];
        for (word, bytes) in words.iter_mut().zip(header.chunks(8)) {
            *word = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        match words {
            [0, translated @ 0..=1, pages] => Some(Self::Head { translated: translated == 1, pages }),
            [1, vcpu, 0] => Some(Self::Registers { vcpu }),
            [2, 0, 0] => Some(Self::SharedInfo),
            [3, pfn, gmfn] => Some(Self::Page { pfn, gmfn }),
            [4, 0, 0] => Some(Self::End),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_back_and_nothing_else_is() {
        for piece in [
            Piece::Head { translated: true, pages: 7 },
            Piece::Head { translated: false, pages: u64::MAX },
            Piece::Registers { vcpu: 3 },
            Piece::SharedInfo,
            Piece::Page { pfn: 1, gmfn: u64::MAX },
            Piece::End,
        ] {
            assert_eq!(Piece::parse(&piece.header()), Some(piece));
        }
        for first in [5, u8::MAX] {
            let mut header = [0; HEADER];
            header[0] = first;
            assert_eq!(Piece::parse(&header), None);
        }
        let mut header = Piece::End.header();
        header[9] = 1;
        assert_eq!(Piece::parse(&header), None);
        assert_eq!((Piece::End.body(), Piece::SharedInfo.body(), CONTEXT), (0, 4096, 5168));
    }
}
