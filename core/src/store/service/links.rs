//! All connections, whose turn it is, and what the server asks of them.

use alloc::collections::{BTreeMap, VecDeque};
use core::ops::Deref;

use super::link::Link;
use super::site::{Notice, Site};
use super::stream::{Ends, Ring};
use crate::abi::errno::Errno;
use crate::hyper::{DomId, HvError, Port};
use crate::ring::xenstore::{Features, ServerEnd};
use crate::shared::Page;
use crate::store::server::{ConnId, Hold, Platform};
use crate::store::wire::XsError;

#[derive(Debug)]
pub(super) struct Links<P, S> {
    links: BTreeMap<ConnId, Link<P, S>>,
    ports: BTreeMap<Port, ConnId>,
    queue: VecDeque<ConnId>,
    /// Those whose request the server put off, by what they wait for.
    guarded: VecDeque<ConnId>,
    waiting: VecDeque<ConnId>,
}

impl<P: Deref<Target = Page>, S> Links<P, S> {
    pub(super) fn new() -> Self {
        Self {
            links: BTreeMap::new(),
            ports: BTreeMap::new(),
            queue: VecDeque::new(),
            guarded: VecDeque::new(),
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Link<P, S>> {
        self.links.get_mut(&conn)
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Link<P, S>> {
        self.links.get(&conn)
    }

    pub(super) fn add(&mut self, conn: ConnId, link: Link<P, S>) {
        self.links.insert(conn, link);
    }

    pub(super) fn remove(&mut self, conn: ConnId) -> Option<Link<P, S>> {
        self.links.remove(&conn)
    }

    pub(super) fn at_port(&self, port: Port) -> Option<ConnId> {
        self.ports.get(&port).copied()
    }

    /// Puts a connection behind the others, once.
    pub(super) fn wake(&mut self, conn: ConnId) {
        if let Some(link) = self.links.get_mut(&conn)
            && !link.queued
        {
            link.queued = true;
            self.queue.push_back(conn);
        }
    }

    /// Puts a connection aside until [`Links::wake_waiting`].
    pub(super) fn put_off(&mut self, conn: ConnId, hold: Option<Hold>) {
        if let Some(link) = self.links.get_mut(&conn)
            && !link.waiting
        {
            link.waiting = true;
            self.waiting(hold.unwrap_or(Hold::Chores)).push_back(conn);
        }
    }

    pub(super) fn wake_waiting(&mut self, hold: Hold) {
        while let Some(conn) = self.waiting(hold).pop_front() {
            if let Some(link) = self.links.get_mut(&conn) {
                link.waiting = false;
            }
            self.wake(conn);
        }
    }

    fn waiting(&mut self, hold: Hold) -> &mut VecDeque<ConnId> {
        match hold {
            Hold::Guard => &mut self.guarded,
            Hold::Chores => &mut self.waiting,
        }
    }

    /// Takes the connection whose turn it is.
    pub(super) fn next(&mut self) -> Option<ConnId> {
        loop {
            let conn = self.queue.pop_front()?;
            if let Some(link) = self.links.get_mut(&conn) {
                link.queued = false;
                return Some(conn);
            }
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }
}

/// The server's view of the place it runs in: it introduces and releases, here that becomes links.
pub(super) struct Outside<'a, W: Site, S> {
    pub(super) site: &'a W,
    pub(super) links: &'a mut Links<W::Page, S>,
}

impl<W: Site, S> Outside<'_, W, S> {
    fn bind(&mut self, domid: DomId, conn: ConnId, port: Port) -> Result<Port, XsError> {
        let ours = self.site.bind(domid, port).map_err(told)?;
        self.links.ports.insert(ours, conn);
        Ok(ours)
    }

    fn unbind(&mut self, port: Option<Port>) {
        if let Some(port) = port {
            self.links.ports.remove(&port);
            self.site.close(port);
        }
    }
}

impl<W: Site, S> Platform for Outside<'_, W, S> {
    fn domain_exists(&self, domid: DomId) -> bool {
        self.site.domain_exists(domid)
    }

    fn introduce(
        &mut self,
        domid: DomId,
        conn: ConnId,
        _gfn: i64,
        port: Port,
        features: Features,
    ) -> Result<(), XsError> {
        let page = self.site.map_ring(domid).map_err(told)?;
        let port = Some(self.bind(domid, conn, port)?);
        let end = ServerEnd::introduce(page, features);
        self.links.add(conn, Link::new(Ends::Ring(Ring { domid, end, port })));
        self.links.wake(conn);
        Ok(())
    }

    fn reintroduce(&mut self, domid: DomId, conn: ConnId, port: Port) -> Result<(), XsError> {
        let old = self.links.get_mut(conn).and_then(Link::port);
        self.unbind(old);
        let fresh = self.bind(domid, conn, port);
        if let Some(link) = self.links.get_mut(conn) {
            link.forget();
            link.cut = false;
            if let Some(ring) = link.stream.ring() {
                ring.port = fresh.ok();
                ring.end.reconnect();
            }
        }
        fresh.map(drop)
    }

    fn release(&mut self, _domid: DomId, conn: ConnId) {
        let port = self.links.remove(conn).and_then(|mut link| link.port());
        self.unbind(port);
    }

    fn print(&mut self, text: &[u8]) {
        self.site.note(Notice::Print(text));
    }
}

/// What the introducer is told when the hypervisor refuses.
fn told(error: HvError) -> XsError {
    match error.errno {
        Errno::ENOMEM => XsError::ENOMEM,
        Errno::ESRCH => XsError::ENOENT,
        Errno::EPERM | Errno::EACCES => XsError::EACCES,
        _ => XsError::EINVAL,
    }
}
