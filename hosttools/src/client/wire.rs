//! The socket: messages in both directions, none of which blocks the other.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use xendless_core::protocol::frame::{self, Assembler};
use xendless_core::protocol::{Down, Up};

use super::Error;

/// Bytes read at once: a chunk of a stream and what stands around it.
const READ: usize = xendless_core::protocol::CHUNK + 1024;

/// A socket with what is to be sent and what came.
#[derive(Debug)]
pub(super) struct Wire {
    socket: UnixStream,
    /// Frames that are not sent yet.
    out: Vec<u8>,
    input: Box<[u8]>,
    /// The part of `input` that is not looked at yet.
    unread: std::ops::Range<usize>,
    assembler: Assembler,
    /// The message in `assembler` was received, so the next may take its place.
    received: bool,
}

impl Wire {
    pub(super) fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let input = vec![0; READ].into_boxed_slice();
        Ok(Self {
            socket,
            out: Vec::new(),
            input,
            unread: 0..0,
            assembler: Assembler::default(),
            received: false,
        })
    }

    /// Sends a message, or keeps what the socket does not take yet.
    pub(super) fn send(&mut self, message: &Up<'_>) -> Result<(), Error> {
        self.queue(message)?;
        self.flush()
    }

    /// Keeps a message until the next is sent, or something is waited for.
    pub(super) fn queue(&mut self, message: &Up<'_>) -> Result<(), Error> {
        Ok(frame::append(&mut self.out, message)?)
    }

    /// Waits for the next message.
    pub(super) fn receive(&mut self) -> Result<(), Error> {
        while !self.wait([], false)?.message {}
        self.taken();
        Ok(())
    }

    /// The message there is has been received: the next wait is for another.
    pub(super) fn taken(&mut self) {
        self.received = true;
    }

    /// The message that was received last.
    pub(super) fn message(&self) -> Result<Down<'_>, Error> {
        Ok(frame::parse(self.assembler.frame().ok_or(Error::Unexpected)?)?)
    }

    /// Waits until there is a message, or `room` is wanted and the socket takes more, or one of `others` can be read.
    /// What has to be sent goes on its way.
    pub(super) fn wait<const N: usize>(
        &mut self,
        others: [Option<BorrowedFd<'_>>; N],
        room: bool,
    ) -> Result<Woken<N>, Error> {
        if std::mem::take(&mut self.received) {
            self.assembler.clear();
        }
        self.flush()?;
        loop {
            let message = self.assemble()?;
            if message && N == 0 {
                return Ok(Woken { message, room: false, others: [false; N] });
            }
            let ready = self.poll(others, room, message)?;
            if !message && ready.read {
                self.fill()?;
            }
            if ready.write {
                self.flush()?;
            }
            let room = room && ready.write && self.out.is_empty();
            let message = self.assemble()?;
            if message || room || ready.others.contains(&true) {
                return Ok(Woken { message, room, others: ready.others });
            }
        }
    }

    fn poll<const N: usize>(
        &self,
        others: [Option<BorrowedFd<'_>>; N],
        room: bool,
        only_look: bool,
    ) -> Result<Ready<N>, Error> {
        let mut wanted = PollFlags::IN;
        wanted.set(PollFlags::OUT, room || !self.out.is_empty());
        let mut fds = vec![PollFd::new(&self.socket, wanted)];
        fds.extend(others.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
        match poll(&mut fds, only_look.then(Timespec::default).as_ref()) {
            Ok(_) => {}
            // The signal is a reason to look, not to fail.
            Err(rustix::io::Errno::INTR) => {
                return Ok(Ready { read: false, write: false, others: [false; N] });
            }
            Err(error) => return Err(Error::Io(error.into())),
        }
        let mut revents = fds.iter().map(PollFd::revents);
        let own = revents.next().unwrap_or(PollFlags::empty());
        let ended = PollFlags::HUP | PollFlags::ERR;
        Ok(Ready {
            read: own.intersects(PollFlags::IN | ended),
            write: own.intersects(PollFlags::OUT),
            others: others.map(|fd| fd.is_some() && revents.next().is_some_and(|found| !found.is_empty())),
        })
    }

    /// Moves what came into the frame. Whether that is whole now.
    fn assemble(&mut self) -> Result<bool, Error> {
        let mut rest = self.input.get(self.unread.clone()).unwrap_or_default();
        self.assembler.take(&mut rest)?;
        self.unread.start = self.unread.end - rest.len();
        Ok(self.assembler.frame().is_some())
    }

    /// Reads once.
    fn fill(&mut self) -> Result<(), Error> {
        if !self.unread.is_empty() {
            return Ok(());
        }
        match (&self.socket).read(&mut self.input) {
            Ok(0) => Err(Error::Closed),
            Ok(count) => {
                self.unread = 0..count;
                Ok(())
            }
            Err(error) if is_passing(&error) => Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(Error::Closed),
            Err(error) => Err(Error::Io(error)),
        }
    }

    /// Writes what goes without waiting. A peer that closed may have said why before: reading finds out.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        let mut sent = 0;
        let outcome = loop {
            match self.out.get(sent..) {
                None | Some([]) => break Ok(()),
                Some(rest) => match (&self.socket).write(rest) {
                    Ok(count) => sent += count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(()),
                    Err(error) if is_gone(&error) => {
                        self.out.clear();
                        return Ok(());
                    }
                    Err(error) => break Err(Error::Io(error)),
                },
            }
        };
        self.out.drain(..sent);
        outcome
    }
}

/// What a wait ended with; several things may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Woken<const N: usize> {
    /// There is a message.
    pub message: bool,
    /// More can be sent.
    pub room: bool,
    /// Which of the others can be read.
    pub others: [bool; N],
}

struct Ready<const N: usize> {
    read: bool,
    write: bool,
    others: [bool; N],
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock)
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}
