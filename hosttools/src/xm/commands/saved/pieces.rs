//! Where the pieces of a saved domain begin and end.

use std::io;

use xendless_core::saved::{HEADER, Piece};

/// Looks at a stream of pieces as it passes.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// The header that is coming.
    header: Vec<u8>,
    /// Bytes of the body that are to come.
    body: usize,
    ended: bool,
}

impl Pieces {
    /// Whether the last piece has passed.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Looks at more bytes.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let garbage = || io::Error::other("what came is no saved domain");
        while !bytes.is_empty() {
            if self.ended {
                return Err(garbage());
            }
            let wanted = if self.body > 0 { self.body } else { HEADER - self.header.len() };
            let (part, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.body > 0 {
                self.body -= part.len();
                continue;
            }
            self.header.extend_from_slice(part);
            let Some(header) = self.header.first_chunk::<HEADER>() else { continue };
            let (piece, body) = Piece::parse(header).map_err(|_| garbage())?;
            (self.body, self.ended) = (body, piece == Piece::End);
            self.header.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_seen_however_the_bytes_are_cut() {
        let mut bytes = Piece::Platform.header(5).to_vec();
        bytes.extend([8; 5]);
        bytes.extend(Piece::End.header(0));
        for cut in [1, 15, 16, 17, bytes.len()] {
            let mut pieces = Pieces::default();
            for part in bytes.chunks(cut) {
                assert!(!pieces.ended());
                pieces.pass(part).unwrap();
            }
            assert!(pieces.ended(), "{cut}");
            assert!(pieces.pass(&[0]).is_err(), "nothing follows the end");
        }
        assert!(Pieces::default().pass(&[0xff; HEADER]).is_err());
    }
}
