//! Bytes that have come, and the pieces in them.

use alloc::vec::Vec;

use crate::saved::{HEADER, Piece, PieceError};

/// Bytes that may have come before any were taken.
pub const WINDOW: usize = 128 << 10;

/// More came than there was room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overfull;

/// What has come and was not taken.
#[derive(Debug)]
pub(super) struct Input {
    bytes: Vec<u8>,
    /// So many of these were taken.
    taken: usize,
    /// So many more may come, which nobody was told of.
    untold: usize,
}

impl Input {
    /// Nothing yet, and room for all that may come; `None` when there is no memory for that.
    pub(super) fn new() -> Option<Self> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(WINDOW).ok()?;
        Some(Self { bytes, taken: 0, untold: WINDOW })
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Overfull> {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        if bytes.len() > WINDOW - self.bytes.len() {
            return Err(Overfull);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// The next piece with its body, when all of it is there.
    pub(super) fn next(&self) -> Result<Option<(Piece, &[u8])>, PieceError> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else { return Ok(None) };
        let (piece, body) = Piece::parse(header)?;
        Ok(rest.get(..body).map(|body| (piece, body)))
    }

    /// The next piece was done with; its body had so many bytes.
    pub(super) fn take(&mut self, body: usize) {
        let piece = HEADER + body;
        self.taken = self.taken.saturating_add(piece).min(self.bytes.len());
        self.untold += piece;
    }

    /// How many more bytes may come than was said before.
    pub(super) fn tell(&mut self) -> usize {
        core::mem::take(&mut self.untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved::BODY;

    fn input() -> Input {
        let mut input = Input::new().unwrap();
        assert_eq!(input.tell(), WINDOW);
        input
    }

    #[test]
    fn pieces_come_out_however_they_came_in() {
        let mut input = input();
        let mut bytes = Piece::Platform.header(3).to_vec();
        bytes.extend([1, 2, 3]);
        bytes.extend(Piece::End.header(0));
        let mut pieces = Vec::new();
        for byte in bytes {
            input.feed(&[byte]).unwrap();
            while let Some((piece, body)) = input.next().unwrap() {
                let body = body.to_vec();
                input.take(body.len());
                pieces.push((piece, body));
            }
        }
        assert_eq!(pieces, [(Piece::Platform, [1, 2, 3].to_vec()), (Piece::End, Vec::new())]);
        assert_eq!((input.tell(), input.tell()), (2 * HEADER + 3, 0));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut input = input();
        assert_eq!(input.feed(&[0; WINDOW + 1]), Err(Overfull));
        input.feed(&Piece::Platform.header(BODY)).unwrap();
        input.feed(&[0; WINDOW - HEADER]).unwrap();
        assert_eq!(input.feed(&[0]), Err(Overfull));
        assert!(input.next().unwrap().is_some());
        input.take(BODY);
        input.feed(&[0; BODY + HEADER]).unwrap();
        assert_eq!(input.feed(&[0]), Err(Overfull));
    }
}
