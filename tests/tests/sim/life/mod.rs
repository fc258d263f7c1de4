//! Managed domains on a whole control plane: builder, XenStore, consoles, life cycle.

mod ends;
mod faults;
mod images;
mod made;
mod rights;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::LazyLock;

use xendless_core::builder::unpack;
use xendless_core::config::{
    Actions, Affinity, Boot, CommandLine, Devices, DomainConfig, DomainName, Kind, Memory, MemorySize,
    OnStart, OnStop, Platform, Scheduling, Settings, Text, Vcpus,
};
use xendless_core::console::{Consoles, Limits};
use xendless_core::events::Scanner;
use xendless_core::hyper::{
    Access, DomId, Domains, EventChannels, Fault, FaultInjector, Grants, HvError, Port, Scheduler,
    ShutdownReason,
};
use xendless_core::images::Images;
use xendless_core::life::{Bytes, CreateError, Files, ManagedId, Manager, News, World};
use xendless_core::pools::Pools;
use xendless_core::rights::Rights;
use xendless_core::store::server::Server;
use xendless_core::store::service::{At, NoStream, Notice, RING_GRANT, Service, Site};
use xendless_core::store::wire::Request;
use xendless_tests::kernel::Elf;
use xendless_tests::sim::{SimDomain, SimHypervisor, SimMapping};

const SECOND: u64 = 1_000_000_000;
const UUID: &str = "5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11";

/// Where XenStore is served.
struct Place(Rc<FaultInjector<SimDomain>>);

impl Site for Place {
    type Page = SimMapping;

    fn map_ring(&self, domid: DomId) -> Result<SimMapping, HvError> {
        self.0.map_grant(domid, RING_GRANT, Access::ReadWrite)
    }

    fn bind(&self, domid: DomId, port: Port) -> Result<Port, HvError> {
        self.0.bind_interdomain(domid, port)
    }

    fn notify(&self, port: Port) -> Result<(), HvError> {
        self.0.notify(port)
    }

    fn close(&self, port: Port) {
        self.0.close(port).unwrap();
    }

    fn domain_exists(&self, domid: DomId) -> bool {
        self.0.domain_info(domid).is_ok()
    }

    fn note(&self, _: Notice<'_>) {}
}

struct Rig {
    sim: SimHypervisor,
    hv: Rc<FaultInjector<SimDomain>>,
    place: Place,
    consoles: Consoles<SimMapping>,
    store: Service<SimMapping, NoStream>,
    manager: Manager,
    pools: Pools,
    images: Images,
    news: Vec<News>,
    /// Steps done so far.
    steps: usize,
}

impl Rig {
    fn new(fault: Option<Fault>) -> Self {
        let sim = SimHypervisor::default();
        let hv = Rc::new(FaultInjector::new(sim.control(), fault));
        Self {
            place: Place(Rc::clone(&hv)),
            sim,
            hv,
            consoles: Consoles::new(Limits::default()),
            store: Service::new(Server::new(SimHypervisor::INITIAL)),
            manager: Manager::new(SimHypervisor::INITIAL, 64, unpack::Limits::default()),
            pools: Pools::new(),
            images: Images::new(16 << 20),
            news: Vec::new(),
            steps: 0,
        }
    }

    fn create(&mut self, settings: Settings) -> Result<ManagedId, CreateError> {
        self.create_with(settings, Rights::Nothing)
    }

    fn create_with(&mut self, settings: Settings, rights: Rights) -> Result<ManagedId, CreateError> {
        self.manager.create(&mut self.consoles, DomainConfig::new(settings).unwrap(), rights, files())
    }

    /// A domain that runs.
    fn running(actions: Actions) -> (Self, ManagedId, DomId) {
        let mut rig = Self::new(None);
        let id = rig.create(Settings { actions, ..settings() }).unwrap();
        rig.run();
        let domid = rig.manager.status(id).unwrap().domid.unwrap();
        assert_eq!(rig.take_news(), [News::Started { id, domid, paused: false }]);
        (rig, id, domid)
    }

    fn step(&mut self) -> Option<u64> {
        let events = self.sim.events(SimHypervisor::INITIAL);
        let mut scanner = Scanner::new();
        while let Some(port) = scanner.take(events.bits()) {
            let _ = self.consoles.signal(port) || self.store.signal(port);
        }
        self.steps += 1;
        let now = self.sim.now();
        let mut store = At { service: &mut self.store, site: &self.place };
        let mut world = World {
            hv: &*self.hv,
            consoles: &mut self.consoles,
            store: &mut store,
            pools: &self.pools,
            images: &mut self.images,
        };
        let manager = self.manager.step(&mut world, now, |news, _| {
            if !matches!(news, News::Ending { .. } | News::Down { .. }) {
                self.news.push(news);
            }
        });
        let consoles = self.consoles.step(&*self.hv, now, |_| ());
        let store = self.store.step(&self.place).then_some(now);
        [manager, consoles, store].into_iter().flatten().min()
    }

    /// Works, with time passing as needed, until there is nothing to do.
    fn run(&mut self) -> usize {
        for steps in 1..10_000 {
            match self.step() {
                None => return steps,
                Some(next) => self.sim.advance(next.saturating_sub(self.sim.now())),
            }
        }
        panic!("it never rests");
    }

    fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// The domain stops, and the control domain notices.
    fn stop(&mut self, domid: DomId, reason: ShutdownReason) {
        self.sim.as_domain(domid).shutdown(reason).unwrap();
        assert!(self.manager.stopped(domid, reason));
        self.run();
    }

    fn answer(&mut self, request: &Request<'_>) -> Option<Vec<u8>> {
        self.store.ask(&self.place, request).ok().map(|message| message.payload().to_vec())
    }

    fn read(&mut self, path: &str) -> Option<String> {
        self.answer(&Request::Read { path: path.as_bytes() }).map(|value| String::from_utf8(value).unwrap())
    }

    fn perms(&mut self, path: &str) -> String {
        let perms = self.answer(&Request::GetPerms { path: path.as_bytes() }).unwrap();
        String::from_utf8(perms).unwrap().trim_end_matches('\0').replace('\0', " ")
    }

    /// All nodes at and below a path, but what only holds others.
    fn nodes(&mut self, top: &str) -> BTreeSet<String> {
        let names =
            self.answer(&Request::Directory { path: if top.is_empty() { b"/" } else { top.as_bytes() } });
        let names = String::from_utf8(names.unwrap_or_default()).unwrap();
        let mut found = BTreeSet::new();
        for name in names.split_terminator('\0') {
            let path = format!("{top}/{name}");
            found.extend(self.nodes(&path));
            found.insert(path);
        }
        found
    }

    /// Nothing of any domain is left.
    fn assert_clean(&mut self) {
        self.run();
        self.sim.assert_pristine();
        let left = self.nodes("");
        let folders = ["/local", "/local/domain", "/vm", "/libxl", "/tool", "/tool/xenstored"];
        assert!(left.iter().all(|node| folders.contains(&node.as_str())), "{left:?}");
        assert_eq!(self.store.server().domains().count(), 1, "only our own book is open");
        assert_eq!(self.manager.iter().count(), 0);
    }
}

pub(crate) fn settings() -> Settings {
    let four = MemorySize::from_mib("memory", 4).unwrap();
    Settings {
        name: DomainName::new("web").unwrap(),
        uuid: UUID.parse().unwrap(),
        description: Text::default(),
        kind: Kind::Pv,
        boot: Boot::Direct { kernel: Text::new("kernel", "/boot/vmlinuz").unwrap(), ramdisk: None },
        command_line: CommandLine::default(),
        memory: Memory::new(four, four).unwrap(),
        vcpus: Vcpus::new(1, 2).unwrap(),
        affinity: Affinity::default(),
        soft_affinity: Affinity::default(),
        scheduling: Scheduling::default(),
        actions: Actions::default(),
        on_start: OnStart::Start,
        on_stop: OnStop::Shutdown,
        platform: Platform::default(),
        devices: Devices::default(),
    }
}

fn files() -> Files {
    static KERNEL: LazyLock<Vec<u8>> = LazyLock::new(|| Elf::pv().build());
    Files { kernel: Bytes::Static(&KERNEL), ramdisk: Bytes::Static(&[7; 5000]) }
}
