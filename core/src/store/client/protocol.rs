//! The protocol without a stream: requests become bytes, frames become answers and events.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::{ClientError, Misbehaviour};
use crate::store::transport::{Assembler, Frame, Outbox, StreamError};
use crate::store::wire::{Kind, Message, Reader, Request, XsError};

/// Events that may wait to be taken. A server that has more to say before anyone listens is broken.
const MAX_EVENTS: usize = 16 * 1024;

/// A request under way; redeem it with [`Client::answer`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket(u32);

/// Something changed below a watched path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WatchEvent {
    /// What changed; relative when the watch was.
    pub path: Vec<u8>,
    /// The token given with the watch.
    pub token: Vec<u8>,
}

/// The answer to a request: its payload, or the refusal.
pub type Answer = Result<Vec<u8>, XsError>;

#[derive(Debug)]
enum Slot {
    Asked(Kind),
    Answered(Answer),
}

/// The state of one connection to a server.
#[derive(Debug, Default)]
pub struct Client {
    pub(super) last_id: u32,
    slots: BTreeMap<u32, Slot>,
    events: VecDeque<WatchEvent>,
    input: Assembler,
    output: Outbox,
}

impl Client {
    /// A fresh connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a request on its way, in the transaction `tx_id` or outside of any with 0.
    ///
    /// # Errors
    /// When it cannot travel; see [`Request::payload`].
    pub fn ask(&mut self, tx_id: u32, request: &Request<'_>) -> Result<Ticket, XsError> {
        let payload = request.payload()?;
        let req_id = self.free_id();
        self.slots.insert(req_id, Slot::Asked(request.kind()));
        self.output.push(Message::new(request.kind(), req_id, tx_id, payload));
        Ok(Ticket(req_id))
    }

    /// The answer, once, when it is there.
    pub fn answer(&mut self, ticket: Ticket) -> Option<Answer> {
        match self.slots.remove(&ticket.0)? {
            Slot::Answered(answer) => Some(answer),
            asked @ Slot::Asked(_) => {
                self.slots.insert(ticket.0, asked);
                None
            }
        }
    }

    /// The oldest event that was not taken yet.
    pub fn event(&mut self) -> Option<WatchEvent> {
        self.events.pop_front()
    }

    /// Moves what the stream gives and takes now, without waiting.
    ///
    /// # Errors
    /// When the stream or the server fails; the connection is then over.
    pub fn pump<S>(&mut self, stream: &mut S) -> Result<(), ClientError<S::Error>>
    where
        S: Read + ReadReady + Write + WriteReady,
    {
        self.output.flush(stream).map_err(StreamError::Io)?;
        while let Some(frame) = self.input.pull(stream)? {
            self.accept(frame)?;
        }
        Ok(())
    }

    /// Bytes for the server; [`Client::wrote`] says how many it took.
    pub fn output(&self) -> &[u8] {
        self.output.next_bytes()
    }

    /// Counts bytes of [`Client::output`] as sent.
    pub fn wrote(&mut self, bytes: usize) {
        self.output.advance(bytes);
    }

    /// Where the next bytes from the server belong; [`Client::filled`] says how many came.
    pub fn input(&mut self) -> &mut [u8] {
        self.input.missing()
    }

    /// Takes note of bytes that were put into [`Client::input`].
    ///
    /// # Errors
    /// When they break the protocol; the connection is then over.
    pub fn filled<E>(&mut self, bytes: usize) -> Result<(), ClientError<E>> {
        match self.input.advance(bytes).map_err(StreamError::Oversized)? {
            Some(frame) => Ok(self.accept(frame)?),
            None => Ok(()),
        }
    }

    fn accept(&mut self, Frame { header, payload }: Frame) -> Result<(), Misbehaviour> {
        if header.kind == Kind::WATCH_EVENT {
            return self.accept_event(&payload);
        }
        let req_id = header.req_id;
        let Some(&Slot::Asked(asked)) = self.slots.get(&req_id) else {
            return Err(Misbehaviour::UnknownReply { req_id });
        };
        let answer = match header.kind {
            Kind::ERROR => Err(refusal(&payload).ok_or(Misbehaviour::Malformed(asked))?),
            kind if kind == asked => Ok(payload),
            came => return Err(Misbehaviour::WrongKind { asked, came }),
        };
        self.slots.insert(req_id, Slot::Answered(answer));
        Ok(())
    }

    fn accept_event(&mut self, payload: &[u8]) -> Result<(), Misbehaviour> {
        let strings = Reader::new(payload).strings().at_least();
        let [path, token] = strings.ok_or(Misbehaviour::Malformed(Kind::WATCH_EVENT))?;
        if self.events.len() >= MAX_EVENTS {
            return Err(Misbehaviour::TooManyEvents);
        }
        self.events.push_back(WatchEvent { path: path.into(), token: token.into() });
        Ok(())
    }

    /// The next number that no request under way has; never 0, which events carry.
    fn free_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.slots.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }
}

/// The error of a refusal. A newer server may know errors that the protocol of today does not name.
fn refusal(payload: &[u8]) -> Option<XsError> {
    let [name] = Reader::new(payload).strings().exactly()?;
    Some(XsError::from_name(name).unwrap_or(XsError::EINVAL))
}
