//! A file that a domain is made of: opened once, known by its content.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use xendless_core::protocol::{File, Image};

use super::digests::{Digests, Key};
use crate::shown::Shown;
use crate::xm::error::{Error, reason};

/// Bytes read at once for the digest.
const STEP: usize = 64 << 10;

/// A file of this machine.
#[derive(Debug)]
pub(super) struct Local {
    /// What it is to the domain.
    pub(super) file: File,
    /// Under which name it was found.
    pub(super) path: String,
    /// What is in it.
    pub(super) image: Image,
    handle: fs::File,
}

impl Local {
    /// Opens a file and finds out what is in it.
    pub(super) fn open(file: File, path: &str, known: &mut Digests) -> Result<Self, Error> {
        let wrong = |error: &io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::Plain(format!("Cannot find {file} \"{}\"", Shown(path))),
            _ => unreadable(file, path, error),
        };
        let mut handle = open(path).map_err(|error| wrong(&error))?;
        let image = image(&mut handle, known).map_err(|error| unreadable(file, path, &error))?;
        Ok(Self { file, path: path.to_owned(), image, handle })
    }

    /// Goes to the start.
    pub(super) fn rewind(&mut self) -> Result<(), Error> {
        self.handle.seek(SeekFrom::Start(0)).map(drop).map_err(|error| self.unreadable(&error))
    }

    /// Reads on, until `bytes` is full. Fewer are there only at the end.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.handle.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                let (file, path) = (self.file, Shown(&self.path));
                Error::Plain(format!("Cannot read {file} \"{path}\": it became shorter while it was read"))
            }
            _ => self.unreadable(&error),
        })
    }

    fn unreadable(&self, error: &io::Error) -> Error {
        unreadable(self.file, &self.path, error)
    }
}

fn unreadable(file: File, path: &str, error: &io::Error) -> Error {
    Error::Plain(format!("Cannot read {file} \"{}\": {}", Shown(path), reason(error)))
}

/// Opens a plain file. Of anything else, which may have no end, nothing is read.
fn open(path: &str) -> io::Result<fs::File> {
    let waits_for_nobody = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let handle = fs::OpenOptions::new().read(true).custom_flags(waits_for_nobody).open(path)?;
    if handle.metadata()?.is_file() { Ok(handle) } else { Err(io::Error::other("it is no file")) }
}

fn image(handle: &mut fs::File, known: &mut Digests) -> io::Result<Image> {
    let before = Key::of(&handle.metadata()?);
    if let Some(digest) = known.get(&before) {
        return Ok(Image { digest, size: before.size });
    }
    let mut hasher = blake3::Hasher::new();
    let (mut bytes, mut size) = (vec![0; STEP], 0);
    loop {
        match handle.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(bytes.get(..count).unwrap_or_default());
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let digest = *hasher.finalize().as_bytes();
    if before.size == size && before == Key::of(&handle.metadata()?) {
        known.keep(before, digest);
    }
    Ok(Image { digest, size })
}
