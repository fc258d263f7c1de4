//! One entry of a node's permissions, as it travels. Source: `docs/misc/xenstore.txt`, `GET_PERMS`.

use core::fmt;

use super::number;
use crate::hyper::DomId;

/// What a domain may do with a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// Nothing.
    None,
    /// Read.
    Read,
    /// Write.
    Write,
    /// Read and write.
    Both,
}

impl Access {
    /// Whether reading is allowed.
    #[must_use]
    pub const fn can_read(self) -> bool {
        matches!(self, Self::Read | Self::Both)
    }

    /// Whether writing is allowed.
    #[must_use]
    pub const fn can_write(self) -> bool {
        matches!(self, Self::Write | Self::Both)
    }

    const fn letter(self) -> char {
        match self {
            Self::None => 'n',
            Self::Read => 'r',
            Self::Write => 'w',
            Self::Both => 'b',
        }
    }
}

/// A permission: a domain and what it may do. The first of a node names its owner and what all others may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Perm {
    /// Whose permission it is.
    pub domid: DomId,
    /// What it allows.
    pub access: Access,
}

impl Perm {
    /// `domid` may do what `access` says.
    #[must_use]
    pub const fn new(access: Access, domid: DomId) -> Self {
        Self { domid, access }
    }

    /// Reads a letter and a domain id, which may be decimal, octal or hexadecimal.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (letter, digits @ [_, ..]) = text.split_first()? else { return None };
        let access = match letter {
            b'n' => Access::None,
            b'r' => Access::Read,
            b'w' => Access::Write,
            b'b' => Access::Both,
            _ => return None,
        };
        let (value, rest) = number::any_base(digits);
        let domid = u16::try_from(value).ok().filter(|_| rest.is_empty())?;
        Some(Self::new(access, DomId(domid)))
    }
}

impl fmt::Display for Perm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.access.letter(), self.domid)
    }
}

impl fmt::Debug for Perm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_letter_makes_the_round() {
        for text in ["n0", "r1", "w32751", "b65535"] {
            assert_eq!(Perm::parse(text.as_bytes()).unwrap().to_string(), text);
        }
        assert_eq!(Perm::parse(b"r0x10"), Some(Perm::new(Access::Read, DomId(16))));
        assert_eq!(Perm::parse(b"b010"), Some(Perm::new(Access::Both, DomId(8))));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [&b""[..], b"r", b"x1", b"R1", b"r1 ", b"r1r", b"r-1", b"r65536", b"1", b"r0x"] {
            assert_eq!(Perm::parse(bad), None, "{:?}", core::str::from_utf8(bad));
        }
    }
}
