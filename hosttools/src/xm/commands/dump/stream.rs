//! The pieces of a dump, put together again.

use std::io;

use xendless_core::protocol::dump::{HEADER, Piece};

/// The piece that is coming.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Header and body, as far as they came.
    bytes: Vec<u8>,
    ended: bool,
}

impl Stream {
    /// Whether the last piece came.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Takes more bytes; `piece` gets each piece that is whole.
    pub(super) fn take(
        &mut self,
        mut more: &[u8],
        mut piece: impl FnMut(Piece, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let garbage = || io::Error::other("what came is no dump");
        while !more.is_empty() {
            if self.ended {
                return Err(garbage());
            }
            let wanted = match self.bytes.first_chunk::<HEADER>() {
                None => HEADER,
                Some(header) => HEADER + Piece::parse(header).ok_or_else(garbage)?.body(),
            };
            let count = more.len().min(wanted.saturating_sub(self.bytes.len()));
            let (taken, rest) = more.split_at(count);
            self.bytes.extend_from_slice(taken);
            more = rest;
            let Some(header) = self.bytes.first_chunk::<HEADER>() else { continue };
            let found = Piece::parse(header).ok_or_else(garbage)?;
            let Some(body) = self.bytes.get(HEADER..).filter(|body| body.len() == found.body()) else {
                continue;
            };
            piece(found, body)?;
            self.ended = found == Piece::End;
            self.bytes.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_whole_however_they_are_cut() {
        let page = Piece::Page { pfn: 1, gmfn: 2 };
        let pieces = [Piece::Head { translated: false, pages: 1 }, Piece::SharedInfo, page, Piece::End];
        let mut bytes = Vec::new();
        for piece in pieces {
            bytes.extend(piece.header());
            bytes.extend(vec![7; piece.body()]);
        }
        for cut in [1, 23, 24, 25, 4000, bytes.len()] {
            let (mut stream, mut found) = (Stream::default(), Vec::new());
            for part in bytes.chunks(cut) {
                let mut keep = |piece: Piece, body: &[u8]| {
                    assert_eq!(body, vec![7; piece.body()]);
                    found.push(piece);
                    Ok(())
                };
                stream.take(part, &mut keep).unwrap();
            }
            assert_eq!((found.as_slice(), stream.ended()), (pieces.as_slice(), true), "{cut}");
            assert!(stream.take(&[0], |_, _| Ok(())).is_err(), "nothing follows the end");
        }
        assert!(Stream::default().take(&[9; HEADER], |_, _| Ok(())).is_err());
    }
}
