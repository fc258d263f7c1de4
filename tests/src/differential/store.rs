//! What a session can do to a store.

use std::fmt;

use embedded_io::{Read, ReadReady, Write, WriteReady};
use xendless_core::store::client::WatchEvent;
use xendless_core::store::transport::{Assembler, Frame, Outbox};
use xendless_core::store::wire::{Kind, Message, Payload, Reader};

/// A client of a store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A program of the privileged domain on a socket of its own.
    Tool(u8),
    /// A domain on its ring.
    Domain(u16),
}

impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(number) => write!(f, "tool{number}"),
            Self::Domain(domid) => write!(f, "dom{domid}"),
        }
    }
}

/// A message as a client sends it, well-formed or not.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// What is asked.
    pub kind: Kind,
    /// In which transaction, or 0.
    pub tx_id: u32,
    /// Anything up to the limit.
    pub payload: Vec<u8>,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.kind, self.payload.escape_ascii())?;
        if self.tx_id == 0 { Ok(()) } else { write!(f, " in {}", self.tx_id) }
    }
}

/// What a store answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Told {
    /// The type of the answer.
    pub kind: Kind,
    /// The answer.
    pub payload: Vec<u8>,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.kind, self.payload.escape_ascii())
    }
}

/// The connection is no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

/// A store under test, and the hypervisor around it.
pub trait Store {
    /// Sends a message and waits for its answer.
    fn ask(&mut self, who: Who, ask: &Ask) -> Result<Told, Gone>;

    /// Takes the events that a client got so far.
    fn events(&mut self, who: Who) -> Vec<WatchEvent>;

    /// Makes a domain that no store knows of yet.
    fn create(&mut self, domid: u16);

    /// Connects a domain, from now on, to a ring that was just emptied.
    fn attach(&mut self, domid: u16);

    /// Reports a domain as shut down.
    fn shut_down(&mut self, domid: u16);

    /// Lets a domain that shut down go on.
    fn resume(&mut self, domid: u16);

    /// Takes a domain away.
    fn destroy(&mut self, domid: u16);

    /// Closes a tool's socket; its next message opens another.
    fn hang_up(&mut self, tool: u8);
}

/// A byte stream whose errors all mean the same here.
trait Stream {
    fn pull(&mut self, input: &mut Assembler) -> Result<Option<Frame>, Gone>;
    fn flush(&mut self, output: &mut Outbox) -> Result<(), Gone>;
}

impl<S: Read + ReadReady + Write + WriteReady> Stream for S {
    fn pull(&mut self, input: &mut Assembler) -> Result<Option<Frame>, Gone> {
        input.pull(self).map_err(|_| Gone)
    }

    fn flush(&mut self, output: &mut Outbox) -> Result<(), Gone> {
        output.flush(self).map(drop).map_err(|_| Gone)
    }
}

/// One client's connection, without any judgement about what it says or is told.
pub struct Line {
    stream: Box<dyn Stream>,
    input: Assembler,
    output: Outbox,
    last_id: u32,
    events: Vec<WatchEvent>,
}

impl Line {
    /// Speaks over `stream`.
    pub fn new(stream: impl Read + ReadReady + Write + WriteReady + 'static) -> Self {
        let (input, output) = (Assembler::new(), Outbox::new());
        Self { stream: Box::new(stream), input, output, last_id: 0, events: Vec::new() }
    }

    /// Sends `ask`, then lets `wait` pass the time until the answer is there.
    pub fn ask(&mut self, ask: &Ask, mut wait: impl FnMut() -> Result<(), Gone>) -> Result<Told, Gone> {
        self.last_id += 1;
        let payload = Payload::try_from(ask.payload.as_slice()).expect("a message within the limit");
        self.output.push(Message::new(ask.kind, self.last_id, ask.tx_id, payload));
        loop {
            self.stream.flush(&mut self.output)?;
            while let Some(Frame { header, payload }) = self.stream.pull(&mut self.input)? {
                match header.kind {
                    Kind::WATCH_EVENT => self.take_event(&payload),
                    // The answer to a request that was given up.
                    _ if header.req_id < self.last_id => {}
                    kind => {
                        assert_eq!(
                            (header.req_id, header.tx_id),
                            (self.last_id, ask.tx_id),
                            "answer to {ask:?}"
                        );
                        return Ok(Told { kind, payload });
                    }
                }
            }
            wait()?;
        }
    }

    /// Takes the events that came with earlier answers.
    pub fn events(&mut self) -> Vec<WatchEvent> {
        std::mem::take(&mut self.events)
    }

    fn take_event(&mut self, payload: &[u8]) {
        let [path, token] = Reader::new(payload).strings().exactly().expect("path and token");
        self.events.push(WatchEvent { path: path.into(), token: token.into() });
    }
}
