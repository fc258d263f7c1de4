//! Managed domains on a whole control plane: builder, XenStore, consoles, life cycle.

use std::collections::BTreeSet;
use std::rc::Rc;

use xendless_core::abi::errno::Errno;
use xendless_core::builder::{Cause, unpack};
use xendless_core::config::{
    Action, Actions, Affinity, Boot, CommandLine, CrashAction, Devices, DomainConfig, DomainName, Kind,
    Memory, MemorySize, OnStart, OnStop, Platform, Scheduling, Settings, Text, Vcpus,
};
use xendless_core::console::{Consoles, Limits};
use xendless_core::events::Scanner;
use xendless_core::hyper::{
    Access, Call, CreateDomain, DomId, DomainFlags, Domains, EventChannels, Fault, FaultInjector,
    ForeignMemory, Gfn, Grants, HvError, Port, Progress, Scheduler, ShutdownReason,
};
use xendless_core::life::{
    CreateError, Failure, Fate, Files, ManagedId, Manager, News, ShutdownError, State, Wish, World,
};
use xendless_core::rights::Rights;
use xendless_core::ring::console::FrontendEnd;
use xendless_core::ring::xenstore::GuestEnd;
use xendless_core::store::server::Server;
use xendless_core::store::service::{At, NoStream, Notice, RING_GRANT, Service, Site};
use xendless_core::store::transport::{Assembler, Frame, Outbox};
use xendless_core::store::wire::{Message, Request};
use xendless_tests::kernel::Elf;
use xendless_tests::sim::{SimDomain, SimHypervisor, SimMapping};

use crate::request;

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
    manager: Manager<Rc<[u8]>>,
    news: Vec<News>,
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

fn files() -> Files<Rc<[u8]>> {
    Files { kernel: Elf::pv().build().into(), ramdisk: vec![7; 5000].into() }
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
            news: Vec::new(),
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
        assert_eq!(rig.take_news(), [News::Started { id, domid }]);
        (rig, id, domid)
    }

    fn step(&mut self) -> Option<u64> {
        let events = self.sim.events(SimHypervisor::INITIAL);
        let mut scanner = Scanner::new();
        while let Some(port) = scanner.take(events.bits()) {
            let _ = self.consoles.signal(port) || self.store.signal(port);
        }
        let now = self.sim.now();
        let mut store = At { service: &mut self.store, site: &self.place };
        let mut world = World { hv: &*self.hv, consoles: &mut self.consoles, store: &mut store };
        let manager = self.manager.step(&mut world, now, |news| self.news.push(news));
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

    /// What a domain is answered on its ring, as type and payload without its last NUL.
    fn guest(&mut self, domid: DomId, request: &Request<'_>) -> String {
        let home = format!("/local/domain/{domid}/store");
        let [frame, port] = ["ring-ref", "port"]
            .map(|node| self.read(&format!("{home}/{node}")).unwrap().parse::<u32>().unwrap());
        let guest = self.sim.as_domain(domid);
        let page = guest.map_foreign(DomId::SELF, Gfn(frame.into())).unwrap();
        let mut ring = GuestEnd::attach(page).unwrap();
        let mut output = Outbox::new();
        output.push(Message::new(request.kind(), 1, 0, request.payload().unwrap()));
        output.flush(&mut ring).unwrap();
        guest.notify(Port(port)).unwrap();
        self.run();
        let Frame { header, payload } = Assembler::new().pull(&mut ring).unwrap().unwrap();
        format!("{} {}", header.kind, String::from_utf8_lossy(&payload).replace('\0', " ").trim_end())
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

#[test]
fn a_domain_may_do_in_the_store_what_its_rights_say_over_its_restarts() {
    for (rights, root, write) in [
        (Rights::Nothing, "ERROR EACCES", "ERROR EACCES"),
        (Rights::Observe, "DIRECTORY libxl", "ERROR EACCES"),
        (Rights::Children, "DIRECTORY libxl", "ERROR EACCES"),
        (Rights::Everything, "DIRECTORY libxl", "WRITE OK"),
    ] {
        let mut rig = Rig::new(None);
        let actions = Actions { reboot: Action::Restart, ..Actions::default() };
        let id = rig.create_with(Settings { actions, ..settings() }, rights).unwrap();
        for restarts in 0..2 {
            rig.run();
            let status = rig.manager.status(id).unwrap();
            let domid = status.domid.unwrap();
            assert_eq!((status.restarts, rig.manager.rights(domid)), (restarts, rights));
            let list = rig.guest(domid, &Request::Directory { path: b"/" });
            assert!(list.starts_with(root), "{rights}: {list}");
            assert_eq!(rig.guest(domid, &Request::Write { path: b"/x", value: b"" }), write, "{rights}");
            rig.sim.advance(61 * SECOND);
            rig.stop(domid, ShutdownReason::Reboot);
            assert_eq!(rig.manager.rights(domid), Rights::Nothing, "nobody has this number now");
        }
    }
}

#[test]
fn a_domain_is_made_found_and_taken_down() {
    let (mut rig, id, domid) = Rig::running(Actions::default());
    let info = rig.hv.domain_info(domid).unwrap();
    assert_eq!((info.pages, info.online_vcpus > 0, info.shutdown), (1024, true, None));
    assert!(!info.flags.contains(DomainFlags::PAUSED));
    assert_eq!(rig.manager.find("web"), Some(id));
    let home = format!("/local/domain/{domid}");
    for (node, value, perms) in [
        ("", "", format!("n0 r{domid}")),
        ("/name", "web", format!("n0 r{domid}")),
        ("/domid", &domid.to_string(), format!("n0 r{domid}")),
        ("/vm", &format!("/vm/{UUID}"), format!("n0 r{domid}")),
        ("/memory/target", "4096", format!("n0 r{domid}")),
        ("/cpu/0/availability", "online", format!("n0 r{domid}")),
        ("/cpu/1/availability", "offline", format!("n0 r{domid}")),
        ("/console/type", "xenconsoled", format!("n0 r{domid}")),
        ("/control/shutdown", "", format!("n{domid}")),
        ("/control/platform-feature-xs_reset_watches", "1", format!("n0 r{domid}")),
        ("/data", "", format!("n{domid}")),
    ] {
        let path = format!("{home}{node}");
        assert_eq!(rig.read(&path).as_deref(), Some(value), "{path}");
        assert_eq!(rig.perms(&path), perms, "{path}");
    }
    assert_eq!(rig.read(&format!("/vm/{UUID}/name")).as_deref(), Some("web"));
    assert_eq!(rig.perms(&format!("/libxl/{domid}/type")), "n0");
    assert!(rig.store.server().domains().any(|(known, conn)| known == domid && conn.is_some()));

    let number = |rig: &mut Rig, node: &str| {
        rig.read(&format!("{home}/console/{node}")).unwrap().parse::<u32>().unwrap()
    };
    let (frame, port) = (number(&mut rig, "ring-ref"), number(&mut rig, "port"));
    let guest = rig.sim.as_domain(domid);
    let page = guest.map_foreign(DomId::SELF, Gfn(frame.into())).unwrap();
    let mut ring = FrontendEnd::attach(page).unwrap();
    embedded_io::Write::write(&mut ring, b"hello").unwrap();
    guest.notify(Port(port)).unwrap();
    rig.run();
    let console = rig.manager.status(id).unwrap().console.unwrap();
    let viewer = rig.consoles.subscribe(console).unwrap();
    let mut screen = [0; 5];
    rig.consoles.read(viewer, &mut screen).unwrap();
    assert_eq!(&screen, b"hello");

    drop(ring);
    rig.manager.destroy(id);
    rig.run();
    assert_eq!(rig.take_news(), [News::Gone(id)]);
    assert_eq!(rig.manager.status(id), None);
    rig.assert_clean();
}

#[test]
fn each_reason_and_each_action() {
    let reasons =
        [ShutdownReason::Poweroff, ShutdownReason::Reboot, ShutdownReason::Crash, ShutdownReason::Watchdog];
    for reason in reasons {
        for action in [Action::Destroy, Action::Restart, Action::Preserve, Action::RenameRestart] {
            let mut actions = Actions::default();
            match reason {
                ShutdownReason::Poweroff => actions.poweroff = action,
                ShutdownReason::Reboot => actions.reboot = action,
                ShutdownReason::Crash => actions.crash = CrashAction::Plain(action),
                _ => actions.watchdog = CrashAction::Plain(action),
            }
            let (mut rig, id, domid) = Rig::running(actions);
            rig.sim.advance(61 * SECOND);
            rig.stop(domid, reason);
            let case = format!("{reason:?} {action:?}");
            check_action(&mut rig, id, domid, action, &case);
            for id in rig.manager.iter().map(|(id, _)| id).collect::<Vec<_>>() {
                rig.manager.destroy(id);
            }
            rig.assert_clean();
        }
    }
}

fn check_action(rig: &mut Rig, id: ManagedId, domid: DomId, action: Action, case: &str) {
    let news = rig.take_news();
    assert!(
        matches!(news[0], News::Stopped { decision, .. } if decision.fate == Fate::from(action)),
        "{case}"
    );
    let status = rig.manager.status(id);
    match action {
        Action::Destroy => assert_eq!((status, &news[1..]), (None, &[News::Gone(id)][..]), "{case}"),
        Action::Restart => {
            let status = status.unwrap();
            let new = status.domid.unwrap();
            assert_eq!((status.state, status.restarts), (State::Running, 1), "{case}");
            assert_ne!(new, domid);
            assert_eq!(news[1..], [News::Started { id, domid: new }], "{case}");
            assert_eq!(rig.read(&format!("/vm/{UUID}/name")).as_deref(), Some("web"));
            assert_eq!(rig.read(&format!("/local/domain/{domid}")), None, "{case}");
        }
        Action::Preserve => {
            let status = status.unwrap();
            assert_eq!((status.state, status.domid, news.len()), (State::Stopped, Some(domid), 1), "{case}");
        }
        Action::RenameRestart => {
            let [_, News::Renamed { kept, .. }, News::Started { domid: new, .. }] = news[..] else {
                panic!("{case}: {news:?}")
            };
            assert_eq!(rig.manager.status(kept).unwrap().state, State::Stopped, "{case}");
            assert_eq!(rig.manager.find(&format!("Domain-{UUID}")), Some(kept));
            assert_eq!((rig.manager.find("web"), new != domid), (Some(id), true), "{case}");
            assert_eq!(rig.read(&format!("/local/domain/{domid}/name")), Some(format!("Domain-{UUID}")));
            assert_eq!(rig.read(&format!("/local/domain/{new}/name")).as_deref(), Some("web"));
            assert_eq!(rig.read(&format!("/vm/{UUID}/name")).as_deref(), Some("web"));
            let vm = rig.read(&format!("/local/domain/{domid}/vm")).unwrap();
            assert_eq!(rig.read(&format!("{vm}/name")), Some(format!("Domain-{UUID}")));
            let handles = [domid, new].map(|domid| rig.hv.domain_info(domid).unwrap().handle);
            assert_ne!(handles[0], handles[1], "{case}");
        }
    }
}

#[test]
fn a_domain_that_crashes_at_once_is_not_restarted_for_ever() {
    for action in [Action::Restart, Action::RenameRestart] {
        let (mut rig, id, first) =
            Rig::running(Actions { crash: CrashAction::Plain(action), ..Actions::default() });
        rig.sim.advance(61 * SECOND);
        rig.stop(first, ShutdownReason::Crash);
        let second = rig.manager.status(id).unwrap().domid.unwrap();
        rig.take_news();
        rig.sim.advance(59 * SECOND);
        rig.stop(second, ShutdownReason::Crash);
        let news = rig.take_news();
        assert!(matches!(news[0], News::Stopped { decision, .. } if decision.too_soon));
        assert_eq!(news[1..], [News::Gone(id)]);
        assert_eq!(rig.manager.find("web"), None);
    }
}

#[test]
fn a_core_dump_that_is_asked_for_is_said_to_be_missing() {
    let actions = Actions { crash: CrashAction::CoredumpDestroy, ..Actions::default() };
    let (mut rig, id, domid) = Rig::running(actions);
    rig.stop(domid, ShutdownReason::Crash);
    let news = rig.take_news();
    assert!(
        matches!(news[0], News::Stopped { decision, .. } if decision.dump && decision.fate == Fate::Destroy)
    );
    assert_eq!(news[1..], [News::Gone(id)]);
    rig.assert_clean();
}

#[test]
fn shutdown_is_asked_for_by_a_node() {
    let (mut rig, id, domid) = Rig::running(Actions::default());
    for (wish, word) in [(Wish::Poweroff, "poweroff"), (Wish::Reboot, "reboot"), (Wish::Halt, "halt")] {
        let mut store = At { service: &mut rig.store, site: &rig.place };
        rig.manager.ask_shutdown(&mut store, id, wish).unwrap();
        let path = format!("/local/domain/{domid}/control/shutdown");
        assert_eq!(rig.read(&path).as_deref(), Some(word));
        assert_eq!(rig.perms(&path), format!("n{domid}"), "the domain can still take note of it");
    }
    rig.stop(domid, ShutdownReason::Poweroff);
    let mut store = At { service: &mut rig.store, site: &rig.place };
    let gone = rig.manager.ask_shutdown(&mut store, id, Wish::Poweroff);
    assert_eq!(gone, Err(ShutdownError::NoSuchDomain));
}

#[test]
fn attack_d04_a_create_that_fails_at_any_call_leaves_nothing() {
    let mut rig = Rig::new(None);
    rig.create(settings()).unwrap();
    rig.run();
    let calls = rig.hv.calls();
    assert!(calls > 30, "{calls}");
    let (mut failed, mut ran) = (0, 0);
    for errno in [Errno::ENOMEM, Errno::EINVAL] {
        for nth in 1..=calls {
            let mut rig = Rig::new(Some(Fault { call: None, nth, errno }));
            let id = rig.create(settings()).unwrap();
            rig.run();
            assert!(!rig.hv.is_armed());
            match rig.take_news()[..] {
                [News::Failed { .. }] => failed += 1,
                [News::Started { .. }] => {
                    ran += 1;
                    rig.manager.destroy(id);
                }
                ref other => panic!("call {nth}: {other:?}"),
            }
            rig.assert_clean();
        }
    }
    assert!(failed > 50 && ran < 10, "{failed} failed, {ran} ran all the same");
}

#[test]
fn a_hypervisor_that_will_not_destroy_at_once_is_asked_again() {
    let (mut rig, id, _) = Rig::running(Actions::default());
    let fault = Some(Fault { call: Some(Call::DomainDestroy), nth: 1, errno: Errno::EBUSY });
    rig.hv = Rc::new(FaultInjector::new(rig.sim.control(), fault));
    rig.manager.destroy(id);
    rig.run();
    let refusal = HvError::new(Call::DomainDestroy, Errno::EBUSY);
    assert_eq!(rig.take_news(), [News::Refused { id, refusal }, News::Gone(id)]);
    rig.assert_clean();
}

#[test]
fn two_hundred_rounds_leave_nothing() {
    let mut rig = Rig::new(None);
    for round in 0..200 {
        let id = rig.create(settings()).unwrap();
        rig.run();
        let domid = rig.manager.status(id).unwrap().domid.unwrap();
        match round % 3 {
            0 => rig.manager.destroy(id),
            1 => rig.stop(domid, ShutdownReason::Poweroff),
            _ => rig.stop(domid, ShutdownReason::Reboot),
        }
        rig.assert_clean();
    }
}

#[test]
fn attack_d06_a_create_is_called_off_at_every_step() {
    for stop_after in 0.. {
        let mut rig = Rig::new(None);
        let id = rig.create(settings()).unwrap();
        for _ in 0..stop_after {
            rig.step();
        }
        let ran = rig.manager.status(id).unwrap().state == State::Running;
        rig.manager.destroy(id);
        rig.run();
        assert_eq!(rig.manager.status(id), None);
        rig.assert_clean();
        if ran {
            assert!(stop_after > 10, "the work is cut into steps");
            return;
        }
    }
}

#[test]
fn names_and_uuids_belong_to_one_domain_and_come_back() {
    let (mut rig, id, _) = Rig::running(Actions::default());
    assert_eq!(rig.create(settings()), Err(CreateError::NameTaken));
    let name = DomainName::new("other").unwrap();
    assert_eq!(rig.create(Settings { name, ..settings() }), Err(CreateError::UuidTaken));
    rig.manager.destroy(id);
    rig.run();
    rig.create(settings()).unwrap();
}

#[test]
fn a_kernel_that_is_none_is_refused_with_the_reason() {
    let mut rig = Rig::new(None);
    let config = DomainConfig::new(settings()).unwrap();
    let files = Files { kernel: b"#!/bin/sh\n".to_vec().into(), ramdisk: Vec::new().into() };
    match rig.manager.create(&mut rig.consoles, config, Rights::Nothing, files) {
        Err(CreateError::Kernel(_)) => {}
        Ok(id) => {
            rig.run();
            let news = rig.take_news();
            assert!(
                matches!(news[..], [News::Failed { id: failed, why: Failure::Unpack(_) | Failure::Image(_) }] if failed == id)
            );
        }
        Err(other) => panic!("{other}"),
    }
    rig.assert_clean();
}

#[test]
fn a_host_without_memory_is_named() {
    let mut rig = Rig::new(None);
    let size = MemorySize::from_mib("memory", 64).unwrap();
    rig.create(Settings { memory: Memory::new(size, size).unwrap(), ..settings() }).unwrap();
    rig.run();
    let [News::Failed { why: Failure::Build(error), .. }] = rig.take_news()[..] else { panic!() };
    assert!(matches!(error.cause, Cause::HostMemory { wanted: 16_384, .. }));
    rig.assert_clean();
}

#[test]
fn attack_a17_a_number_that_was_taken_over_is_not_taken_for_ours() {
    let (mut rig, id, domid) = Rig::running(Actions::default());
    let control = rig.sim.control();
    // Somebody else destroys it, and its number goes to a domain that is not ours.
    rig.consoles.detach(&*rig.hv, rig.manager.status(id).unwrap().console.unwrap()).unwrap();
    rig.store.domain_died(&rig.place, domid);
    while control.destroy_domain(domid).unwrap() == Progress::Again {}
    let other = CreateDomain { domid: Some(domid), handle: [9; 16], ..request(Default::default()) };
    assert_eq!(control.create_domain(&other), Ok(domid));
    assert!(rig.manager.lost(domid));
    rig.run();
    assert_eq!(rig.take_news(), [News::Gone(id)]);
    assert!(rig.hv.domain_info(domid).is_ok(), "the newcomer lives");
    assert_eq!(rig.nodes("/vm"), BTreeSet::new());
    assert!(!rig.manager.lost(domid), "and is nobody's");
}

#[test]
fn a_rumour_of_death_changes_nothing() {
    let (mut rig, id, domid) = Rig::running(Actions::default());
    assert!(rig.manager.lost(domid));
    rig.run();
    assert_eq!(rig.take_news(), []);
    assert_eq!(rig.manager.status(id).unwrap().state, State::Running);
}

#[test]
fn a_pvh_domain_is_made_and_taken_down() {
    let mut rig = Rig::new(None);
    let id = rig.create(Settings { kind: Kind::Pvh, ..settings() }).unwrap();
    rig.run();
    let domid = rig.manager.status(id).unwrap().domid;
    let domid = domid.unwrap_or_else(|| panic!("{:?}", rig.news));
    assert!(rig.hv.domain_info(domid).unwrap().flags.contains(DomainFlags::HVM));
    assert_eq!(rig.read(&format!("/libxl/{domid}/type")).as_deref(), Some("pvh"));
    rig.manager.destroy(id);
    rig.assert_clean();
}
