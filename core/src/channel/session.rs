//! One connection's conversation: frames in, frames out, the requests that are open.
//!
//! A session reads nothing while its peer leaves answers unread, so what it keeps for its peer is bounded: one frame
//! that is coming, [`OUTBOX`] bytes and an answer that are going, and [`OPEN`] requests with windows of their own.

use alloc::vec::Vec;

use embedded_io::{ErrorKind, Read, ReadReady, Write, WriteReady};

use super::desk::{Caller, Desk};
use super::open::{Open, Pump};
use super::verbs;
use crate::hyper::Hypervisor;
use crate::life::News;
use crate::protocol::frame::{self, Assembler, FrameError};
use crate::protocol::{Down, Failure, Rejection, RequestId, Up, Welcome};
use crate::store::service::Local;

/// The most requests at a time. A relay asks for everybody on its side.
pub(super) const OPEN: usize = 256;

/// Bytes that wait for the peer before it is no longer listened to.
const OUTBOX: usize = 32 << 10;

/// Bytes read in one step.
const READ: usize = 4096;

/// Why a session ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The peer broke the rules.
    Rejected(Rejection),
    /// The stream broke.
    Stream(ErrorKind),
    /// The control domain has no memory for it.
    OutOfMemory,
}

impl From<Rejection> for Ended {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<FrameError> for Ended {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Length | FrameError::Message => Self::Rejected(Rejection::Malformed),
            FrameError::OutOfMemory => Self::OutOfMemory,
        }
    }
}

/// Messages on their way to the peer.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// So many of them are gone.
    sent: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, message: &Down<'_>) -> Result<(), Ended> {
        frame::append(&mut self.bytes, message).map_err(|_| Ended::OutOfMemory)
    }

    pub(super) fn answer(
        &mut self,
        id: RequestId,
        result: Result<crate::protocol::Answer<'_>, Failure>,
    ) -> Result<(), Ended> {
        self.push(&Down::Answer { id, result })
    }

    pub(super) fn has_room(&self) -> bool {
        self.bytes.len() - self.sent < OUTBOX
    }

    fn is_empty(&self) -> bool {
        self.bytes.len() == self.sent
    }

    /// Sends what the stream takes; returns whether it took anything.
    fn flush<T: Write + WriteReady>(&mut self, stream: &mut T) -> Result<bool, Ended> {
        let broken = |error: T::Error| Ended::Stream(embedded_io::Error::kind(&error));
        let mut moved = false;
        while !self.is_empty() && stream.write_ready().map_err(broken)? {
            let rest = self.bytes.get(self.sent..).unwrap_or_default();
            self.sent += stream.write(rest).map_err(broken)?;
            moved = true;
        }
        if self.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(2 * READ);
            self.sent = 0;
        }
        Ok(moved)
    }
}

/// The state of one connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    input: Assembler,
    out: Outbox,
    greeted: bool,
    /// In no order; each has its own id.
    open: Vec<(RequestId, Open)>,
    /// Whose turn it is among them.
    turn: usize,
}

impl Session {
    /// Does a bounded piece of work; returns whether there may be more.
    pub(super) fn step<H, S, T>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        caller: &Caller,
        stream: &mut T,
    ) -> Result<bool, Ended>
    where
        H: Hypervisor,
        S: Local,
        T: Read + ReadReady + Write + WriteReady,
    {
        let mut busy = self.out.flush(stream)?;
        if self.out.has_room() && self.receive(stream)? {
            busy = true;
            self.handle_frame(desk, caller)?;
        }
        busy |= self.pump(desk)?;
        busy |= self.out.flush(stream)?;
        Ok(busy)
    }

    /// Whether more messages of the peer are read.
    pub(super) fn listens(&self) -> bool {
        self.out.has_room()
    }

    /// Whether something waits for the peer to read.
    pub(super) fn is_stuck(&self) -> bool {
        !self.out.is_empty()
    }

    /// Says why the session ends, if the peer still listens.
    pub(super) fn say_goodbye<T: Write + WriteReady>(&mut self, stream: &mut T, why: Rejection) {
        // It is over in any case; whoever does not read will not learn why.
        let _ = self.out.push(&Down::Closed(why)).and_then(|()| self.out.flush(stream));
    }

    /// Ends all that is open.
    pub(super) fn close<H: Hypervisor, S: Local>(&mut self, desk: &mut Desk<'_, H, S>) {
        for (_, mut open) in self.open.drain(..) {
            open.abandon(desk);
        }
        *self = Self::default();
    }

    /// Something happened to a domain.
    pub(super) fn note(&mut self, news: &News) {
        for (_, open) in &mut self.open {
            open.note(news);
        }
    }

    /// Some domain is not what it was.
    pub(super) fn look_again(&mut self) {
        for (_, open) in &mut self.open {
            open.look_again();
        }
    }

    /// A viewer of a console has something to do. Returns whether it is one of this session's.
    pub(super) fn wake(&mut self, viewer: crate::console::ViewerId) -> bool {
        self.open.iter_mut().any(|(_, open)| open.wake(viewer))
    }

    /// Reads a part of the frame that is coming; returns whether there was anything.
    fn receive<T: Read + ReadReady>(&mut self, stream: &mut T) -> Result<bool, Ended> {
        let broken = |error: T::Error| Ended::Stream(embedded_io::Error::kind(&error));
        let mut moved = false;
        // A header, then what it announces.
        for _ in 0..2 {
            let wanted = self.input.missing()?.min(READ);
            if wanted == 0 || !stream.read_ready().map_err(broken)? {
                break;
            }
            let mut buffer = [0; READ];
            let (buffer, _) = buffer.split_at_mut(wanted);
            let count = stream.read(buffer).map_err(broken)?;
            let mut bytes = buffer.get(..count).unwrap_or_default();
            self.input.take(&mut bytes)?;
            moved = count > 0;
        }
        Ok(moved)
    }

    fn handle_frame<H: Hypervisor, S: Local>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        caller: &Caller,
    ) -> Result<(), Ended> {
        let Some(body) = self.input.frame() else { return Ok(()) };
        let message = frame::parse(body)?;
        match message {
            Up::Hello(_) if self.greeted => return Err(Rejection::Order.into()),
            Up::Hello(hello) => {
                hello.check()?;
                self.greeted = true;
                let welcome = Welcome { rights: caller.rights, domid: caller.domid.0 };
                self.out.push(&Down::Welcome(welcome))?;
            }
            _ if !self.greeted => return Err(Rejection::Order.into()),
            Up::Request { id, request } => {
                if find(&mut self.open, id).is_some() {
                    return Err(Rejection::Misuse.into());
                }
                if self.open.len() >= OPEN || self.open.try_reserve(1).is_err() {
                    self.out.answer(id, Err(Failure::Limit("requests".into())))?;
                } else if let Some(open) = verbs::begin(desk, caller, &mut self.out, id, &request)? {
                    self.open.push((id, open));
                }
            }
            Up::Data { id, bytes } => {
                if let Some(open) = find(&mut self.open, id) {
                    open.feed(desk, &mut self.out, id, bytes)?;
                }
            }
            Up::Credit { id, bytes } => {
                if let Some(open) = find(&mut self.open, id) {
                    open.credit(bytes);
                }
            }
            Up::Cancel { id } => {
                if let Some(open) = find(&mut self.open, id) {
                    open.cancel(desk);
                }
            }
        }
        self.input.clear();
        Ok(())
    }

    /// Lets one open request go on, in turn; returns whether it did something.
    fn pump<H: Hypervisor, S: Local>(&mut self, desk: &mut Desk<'_, H, S>) -> Result<bool, Ended> {
        for _ in 0..self.open.len() {
            if !self.out.has_room() {
                return Ok(false);
            }
            self.turn = if self.turn + 1 < self.open.len() { self.turn + 1 } else { 0 };
            let Some((id, open)) = self.open.get_mut(self.turn) else { return Ok(false) };
            match open.pump(desk, &mut self.out, *id)? {
                Pump::Idle => {}
                Pump::Moved => return Ok(true),
                Pump::Answered => {
                    self.open.swap_remove(self.turn);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn find(open: &mut [(RequestId, Open)], id: RequestId) -> Option<&mut Open> {
    open.iter_mut().find(|(other, _)| *other == id).map(|(_, open)| open)
}
