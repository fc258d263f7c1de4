//! The service on rings of a made-up machine and on pipes.

mod attacks;
mod fairness;
mod service;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

use super::{Notice, Service, Site};
use crate::abi::errno::Errno;
use crate::hyper::{Call, DomId, HvError, Port};
use crate::ring::xenstore::GuestEnd;
use crate::shared::Page;
use crate::store::server::Server;
use crate::store::transport::{Assembler, Frame, Outbox};
use crate::store::wire::{Kind, Message, Payload};

/// Domains are pages; our port to domain N is 100 + N.
#[derive(Default)]
struct Machine {
    pages: RefCell<BTreeMap<DomId, Rc<Page>>>,
    bound: RefCell<BTreeSet<Port>>,
    broken: RefCell<BTreeSet<Port>>,
    notified: RefCell<Vec<Port>>,
    notices: RefCell<Vec<String>>,
    /// Domains whose first request came.
    spoke: RefCell<Vec<DomId>>,
}

impl Site for Machine {
    type Page = Rc<Page>;

    fn map_ring(&self, domid: DomId) -> Result<Rc<Page>, HvError> {
        let page = self.pages.borrow().get(&domid).map(Rc::clone);
        page.ok_or(HvError::new(Call::GrantMap, Errno::EINVAL))
    }

    fn bind(&self, domid: DomId, port: Port) -> Result<Port, HvError> {
        if port == BAD_PORT {
            return Err(HvError::new(Call::EvtchnBindInterdomain, Errno::EINVAL));
        }
        let ours = port_of(domid);
        assert!(self.bound.borrow_mut().insert(ours), "{ours:?} is bound twice");
        Ok(ours)
    }

    fn notify(&self, port: Port) -> Result<(), HvError> {
        if self.broken.borrow().contains(&port) {
            return Err(HvError::new(Call::EvtchnSend, Errno::EINVAL));
        }
        self.notified.borrow_mut().push(port);
        Ok(())
    }

    fn close(&self, port: Port) {
        assert!(self.bound.borrow_mut().remove(&port), "{port:?} is closed twice");
    }

    fn domain_exists(&self, domid: DomId) -> bool {
        self.pages.borrow().contains_key(&domid)
    }

    fn note(&self, notice: Notice<'_>) {
        if let Notice::Spoke(domid) = notice {
            return self.spoke.borrow_mut().push(domid);
        }
        self.notices.borrow_mut().push(match notice {
            Notice::Cut { domid, fault } => format!("{domid:?} cut: {fault}"),
            Notice::Reconnected(domid) => format!("{domid:?} reconnected"),
            Notice::Print(text) => String::from_utf8_lossy(text).to_string(),
            Notice::Spoke(_) => unreachable!("noted elsewhere"),
        });
    }
}

/// A port that no domain offers.
const BAD_PORT: Port = Port(666);

fn port_of(domid: DomId) -> Port {
    Port(100 + u32::from(domid.0))
}

/// One end of a pair of pipes. Both ends may be closed.
#[derive(Default)]
struct Pipe {
    from: Rc<RefCell<VecDeque<u8>>>,
    to: Rc<RefCell<VecDeque<u8>>>,
}

impl Pipe {
    fn pair() -> (Self, Self) {
        let one = Self::default();
        let other = Self { from: Rc::clone(&one.to), to: Rc::clone(&one.from) };
        (one, other)
    }

    /// Whether the other end was dropped.
    fn is_closed(&self) -> bool {
        Rc::strong_count(&self.from) == 1
    }
}

impl ErrorType for Pipe {
    type Error = Infallible;
}

impl ReadReady for Pipe {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.from.borrow().is_empty() || self.is_closed())
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        let mut from = self.from.borrow_mut();
        let bytes = from.len().min(buf.len());
        buf.iter_mut().zip(from.drain(..bytes)).for_each(|(to, byte)| *to = byte);
        Ok(bytes)
    }
}

impl WriteReady for Pipe {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(true)
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        self.to.borrow_mut().extend(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A client's end of a ring or pipe. NULs are written as bars.
struct Peer<S> {
    stream: S,
    input: Assembler,
    output: Outbox,
}

impl<S: Read + ReadReady + Write + WriteReady> Peer<S> {
    fn new(stream: S) -> Self {
        Self { stream, input: Assembler::new(), output: Outbox::new() }
    }

    /// Puts a request on its way and as much of it as fits into the stream.
    fn post(&mut self, kind: Kind, tx_id: u32, text: &str) {
        let payload: Vec<u8> = text.bytes().map(|byte| if byte == b'|' { 0 } else { byte }).collect();
        self.output.push(Message::new(kind, 7, tx_id, Payload::try_from(&payload[..]).unwrap()));
        self.push();
    }

    fn push(&mut self) {
        self.output.flush(&mut self.stream).unwrap();
    }

    /// The next message from the server, as its type and payload.
    fn next(&mut self) -> Option<String> {
        let Frame { header, payload } = self.input.pull(&mut self.stream).unwrap()?;
        Some(format!("{} {}", header.kind, String::from_utf8_lossy(&payload).replace('\0', "|")))
    }

    fn all(&mut self) -> Vec<String> {
        core::iter::from_fn(|| self.next()).collect()
    }
}

type Guest = Peer<GuestEnd<Rc<Page>>>;

/// A service, its machine, and a privileged client.
struct World {
    machine: Machine,
    service: Service<<Machine as Site>::Page, Pipe>,
    root: Peer<Pipe>,
}

impl World {
    fn new() -> Self {
        let mut service = Service::new(Server::new(DomId(0)));
        let (ours, theirs) = Pipe::pair();
        service.connect(theirs);
        Self { machine: Machine::default(), service, root: Peer::new(ours) }
    }

    /// A world with one guest, which owns its home.
    fn with_guest(domid: u16) -> (Self, Guest) {
        let mut world = Self::new();
        let guest = world.introduce(domid);
        (world, guest)
    }

    /// Makes a domain, without telling the server.
    fn create(&mut self, domid: u16) -> Rc<Page> {
        let page = Rc::new(Page::new());
        self.machine.pages.borrow_mut().insert(DomId(domid), Rc::clone(&page));
        page
    }

    fn introduce(&mut self, domid: u16) -> Guest {
        let page = self.create(domid);
        let home = format!("/local/domain/{domid}");
        assert_eq!(self.ask(Kind::MKDIR, &format!("{home}|")), "MKDIR OK|");
        assert_eq!(self.ask(Kind::SET_PERMS, &format!("{home}|n{domid}|")), "SET_PERMS OK|");
        assert_eq!(self.ask(Kind::INTRODUCE, &format!("{domid}|1|1|")), "INTRODUCE OK|");
        Peer::new(GuestEnd::attach(page).unwrap())
    }

    /// Sends a request as the privileged client and returns the answer.
    fn ask(&mut self, kind: Kind, text: &str) -> String {
        self.ask_in(0, kind, text)
    }

    fn ask_in(&mut self, tx_id: u32, kind: Kind, text: &str) -> String {
        self.root.post(kind, tx_id, text);
        self.service.wake(crate::store::server::ConnId(1));
        self.run();
        loop {
            let answer = self.root.next().expect("an answer");
            if !answer.starts_with("WATCH_EVENT") {
                return answer;
            }
        }
    }

    /// Lets a domain signal its channel.
    fn signal(&mut self, domid: u16) {
        assert!(self.service.signal(port_of(DomId(domid))), "the channel of domain {domid} is known");
    }

    /// Steps until nothing is left to do; returns how many that took.
    fn run(&mut self) -> usize {
        let mut steps = 1;
        while self.service.step(&self.machine) {
            steps += 1;
            assert!(steps < 10_000, "the service never comes to rest");
        }
        steps
    }

    /// Sends a request as a guest, lets the service work, and returns all that the guest is told.
    fn guest(&mut self, domid: u16, guest: &mut Guest, kind: Kind, text: &str) -> Vec<String> {
        guest.post(kind, 0, text);
        let mut told = Vec::new();
        loop {
            self.signal(domid);
            self.run();
            let (before, sent) = (told.len(), guest.output.is_empty());
            told.extend(guest.all());
            if sent && told.len() == before && !guest.input.is_midway() {
                return told;
            }
            guest.push();
        }
    }

    fn notices(&self) -> Vec<String> {
        self.machine.notices.take()
    }
}

/// Whatever a test did, the store is whole at its end.
impl Drop for World {
    fn drop(&mut self) {
        if let Err(fault) = self.service.server().check() {
            panic!("{fault}");
        }
    }
}
