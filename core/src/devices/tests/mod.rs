//! Devices against a store that can be told to fail, and against backends and guests that do what they like.

mod attacks;
mod ends;
mod life;
mod refused;
mod vifs;
mod vtpms;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::config::Text;
use crate::config::devices::{Access, DiskFormat, DiskSource, DiskVia, Medium};
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
        self.nodes
            .keys()
            .filter(|path| path.contains("/vbd/") || path.contains("/vif/") || path.contains("/vtpm/"))
            .collect()
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
            self.outcomes.extend(outcome.map(|report| report.outcome));
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
