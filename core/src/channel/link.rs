//! The control ring of one management domain.

use alloc::format;
use alloc::vec::Vec;

use super::desk::{CONTROL, Caller, Desk};
use super::news::{Happened, Problem};
use super::session::{Ended, Session};
use crate::hyper::{Access, DomId, Hypervisor, Port, SharedOut};
use crate::ring::vchan::{Client, ServerEnd, Wants};
use crate::store::service::{Local, Refused};
use crate::store::wire::{Access as Right, Perm, Request};

/// Pages of each direction.
const PAGES: usize = 16;

/// Where clients look for the ring of their domain: the directory that libxenvchan's client is given.
pub(super) fn path(domid: DomId) -> alloc::string::String {
    format!("/xendless/control/{domid}")
}

/// Whether a client is at work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// None is.
    Waiting,
    /// One is.
    Connected,
    /// One was and is no longer listened to; it has not gone yet.
    Cut,
}

#[derive(Debug)]
pub(super) struct Link<O> {
    pub(super) caller: Caller,
    pub(super) port: Port,
    end: ServerEnd<O>,
    pub(super) session: Session,
    state: State,
    /// The nodes that name the ring are written.
    announced: bool,
    /// There may be something to do.
    pub(super) busy: bool,
    /// Its domain is about to end.
    pub(super) ending: bool,
}

impl<O: SharedOut> Link<O> {
    /// Offers a ring to the caller's domain.
    pub(super) fn open<H: Hypervisor<Offered = O>>(hv: &H, caller: Caller) -> Result<Self, Problem> {
        let page = || hv.offer_page(caller.domid, Access::ReadWrite);
        let control = page()?;
        let pages = || (0..PAGES).map(|_| page()).collect::<crate::hyper::Result<Vec<O>>>();
        let end = ServerEnd::open(control, pages()?, pages()?).ok_or(Problem::Layout)?;
        let port = hv.alloc_unbound(DomId::SELF, caller.domid)?;
        let (session, state) = (Session::default(), State::Waiting);
        Ok(Self { caller, port, end, session, state, announced: false, busy: true, ending: false })
    }

    /// Writes the nodes by which clients find the ring; `false` when XenStore is busy.
    fn announce(&mut self, store: &mut impl Local) -> Result<bool, Refused> {
        let home = path(self.caller.domid);
        let perms = [Perm::new(Right::None, CONTROL), Perm::new(Right::Read, self.caller.domid)];
        let gref = self.end.control().grant();
        for (name, value) in [("ring-ref", gref.0), ("event-channel", self.port.0)] {
            let (path, value) = (format!("{home}/{name}"), format!("{value}"));
            let write = Request::Write { path: path.as_bytes(), value: value.as_bytes() };
            for request in [write, Request::SetPerms { path: path.as_bytes(), perms: perms.to_vec() }] {
                match store.ask(&request) {
                    Err(Refused::Later) => return Ok(false),
                    outcome => outcome?,
                }
            }
        }
        Ok(true)
    }

    /// Does a bounded piece of work.
    pub(super) fn step<H, S>(&mut self, desk: &mut Desk<'_, H, S>) -> Option<Happened>
    where
        H: Hypervisor<Offered = O>,
        S: Local,
    {
        if !self.announced {
            // What XenStore refuses now it refuses the next time, too: then no client comes.
            self.announced = self.announce(desk.store).unwrap_or(true);
            self.busy = true;
            return None;
        }
        match (self.end.client(), self.state) {
            (Client::Awaited, State::Waiting) => {
                self.busy = false;
                None
            }
            (Client::Connected, State::Waiting) => {
                self.state = State::Connected;
                Some(Happened::Connected)
            }
            (Client::Connected, State::Connected) => self.converse(desk),
            (Client::Connected, State::Cut) => {
                self.busy = false;
                None
            }
            (Client::Gone, _) | (Client::Awaited, State::Connected | State::Cut) => {
                self.session.close(desk);
                self.end.reset();
                let was = core::mem::replace(&mut self.state, State::Waiting);
                // The next one may wait for that. When the channel is closed on its side, it does not.
                let _ = desk.hv.notify(self.port);
                (was != State::Waiting).then_some(Happened::Left)
            }
        }
    }

    fn converse<H, S>(&mut self, desk: &mut Desk<'_, H, S>) -> Option<Happened>
    where
        H: Hypervisor<Offered = O>,
        S: Local,
    {
        let outcome = self.session.step(desk, &self.caller, &mut self.end).and_then(|more| {
            let wants = if self.session.listens() { Wants::DATA } else { Wants::ROOM };
            let wants = if self.session.is_stuck() { wants | Wants::ROOM } else { wants };
            let bad = |_| Ended::Stream(embedded_io::ErrorKind::InvalidData);
            Ok(more || !self.end.ask(wants).map_err(bad)?.is_empty())
        });
        let happened = match outcome {
            Ok(busy) => {
                self.busy = busy;
                None
            }
            Err(ended) => {
                if let Ended::Rejected(why) = ended {
                    self.session.say_goodbye(&mut self.end, why);
                }
                self.session.close(desk);
                self.end.close();
                self.state = State::Cut;
                Some(Happened::Cut(ended))
            }
        };
        if self.end.owes_signal() || self.state == State::Cut {
            // A client whose channel is gone is gone itself, which its page will say.
            let _ = desk.hv.notify(self.port);
        }
        happened
    }

    /// Takes the ring away: its domain is about to end. What clients asked for ends with it.
    pub(super) fn close<H, S>(mut self, desk: &mut Desk<'_, H, S>) -> crate::hyper::Result<()>
    where
        H: Hypervisor<Offered = O>,
        S: Local,
    {
        self.session.close(desk);
        self.end.close();
        desk.hv.close(self.port)
    }
}
