//! The way to the control domain: its ring, or a unix socket for developers and tests.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::xen::{ControlRing, RingState};

/// How long to wait before a socket is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// A connection that comes, goes and comes again.
pub trait Uplink {
    /// What to wait for. `writes` says whether bytes wait for room.
    fn watch(&self, writes: bool) -> Vec<PollFd<'_>>;

    /// When [`Uplink::service`] is due without any of these.
    fn due(&self) -> Option<Instant>;

    /// Goes on, without waiting.
    fn service(&mut self, now: Instant) -> RingState;

    /// Whether the connection is on its way: others have to do their part, and nothing says that they will not.
    fn is_coming(&self) -> bool;

    /// Bytes that came; 0 when there are none now.
    ///
    /// # Errors
    /// When the connection is over.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Sends bytes; returns how many, 0 when there is no room now.
    ///
    /// # Errors
    /// When the connection is over.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// To be called before waiting; returns whether there is something to do at once.
    ///
    /// # Errors
    /// When the connection is over.
    fn settle(&mut self, writes: bool) -> io::Result<bool>;

    /// Ends the connection; another is tried after a pause.
    fn give_up(&mut self, now: Instant);
}

impl Uplink for ControlRing {
    fn watch(&self, _: bool) -> Vec<PollFd<'_>> {
        self.sources().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect()
    }

    fn due(&self) -> Option<Instant> {
        self.due()
    }

    fn service(&mut self, now: Instant) -> RingState {
        self.service(now)
    }

    fn is_coming(&self) -> bool {
        self.is_coming()
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn settle(&mut self, writes: bool) -> io::Result<bool> {
        self.settle(writes)
    }

    fn give_up(&mut self, now: Instant) {
        self.give_up(now);
    }
}

/// A control domain that listens on a unix socket.
#[derive(Debug)]
pub struct ToSocket {
    path: PathBuf,
    stream: Option<UnixStream>,
    retry: Option<Instant>,
}

impl ToSocket {
    /// Connects to the socket at `path`, whenever somebody listens there.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, stream: None, retry: None }
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(&self.path)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    fn stream(&self) -> io::Result<&UnixStream> {
        self.stream.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Uplink for ToSocket {
    fn watch(&self, writes: bool) -> Vec<PollFd<'_>> {
        let flags = if writes { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        self.stream.iter().map(|stream| PollFd::new(stream, flags)).collect()
    }

    fn due(&self) -> Option<Instant> {
        self.retry
    }

    fn service(&mut self, now: Instant) -> RingState {
        if self.stream.is_some() || self.retry.is_some_and(|retry| now < retry) {
            return RingState::Same;
        }
        match self.connect() {
            Ok(stream) => {
                (self.stream, self.retry) = (Some(stream), None);
                RingState::Up
            }
            Err(error) => {
                self.retry = Some(now + RETRY);
                RingState::Trouble(format!("{}: {error}", self.path.display()))
            }
        }
    }

    fn is_coming(&self) -> bool {
        // Who listens on a socket is there at once.
        false
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stream()?.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            outcome => none_now(outcome),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        none_now(self.stream()?.write(bytes))
    }

    fn settle(&mut self, _: bool) -> io::Result<bool> {
        Ok(false)
    }

    fn give_up(&mut self, now: Instant) {
        (self.stream, self.retry) = (None, Some(now + RETRY));
    }
}

/// A stream that is not ready moves nothing.
pub(super) fn none_now(outcome: io::Result<usize>) -> io::Result<usize> {
    match outcome {
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
        outcome => outcome,
    }
}
