//! One connection: its stream, the message that is coming in, and what is on its way out.

use core::ops::Deref;

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::Fault;
use super::stream::{Ends, Stream};
use crate::hyper::Port;
use crate::shared::Page;
use crate::store::transport::{Assembler, Frame, Outbox, StreamError};
use crate::store::wire::Message;

/// Messages written in one turn, so that no reader makes others wait.
const MESSAGES_PER_TURN: usize = 16;

#[derive(Debug)]
pub(super) struct Link<P, S> {
    pub(super) stream: Stream<P, S>,
    input: Assembler,
    /// A request that the server put off.
    held: Option<Frame>,
    output: Outbox,
    /// Whether a request ever came.
    pub(super) spoke: bool,
    /// Whether the ring was given up; only a fresh start revives it.
    pub(super) cut: bool,
    /// Whether it stands in the queue.
    pub(super) queued: bool,
    /// Whether it stands among those that wait for the server.
    pub(super) waiting: bool,
}

impl<P: Deref<Target = Page>, S> Link<P, S> {
    pub(super) fn new(ends: Ends<P, S>) -> Self {
        Self {
            stream: Stream::new(ends),
            input: Assembler::new(),
            held: None,
            output: Outbox::new(),
            spoke: false,
            cut: false,
            queued: false,
            waiting: false,
        }
    }

    /// Our port to its ring, if there is one.
    pub(super) fn port(&mut self) -> Option<Port> {
        self.stream.ring().and_then(|ring| ring.port)
    }

    /// Whether all that was to be said is said.
    pub(super) fn is_flushed(&self) -> bool {
        self.output.is_empty()
    }

    /// Whether a request was put off.
    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    pub(super) fn hold(&mut self, frame: Frame) {
        self.held = Some(frame);
    }

    pub(super) fn push(&mut self, message: Message) {
        self.output.push(message);
    }

    /// Forgets all that was under way in either direction.
    pub(super) fn forget(&mut self) {
        self.input = Assembler::new();
        self.held = None;
        self.output = Outbox::new();
    }
}

impl<P: Deref<Target = Page>, S: Read + ReadReady + Write + WriteReady> Link<P, S> {
    /// Writes what waits, and what `more` has while there is room.
    pub(super) fn send(&mut self, mut more: impl FnMut() -> Option<Message>) -> Result<(), Fault> {
        for _ in 0..MESSAGES_PER_TURN {
            self.output.flush(&mut self.stream)?;
            if !self.output.is_empty() || !self.stream.write_ready()? {
                break;
            }
            match more() {
                Some(message) => self.output.push(message),
                None => break,
            }
        }
        Ok(())
    }

    /// The next whole request, if there is one.
    pub(super) fn receive(&mut self) -> Result<Option<Frame>, Fault> {
        if let Some(frame) = self.held.take() {
            return Ok(Some(frame));
        }
        self.input.pull(&mut self.stream).map_err(|error| match error {
            StreamError::Oversized(oversized) => Fault::Oversized(oversized),
            StreamError::Closed => Fault::Closed,
            StreamError::Io(fault) => fault,
        })
    }
}
