//! Two guests, their XenStore server and their consoles, in memory.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use xendless_core::hyper::{DomId, HvError, Port};
use xendless_core::ring::Receiver;
use xendless_core::shared::Page;
use xendless_core::store::client::Client;
use xendless_core::store::server::{ConnId, Server};
use xendless_core::store::service::{Notice, Service, Site};
use xendless_core::store::wire::{Perm, Request};
use xendless_tests::pipe::Pipe;

use crate::world::{Ring, SECOND, World};

/// The reading end of a console.
type Output = Receiver<1024, 2048, 3080, 3084>;

/// Waits that a test may need; more are a guest that waits for ever.
const PATIENCE: u32 = 1000;

/// The rings by domain.
#[derive(Default)]
struct Rings(BTreeMap<DomId, Rc<Page>>);

impl Site for Rings {
    type Page = Rc<Page>;

    fn map_ring(&self, domid: DomId) -> Result<Rc<Page>, HvError> {
        Ok(Rc::clone(&self.0[&domid]))
    }

    fn bind(&self, _domid: DomId, port: Port) -> Result<Port, HvError> {
        Ok(port)
    }

    fn notify(&self, _port: Port) -> Result<(), HvError> {
        Ok(())
    }

    fn close(&self, _port: Port) {}

    fn domain_exists(&self, domid: DomId) -> bool {
        self.0.contains_key(&domid)
    }

    fn note(&self, _notice: Notice<'_>) {}
}

/// The control domain's side.
pub(super) struct Machine {
    rings: Rings,
    service: RefCell<Service<Rc<Page>, Pipe>>,
    /// The privileged client.
    root: RefCell<(ConnId, Pipe, Client)>,
    consoles: BTreeMap<u16, Page>,
    printed: RefCell<BTreeMap<u16, Vec<u8>>>,
}

impl Machine {
    /// Two domains that own their homes' `data` and `control/shutdown`.
    pub(super) fn new() -> Self {
        let rings = Rings([1, 2].map(|domid| (DomId(domid), Rc::new(Page::new()))).into());
        let mut service = Service::new(Server::new(DomId(0)));
        let (ours, theirs) = Pipe::pair();
        let root = RefCell::new((service.connect(theirs), ours, Client::new()));
        let consoles = [1, 2].map(|domid| (domid, Page::new())).into();
        let machine = Self { rings, service: service.into(), root, consoles, printed: RefCell::default() };
        for domid in [1, 2] {
            machine.introduce(domid);
        }
        machine
    }

    fn introduce(&self, domid: u16) {
        let home = format!("/local/domain/{domid}");
        self.write(&format!("{home}/domid"), &domid.to_string());
        for path in ["data", "control/shutdown"] {
            self.write(&format!("{home}/{path}"), "");
            self.set_perms(&format!("{home}/{path}"), &format!("n{domid}"), "n0");
        }
        for path in [home.clone(), format!("{home}/domid")] {
            self.set_perms(&path, "n0", &format!("r{domid}"));
        }
        self.ask(&Request::Introduce { domid: DomId(domid), gfn: 1, port: Port(domid.into()) });
    }

    /// Gives `front` a disk that `back` serves.
    pub(super) fn give(&self, (class, id): (&str, u32), front: u16, back: u16) {
        let ours = format!("/local/domain/{front}/device/{class}/{id}");
        let theirs = format!("/local/domain/{back}/backend/{class}/{front}/{id}");
        for (home, owner, reader) in [(&ours, front, back), (&theirs, back, front)] {
            self.write(home, "");
            self.set_perms(home, &format!("n{owner}"), &format!("r{reader}"));
            self.write(&format!("{home}/state"), "1");
        }
        self.write(&format!("{ours}/backend"), &theirs);
        self.write(&format!("{theirs}/params"), "/disk.img");
    }

    fn set_perms(&self, path: &str, owner: &str, other: &str) {
        let perms = [owner, other].map(|perm| Perm::parse(perm.as_bytes()).unwrap()).into();
        self.ask(&Request::SetPerms { path: path.as_bytes(), perms });
    }

    pub(super) fn write(&self, path: &str, value: &str) {
        self.ask(&Request::Write { path: path.as_bytes(), value: value.as_bytes() });
    }

    pub(super) fn read(&self, path: &str) -> String {
        String::from_utf8(self.ask(&Request::Read { path: path.as_bytes() })).unwrap()
    }

    fn ask(&self, request: &Request<'_>) -> Vec<u8> {
        let (conn, pipe, client) = &mut *self.root.borrow_mut();
        let ticket = client.ask(0, request).unwrap();
        client.pump(pipe).unwrap();
        self.service.borrow_mut().wake(*conn);
        self.serve();
        client.pump(pipe).unwrap();
        client.answer(ticket).unwrap().unwrap()
    }

    fn serve(&self) {
        let mut service = self.service.borrow_mut();
        while service.step(&self.rings) {}
    }

    fn signal(&self, domid: u16) {
        self.service.borrow_mut().signal(Port(domid.into()));
        self.serve();
    }

    /// The whole store is as it has to be.
    pub(super) fn check(&self) {
        self.service.borrow().server().check().unwrap();
    }

    pub(super) fn guest(&self, domid: u16) -> Guest<'_> {
        Guest { machine: self, domid, waits: Cell::new(0), memory: [Page::new(), Page::new()].into() }
    }

    /// A guest without rings.
    pub(super) fn initial_domain(&self) -> Guest<'_> {
        self.guest(0)
    }

    /// What a domain printed.
    pub(super) fn lines(&self, domid: u16) -> Vec<String> {
        let printed = self.printed.borrow();
        let text = printed.get(&domid).map(Vec::as_slice).unwrap_or_default();
        core::str::from_utf8(text).unwrap().lines().map(ToString::to_string).collect()
    }

    fn print(&self, domid: u16, text: &[u8]) {
        self.printed.borrow_mut().entry(domid).or_default().extend(text);
    }
}

/// Where the tail of a guest's first page of memory begins.
pub(super) const TAIL: usize = 1000;

/// A domain's side.
pub(super) struct Guest<'m> {
    machine: &'m Machine,
    domid: u16,
    waits: Cell<u32>,
    pub(super) memory: Vec<Page>,
}

impl World for Guest<'_> {
    fn page(&self, ring: Ring) -> Option<&Page> {
        match ring {
            Ring::Console => self.machine.consoles.get(&self.domid),
            Ring::Store => self.machine.rings.0.get(&DomId(self.domid)).map(Rc::as_ref),
        }
    }

    fn notify(&self, ring: Ring) {
        match (ring, self.page(ring)) {
            (Ring::Store, Some(_)) => self.machine.signal(self.domid),
            (Ring::Console, Some(page)) => {
                let mut text = [0; 2048];
                let received =
                    Output::attach(page).map_or(0, |mut output| output.receive(page, &mut text).unwrap_or(0));
                self.machine.print(self.domid, &text[..received]);
            }
            (_, None) => {}
        }
    }

    fn wait(&self, _at_most: Option<u64>) {
        self.waits.set(self.waits.get() + 1);
        assert!(self.waits.get() < PATIENCE, "the guest waits for ever");
    }

    /// Every wait takes a second.
    fn now(&self) -> u64 {
        u64::from(self.waits.get()) * SECOND
    }

    fn print(&self, text: &[u8]) {
        self.machine.print(self.domid, text);
    }

    fn untouched(&self) -> &[Page] {
        &self.memory
    }

    fn tails(&self) -> [Option<(&Page, usize)>; 3] {
        [self.memory.first().map(|page| (page, TAIL)), None, None]
    }

    fn revoke(&self, _ring: Ring) -> Option<u16> {
        None
    }
}
