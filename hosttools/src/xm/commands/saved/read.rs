//! Reading a saved domain back. Its last piece is only given away when the digest behind it is right, so what was damaged
//! or cut off makes no domain.

use std::io::{self, ErrorKind, Read};

use xendless_core::saved::{HEADER, Piece};

use super::{CONFIG, DIGEST, SIGNATURE, VERSION};
use crate::shown::Shown;

/// Why something is no saved domain, in the words of the classic tools.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Invalid(pub(super) String);

/// A saved domain that is being read.
#[derive(Debug)]
pub(super) struct Reader<R> {
    from: R,
    hash: blake3::Hasher,
    /// The header that comes next, as far as it is not gone.
    header: Vec<u8>,
    /// Bytes of the body that follows.
    body: usize,
    /// That is the last piece.
    last: bool,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Begins to read; also gives the bytes of the configuration.
    pub(super) fn begin(from: R) -> Result<(Self, Vec<u8>), Invalid> {
        let (hash, header) = (blake3::Hasher::new(), Vec::new());
        let mut reader = Self { from, hash, header, body: 0, last: false, ended: false };
        let short = |what: &str| Invalid(format!("not a valid guest state file: {what} read"));
        let mut signature = [0; SIGNATURE.len()];
        reader.exact(&mut signature).map_err(|_| short("signature"))?;
        if signature != SIGNATURE {
            let found = String::from_utf8_lossy(&signature);
            return Err(Invalid(format!("not a valid guest state file: found '{}'", Shown(&found))));
        }
        let mut word = || -> Result<u32, Invalid> {
            let mut word = [0; 4];
            reader.exact(&mut word).map_err(|_| short("config size"))?;
            Ok(u32::from_le_bytes(word))
        };
        let (version, size) = (word()?, word()?);
        if version != VERSION {
            return Err(Invalid(format!("not a valid guest state file: it has version {version}")));
        }
        let size =
            usize::try_from(size).ok().filter(|size| *size <= CONFIG).ok_or_else(|| short("config size"))?;
        let mut config = vec![0; size];
        reader.exact(&mut config).map_err(|_| short("config"))?;
        Ok((reader, config))
    }

    /// Whether all was given away.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// The next bytes, at most so many.
    pub(super) fn next(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(most);
        while bytes.len() < most && !self.ended {
            if self.header.is_empty() && self.body == 0 {
                self.next_piece()?;
            }
            let room = most - bytes.len();
            let header = self.header.len().min(room);
            bytes.extend(self.header.drain(..header));
            let body = self.body.min(room - header);
            let start = bytes.len();
            bytes.resize(start + body, 0);
            self.exact(bytes.get_mut(start..).unwrap_or_default())?;
            self.body -= body;
            if self.header.is_empty() && self.body == 0 && self.last {
                self.ended = true;
            }
        }
        Ok(bytes)
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let mut header = [0; HEADER];
        self.exact(&mut header)?;
        let (piece, body) = Piece::parse(&header).map_err(|error| damaged(&error.to_string()))?;
        if piece == Piece::End {
            self.check()?;
            self.last = true;
        }
        (self.header, self.body) = (header.to_vec(), body);
        Ok(())
    }

    /// Looks whether the digest is right.
    fn check(&mut self) -> io::Result<()> {
        let found = self.hash.finalize();
        let mut digest = [0; DIGEST];
        self.exact(&mut digest)?;
        if found == digest { Ok(()) } else { Err(damaged("it is damaged")) }
    }

    fn exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => damaged("it ends too early"),
            _ => error,
        })?;
        self.hash.update(bytes);
        Ok(())
    }
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}
