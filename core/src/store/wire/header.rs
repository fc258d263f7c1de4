//! The sixteen bytes before every payload. Source: `struct xsd_sockmsg` of `xen/io/xs_wire.h`.

use core::fmt;

use super::{Kind, PAYLOAD_MAX};
use crate::abi::io::xs_wire::SockMsg;

/// A header whose length is within the limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What is asked or answered.
    pub kind: Kind,
    /// Chosen by the client, echoed by the server.
    pub req_id: u32,
    /// The transaction, or 0 outside of one.
    pub tx_id: u32,
    len: u16,
}

/// A header announced a payload beyond [`PAYLOAD_MAX`]: its sender broke the protocol and the stream cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Oversized {
    /// The announced number of bytes.
    pub len: u32,
}

impl Header {
    /// Bytes a header takes.
    pub const SIZE: usize = size_of::<SockMsg>();

    /// The header of a [`Payload`](super::Payload), which keeps its length within the limit.
    pub(super) const fn of(kind: Kind, req_id: u32, tx_id: u32, len: u16) -> Self {
        Self { kind, req_id, tx_id, len }
    }

    /// Reads a header.
    ///
    /// # Errors
    /// When the announced payload is longer than a message may have.
    pub fn parse(bytes: [u8; Self::SIZE]) -> Result<Self, Oversized> {
        let raw: SockMsg = zerocopy::transmute!(bytes);
        match u16::try_from(raw.len) {
            Ok(len) if usize::from(len) <= PAYLOAD_MAX => {
                Ok(Self::of(Kind(raw.kind), raw.req_id, raw.tx_id, len))
            }
            _ => Err(Oversized { len: raw.len }),
        }
    }

    /// The bytes to send.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let Self { kind: Kind(kind), req_id, tx_id, len } = self;
        zerocopy::transmute!(SockMsg { kind, req_id, tx_id, len: len.into() })
    }

    /// Bytes of payload that follow, at most [`PAYLOAD_MAX`].
    #[must_use]
    pub fn payload_len(&self) -> usize {
        self.len.into()
    }
}

impl fmt::Display for Oversized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message announced {} bytes of payload, {PAYLOAD_MAX} are allowed", self.len)
    }
}

impl core::error::Error for Oversized {}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: [u8; 16] = [2, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 9, 0, 0, 0, 5, 0, 0, 0];

    #[test]
    fn a_header_is_sixteen_exact_bytes() {
        let header = Header::parse(READ).unwrap();
        assert_eq!(header, Header::of(Kind::READ, 0x1234_5678, 9, 5));
        assert_eq!(header.to_bytes(), READ);
        assert_eq!(header.payload_len(), 5);
    }

    #[test]
    fn the_length_limit_is_exact() {
        let with_len = |len: u32| {
            let mut bytes = READ;
            bytes[12..].copy_from_slice(&len.to_ne_bytes());
            Header::parse(bytes)
        };
        assert_eq!(with_len(4096).unwrap().payload_len(), 4096);
        for len in [4097, 0x1_0000, 0x1_0005, 0x8000_0000, u32::MAX] {
            assert_eq!(with_len(len), Err(Oversized { len }));
        }
    }
}
