//! The server on its connections: rings of domains, and byte streams of this place.
//!
//! Connections with something to do stand in one queue. A turn serves the one in front: it writes what that one
//! was to be told, takes at most one request, and sends the connection to the back if anything moved. So whoever
//! floods gets one request per round like everybody else, and another's request waits at most one round.
//!
//! A connection that does not read is not listened to: its next request is taken only when everything it was to
//! be told is in its ring. What waits for it is at most one answer, and the events its quota allows.
//!
//! Whoever breaks its ring or the protocol is cut off: watches and transactions go, its page says why, and only a
//! fresh start (`docs/misc/xenstore-ring.txt`, "reconnection") brings it back. Its nodes stay until it dies.
#![forbid(unsafe_code)]

mod ask;
mod link;
mod links;
mod site;
mod stream;
#[cfg(test)]
mod tests;

use core::ops::Deref;

use embedded_io::{Read, ReadReady, Write, WriteReady};

pub use ask::{At, Local, NoStream, Refused};
use link::Link;
use links::{Links, Outside};
pub use site::{Fault, Notice, OnXen, RING_GRANT, Site};
use stream::Ends;

use super::server::{ConnId, Hold, Outcome, Server};
use super::transport::Frame;
use super::wire::XsError;
use crate::hyper::{DomId, Port};
use crate::rights::Rights;
use crate::shared::Page;

/// What a local stream should be watched for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interest {
    /// Bytes to read.
    pub read: bool,
    /// Room to write.
    pub write: bool,
}

/// The server and its connections. `P` is a ring page of a domain, `S` the streams of this place.
#[derive(Debug)]
pub struct Service<P, S> {
    server: Server,
    links: Links<P, S>,
    /// In whose name this place itself asks, once it has.
    own: Option<ConnId>,
}

impl<P: Deref<Target = Page>, S: Read + ReadReady + Write + WriteReady> Service<P, S> {
    /// Puts a server into service.
    pub fn new(server: Server) -> Self {
        Self { server, links: Links::new(), own: None }
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Adds a local stream, which speaks for the control domain.
    pub fn connect(&mut self, stream: S) -> ConnId {
        let conn = self.server.connect();
        self.links.add(conn, Link::new(Ends::Local(stream)));
        self.links.wake(conn);
        conn
    }

    /// Notes that a stream has bytes or room.
    pub fn wake(&mut self, conn: ConnId) {
        self.links.wake(conn);
    }

    /// Ends a local stream whose client left.
    pub fn hang_up(&mut self, conn: ConnId) {
        if self.links.remove(conn).is_some() {
            self.server.disconnect(conn);
        }
        self.wake_others();
    }

    /// Notes an event on one of our ports. Returns whether it was one of ours.
    pub fn signal(&mut self, port: Port) -> bool {
        let conn = self.links.at_port(port);
        conn.into_iter().for_each(|conn| self.links.wake(conn));
        conn.is_some()
    }

    /// What to watch a local stream for.
    pub fn interest(&self, conn: ConnId) -> Interest {
        let Some(link) = self.links.get(conn) else { return Interest { read: false, write: false } };
        let write = !link.is_flushed() || self.server.has_events(conn);
        Interest { read: !write && !link.is_held() && self.server.is_ready(conn), write }
    }

    /// Whether a connection is still there.
    pub fn is_connected(&self, conn: ConnId) -> bool {
        self.links.get(conn).is_some()
    }

    /// Gives one connection its turn, and the server a bounded piece of what it put off. Returns whether there is
    /// more to do; else there is nothing until [`Service::signal`] or [`Service::wake`].
    pub fn step(&mut self, site: &impl Site<Page = P>) -> bool {
        let chores = self.server.step();
        self.wake_others();
        if let Some(conn) = self.links.next() {
            self.turn(site, conn);
            self.wake_others();
        }
        chores || !self.links.is_idle()
    }

    /// A domain has shut down, or crashed.
    pub fn domain_shutdown(&mut self, domid: DomId) {
        self.server.domain_shutdown(domid);
        self.wake_others();
    }

    /// Says what a domain may do in the store, whatever the permissions say.
    ///
    /// # Errors
    /// See [`Server::grant`].
    pub fn grant(&mut self, site: &impl Site<Page = P>, domid: DomId, rights: Rights) -> Result<(), XsError> {
        self.server.grant(&Outside { site, links: &mut self.links }, domid, rights)
    }

    /// A domain is no more.
    pub fn domain_died(&mut self, site: &impl Site<Page = P>, domid: DomId) {
        self.server.domain_died(&mut Outside { site, links: &mut self.links }, domid);
        self.wake_others();
    }

    fn turn(&mut self, site: &impl Site<Page = P>, conn: ConnId) {
        match self.exchange(site, conn) {
            Ok(true) => self.links.wake(conn),
            Ok(false) => {}
            Err(fault) => self.cut(site, conn, fault),
        }
    }

    /// Moves what can be moved and executes at most one request. Returns whether to come again.
    fn exchange(&mut self, site: &impl Site<Page = P>, conn: ConnId) -> Result<bool, Fault> {
        if self.restart(site, conn)? {
            return Ok(true);
        }
        let Some(link) = self.links.get_mut(conn).filter(|link| !link.cut) else { return Ok(false) };
        link.send(|| self.server.next_event(conn))?;
        let listens = link.is_flushed() && !self.server.has_events(conn);
        if listens && !self.server.is_ready(conn) && link.is_held() {
            self.links.put_off(conn, self.server.waits_for(conn));
        } else if listens
            && self.server.is_ready(conn)
            && let Some(frame) = link.receive()?
        {
            self.execute(site, conn, frame);
        }
        let Some(link) = self.links.get_mut(conn) else { return Ok(false) };
        link.send(|| self.server.next_event(conn))?;
        let moved = link.stream.take_moved();
        if moved && let Some(port) = link.port() {
            site.notify(port).map_err(Fault::Channel)?;
        }
        Ok(moved)
    }

    fn execute(&mut self, site: &impl Site<Page = P>, conn: ConnId, frame: Frame) {
        if let Some(link) = self.links.get_mut(conn)
            && !core::mem::replace(&mut link.spoke, true)
            && let Some(ring) = link.stream.ring()
        {
            site.note(Notice::Spoke(ring.domid));
        }
        let mut outside = Outside { site, links: &mut self.links };
        match self.server.handle(&mut outside, conn, &frame.header, &frame.payload) {
            Outcome::Reply(message) => {
                if let Some(link) = self.links.get_mut(conn) {
                    link.push(message);
                }
            }
            Outcome::Wait => {
                if let Some(link) = self.links.get_mut(conn) {
                    link.hold(frame);
                    self.links.put_off(conn, self.server.waits_for(conn));
                }
            }
        }
    }

    /// Gives a domain that asks for it a fresh start. Returns whether it did.
    fn restart(&mut self, site: &impl Site<Page = P>, conn: ConnId) -> Result<bool, Fault> {
        let Some(link) = self.links.get_mut(conn) else { return Ok(false) };
        let Some(ring) = link.stream.ring().filter(|ring| ring.end.wants_reconnect()) else {
            return Ok(false);
        };
        self.server.reset(conn);
        ring.end.reconnect();
        site.note(Notice::Reconnected(ring.domid));
        let port = ring.port;
        link.forget();
        link.cut = false;
        port.map_or(Ok(()), |port| site.notify(port)).map_err(Fault::Channel)?;
        Ok(true)
    }

    /// Ends what a client can no longer have. A stream goes; a ring stays mapped, for a fresh start.
    fn cut(&mut self, site: &impl Site<Page = P>, conn: ConnId, fault: Fault) {
        let Some(link) = self.links.get_mut(conn) else { return };
        match link.stream.ring() {
            Some(ring) => {
                ring.end.give_up(fault.code());
                site.note(Notice::Cut { domid: ring.domid, fault });
                link.forget();
                link.cut = true;
                self.server.reset(conn);
            }
            None => {
                self.links.remove(conn);
                self.server.disconnect(conn);
            }
        }
    }

    /// Puts those into the queue who now have something to read or may be heard again.
    fn wake_others(&mut self) {
        while let Some(conn) = self.server.take_notified() {
            self.links.wake(conn);
        }
        for hold in [Hold::Guard, Hold::Chores] {
            if !self.server.is_held_up(hold) {
                self.links.wake_waiting(hold);
            }
        }
    }
}
