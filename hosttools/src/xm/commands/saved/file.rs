//! The file that a domain is saved to. It is written beside its place and gets there in one step, so what is found under
//! its name is whole, or what was there before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::stream::Sink;
use crate::shown::Shown;
use crate::xm::durable::rename;
use crate::xm::error::{Error, reason};

/// What is behind the name of a file that is not whole.
const INCOMPLETE: &str = "-incomplete";

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Saving {
    path: PathBuf,
    /// Where it is meanwhile; none when it got to its place.
    beside: Option<PathBuf>,
    file: File,
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
        Ok(Self { path: path.to_owned(), beside: Some(beside), file })
    }

    /// Brings the file to the disk and to its place.
    fn settle(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(beside) = &self.beside {
            rename(beside, &self.path)?;
            self.beside = None;
        }
        Ok(())
    }
}

impl Sink for Saving {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| self.failed(&error))
    }

    fn whole(&mut self) -> Result<(), Error> {
        self.settle().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Error {
        unwritable(&self.path, error)
    }
}

/// That a file cannot be written.
pub(super) fn unwritable(path: &Path, why: &io::Error) -> Error {
    Error::Plain(format!("can't write guest state file {}: {}", Shown(&path.to_string_lossy()), reason(why)))
}

impl Drop for Saving {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // There is an error to tell already.
            let _ = fs::remove_file(beside);
        }
    }
}
