//! From pieces of bytes to whole messages.

use alloc::vec::Vec;
use core::fmt;
use core::mem;

use embedded_io::{Read, ReadReady};

use super::StreamError;
use crate::store::wire::{Header, Oversized};

/// A whole message as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is; its length is that of the payload.
    pub header: Header,
    /// Not looked at yet.
    pub payload: Vec<u8>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header { kind, req_id, tx_id, .. } = self.header;
        write!(f, "{kind} req {req_id} tx {tx_id} \"{}\"", self.payload.escape_ascii())
    }
}

/// The message that is coming in. Holds memory for its payload only once the header is there and in order.
#[derive(Debug, Default)]
pub struct Assembler {
    head: [u8; Header::SIZE],
    header: Option<Header>,
    payload: Vec<u8>,
    filled: usize,
}

impl Assembler {
    /// Waits for a header.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the next bytes belong; never empty.
    pub fn missing(&mut self) -> &mut [u8] {
        let target = if self.header.is_some() { &mut self.payload } else { self.head.as_mut_slice() };
        target.get_mut(self.filled..).unwrap_or_default()
    }

    /// Counts bytes that were put where [`Assembler::missing`] said. Returns the message when that made it whole.
    ///
    /// # Errors
    /// When the header announces too long a payload: nothing after it can be understood.
    pub fn advance(&mut self, bytes: usize) -> Result<Option<Frame>, Oversized> {
        self.filled += bytes.min(self.missing().len());
        if !self.missing().is_empty() {
            return Ok(None);
        }
        let header = match self.header.take() {
            Some(header) => header,
            None => {
                let header = Header::parse(self.head)?;
                self.filled = 0;
                self.payload = alloc::vec![0; header.payload_len()];
                if header.payload_len() != 0 {
                    self.header = Some(header);
                    return Ok(None);
                }
                header
            }
        };
        self.filled = 0;
        Ok(Some(Frame { header, payload: mem::take(&mut self.payload) }))
    }

    /// Takes what the stream has, up to the end of one message, and returns that message when it is whole.
    ///
    /// # Errors
    /// When the stream cannot go on.
    pub fn pull<R: Read + ReadReady>(
        &mut self,
        from: &mut R,
    ) -> Result<Option<Frame>, StreamError<R::Error>> {
        while from.read_ready().map_err(StreamError::Io)? {
            let bytes = from.read(self.missing()).map_err(StreamError::Io)?;
            if bytes == 0 {
                return Err(StreamError::Closed);
            }
            if let Some(frame) = self.advance(bytes).map_err(StreamError::Oversized)? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// Whether a part of a message is there.
    #[must_use]
    pub fn is_midway(&self) -> bool {
        self.header.is_some() || self.filled != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::wire::{Kind, Message, Payload};
    use proptest::prelude::*;

    /// A stream that is ready for as many bytes as the next piece has, then not ready once.
    struct Pieces<'a>(Vec<&'a [u8]>);

    impl embedded_io::ErrorType for Pieces<'_> {
        type Error = core::convert::Infallible;
    }

    impl ReadReady for Pieces<'_> {
        fn read_ready(&mut self) -> Result<bool, Self::Error> {
            Ok(self.0.first().is_some_and(|piece| !piece.is_empty()) || {
                self.0.drain(..self.0.len().min(1));
                false
            })
        }
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
            let piece = &mut self.0[0];
            let taken = buf.len().min(piece.len());
            buf[..taken].copy_from_slice(&piece[..taken]);
            *piece = &piece[taken..];
            Ok(taken)
        }
    }

    fn message(req_id: u32, payload: &[u8]) -> Message {
        Message::new(Kind::WRITE, req_id, 0, Payload::try_from(payload).unwrap())
    }

    proptest! {
        #[test]
        fn messages_arrive_whole_however_they_are_cut(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..6),
            cuts in proptest::collection::vec(1usize..30, 1..80),
        ) {
            let mut stream = Vec::new();
            for (payload, req_id) in payloads.iter().zip(0..) {
                stream.extend_from_slice(message(req_id, payload).as_bytes());
            }
            let (mut pieces, mut rest) = (Vec::new(), stream.as_slice());
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            let (mut assembler, mut source, mut frames) = (Assembler::new(), Pieces(pieces), Vec::new());
            while !source.0.is_empty() {
                frames.extend(assembler.pull(&mut source).unwrap());
            }
            prop_assert!(!assembler.is_midway());
            prop_assert_eq!(frames.iter().map(|frame| &frame.payload).collect::<Vec<_>>(), payloads.iter().collect::<Vec<_>>());
            for (frame, req_id) in frames.iter().zip(0u32..) {
                prop_assert_eq!(frame.header.req_id, req_id);
            }
        }
    }

    #[test]
    fn attack_a13_no_payload_is_held_before_its_header_is_in_order() {
        let mut assembler = Assembler::new();
        assembler.missing()[..12].copy_from_slice(&[1; 12]);
        assert_eq!(assembler.advance(12), Ok(None));
        assembler.missing().copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(assembler.advance(4), Err(Oversized { len: u32::MAX }));
        assert_eq!(assembler.payload.capacity(), 0);
    }

    #[test]
    fn the_end_of_a_stream_is_told_from_silence() {
        struct Ended;
        impl embedded_io::ErrorType for Ended {
            type Error = core::convert::Infallible;
        }
        impl ReadReady for Ended {
            fn read_ready(&mut self) -> Result<bool, Self::Error> {
                Ok(true)
            }
        }
        impl Read for Ended {
            fn read(&mut self, _: &mut [u8]) -> Result<usize, Self::Error> {
                Ok(0)
            }
        }
        assert_eq!(Assembler::new().pull(&mut Ended), Err(StreamError::Closed));
        assert_eq!(Assembler::new().pull(&mut Pieces(Vec::new())), Ok(None));
    }
}
