//! This project's server in this process, with rings and pipes in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, DomId, HvError, Port};
use xendless_core::ring::xenstore::GuestEnd;
use xendless_core::shared::Page;
use xendless_core::store::check::Fault;
use xendless_core::store::client::WatchEvent;
use xendless_core::store::quota::Usage;
use xendless_core::store::server::{ConnId, Hold, Server};
use xendless_core::store::service::{Notice, Service, Site};

use super::store::{Ask, Gone, Line, Store, Told, Who};
use crate::pipe::Pipe;

/// A machine whose domains are their ring pages.
#[derive(Default)]
struct Machine(RefCell<BTreeMap<u16, Rc<Page>>>);

impl Site for Machine {
    type Page = Rc<Page>;

    fn map_ring(&self, domid: DomId) -> Result<Rc<Page>, HvError> {
        let page = self.0.borrow().get(&domid.0).map(Rc::clone);
        page.ok_or(HvError::new(Call::GrantMap, Errno::EINVAL))
    }

    fn bind(&self, domid: DomId, _: Port) -> Result<Port, HvError> {
        Ok(port_of(domid.0))
    }

    fn notify(&self, _: Port) -> Result<(), HvError> {
        Ok(())
    }

    fn close(&self, _: Port) {}

    fn domain_exists(&self, domid: DomId) -> bool {
        domid.0 == 0 || self.0.borrow().contains_key(&domid.0)
    }

    fn note(&self, _: Notice<'_>) {}
}

/// Our port to a domain.
fn port_of(domid: u16) -> Port {
    Port(1000 + u32::from(domid))
}

/// The server and its clients.
pub struct Subject {
    machine: Machine,
    service: Service<Rc<Page>, Pipe>,
    tools: BTreeMap<u8, (Line, ConnId)>,
    domains: BTreeMap<u16, Line>,
}

impl Default for Subject {
    fn default() -> Self {
        let service = Service::new(Server::new(DomId(0)));
        Self { machine: Machine::default(), service, tools: BTreeMap::new(), domains: BTreeMap::new() }
    }
}

impl Subject {
    /// Compares all of the server's state with itself.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), Fault> {
        self.service.server().check()
    }

    /// The ring page of a domain.
    pub fn page(&self, domid: u16) -> Rc<Page> {
        Rc::clone(&self.machine.0.borrow()[&domid])
    }

    /// What a domain has in use, while the server knows it.
    pub fn usage(&self, domid: u16) -> Option<Usage> {
        self.service.server().usage(DomId(domid))
    }

    /// Signals a domain's channel and lets the server come to rest.
    pub fn turn(&mut self, domid: u16) {
        self.service.signal(port_of(domid));
        self.run();
    }

    fn run(&mut self) {
        while self.service.step(&self.machine) {}
    }
}

impl Store for Subject {
    fn ask(&mut self, who: Who, ask: &Ask) -> Result<Told, Gone> {
        let Self { machine, service, tools, domains } = self;
        let mut turns = 0;
        let mut work = |service: &mut Service<_, _>| {
            while service.step(machine) {}
            turns += 1;
            assert!(turns < 10_000, "no answer to {ask:?}");
            // A request may be put off until a privileged transaction is over.
            if turns > 8 && service.server().is_held_up(Hold::Guard) { Err(Gone) } else { Ok(()) }
        };
        match who {
            Who::Domain(domid) => domains.get_mut(&domid).ok_or(Gone)?.ask(ask, || {
                service.signal(port_of(domid));
                work(service)
            }),
            Who::Tool(tool) => {
                let (line, conn) = tools.entry(tool).or_insert_with(|| {
                    let (ours, theirs) = Pipe::pair();
                    (Line::new(ours), service.connect(theirs))
                });
                line.ask(ask, || {
                    service.wake(*conn);
                    work(service)
                })
            }
        }
    }

    fn events(&mut self, who: Who) -> Vec<WatchEvent> {
        let line = match who {
            Who::Tool(tool) => self.tools.get_mut(&tool).map(|(line, _)| line),
            Who::Domain(domid) => self.domains.get_mut(&domid),
        };
        line.map(Line::events).unwrap_or_default()
    }

    fn create(&mut self, domid: u16) {
        self.machine.0.borrow_mut().insert(domid, Rc::new(Page::new()));
    }

    fn attach(&mut self, domid: u16) {
        let page = Rc::clone(&self.machine.0.borrow()[&domid]);
        self.domains.insert(domid, Line::new(GuestEnd::attach(page).expect("an empty ring")));
    }

    fn shut_down(&mut self, domid: u16) {
        self.service.domain_shutdown(DomId(domid));
        self.run();
    }

    /// The server was told so by the one who does it.
    fn resume(&mut self, _: u16) {}

    fn destroy(&mut self, domid: u16) {
        self.domains.remove(&domid);
        self.machine.0.borrow_mut().remove(&domid);
        self.service.domain_died(&self.machine, DomId(domid));
        self.run();
    }

    fn hang_up(&mut self, tool: u8) {
        if let Some((_, conn)) = self.tools.remove(&tool) {
            self.service.hang_up(conn);
            self.run();
        }
    }
}
