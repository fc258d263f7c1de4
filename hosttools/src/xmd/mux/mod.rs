//! Many local clients over one connection to the control domain, without any I/O.
//!
//! Bytes come in and go out by client and for the ring; [`Mux::turn`] takes one message of one client, in turn. Request
//! ids are the clients' own on their side and the multiplexer's on the ring.
//!
//! # Nobody holds up the others
//!
//! - What comes from the ring is always taken. It stays bounded because it was asked for: a client has at most
//!   [`PER_CLIENT`] requests with one answer each, and of the credit that it gives for a stream the control domain gets
//!   at most [`WINDOW`] at a time, and none while more than [`LOW`] bytes wait for the client.
//! - A client is not listened to while it leaves so much unread, nor while the ring does not take what is there.
//! - A client's data upwards has to have credit, checked here: else the control domain would end the connection of all.
//! - What a client asked for is cancelled when it goes; the id stays in use until its answer came.

mod clients;
mod outbox;
mod ring;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use xendless_core::protocol::{Failure, Request, RequestId, Row, Welcome};

use clients::Client;
use ring::{Owner, Ring};

pub use ring::RingFault;

/// The most requests of one client at a time.
pub const PER_CLIENT: usize = 16;

/// The most requests of all clients at a time. With [`OWN`] it stays below what the control domain takes.
pub const ALL_CLIENTS: usize = 112;

/// The most requests of this program itself at a time.
pub const OWN: usize = 128;

/// The most bytes of one stream that the control domain may send ahead.
pub const WINDOW: u32 = 32 << 10;

/// Bytes that wait for a client before it is no longer listened to.
pub const LOW: usize = 32 << 10;

/// Bytes that wait for the ring before no client is listened to.
const RING_LOW: usize = 64 << 10;

/// A client's connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(u64);

/// Who is at the other end of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// Someone who may do what this domain may do.
    Trusted,
    /// Someone who may do nothing; every request is answered with that.
    Stranger,
}

/// What a definition is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kept {
    /// A domain.
    Domain,
    /// A CPU pool.
    Pool,
}

/// Definitions, kept here rather than by the control domain. What is answered with success is durable.
pub trait Keeper {
    /// Keeps one, in place of that of the same name.
    ///
    /// # Errors
    /// When the configuration makes no sense, or cannot be kept.
    fn define(&mut self, kept: Kept, config: &[u8]) -> Result<(), Failure>;

    /// Forgets one.
    ///
    /// # Errors
    /// When there is none, or it cannot be forgotten.
    fn undefine(&mut self, kept: Kept, name: &str) -> Result<(), Failure>;

    /// Name and configuration of the first whose name comes behind this one.
    ///
    /// # Errors
    /// When it cannot be read.
    fn after(&mut self, kept: Kept, name: &str) -> Result<Option<(String, Vec<u8>)>, Failure>;
}

/// What happened to this program's own requests, or is of interest for making new ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Own {
    /// The ring is up; none of them is open.
    Up(Welcome),
    /// Bytes of a stream.
    Data(RequestId, Vec<u8>),
    /// The end of a request that lists domains.
    Rows(RequestId, Vec<Row>, Option<u16>),
    /// The end of any other.
    Ended(RequestId, Result<(), Failure>),
}

/// The multiplexer.
#[derive(Debug, Default)]
pub struct Mux {
    clients: BTreeMap<ClientId, Client>,
    ring: Ring,
    /// The client that had its turn last.
    last: Option<ClientId>,
    connected: u64,
    own: VecDeque<Own>,
    settings: Settings,
}

/// What this program was told when it was started: names, and values of those that have one.
pub type Settings = Vec<(&'static str, Option<String>)>;

impl Mux {
    /// Nobody is connected yet. Who asks for the settings gets these.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Takes one message of one client, in turn; returns whether there was one. While `patient`, what needs the ring
    /// waits for it.
    pub fn turn(&mut self, keeper: &mut dyn Keeper, patient: bool) -> bool {
        let behind = self.last.map_or(0, |last| last.0 + 1);
        let (first, rest) = (self.clients.range(ClientId(behind)..), self.clients.range(..ClientId(behind)));
        let order: Vec<ClientId> = first.chain(rest).map(|(id, _)| *id).collect();
        let served = order.into_iter().find(|id| self.serve(*id, keeper, patient));
        self.last = served.or(self.last);
        served.is_some()
    }

    /// What the next [`Own`] is, if there is one.
    pub fn take_own(&mut self) -> Option<Own> {
        self.own.pop_front()
    }

    /// Asks for this program itself; `None` when the ring is down, or too much is asked already.
    pub fn ask(&mut self, request: &Request<'_>) -> Option<RequestId> {
        let open = self.ring.owned_by(|owner| *owner == Owner::Us);
        (self.ring.is_up() && open < OWN).then(|| self.ring.begin(Owner::Us, request).ok())?
    }

    /// Takes so many more bytes of an own request's stream.
    pub fn credit(&mut self, id: RequestId, bytes: u32) {
        self.ring.grant(id, bytes);
        self.ring.refill(id);
    }

    /// Ends an own request; its end still comes.
    pub fn cancel(&mut self, id: RequestId) {
        self.ring.cancel(id);
    }
}
