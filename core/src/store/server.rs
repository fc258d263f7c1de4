//! The server as its transport sees it.
//!
//! [`Server`] is a state machine without I/O. A transport asks [`Server::is_ready`] before it takes a request
//! off a connection, gives each whole request to [`Server::handle`], which executes it and returns the one
//! answer, and sends events from [`Server::next_event`] while there is room for them. What has to happen outside
//! (mapping a ring, binding a channel) is asked of a [`Platform`].
#![forbid(unsafe_code)]

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::conn::Connection;
use super::death::Dead;
use super::domain::FEATURES;
use super::news::News;
use super::path::Special;
use super::perms::{Caller, Incarnation, Perms, Stamp};
use super::quota::{Quota, Usage};
use super::state::{Refusal, State};
use super::transaction::{Touched, Transaction};
use super::verbs::{Answer, Ask, Commit};
use super::watch::{Watch, Watches};
use super::wire::{Access, Header, Message, Perm, XsError};
use crate::hyper::{DomId, Port};
use crate::rights::Rights;
use crate::ring::xenstore::Features;

/// A connection, by a number that is not used again while the server runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ConnId(pub u32);

/// What the server asks of the world outside.
pub trait Platform {
    /// Whether the hypervisor knows this domain.
    fn domain_exists(&self, domid: DomId) -> bool;
    /// Gives a domain that is being introduced its transport, which offers `features` and whose connection is
    /// `conn`.
    ///
    /// # Errors
    /// What the introducer is to be told; the domain is then not introduced.
    fn introduce(
        &mut self,
        domid: DomId,
        conn: ConnId,
        gfn: i64,
        port: Port,
        features: Features,
    ) -> Result<(), XsError>;
    /// Gives the transport of an introduced domain a new channel and empties it in both directions.
    ///
    /// # Errors
    /// What the introducer is to be told; the domain stays introduced.
    fn reintroduce(&mut self, domid: DomId, conn: ConnId, port: Port) -> Result<(), XsError>;
    /// Takes the transport of a domain away.
    fn release(&mut self, domid: DomId, conn: ConnId);
    /// Shows a line to whoever looks after the machine.
    fn print(&mut self, text: &[u8]);
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was executed; this is the answer.
    Reply(Message),
    /// Nothing was done. Give the request again once [`Server::is_ready`] says so, and no other before it.
    Wait,
}

/// What a request that was put off waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// A transaction is open whose contested nodes nobody else may change.
    Guard,
    /// Work of the server that was put off.
    Chores,
}

/// The server.
#[derive(Debug)]
pub struct Server {
    pub(super) state: State,
    pub(super) conns: BTreeMap<ConnId, Connection>,
    pub(super) watches: Watches,
    /// Who may see the special events, in the order of [`Special::ALL`].
    pub(super) special_perms: [Rc<Perms>; 2],
    /// Open transactions, oldest first.
    pub(super) by_age: BTreeSet<(Stamp, ConnId, u32)>,
    /// Transactions whose contested nodes nobody else may change.
    pub(super) guards: Vec<(ConnId, u32)>,
    /// A commit that is not through. No request is executed meanwhile.
    pub(super) commit: Option<Box<Commit>>,
    /// Changes that are yet to be told to some.
    pub(super) news: VecDeque<News>,
    pub(super) dead: Vec<Dead>,
    /// Domains that died while a commit was under way, and whether their end is to be announced.
    pub(super) dying: Vec<(DomId, bool)>,
    /// Ended watches that are still in the index.
    pub(super) unwatched: Vec<Rc<Watch>>,
    /// What ended transactions knew of the store, to be freed.
    pub(super) forgotten: Vec<Touched>,
    /// Connections that got events and were not yet named to the transport.
    pub(super) notified: VecDeque<ConnId>,
    pub(super) last_conn: u32,
    pub(super) last_watch: u64,
    /// The domain that may do everything.
    pub(super) control: DomId,
}

impl Server {
    /// A server with an empty store. `control` owns the root and may do everything.
    #[must_use]
    pub fn new(control: DomId) -> Self {
        let hidden = Rc::new(Perms::new(Perm::new(Access::None, control), &[], 0));
        Self {
            state: State::new(control),
            conns: BTreeMap::new(),
            watches: Watches::new(),
            special_perms: [Rc::clone(&hidden), hidden],
            by_age: BTreeSet::new(),
            guards: Vec::new(),
            commit: None,
            news: VecDeque::new(),
            dead: Vec::new(),
            dying: Vec::new(),
            unwatched: Vec::new(),
            forgotten: Vec::new(),
            notified: VecDeque::new(),
            last_conn: 0,
            last_watch: 0,
            control,
        }
    }

    /// Adds a connection that speaks for the control domain: a local one, or another program's.
    pub fn connect(&mut self) -> ConnId {
        self.add_connection(self.control)
    }

    /// Ends a connection. Watches and transactions of it go; for a domain's see [`Server::domain_died`].
    pub fn disconnect(&mut self, conn: ConnId) {
        self.reset(conn);
        if self.conns.remove(&conn).is_some_and(|connection| connection.notified) {
            self.notified.retain(|notified| *notified != conn);
        }
    }

    /// Ends watches, transactions and unread events of a connection, as when its ring is reset.
    pub fn reset(&mut self, conn: ConnId) {
        self.drop_watches(conn);
        self.drop_transactions(conn);
        if let Some(connection) = self.conns.get_mut(&conn) {
            (connection.waits, connection.finished) = (None, None);
        }
    }

    /// Whether a request of this connection may be taken now. One that does not read its events may send none,
    /// and one whose request was put off has to wait for the reason to pass.
    #[must_use]
    pub fn is_ready(&self, conn: ConnId) -> bool {
        let Some(connection) = self.conns.get(&conn) else { return false };
        let (items, bytes) = self.event_limits(connection);
        let passed = connection.waits.is_none_or(|hold| !self.is_held_up(hold));
        passed && !connection.events.is_full(items, bytes)
    }

    /// What this connection's request, which was put off, waits for.
    #[must_use]
    pub fn waits_for(&self, conn: ConnId) -> Option<Hold> {
        self.conns.get(&conn).and_then(|connection| connection.waits)
    }

    /// Executes one request.
    pub fn handle(
        &mut self,
        platform: &mut impl Platform,
        conn: ConnId,
        header: &Header,
        payload: &[u8],
    ) -> Outcome {
        let Some(connection) = self.conns.get_mut(&conn) else {
            return Outcome::Reply(Message::error(header, XsError::EINVAL));
        };
        if let Some(answer) = connection.finished.take() {
            connection.waits = None;
            return reply(header, answer);
        }
        if self.is_put_off(conn, header.kind) {
            return self.put_off(conn);
        }
        let Some(connection) = self.conns.get_mut(&conn) else {
            return Outcome::Reply(Message::error(header, XsError::EINVAL));
        };
        let tx_id = if header.kind.ignores_transaction() { 0 } else { header.tx_id };
        let unknown = tx_id != 0 && !connection.transactions.contains_key(&tx_id);
        // What only the privileged may ask may look at all there is, or end the connection that asks: nothing is
        // taken away for it.
        let uses_it = !header.kind.is_privileged();
        let transaction = if uses_it { connection.transactions.remove(&tx_id) } else { None };
        let mut ask =
            Ask { conn, caller: self.caller(conn), tx_id, transaction, features: self.features_of(conn) };
        // Refusals come in the order in which Xen's C xenstored looks at a request.
        let answer = if !header.kind.is_request() {
            Err(XsError::ENOSYS.into())
        } else if header.kind.is_privileged() && !ask.caller.is_privileged() {
            Err(XsError::EACCES.into())
        } else if unknown {
            Err(XsError::ENOENT.into())
        } else {
            self.execute(platform, &mut ask, header.kind, payload)
        };
        let waits = match answer {
            Err(Refusal::Wait(hold)) => Some(hold),
            _ => None,
        };
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.waits = waits;
            if let Some(transaction) = ask.transaction {
                connection.transactions.insert(tx_id, transaction);
            }
        }
        self.age_transactions();
        self.step();
        reply(header, answer)
    }

    /// The next event for this connection.
    pub fn next_event(&mut self, conn: ConnId) -> Option<Message> {
        self.conns.get_mut(&conn)?.events.pop()
    }

    /// Whether events wait for this connection.
    #[must_use]
    pub fn has_events(&self, conn: ConnId) -> bool {
        self.conns.get(&conn).is_some_and(|connection| !connection.events.is_empty())
    }

    /// A connection that got events since it was last named here.
    pub fn take_notified(&mut self) -> Option<ConnId> {
        let conn = self.notified.pop_front()?;
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.notified = false;
        }
        Some(conn)
    }

    /// The limit that holds for a connection's domain, or none.
    #[must_use]
    pub fn limit(&self, conn: ConnId, quota: Quota) -> Option<u32> {
        self.state.limit_of(&self.caller(conn), quota)
    }

    /// What a domain has in use.
    #[must_use]
    pub fn usage(&self, domid: DomId) -> Option<Usage> {
        self.state.domains.get(domid).map(|domain| domain.usage)
    }

    /// The ring features a domain is offered.
    #[must_use]
    pub fn features(&self, domid: DomId) -> Features {
        self.state.domains.get(domid).map_or(FEATURES, |domain| domain.features)
    }

    /// The domains the server knows of, and their connections if they are introduced.
    pub fn domains(&self) -> impl Iterator<Item = (DomId, Option<ConnId>)> {
        self.state.domains.iter().map(|(domid, domain)| (domid, domain.conn))
    }

    pub(super) fn add_connection(&mut self, domid: DomId) -> ConnId {
        self.last_conn += 1;
        let conn = ConnId(self.last_conn);
        self.conns.insert(conn, Connection::new(domid));
        conn
    }

    /// In whose name this connection acts.
    pub(super) fn caller(&self, conn: ConnId) -> Caller {
        let connection = self.conns.get(&conn);
        let domid = connection.map_or(DomId::INVALID, |connection| connection.domid);
        let domain = self.state.domains.get(domid);
        Caller {
            domain: Incarnation { domid, born: domain.map_or(u64::MAX, |domain| domain.born) },
            target: connection
                .and_then(|connection| connection.target)
                .filter(|target| self.state.domains.incarnation(target.domid) == Some(*target)),
            rights: domain.map_or(Rights::Nothing, |domain| domain.rights),
        }
    }

    pub(super) fn event_limits(&self, connection: &Connection) -> (u32, u32) {
        let limit = |quota| self.state.limit(connection.domid, quota).unwrap_or(u32::MAX);
        (limit(Quota::Events), limit(Quota::EventBytes))
    }

    pub(super) fn special_perms(&self, special: Special) -> &Rc<Perms> {
        let [introduce, release] = &self.special_perms;
        match special {
            Special::Introduce => introduce,
            Special::Release => release,
        }
    }

    pub(super) fn set_special_perms(&mut self, special: Special, perms: Rc<Perms>) {
        let [introduce, release] = &mut self.special_perms;
        match special {
            Special::Introduce => *introduce = perms,
            Special::Release => *release = perms,
        }
    }

    fn put_off(&mut self, conn: ConnId) -> Outcome {
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.waits = Some(Hold::Chores);
        }
        self.step();
        Outcome::Wait
    }

    fn features_of(&self, conn: ConnId) -> Features {
        self.conns.get(&conn).map_or(Features::empty(), |connection| self.features(connection.domid))
    }

    /// Dooms the oldest transaction if it has outlived too many changes. Returns whether it had.
    pub(super) fn age_transaction(&mut self, start: Stamp, conn: ConnId, id: u32) -> bool {
        let Some(connection) = self.conns.get_mut(&conn) else { return false };
        let age = self.state.limit(connection.domid, Quota::TransactionAge).map_or(u64::MAX, u64::from);
        if self.state.now().saturating_sub(start) <= age {
            return false;
        }
        self.by_age.pop_first();
        if let Some(transaction) = connection.transactions.get_mut(&id) {
            let now = self.state.tick();
            transaction.doom(&self.state.tree, now).into_iter().for_each(|tree| self.state.discard(tree));
            self.by_age.insert((now, conn, id));
            self.guards.retain(|guard| *guard != (conn, id));
        }
        true
    }
}

fn reply(header: &Header, answer: Answer) -> Outcome {
    match answer {
        Ok(Some(payload)) => Outcome::Reply(Message::reply(header, payload)),
        Ok(None) => Outcome::Reply(Message::ok(header)),
        Err(Refusal::Error(error)) => Outcome::Reply(Message::error(header, error)),
        Err(Refusal::Wait(_)) => Outcome::Wait,
    }
}

/// Boxed, because it is moved with every request that belongs to it.
pub(super) type Open = Box<Transaction>;
