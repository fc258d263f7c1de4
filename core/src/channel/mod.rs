//! The control channel: what management domains ask of the control domain, over rings of granted pages.
//!
//! Each domain that has rights gets one ring, offered when it starts and taken away when it ends, in the way of
//! libxenvchan. Over it goes [`crate::protocol`], from one client at a time; a relay in the domain speaks for many.
//! The domain's rights decide what it may ask ([`desk::Caller::check`] is the one place that says so), whoever in it
//! asks.
//!
//! A step does one bounded piece of one domain's work, in turn, so neither a flood of requests nor a domain that
//! reads nothing holds up the others. A client that breaks the protocol or its ring is cut off and has to come
//! again; what it had asked for and not got is taken back, a domain half made included.
//!
//! A domain is named by what a person types: its name, else its number, else its UUID.
#![forbid(unsafe_code)]

mod desk;
mod failures;
mod link;
mod news;
mod open;
mod records;
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

/// The rings of all management domains. `O` is a page that is offered to one.
#[derive(Debug)]
pub struct Channels<O> {
    links: Vec<Link<O>>,
    /// Whose turn it is.
    turn: usize,
    /// Domains that came to run and whose rights were not looked at yet.
    started: Vec<(ManagedId, DomId)>,
    /// Domains that end.
    ending: Vec<DomId>,
    /// Domains whose nodes have to go.
    forgotten: Vec<DomId>,
}

impl<O> Default for Channels<O> {
    fn default() -> Self {
        let (links, started, ending, forgotten) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { links, turn: 0, started, ending, forgotten }
    }
}

impl<O: SharedOut> Channels<O> {
    /// Something happened to a domain. The steps that follow see to it.
    pub fn note(&mut self, news: &life::News) {
        match *news {
            life::News::Started { id, domid } => self.started.push((id, domid)),
            life::News::Ending { domid } => self.ending.push(domid),
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

    /// Takes note of an event on one of our channels; returns whether it is one of these.
    pub fn signal(&mut self, port: Port) -> bool {
        let link = self.links.iter_mut().find(|link| link.port == port);
        link.map(|link| link.busy = true).is_some()
    }

    /// Whether there may be something to do.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let queues = [self.started.is_empty(), self.ending.is_empty(), self.forgotten.is_empty()];
        queues.contains(&false) || self.links.iter().any(|link| link.busy)
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
        if let Some(domid) = self.ending.pop() {
            return self.close(desk, domid, &mut report);
        }
        if let Some(domid) = self.forgotten.last() {
            let home = link::path(*domid);
            if desk.store.ask(&Request::Rm { path: home.as_bytes() }) != Err(Refused::Later) {
                self.forgotten.pop();
            }
            return;
        }
        if let Some((id, domid)) = self.started.pop() {
            return self.open(desk, id, domid, &mut report);
        }
        for _ in 0..self.links.len() {
            self.turn = if self.turn + 1 < self.links.len() { self.turn + 1 } else { 0 };
            let Some(link) = self.links.get_mut(self.turn).filter(|link| link.busy) else { continue };
            let domid = link.caller.domid;
            if let Some(what) = link.step(desk) {
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
        match Link::open(desk.hv, Caller { domid, managed, rights }) {
            Ok(link) => self.links.push(link),
            Err(problem) => report(News { domid, what: Happened::NotOffered(problem) }),
        }
    }

    fn close<H, S>(&mut self, desk: &mut Desk<'_, H, S>, domid: DomId, report: &mut dyn FnMut(News))
    where
        H: Hypervisor<Offered = O>,
        S: Local,
    {
        let Some(at) = self.links.iter().position(|link| link.caller.domid == domid) else { return };
        if let Err(refusal) = self.links.swap_remove(at).close(desk) {
            report(News { domid, what: Happened::Refused(refusal) });
        }
        self.forgotten.push(domid);
    }
}
