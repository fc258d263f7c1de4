//! Waiting for the other side, and for signals at the same time.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::xm::error::Error;
use crate::xm::signals::{Signals, status};

/// A signal ended the wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Signalled(u8);

impl fmt::Display for Signalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signal {} ended it", self.0)
    }
}

impl std::error::Error for Signalled {}

/// The exit status to end with, when a signal is the reason for an error.
pub(super) fn signalled(error: &io::Error) -> Option<Error> {
    let signal = error.get_ref()?.downcast_ref::<Signalled>()?;
    Some(Error::Silent(status(signal.0)))
}

/// Something that is read from until a signal comes.
#[derive(Debug)]
pub(super) struct Patient<F> {
    pub(super) from: F,
    signals: Signals,
    /// How long nothing may happen.
    limit: Option<Timespec>,
}

impl<F: AsFd> Patient<F> {
    pub(super) const fn new(from: F, signals: Signals) -> Self {
        Self { from, signals, limit: None }
    }

    /// From now on nothing is waited for any longer than this.
    pub(super) fn limit(&mut self, seconds: i64) {
        self.limit = Some(Timespec { tv_sec: seconds, tv_nsec: 0 });
    }

    /// Forgets the signals that came.
    pub(super) fn forget(&mut self) {
        self.signals.take();
    }

    /// Waits until this can be read from, or `to` written to. Tells which.
    ///
    /// # Errors
    ///
    /// When a signal comes, or nothing for too long.
    pub(super) fn ready(&mut self, to: Option<BorrowedFd<'_>>) -> io::Result<(bool, bool)> {
        loop {
            let mut fds = vec![
                PollFd::new(&self.from, PollFlags::IN),
                PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            ];
            fds.extend(to.map(|to| PollFd::from_borrowed_fd(to, PollFlags::OUT)));
            match poll(&mut fds, self.limit.as_ref()) {
                Ok(0) => return Err(ErrorKind::TimedOut.into()),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let mut happened = fds.iter().map(|fd| !fd.revents().is_empty());
            let mut next = || happened.next().unwrap_or(false);
            let (read, signal, write) = (next(), next(), next());
            if signal && let Some(signal) = self.signals.take() {
                return Err(io::Error::other(Signalled(signal)));
            }
            if read || write {
                return Ok((read, write));
            }
        }
    }
}

impl<F: AsFd + Read> Read for Patient<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.ready(None)?;
        self.from.read(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn nobody_is_waited_for_longer_than_the_limit() {
        let (from, mut to) = UnixStream::pair().unwrap();
        let mut patient = Patient::new(from, Signals::catch().unwrap());
        patient.limit(0);
        let mut byte = [0];
        assert_eq!(patient.read(&mut byte).unwrap_err().kind(), ErrorKind::TimedOut);
        to.write_all(b"x").unwrap();
        assert_eq!((patient.read(&mut byte).unwrap(), byte), (1, *b"x"));
        assert_eq!(patient.ready(Some(to.as_fd())).unwrap(), (false, true));
    }
}
