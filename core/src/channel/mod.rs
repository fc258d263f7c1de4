//! The control channel: what management domains ask of the control domain, over rings of granted pages.
//!
//! Each domain that has rights gets one ring, offered when it starts and taken away when it ends, in the way of
//! libxenvchan. Over it goes [`crate::protocol`], from one client at a time; a relay in the domain speaks for many.
//! The domain's rights decide what it may ask (`Caller::check` is the one place that says so), whoever in it
//! asks.
//!
//! A step does one bounded piece of one domain's work, in turn, so neither a flood of requests nor a domain that
//! reads nothing holds up the others. A client that breaks the protocol or its ring is cut off and has to come
//! again; what it had asked for and not got is taken back, a domain half made included.
//!
//! A domain is named by what a person types: its name, else its number, else its UUID.
#![forbid(unsafe_code)]

mod adjust;
mod desk;
mod devices;
mod failures;
mod labels;
mod link;
mod machine;
mod news;
mod open;
mod pools;
mod records;
mod sched;
mod session;
mod verbs;

use alloc::vec::Vec;

use crate::hyper::{DomId, Hypervisor, Port, SharedOut};
use crate::life::{self, ManagedId};
use crate::rights::Rights;
use crate::store::service::{Local, Refused};
use crate::store::wire::Request;
use desk::Caller;
use link::Link;
use news::Problem;

pub use desk::Desk;
pub use news::{Happened, News};
pub use session::Ended;

/// The most management domains at a time.
const LINKS: usize = 16;

/// The most domains that can come to run between two steps, and more.
const STARTED: usize = 8;

/// The rings of all management domains. `O` is a page that is offered to one.
#[derive(Debug)]
pub struct Channels<O> {
    links: Vec<Link<O>>,
    /// Whose turn it is.
    turn: usize,
    /// Domains that came to run and whose rights were not looked at yet. The next step does.
    started: heapless::Vec<(ManagedId, DomId), STARTED>,
    /// The number of the first happening that nobody was told of.
    untold: u64,
    /// Domains whose nodes have to go.
    forgotten: heapless::Vec<DomId, LINKS>,
}

impl<O> Channels<O> {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            links: Vec::new(),
            turn: 0,
            started: heapless::Vec::new(),
            untold: 0,
            forgotten: heapless::Vec::new(),
        }
    }
}

impl<O> Default for Channels<O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<O: SharedOut> Channels<O> {
    /// Something happened to a domain. The steps that follow see to it.
    pub fn note(&mut self, news: &life::News) {
        match *news {
            // There is one at most for each domain that has a turn, and a step comes after each turn.
            life::News::Started { id, domid, .. } => drop(self.started.push((id, domid))),
            life::News::Ending { domid } => {
                for link in self.links.iter_mut().filter(|link| link.caller.domid == domid) {
                    link.ending = true;
                }
            }
            _ => {}
        }
        for link in &mut self.links {
            link.session.note(news);
            link.busy = true;
        }
    }

    /// Some domain is not what it was.
    pub fn domains_changed(&mut self) {
        for link in &mut self.links {
            link.session.look_again();
            link.busy = true;
        }
    }

    /// The next happening in the chronicle will have this number, so there may be more to tell than before.
    pub fn happened(&mut self, next: u64) {
        if core::mem::replace(&mut self.untold, next) != next {
            self.links.iter_mut().for_each(|link| link.busy = true);
        }
    }

    /// Takes note of an event on one of our channels; returns whether it is one of these.
    pub fn signal(&mut self, port: Port) -> bool {
        let link = self.links.iter_mut().find(|link| link.port == port);
        link.map(|link| link.busy = true).is_some()
    }

    /// Whether there may be something to do.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.started.is_empty() || !self.forgotten.is_empty() || self.links.iter().any(|link| link.busy)
    }

    /// Does one bounded piece of work. `report` gets what happened.
    pub fn step<H, S>(&mut self, desk: &mut Desk<'_, H, S>, mut report: impl FnMut(News))
    where
        H: Hypervisor<Offered = O>,
        S: Local,
    {
        while let Some(viewer) = desk.consoles.take_ready() {
            if let Some(link) =
                self.links.iter_mut().find_map(|link| link.session.wake(viewer).then_some(link))
            {
                link.busy = true;
            }
        }
        while let Some((id, domid)) = self.started.pop() {
            self.open(desk, id, domid, &mut report);
        }
        if let Some(domid) = self.forgotten.last() {
            let home = link::path(*domid);
            if desk.store.ask(&Request::Rm { path: home.as_bytes() }) != Err(Refused::Later) {
                self.forgotten.pop();
            }
        }
        for _ in 0..self.links.len() {
            self.turn = if self.turn + 1 < self.links.len() { self.turn + 1 } else { 0 };
            let Some(link) = self.links.get_mut(self.turn).filter(|link| link.busy) else { continue };
            let domid = link.caller.domid;
            let what = if link.ending { self.close(desk) } else { link.step(desk) };
            if let Some(what) = what {
                report(News { domid, what });
            }
            return;
        }
    }

    /// Offers a ring to a domain that has rights.
    fn open<H, S>(
        &mut self,
        desk: &mut Desk<'_, H, S>,
        managed: ManagedId,
        domid: DomId,
        report: &mut dyn FnMut(News),
    ) where
        H: Hypervisor<Offered = O>,
        S: Local,
    {
        let rights = desk.managed.rights(domid);
        if rights == Rights::Nothing {
            return;
        }
        if self.links.len() >= LINKS {
            return report(News { domid, what: Happened::NotOffered(Problem::TooMany) });
        }
        let link = self.links.try_reserve(1).map_err(|_| Problem::OutOfMemory);
        match link.and_then(|()| Link::open(desk.hv, Caller { domid, managed, rights })) {
            Ok(link) => self.links.push(link),
            Err(problem) => report(News { domid, what: Happened::NotOffered(problem) }),
        }
    }

    /// Takes away the ring whose turn it is.
    fn close<H, S>(&mut self, desk: &mut Desk<'_, H, S>) -> Option<Happened>
    where
        H: Hypervisor<Offered = O>,
        S: Local,
    {
        let link = self.links.swap_remove(self.turn);
        // Without room the nodes stay until the number is another management domain's: they lead nowhere.
        let _ = self.forgotten.push(link.caller.domid);
        link.close(desk).err().map(Happened::Refused)
    }
}
