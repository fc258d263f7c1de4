//! A stream that waits, and goes on waiting when a signal comes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use embedded_io::{ErrorType, Read, Write};

/// A stream of the standard library.
#[derive(Debug)]
pub(super) struct Stream<T>(pub(super) T);

impl<T> ErrorType for Stream<T> {
    type Error = io::Error;
}

impl<T: AsFd> AsFd for Stream<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<T: io::Read> Read for Stream<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        again(|| self.0.read(buf))
    }
}

impl<T: io::Write> Write for Stream<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        again(|| self.0.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn again(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
