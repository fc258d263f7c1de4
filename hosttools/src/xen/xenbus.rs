//! `/dev/xen/xenbus`: the XenStore connection of this domain.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

use crate::pollable::Pollable;

/// The open device. Each has watches and transactions of its own.
#[derive(Debug)]
pub struct Xenbus(Pollable<File>);

impl Xenbus {
    /// Opens it.
    ///
    /// # Errors
    /// When there is none, or it may not be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let device = File::options().read(true).write(true).open(path)?;
        Ok(Self(Pollable::new(device)?))
    }
}

impl AsFd for Xenbus {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl ErrorType for Xenbus {
    type Error = io::Error;
}

impl ReadReady for Xenbus {
    fn read_ready(&mut self) -> io::Result<bool> {
        self.0.read_ready()
    }
}

impl Read for Xenbus {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl WriteReady for Xenbus {
    /// The driver queues whatever it gets, and so never says that it can be written to.
    fn write_ready(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}

impl Write for Xenbus {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
