//! Devices against a store that can be told to fail, and against backends and guests that do what they like.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::config::Text;
use crate::config::devices::{DiskSource, DiskVia};
use crate::rights::Rights;
use crate::store::service::{Local, Refused};
use crate::store::wire::Request;

const FRONT: DomId = DomId(7);
const BACK: DomId = DomId(1);
const BACKEND: Backend = Backend { domid: BACK, handle: [1; 16] };
const HOME: &str = "/local/domain/1/backend/vbd/7/51712";
const FRONTEND: &str = "/local/domain/7/device/vbd/51712";
const SECOND: u64 = 1_000_000_000;

/// Nodes, and at which request the store fails, and how.
#[derive(Default)]
struct Store {
    nodes: BTreeMap<String, Vec<u8>>,
    perms: BTreeMap<String, String>,
    watches: BTreeMap<String, Vec<u8>>,
    events: VecDeque<Vec<u8>>,
    asked: usize,
    fail: Option<(usize, Refused)>,
}

impl Store {
    /// A store in which both domains have their homes.
    fn new() -> Self {
        let mut store = Self::default();
        for home in ["/local/domain/1", "/local/domain/7", "/libxl/7"] {
            store.nodes.insert(home.to_string(), Vec::new());
        }
        store
    }

    fn set(&mut self, path: &str, value: &str) {
        self.nodes.insert(path.to_string(), value.as_bytes().to_vec());
        self.tell(path);
    }

    fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.nodes.retain(|node, _| node != path && !node.starts_with(&below));
        self.tell(path);
    }

    fn tell(&mut self, path: &str) {
        for (watched, token) in &self.watches {
            if path.starts_with(watched.as_str()) || watched.starts_with(path) {
                self.events.push_back(token.clone());
            }
        }
    }

    fn get(&self, path: &str) -> Option<&str> {
        self.nodes.get(path).map(|value| core::str::from_utf8(value).unwrap())
    }

    fn left(&self) -> Vec<&String> {
        self.nodes.keys().filter(|path| path.contains("/vbd/")).collect()
    }
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap()
}

impl Local for Store {
    fn ask(&mut self, request: &Request<'_>) -> Result<(), Refused> {
        self.query(request).map(drop)
    }

    fn query(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Refused> {
        self.asked += 1;
        if let Some((_, refused)) = self.fail.filter(|(at, _)| *at == self.asked) {
            return Err(refused);
        }
        let missing = Err(Refused::Error(XsError::ENOENT));
        match request {
            Request::Write { path, value } => {
                self.set(text(path), text(value));
                // Parents come by themselves.
                let mut path = text(path);
                while let Some((parent, _)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
                    self.nodes.entry(parent.to_string()).or_default();
                    path = parent;
                }
            }
            Request::SetPerms { path, perms } => {
                self.perms.insert(text(path).to_string(), format!("{perms:?}"));
            }
            Request::Read { path } => {
                return self.nodes.get(text(path)).cloned().map_or(missing, Ok);
            }
            Request::Rm { path } => self.remove(text(path)),
            Request::Watch { path, token, .. } => {
                self.watches.insert(text(path).to_string(), token.to_vec());
                self.events.push_back(token.to_vec());
            }
            Request::Unwatch { path, .. } => {
                if self.watches.remove(text(path)).is_none() {
                    return missing;
                }
            }
            other => unreachable!("{other:?}"),
        }
        Ok(Vec::new())
    }

    fn event(&mut self) -> Option<Vec<u8>> {
        self.events.pop_front()
    }

    fn grant(&mut self, _: DomId, _: Rights) -> Result<(), Refused> {
        Ok(())
    }

    fn domain_shutdown(&mut self, _: DomId) {}

    fn domain_died(&mut self, _: DomId) {}
}

struct World {
    store: Store,
    devices: Devices,
    now: u64,
    outcomes: Vec<Outcome>,
}

impl World {
    fn new() -> Self {
        Self { store: Store::new(), devices: Devices::new(DomId(0)), now: 0, outcomes: Vec::new() }
    }

    /// Works until there is nothing to do now.
    fn run(&mut self) {
        for _ in 0..1000 {
            let outcome = self.devices.step(&mut self.store, self.now);
            self.outcomes.extend(outcome.map(|(_, outcome)| outcome));
            let due = self.devices.due(self.now);
            if self.store.events.is_empty() && due.is_none_or(|due| due > self.now) {
                return;
            }
        }
        panic!("it never rests");
    }

    /// Lets time pass until there is nothing to wait for.
    fn wait(&mut self) {
        self.run();
        while let Some(due) = self.devices.due(self.now) {
            self.now = self.now.max(due);
            self.run();
        }
    }

    fn came(&mut self) -> Vec<Outcome> {
        core::mem::take(&mut self.outcomes)
    }

    /// The backend's driver and its hotplug do what they should.
    fn serve(&mut self) {
        self.store.set(&format!("{HOME}/state"), "2");
        self.store.set(&format!("{HOME}/hotplug-status"), "connected");
        self.run();
    }

    /// And when it ends.
    fn let_go(&mut self) {
        self.store.set(&format!("{HOME}/state"), "6");
        self.store.remove(&format!("{HOME}/hotplug-status"));
        self.run();
    }

    /// A disk that works.
    fn with_disk(disk: Disk) -> (Self, DeviceName) {
        let mut world = Self::new();
        let name = world.devices.attach(FRONT, BACKEND, disk).unwrap();
        world.run();
        world.serve();
        assert_eq!(world.came(), [Outcome::Connected]);
        (world, name)
    }

    fn assert_nothing_left(&self) {
        assert_eq!(self.store.left(), Vec::<&String>::new());
        assert!(self.store.watches.is_empty() && self.devices.devices.is_empty());
        assert_eq!(self.devices.due(self.now), None, "and nothing is waited for");
    }
}

fn disk(target: &str, access: Access) -> Disk {
    let target = Text::filled("disk", target).unwrap();
    let source = DiskSource { via: DiskVia::File, format: DiskFormat::Raw, target, script: None };
    Disk { vdev: "xvda".parse().unwrap(), access, medium: Medium::Disk(source), backend: None }
}

fn drive(target: Option<&str>) -> Disk {
    let source = target.map(|target| disk(target, Access::ReadOnly).medium.source().cloned().unwrap());
    Disk { medium: Medium::Cdrom(source), ..disk("/x", Access::ReadOnly) }
}

#[test]
fn both_ends_are_made_with_their_rights_and_states_come_last() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
    world.run();
    let value = |path: String| world.store.get(&path).map(str::to_string);
    for (name, wanted) in [
        ("frontend", FRONTEND),
        ("frontend-id", "7"),
        ("online", "1"),
        ("state", "1"),
        ("dev", "xvda"),
        ("mode", "w"),
        ("type", "file"),
        ("params", "/a.img"),
        ("device-type", "disk"),
        ("removable", "0"),
    ] {
        assert_eq!(value(format!("{HOME}/{name}")).as_deref(), Some(wanted), "{name}");
    }
    for (name, wanted) in
        [("backend", HOME), ("backend-id", "1"), ("state", "1"), ("virtual-device", "51712")]
    {
        assert_eq!(value(format!("{FRONTEND}/{name}")).as_deref(), Some(wanted), "{name}");
    }
    assert_eq!(world.store.perms[HOME], "[n1, r7]");
    assert_eq!(world.store.perms[FRONTEND], "[n7, r1]");
    assert_eq!(world.store.perms["/libxl/7/device/vbd/51712"], "[n0, r0]");
    let nodes = nodes::disk(
        &DeviceName::first(FRONT, Class::Vbd),
        BACK,
        DomId(0),
        &disk("/a.img", Access::ReadWrite),
    );
    let at = |what: &str| nodes.iter().position(|node| node.path.ends_with(what)).unwrap();
    assert!(at("/state") > at("/params").max(at("/device-type")).max(at("/virtual-device")));
}

#[test]
fn it_works_when_hotplug_and_driver_are_ready_and_not_before() {
    for order in [["2", "connected"], ["connected", "2"]] {
        let mut world = World::new();
        world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        for value in order {
            world.run();
            assert_eq!(world.came(), []);
            assert!(!world.devices.all_work(FRONT));
            let node = if value == "2" { "state" } else { "hotplug-status" };
            world.store.set(&format!("{HOME}/{node}"), value);
        }
        world.run();
        assert_eq!(world.came(), [Outcome::Connected]);
        assert!(world.devices.all_work(FRONT));
        assert_eq!(world.devices.due(world.now), None, "an idle device costs nothing");
    }
}

#[test]
fn what_hotplug_complains_of_is_said_and_nothing_is_left() {
    let complaint = |status: &str, error: Option<&str>| {
        let mut world = World::new();
        world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        world.run();
        error.into_iter().for_each(|error| world.store.set(&format!("{HOME}/hotplug-error"), error));
        world.store.set(&format!("{HOME}/hotplug-status"), status);
        world.wait();
        world.assert_nothing_left();
        world.came()
    };
    let detail = |text: &str| Detail::new(text.as_bytes());
    let why = "/a.img: No such file or directory";
    assert_eq!(complaint("error", Some(why)), [Outcome::Failed(Problem::Backend(detail(why)))]);
    assert_eq!(complaint("error", None), [Outcome::Failed(Problem::Backend(detail("")))]);
    assert_eq!(complaint("busy", Some("x")), [Outcome::Failed(Problem::Taken(detail("x")))]);
}

#[test]
fn who_does_not_answer_is_named_after_a_bounded_time() {
    for prepared in [false, true] {
        let mut world = World::new();
        world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        world.run();
        if prepared {
            world.store.set(&format!("{HOME}/hotplug-status"), "connected");
        }
        world.wait();
        assert_eq!(world.came(), [Outcome::Failed(Problem::NoAnswer { back: BACK, prepared })]);
        assert!(world.now <= CONNECT_NS + RELEASE_NS);
        world.assert_nothing_left();
    }
}

#[test]
fn a_driver_that_gives_up_says_why() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
    world.run();
    world.store.set("/local/domain/1/error/backend/vbd/7/51712/error", "19 creating vbd structure");
    world.store.set(&format!("{HOME}/state"), "5");
    world.store.set(&format!("{HOME}/hotplug-status"), "connected");
    world.wait();
    let why = Detail::new(b"19 creating vbd structure");
    assert_eq!(world.came(), [Outcome::Failed(Problem::Backend(why))]);
    world.store.remove("/local/domain/1/error");
    world.assert_nothing_left();
}

#[test]
fn a_guest_is_asked_to_let_go_and_then_nothing_is_left() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.run();
    assert_eq!(world.store.get(&format!("{HOME}/online")), Some("0"));
    assert_eq!(world.store.get(&format!("{HOME}/state")), Some("5"));
    assert!(world.store.get(FRONTEND).is_some(), "the guest still has it");
    world.store.set(&format!("{HOME}/state"), "6");
    world.run();
    assert_eq!(world.came(), [], "its loop device is still there");
    world.let_go();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn a_backend_that_connects_meanwhile_is_told_again() {
    for force in [false, true] {
        let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
        world.devices.detach(name, force).unwrap();
        world.run();
        for state in ["3", "4"] {
            world.store.set(&format!("{HOME}/state"), state);
            world.run();
            assert_eq!(world.store.get(&format!("{HOME}/state")), Some("5"), "{force}");
        }
        world.let_go();
        assert_eq!(world.came(), [Outcome::Gone]);
        world.assert_nothing_left();
    }
}

#[test]
fn attack_c03_a_guest_that_never_lets_go_costs_a_bounded_time_and_force_works() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.wait();
    assert_eq!(world.came(), [Outcome::Held(Problem::Held)]);
    assert_eq!(world.now, CLOSE_NS);
    world.devices.detach(name, true).unwrap();
    world.run();
    assert!(world.store.get(FRONTEND).is_none(), "the guest has lost it");
    world.let_go();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn a_guest_that_lets_go_late_is_waited_for_without_a_timer() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.wait();
    world.came();
    assert_eq!(world.devices.due(world.now), None);
    world.now += 5000 * SECOND;
    world.let_go();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn a_backend_that_never_lets_go_is_told_from_a_guest_and_force_is_over_soon() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.store.set(&format!("{FRONTEND}/state"), "6");
    world.wait();
    assert_eq!(world.came(), [Outcome::Held(Problem::Kept(BACK))]);
    let then = world.now;
    world.devices.detach(name, true).unwrap();
    world.wait();
    assert_eq!(world.came(), [Outcome::Gone]);
    assert_eq!(world.now, then + RELEASE_NS);
    world.assert_nothing_left();
}

#[test]
fn attack_c02_nonsense_of_either_end_is_no_state_and_force_still_works() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    let huge = "9".repeat(4000);
    for state in ["99", "", "six", "-6", "6 ", &huge] {
        world.store.set(&format!("{FRONTEND}/state"), state);
        world.store.set(&format!("{HOME}/state"), state);
        world.store.remove(&format!("{HOME}/hotplug-status"));
        world.run();
        assert_eq!(world.came(), [], "{state}");
    }
    world.devices.detach(name, true).unwrap();
    world.wait();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn attack_c01_what_the_guest_writes_about_its_backend_decides_nothing() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    let victim = "/local/domain/3/backend/vbd/9/51712";
    world.store.set("/local/domain/3", "");
    world.store.set(&format!("{victim}/state"), "4");
    world.store.set(&format!("{FRONTEND}/backend"), victim);
    world.store.set(&format!("{FRONTEND}/backend-id"), "3");
    world.devices.detach(name, true).unwrap();
    world.run();
    world.let_go();
    assert_eq!(world.store.get(&format!("{victim}/state")), Some("4"));
    assert_eq!(world.store.get(&format!("{victim}/online")), None);
    assert!(world.store.get(HOME).is_none());
}

#[test]
fn the_same_disk_is_not_written_by_two() {
    let (mut world, _) = World::with_disk(disk("/a.img", Access::ReadWrite));
    let mut refused = |access, target: &str, backend| {
        let other = world.devices.attach(DomId(8), backend, disk(target, access));
        if let Ok(name) = other {
            world.devices.detach(name, true).unwrap();
            world.run();
        }
        other.err().map(|error| error.to_string())
    };
    let used = Some("The file \"/a.img\" is already used".to_string());
    assert_eq!(refused(Access::ReadWrite, "/a.img", BACKEND), used);
    assert_eq!(refused(Access::ReadOnly, "/a.img", BACKEND), used);
    assert_eq!(refused(Access::ReadWriteShared, "/a.img", BACKEND), None);
    assert_eq!(refused(Access::ReadWrite, "/b.img", BACKEND), None);
    let elsewhere = Backend { domid: DomId(2), handle: [2; 16] };
    assert_eq!(refused(Access::ReadWrite, "/a.img", elsewhere), None, "that is another domain's file");
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    let problem = |outcome: Result<DeviceName, DeviceError>| outcome.unwrap_err().problem;
    let nodes = world.store.nodes.clone();
    assert_eq!(
        problem(world.devices.attach(FRONT, BACKEND, disk("/b.img", Access::ReadWrite))),
        Problem::Exists
    );
    let own = Backend { domid: FRONT, handle: [7; 16] };
    let other = Disk { vdev: "xvdb".parse().unwrap(), ..disk("/b.img", Access::ReadWrite) };
    assert!(matches!(problem(world.devices.attach(FRONT, own, other)), Problem::Unsupported(_)));
    assert_eq!(problem(world.devices.change(FRONT, drive(None))), Problem::Fixed);
    let missing = DeviceName { id: 1, ..name };
    assert_eq!(world.devices.detach(missing, true).unwrap_err().problem, Problem::Missing);
    world.run();
    assert_eq!(world.store.nodes, nodes);
    world.devices.detach(name, false).unwrap();
    assert_eq!(world.devices.detach(name, false).unwrap_err().problem, Problem::Busy);
}

#[test]
fn a_domain_has_a_bounded_number_of_disks() {
    let mut world = World::new();
    let mut attach = |number: u32| {
        let vdev = crate::config::devices::VirtualDevice::from_number(number).unwrap();
        let target = format!("/{number}");
        world.devices.attach(FRONT, BACKEND, Disk { vdev, ..disk(&target, Access::ReadOnly) })
    };
    assert!((0..256).all(|number| attach(number).is_ok()));
    assert_eq!(attach(256).unwrap_err().problem, Problem::Full);
}

#[test]
fn attack_c04_only_a_mode_with_a_w_can_be_written_and_a_disc_never_has_one() {
    let mode = |disk: Disk| {
        let mut world = World::new();
        world.devices.attach(FRONT, BACKEND, disk).unwrap();
        world.run();
        world.store.get(&format!("{HOME}/mode")).unwrap().to_string()
    };
    assert_eq!(mode(disk("/a", Access::ReadOnly)), "r");
    assert_eq!(mode(disk("/a", Access::ReadWrite)), "w");
    assert_eq!(mode(disk("/a", Access::ReadWriteShared)), "w!");
    assert_eq!(mode(Disk { access: Access::ReadWrite, ..drive(Some("/a")) }), "r");
}

#[test]
fn another_disc_comes_into_a_drive() {
    let (mut world, name) = World::with_disk(drive(None));
    world.devices.change(FRONT, drive(Some("/disc.iso"))).unwrap();
    world.run();
    world.let_go();
    assert_eq!(world.store.left(), Vec::<&String>::new(), "its guest is to see that it went");
    world.now += AWAY_NS;
    world.run();
    assert_eq!(world.store.get(&format!("{HOME}/params")), Some("/disc.iso"));
    world.serve();
    assert_eq!(world.came(), [Outcome::Changed]);
    assert_eq!(world.devices.disk(&name), Some(&drive(Some("/disc.iso"))));
}

#[test]
fn a_disc_that_does_not_work_leaves_the_old_one_in_the_drive() {
    let (mut world, name) = World::with_disk(drive(Some("/old.iso")));
    world.devices.change(FRONT, drive(Some("/new.iso"))).unwrap();
    world.run();
    world.let_go();
    world.now += AWAY_NS;
    world.run();
    world.store.set(&format!("{HOME}/hotplug-status"), "error");
    world.run();
    world.let_go();
    world.now += AWAY_NS;
    world.run();
    assert_eq!(world.store.get(&format!("{HOME}/params")), Some("/old.iso"));
    world.serve();
    assert!(matches!(world.came()[..], [Outcome::NotChanged(Problem::Backend(_))]));
    assert_eq!(world.devices.disk(&name), Some(&drive(Some("/old.iso"))));
}

#[test]
fn what_a_domain_served_goes_with_it_and_comes_again() {
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.backend_ended(BACK);
    world.store.remove("/local/domain/1");
    world.run();
    assert_eq!(world.came(), [Outcome::Lost]);
    assert_eq!(world.store.left(), Vec::<&String>::new());
    world.devices.backend_runs(Backend { domid: DomId(9), handle: [2; 16] });
    world.run();
    assert_eq!(world.store.left(), Vec::<&String>::new(), "that is somebody else");
    world.devices.backend_runs(Backend { domid: DomId(9), handle: BACKEND.handle });
    world.run();
    assert_eq!(world.store.get(&format!("{FRONTEND}/backend-id")), Some("9"));
    let home = "/local/domain/9/backend/vbd/7/51712";
    world.store.set(&format!("{home}/hotplug-status"), "connected");
    world.store.set(&format!("{home}/state"), "2");
    world.run();
    assert_eq!(world.came(), [Outcome::Connected]);
    world.devices.detach(name, true).unwrap();
    world.wait();
    world.assert_nothing_left();
}

#[test]
fn a_backend_that_ends_is_no_reason_to_wait() {
    let mut world = World::new();
    world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
    world.run();
    world.devices.backend_ended(BACK);
    world.run();
    assert_eq!(world.came(), [Outcome::Failed(Problem::BackendGone(BACK))]);
    world.assert_nothing_left();
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.detach(name, false).unwrap();
    world.run();
    world.devices.backend_ended(BACK);
    world.run();
    assert_eq!(world.came(), [Outcome::Gone]);
    world.assert_nothing_left();
}

#[test]
fn a_domain_that_ends_has_nothing_any_more_in_bounded_time() {
    for phase in 0..4 {
        let mut world = World::new();
        let name = world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        match phase {
            0 => {}
            1 => world.run(),
            2 | 3 => {
                world.run();
                world.serve();
                if phase == 3 {
                    world.devices.detach(name, false).unwrap();
                    world.run();
                }
            }
            _ => unreachable!(),
        }
        assert!(!world.devices.close(FRONT));
        world.wait();
        assert!(world.devices.close(FRONT), "{phase}");
        assert!(world.now <= RELEASE_NS);
        world.assert_nothing_left();
    }
}

#[test]
fn a_device_nobody_waits_for_is_taken_back() {
    let mut world = World::new();
    let name = world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
    world.run();
    world.devices.withdraw(name);
    world.wait();
    assert_eq!(world.came(), [Outcome::Failed(Problem::Withdrawn)]);
    world.assert_nothing_left();
    let (mut world, name) = World::with_disk(disk("/a.img", Access::ReadWrite));
    world.devices.withdraw(name);
    world.wait();
    assert_eq!(world.came(), [], "one that works stays");
}

/// Each request of an attach and of a detach fails once, for the moment or for good.
#[test]
fn every_refusal_of_the_store_is_got_over_or_taken_back() {
    let course = |fail| {
        let mut world = World::new();
        world.store.fail = fail;
        let name = world.devices.attach(FRONT, BACKEND, disk("/a.img", Access::ReadWrite)).unwrap();
        for _ in 0..3 {
            world.now += RELEASE_NS;
            world.run();
        }
        if world.store.get(HOME).is_some() {
            world.serve();
            world.now += RELEASE_NS;
            world.run();
        }
        let connected = world.came();
        if world.devices.detach(name, false).is_ok() {
            for _ in 0..3 {
                world.now += SECOND;
                world.run();
            }
            if world.store.get(HOME).is_some() {
                world.let_go();
            }
        }
        world.wait();
        // What could not be removed when it had to be is all that may be left.
        (connected, world)
    };
    let (_, clean) = course(None);
    let requests = clean.store.asked;
    assert!(requests > 40, "{requests}");
    for at in 1..=requests {
        let (connected, world) = course(Some((at, Refused::Later)));
        assert_eq!(connected, [Outcome::Connected], "request {at}");
        world.assert_nothing_left();
        let (connected, world) = course(Some((at, Refused::Error(XsError::ENOMEM))));
        let failed = Outcome::Failed(Problem::Store(XsError::ENOMEM));
        assert!(
            matches!(&connected[..], [one] if *one == failed || *one == Outcome::Connected),
            "request {at}: {connected:?}"
        );
        assert!(world.devices.devices.is_empty() && world.devices.due(world.now).is_none(), "{at}");
    }
}

#[test]
fn attack_c05_numbers_at_their_limits_are_numbers_or_refused() {
    use crate::config::devices::VirtualDevice;
    for odd in ["536870912", "4294967295", "4294967296", "-1", "0x20000000", "99999999999999999999"] {
        assert!(odd.parse::<VirtualDevice>().is_err(), "{odd}");
    }
    let vdev: VirtualDevice = "536870911".parse().unwrap();
    let highest = Disk { vdev, ..disk("/a.img", Access::ReadWrite) };
    let mut world = World::new();
    let name = world.devices.attach(FRONT, BACKEND, highest.clone()).unwrap();
    world.run();
    assert_eq!(
        world.devices.of(FRONT, Class::Vbd).map(|(name, _)| name.id).collect::<Vec<_>>(),
        [536_870_911]
    );
    world.devices.detach(name, true).unwrap();
    world.wait();
    world.assert_nothing_left();
    // Nor does one come in by another way.
    let mut bytes = highest.encode().unwrap();
    assert_eq!(Disk::decode(&bytes), Ok(highest));
    let number = bytes.windows(5).position(|five| five == [0xff, 0xff, 0xff, 0xff, 0x01]).unwrap();
    bytes[number + 4] = 0x0f;
    assert!(Disk::decode(&bytes).is_err());
}
