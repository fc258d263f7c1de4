//! Signals as something to wait for, where they have to be answered with more than an end.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

/// The signals by which a person, or the system, ends a program.
pub(super) const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Catches signals.
#[derive(Debug)]
pub(super) struct Signals {
    woken: UnixStream,
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on these signals no longer end the program.
    ///
    /// # Errors
    ///
    /// When the system is out of something.
    pub(super) fn catch() -> io::Result<Self> {
        let (woken, wake) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let last = Arc::new(AtomicUsize::new(0));
        for signal in ENDING {
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&last), number)?;
            pipe::register(signal, wake.try_clone()?)?;
        }
        Ok(Self { woken, last })
    }

    /// The signal that came, once.
    pub(super) fn take(&mut self) -> Option<u8> {
        let mut bytes = [0; 64];
        // Nothing to read is the usual case.
        while matches!((&self.woken).read(&mut bytes), Ok(1..)) {}
        u8::try_from(self.last.swap(0, Ordering::Relaxed)).ok().filter(|number| *number != 0)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}

/// The exit status of a program that `signal` ended.
pub(super) const fn status(signal: u8) -> u8 {
    128 | signal
}
