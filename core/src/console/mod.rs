//! The consoles of all domains: what they print is kept and shown, what is typed at them is passed on.
//!
//! A console outlives the domain that has it: [`Consoles::attach`] gives it a domain's ring, and when the domain
//! restarts, the next one's. Its history and its viewers stay.
//!
//! What domains print moves in one queue, a ring's worth per turn, so each waits at most one round. A turn costs
//! tokens, even one without bytes: who prints or signals more than [`Limits::domain`] allows is left alone until
//! tokens are back, and by then waits at its own full ring. Nothing that a domain prints is interpreted.
//!
//! A viewer is a position in a history. One that is slow blocks nobody and costs nothing; what left the history
//! before it was read is counted as lost. Input goes straight into the domain's ring; what does not fit is left to
//! whoever typed it. One console can be joined to the machine's own, in both directions; its domain waits for the line.
//!
//! A domain that breaks its ring is cut off: its page is unmapped and its channel closed, and it runs on without.
#![forbid(unsafe_code)]

mod bucket;
mod error;
mod history;
mod link;
mod machine;
mod share;
mod turns;
mod viewers;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Deref;

use crate::events::Bindings;
use crate::hyper::{DomId, EventChannels, Grants, HvError, Port};
use crate::shared::Page;
use crate::table::{Key, Table};
use bucket::Bucket;
use history::History;
use link::Link;
use machine::Machine;
use share::{Pool, Source};
use viewers::Viewer;

pub use crate::table::TableError;
pub use bucket::RateLimit;
pub use error::{AttachError, Notice, SubscribeError, TypeError};
pub use viewers::{Lost, Seen, ViewerId};

/// Names a console, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsoleId(Key);

/// What all consoles together may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Consoles.
    pub consoles: usize,
    /// Viewers of all consoles.
    pub viewers: usize,
    /// Bytes of history. Each console can count on its share: this, divided by the number of consoles.
    pub history: usize,
    /// Bytes that one domain may print.
    pub domain: RateLimit,
    /// Bytes for the machine's own console. Xen makes us wait when its buffer is full, so this has to be what the
    /// line can carry.
    pub machine: RateLimit,
}

impl Default for Limits {
    /// A thousand domains with three screens of history each, and a serial line at 115200 baud.
    fn default() -> Self {
        Self {
            consoles: 1024,
            viewers: 1024,
            history: 6 << 20,
            domain: RateLimit { per_second: 128 << 10, burst: 64 << 10 },
            machine: RateLimit { per_second: 11_520, burst: 8 << 10 },
        }
    }
}

/// Whose turn a console waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    /// Its domain's.
    Idle,
    /// Its own, in the queue.
    Queued,
    /// Time's: it has no tokens.
    Paused,
}

#[derive(Debug)]
struct Console<P> {
    link: Option<Link<P>>,
    history: History,
    bucket: Bucket,
    turn: Turn,
    viewers: usize,
    /// Viewers that have seen everything, or wait for room. Has room for all of them.
    waiting: Vec<ViewerId>,
    /// Somebody waits for room in the ring.
    room_wanted: bool,
}

/// All consoles. `P` is a mapped page of another domain.
#[derive(Debug)]
pub struct Consoles<P> {
    consoles: Table<Console<P>>,
    ports: Bindings<ConsoleId>,
    pool: Pool,
    /// Those whose domain signalled. Has room for all.
    queue: VecDeque<ConsoleId>,
    /// Those without tokens, and when they are served again, in that order. Has room for all.
    paused: VecDeque<(u64, ConsoleId)>,
    viewers: Table<Viewer>,
    /// Viewers that have something to read or may type again. Has room for all.
    ready: VecDeque<ViewerId>,
    machine: Machine,
    rate: RateLimit,
}

impl<P: Deref<Target = Page>> Consoles<P> {
    /// No consoles.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            consoles: Table::with_limit(limits.consoles),
            ports: Bindings::new(),
            pool: Pool::new(limits.history),
            queue: VecDeque::new(),
            paused: VecDeque::new(),
            viewers: Table::with_limit(limits.viewers),
            ready: VecDeque::new(),
            machine: Machine::new(limits.machine),
            rate: limits.domain,
        }
    }

    /// Makes a console that no domain has yet.
    pub fn add(&mut self) -> Result<ConsoleId, TableError> {
        let count = self.consoles.len() + 1;
        self.queue.try_reserve(count - self.queue.len()).map_err(|_| TableError::OutOfMemory)?;
        self.paused.try_reserve(count - self.paused.len()).map_err(|_| TableError::OutOfMemory)?;
        let console = Console {
            link: None,
            history: History::default(),
            bucket: Bucket::full(self.rate),
            turn: Turn::Idle,
            viewers: 0,
            waiting: Vec::new(),
            room_wanted: false,
        };
        self.consoles.insert(console).map(ConsoleId)
    }

    /// Removes a console that no domain and no viewer ever had.
    pub(crate) fn discard(&mut self, id: ConsoleId) {
        self.consoles.remove(id.0);
    }

    /// Gives a console to `domid`, whose end of the channel is `remote`. Whoever had it loses it.
    pub fn attach<H>(&mut self, hv: &H, id: ConsoleId, domid: DomId, remote: Port) -> Result<(), AttachError>
    where
        H: Grants<Granted = P> + EventChannels,
    {
        self.detach(hv, id)?;
        let Some(console) = self.consoles.get_mut(id.0) else { return Err(AttachError::NoSuchConsole) };
        let link = Link::open(hv, domid, remote)?;
        if let Err(reason) = self.ports.bind(link.port, id) {
            let port = link.port;
            link.close(hv)?;
            return Err(AttachError::BadPort { port, reason });
        }
        console.link = Some(link);
        self.machine.unblock(id);
        self.enqueue(id);
        Ok(())
    }

    /// Takes a console from its domain, which is about to end; what it printed last is kept.
    pub fn detach(&mut self, hv: &impl EventChannels, id: ConsoleId) -> Result<(), HvError> {
        self.take_last_words(id);
        self.unlink(hv, id)
    }

    /// Removes a console with its history; its viewers are told.
    pub fn remove(&mut self, hv: &impl EventChannels, id: ConsoleId) -> Result<(), HvError> {
        let closed = self.unlink(hv, id);
        self.wake_viewers(id);
        if let Some(console) = self.consoles.remove(id.0) {
            self.pool.give_back(console.history);
        }
        self.queue.retain(|other| *other != id);
        self.paused.retain(|(_, other)| *other != id);
        self.machine.forget(id);
        closed
    }

    /// The domain that has a console.
    #[must_use]
    pub fn domain(&self, id: ConsoleId) -> Option<DomId> {
        self.consoles.get(id.0)?.link.as_ref().map(|link| link.domid)
    }

    /// Bytes of a console's history that were dropped.
    #[must_use]
    pub fn dropped(&self, id: ConsoleId) -> Option<u64> {
        self.consoles.get(id.0).map(|console| console.history.start())
    }

    /// Takes note of an event on one of our channels; returns whether it is a console's.
    pub fn signal(&mut self, port: Port) -> bool {
        let id = self.ports.get(port);
        if let Some(id) = id {
            self.enqueue(id);
        }
        id.is_some()
    }

    fn enqueue(&mut self, id: ConsoleId) {
        if let Some(console) = self.consoles.get_mut(id.0)
            && console.turn == Turn::Idle
        {
            console.turn = Turn::Queued;
            self.queue.push_back(id);
        }
    }

    fn unlink(&mut self, hv: &impl EventChannels, id: ConsoleId) -> Result<(), HvError> {
        let link = self.consoles.get_mut(id.0).and_then(|console| console.link.take());
        self.machine.unblock(id);
        let Some(link) = link else { return Ok(()) };
        self.ports.unbind(link.port);
        link.close(hv)
    }

    /// Adds to a history.
    fn record(&mut self, id: ConsoleId, bytes: &[u8]) {
        let mut bytes = bytes;
        loop {
            let Some(console) = self.consoles.get_mut(id.0) else { return };
            bytes = console.history.fill(bytes);
            if bytes.is_empty() {
                return;
            }
            let chunk = self.chunk_for(id);
            let Some(console) = self.consoles.get_mut(id.0) else { return };
            match chunk {
                Some(chunk) => console.history.extend(chunk),
                None => return console.history.skip(bytes.len()),
            }
        }
    }

    fn chunk_for(&mut self, id: ConsoleId) -> Option<history::Chunk> {
        let histories = self.consoles.len();
        let history = &mut self.consoles.get_mut(id.0)?.history;
        match self.pool.take(history, histories) {
            Ok(chunk) => Some(chunk),
            Err(Source::Itself) => history.shrink(),
            Err(Source::Longest) => {
                let all = self.consoles.values_mut().map(|console| &mut console.history);
                all.max_by_key(|history| history.chunks())?.shrink()
            }
        }
    }
}
