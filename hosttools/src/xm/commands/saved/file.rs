//! The file that a domain is saved to.
//!
//! A signature and a version (32 bits, little-endian), the bytes of the domain's configuration behind their number
//! (32 bits), the pieces as the control domain sends them, and a BLAKE3 digest of all that. It is written beside its place
//! and gets there in one step, so what is found under its name is whole, or what was there before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::pieces::Pieces;
use super::{SIGNATURE, VERSION};

/// What is behind the name of a file that is not whole.
const INCOMPLETE: &str = "-incomplete";

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Saving {
    path: PathBuf,
    /// Where it is meanwhile; none when it got to its place.
    beside: Option<PathBuf>,
    file: File,
    hash: blake3::Hasher,
    pieces: Pieces,
}

impl Saving {
    /// Begins the file, for its owner alone.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut name = path.as_os_str().to_owned();
        name.push(INCOMPLETE);
        let beside = PathBuf::from(name);
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        let (path, pieces) = (path.to_owned(), Pieces::default());
        Ok(Self { path, beside: Some(beside), file, hash: blake3::Hasher::new(), pieces })
    }

    /// Writes what stands before the pieces.
    pub(super) fn begin(&mut self, config: &[u8]) -> io::Result<()> {
        let size = u32::try_from(config.len()).map_err(io::Error::other)?;
        self.write(&SIGNATURE)?;
        self.write(&VERSION.to_le_bytes())?;
        self.write(&size.to_le_bytes())?;
        self.write(config)
    }

    /// Writes more of the pieces; says whether they are all there.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.pieces.pass(bytes)?;
        self.write(bytes)?;
        Ok(self.pieces.ended())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.file.write_all(bytes)
    }

    /// Completes the file, brings it to the disk and to its place.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let digest = self.hash.finalize();
        self.file.write_all(digest.as_bytes())?;
        self.file.sync_all()?;
        if let Some(beside) = &self.beside {
            fs::rename(beside, &self.path)?;
            self.beside = None;
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // There is an error to tell already.
            let _ = fs::remove_file(beside);
        }
    }
}
