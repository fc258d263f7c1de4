//! The control channel: a management domain's client against the control domain.

mod adjust;
mod attacks;
mod consoles;
mod create;
mod devices;
mod dump;
mod events;
mod interfaces;
mod labels;
mod machine;
mod modules;
mod pools;
mod requests;
mod saved;
mod sched;

use std::collections::VecDeque;

use xendless_core::abi::grant_table::GNTTAB_RESERVED_XENSTORE;
use xendless_core::boot::{self, BootFacts};
use xendless_core::config::{DomainConfig, DomainName, Settings, Uuid};
use xendless_core::control::{Control, Event};
use xendless_core::events::Scanner;
use xendless_core::hyper::{Access, DomId, EventChannels, GrantRef, Grants, Port, Scheduler};
use xendless_core::images::Digest;
use xendless_core::life::{Bytes, Files, News};
use xendless_core::protocol::frame::{self, Assembler};
use xendless_core::protocol::{Answer, Down, Failure, Hello, Image, Request, RequestId, Up};
use xendless_core::rights::Rights;
use xendless_core::ring::vchan::{ClientEnd, Link, Offer};
use xendless_core::ring::xenstore::GuestEnd;
use xendless_core::store::transport::{self, Outbox};
use xendless_core::store::wire::{self, Message};
use xendless_hosttools::bundle::Maker;
use xendless_tests::kernel::Elf;
use xendless_tests::sim::{Config, SimDomain, SimHypervisor, SimMapping, SimOffer, SimSite};

use crate::life::settings;

/// A control domain that has booted, and the loop around it.
struct Rig {
    sim: SimHypervisor,
    hv: SimDomain,
    site: SimSite,
    control: Control<SimMapping, SimOffer>,
    scanner: Scanner,
}

/// Settings of a domain of this name.
fn named(name: &str) -> Settings {
    let mut uuid = [0xab; 16];
    for (byte, letter) in uuid.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    Settings { name: DomainName::new(name).unwrap(), uuid: Uuid::from_bytes(uuid).unwrap(), ..settings() }
}

fn kernel() -> Vec<u8> {
    Elf::pv().build()
}

fn image(bytes: &[u8]) -> Image {
    Image { digest: Digest::of(bytes).0, size: bytes.len() as u64 }
}

impl Rig {
    fn new() -> Self {
        Self::at(Config::default())
    }

    /// The same on a machine of some kind.
    fn at(config: Config) -> Self {
        let sim = SimHypervisor::new(config);
        let (hv, site) = (sim.control(), SimSite::new(&sim));
        let facts = BootFacts {
            initial_domain: true,
            privileged: true,
            pages: 8 << 10,
            bundle: Some(Maker::new().make().unwrap().leak()),
            entered_at: 0,
            images: Some(1 << 20),
        };
        let control = boot::start(&hv, &site, &facts).unwrap();
        let mut rig = Self { sim, hv, site, control, scanner: Scanner::new() };
        rig.run();
        rig
    }

    /// A rig with a management domain that has these rights, and a client in it that has said hello.
    fn with(rights: Rights) -> (Self, Client) {
        Self::on(Config::default(), rights)
    }

    /// The same on a machine of some kind.
    fn on(config: Config, rights: Rights) -> (Self, Client) {
        let mut rig = Self::at(config);
        let domid = rig.domain("admin", rights);
        let client = Client::greeted(&mut rig, domid);
        (rig, client)
    }

    /// A domain that runs.
    fn domain(&mut self, name: &str, rights: Rights) -> DomId {
        self.domain_of(named(name), rights)
    }

    /// A domain with these settings that runs.
    fn domain_of(&mut self, settings: Settings, rights: Rights) -> DomId {
        let config = DomainConfig::new(settings).unwrap();
        let ramdisk = Bytes::Static(b"ramdisk");
        let files = Files { kernel: Bytes::Static(kernel().leak()), ramdisk };
        self.control.create(config, rights, files).unwrap();
        self.run();
        let started = |event: &Event| match event {
            Event::Life(News::Started { domid, .. }) => Some(*domid),
            _ => None,
        };
        self.site.take_events().iter().find_map(started).expect("it starts")
    }

    /// Turns until there is nothing to do.
    fn run(&mut self) {
        for _ in 0..20_000 {
            let events = self.sim.events(SimHypervisor::INITIAL);
            events.upcall_pending.store(false, std::sync::atomic::Ordering::SeqCst);
            while let Some(port) = self.scanner.take(events.bits()) {
                self.control.handle(&self.site, port);
            }
            if !self.control.poll(&self.hv, &self.site).is_due(self.sim.now()) {
                self.hv.block().unwrap();
                if self.sim.is_blocked(SimHypervisor::INITIAL) {
                    return;
                }
            }
        }
        panic!("the control domain never sleeps");
    }

    /// What a domain reads in XenStore, over its own ring.
    fn read(&mut self, domid: DomId, path: &str) -> Option<String> {
        self.ask_store(domid, &wire::Request::Read { path: path.as_bytes() }).ok()
    }

    /// What XenStore answers a domain, over its own ring: a value, or the name of an error.
    fn ask_store(&mut self, domid: DomId, request: &wire::Request<'_>) -> Result<String, String> {
        let page = self.hv.map_grant(domid, GrantRef(GNTTAB_RESERVED_XENSTORE), Access::ReadWrite).unwrap();
        let mut ring = GuestEnd::attach(page).unwrap();
        let mut output = Outbox::new();
        output.push(Message::new(request.kind(), 1, 0, request.payload().unwrap()));
        output.flush(&mut ring).unwrap();
        // The first channel of every domain is that to XenStore.
        self.sim.as_domain(domid).notify(Port(1)).unwrap();
        self.run();
        let reply = transport::Assembler::new().pull(&mut ring).unwrap().unwrap();
        let text = String::from_utf8_lossy(&reply.payload).into_owned();
        if reply.header.kind == wire::Kind::ERROR { Err(text) } else { Ok(text) }
    }
}

/// A client in a management domain.
struct Client {
    view: SimDomain,
    port: Port,
    end: ClientEnd<SimMapping>,
    input: Assembler,
    /// Messages that came and were not looked at.
    inbox: VecDeque<Vec<u8>>,
    next: u32,
}

impl Client {
    /// Finds the ring of its domain and maps it.
    fn open(rig: &mut Rig, domid: DomId) -> Option<Self> {
        let home = format!("/xendless/control/{domid}");
        let gref = rig.read(domid, &format!("{home}/ring-ref"))?.parse().unwrap();
        let port = rig.read(domid, &format!("{home}/event-channel"))?.parse().unwrap();
        let view = rig.sim.as_domain(domid);
        let map = |gref| view.map_grant(SimHypervisor::INITIAL, gref, Access::ReadWrite).unwrap();
        let control = map(GrantRef(gref));
        let offer = Offer::read(&control).unwrap();
        let pages = |grefs: &[GrantRef]| grefs.iter().map(|gref| map(*gref)).collect();
        let end = ClientEnd::open(control, &offer, pages(offer.left()), pages(offer.right())).unwrap();
        let port = view.bind_interdomain(SimHypervisor::INITIAL, Port(port)).unwrap();
        Some(Self { view, port, end, input: Assembler::default(), inbox: VecDeque::new(), next: 0 })
    }

    /// Comes to the control domain, as soon as that is ready for it.
    fn connect(&mut self, rig: &mut Rig) {
        for _ in 0..2 {
            let link = self.end.connect();
            self.view.notify(self.port).unwrap();
            rig.run();
            if link == Link::Up {
                return;
            }
        }
        panic!("there is no fresh ring");
    }

    fn greeted(rig: &mut Rig, domid: DomId) -> Self {
        let mut client = Self::open(rig, domid).expect("it has a control channel");
        client.connect(rig);
        client.send(rig, &Up::Hello(Hello::OURS));
        let Down::Welcome(welcome) = frame::parse(&client.receive().unwrap()).unwrap() else {
            panic!("no welcome")
        };
        assert_eq!(DomId(welcome.domid), domid);
        client
    }

    /// Sends a message, and whatever bytes go for one.
    fn send(&mut self, rig: &mut Rig, message: &Up<'_>) {
        let mut bytes = Vec::new();
        frame::append(&mut bytes, message).unwrap();
        self.send_bytes(rig, &bytes);
    }

    fn send_bytes(&mut self, rig: &mut Rig, mut bytes: &[u8]) {
        use embedded_io::Write;
        while !bytes.is_empty() {
            if self.end.room().unwrap() > 0 {
                let count = self.end.write(bytes).unwrap();
                bytes = &bytes[count..];
            }
            self.view.notify(self.port).unwrap();
            rig.run();
            self.take();
        }
    }

    /// Takes what came.
    fn take(&mut self) {
        use embedded_io::Read;
        let mut buffer = [0; 4096];
        while self.end.waiting().is_ok_and(|count| count > 0) {
            let count = self.end.read(&mut buffer).unwrap();
            let mut bytes = &buffer[..count];
            while !bytes.is_empty() {
                self.input.take(&mut bytes).unwrap();
                if let Some(body) = self.input.frame() {
                    self.inbox.push_back(body.to_vec());
                    self.input.clear();
                }
            }
        }
    }

    /// The next message, if one came.
    fn receive(&mut self) -> Option<Vec<u8>> {
        self.take();
        self.inbox.pop_front()
    }

    /// Sends a request.
    fn ask(&mut self, rig: &mut Rig, request: Request<'_>) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        self.send(rig, &Up::Request { id, request });
        id
    }

    /// Asks something and gives what is done with its answer, which has to be the next message.
    fn call<T>(
        &mut self,
        rig: &mut Rig,
        request: Request<'_>,
        with: impl FnOnce(Result<Answer<'_>, Failure>) -> T,
    ) -> T {
        let id = self.ask(rig, request);
        self.answer(rig, id, with)
    }

    fn answer<T>(
        &mut self,
        rig: &mut Rig,
        id: RequestId,
        with: impl FnOnce(Result<Answer<'_>, Failure>) -> T,
    ) -> T {
        self.signal(rig);
        let body = self.receive().expect("an answer");
        match frame::parse(&body).unwrap() {
            Down::Answer { id: found, result } if found == id => with(result),
            other => panic!("this is no answer to {id:?}: {other:?}"),
        }
    }

    /// Has room again, which the control domain may wait for.
    fn signal(&mut self, rig: &mut Rig) {
        self.take();
        self.view.notify(self.port).unwrap();
        rig.run();
    }

    fn done(&mut self, rig: &mut Rig, request: Request<'_>) {
        self.call(rig, request, |result| assert_eq!(result, Ok(Answer::Done)));
    }

    fn refused(&mut self, rig: &mut Rig, request: Request<'_>) -> Failure {
        self.call(rig, request, |result| result.expect_err("it is refused"))
    }

    /// Credit for all that may come.
    fn credit(&mut self, rig: &mut Rig, id: RequestId) {
        self.send(rig, &Up::Credit { id, bytes: 1 << 20 });
    }

    /// The bytes of a stream that came, and the answer that ended it, if it ended.
    fn stream(&mut self, rig: &mut Rig, id: RequestId) -> (Vec<u8>, Option<Result<(), Failure>>) {
        let mut bytes = Vec::new();
        self.signal(rig);
        while let Some(body) = self.receive() {
            match frame::parse(&body).unwrap() {
                Down::Data { id: found, bytes: more } if found == id => bytes.extend(more),
                Down::Credit { .. } => {}
                Down::Answer { id: found, result } if found == id => {
                    return (bytes, Some(result.map(|_| ())));
                }
                other => panic!("unexpected: {other:?}"),
            }
            self.signal(rig);
        }
        (bytes, None)
    }
}
