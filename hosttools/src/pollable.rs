//! A socket or device as the kind of byte stream that `xendless-core` speaks over.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;

/// An open file that can be waited for. It never waits by itself: ask readiness first, as with every stream of
/// `embedded-io`. Clones are the same file.
#[derive(Debug)]
pub struct Pollable<T>(Rc<T>);

impl<T> Clone for Pollable<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: AsFd> Pollable<T> {
    /// Takes an open file.
    ///
    /// # Errors
    /// When it cannot be made non-blocking.
    pub fn new(file: T) -> io::Result<Self> {
        ioctl_fionbio(&file, true)?;
        Ok(Self(Rc::new(file)))
    }

    fn is_ready(&self, wanted: PollFlags) -> io::Result<bool> {
        let mut fds = [PollFd::new(&*self.0, wanted)];
        poll(&mut fds, Some(&Timespec::default()))?;
        Ok(fds.iter().any(|fd| fd.revents().intersects(wanted | PollFlags::HUP | PollFlags::ERR)))
    }
}

impl<T: AsFd> AsFd for Pollable<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<T> ErrorType for Pollable<T> {
    type Error = io::Error;
}

impl<T: AsFd> ReadReady for Pollable<T> {
    fn read_ready(&mut self) -> io::Result<bool> {
        self.is_ready(PollFlags::IN)
    }
}

impl<T> Read for Pollable<T>
where
    for<'a> &'a T: io::Read,
{
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buf)
    }
}

impl<T: AsFd> WriteReady for Pollable<T> {
    fn write_ready(&mut self) -> io::Result<bool> {
        self.is_ready(PollFlags::OUT)
    }
}

impl<T> Write for Pollable<T>
where
    for<'a> &'a T: io::Write,
{
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self.0).write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}
