//! Hotplug on a XenStore of its own, with files and devices that are made up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use xendless_core::store::client::Session;

use super::agent::Agent;
use super::disks::{Disks, Held, Source, Why};
use super::stream::Stream;
use crate::loops::Identity;
use crate::xenstored::Hosted;

type Client = Session<Stream<UnixStream>>;

/// Files by their names, and what was done with them.
#[derive(Default)]
struct Made {
    files: BTreeMap<PathBuf, u64>,
    read_only: BTreeSet<PathBuf>,
    used_by_others: Option<String>,
    /// Devices that were made and what is behind them; the next is one more.
    devices: BTreeMap<PathBuf, u64>,
    done: Vec<String>,
}

impl Made {
    fn with(files: &[&str]) -> Self {
        let files = files.iter().zip(1..).map(|(name, number)| (PathBuf::from(name), number)).collect();
        Self { files, ..Self::default() }
    }
}

impl Disks for Made {
    fn open(&mut self, path: &Path, writes: bool) -> Result<Source, Why> {
        let number = self.files.get(path).ok_or_else(|| format!("{}: No such file", path.display()))?;
        if writes && self.read_only.contains(path) {
            return Err(format!("{}: Read-only file system", path.display()));
        }
        Ok(Source { file: File::open("/dev/null").unwrap(), identity: Identity::File(1, *number) })
    }

    fn used(&mut self, _: &Source, _: &Path, _: bool, _: &[PathBuf]) -> Option<Why> {
        self.used_by_others.clone()
    }

    fn hold(&mut self, source: &Source, path: &Path, writes: bool) -> Result<(Held, u64, PathBuf), Why> {
        let Identity::File(_, number) = source.identity else { unreachable!() };
        let device = PathBuf::from(format!("/dev/loop{}", self.devices.len()));
        self.devices.insert(device.clone(), number);
        self.done.push(format!("hold {} {}", path.display(), if writes { "w" } else { "r" }));
        Ok((Held::Device, rustix::fs::makedev(7, 0x1f), device))
    }

    fn find(&mut self, source: &Source, given: &Path) -> Option<Held> {
        let found = self.devices.get(given).map(|number| Identity::File(1, *number));
        (found == Some(source.identity)).then_some(Held::Device)
    }

    fn script(&mut self, script: &str, action: &str, home: &str) -> Result<(), Why> {
        self.done.push(format!("{script} {action} {home}"));
        if script == "block-bad" { Err("script block-bad: exit status: 1".into()) } else { Ok(()) }
    }
}

/// A XenStore in a thread, and someone who writes to it as the control domain would.
struct Store {
    dir: tempfile::TempDir,
    writer: Client,
}

impl Store {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        Hosted::spawn(&path).unwrap();
        let writer = Self::client(&path);
        Self { dir, writer }
    }

    /// A connection on which nothing is waited for longer than a test takes.
    fn client(path: &Path) -> Client {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Session::new(Stream(stream))
    }

    /// A hotplug that has begun to watch, as `run` does.
    fn agent<'a>(&self, disks: &'a mut Made) -> Agent<'a, Stream<UnixStream>, Made> {
        let mut session = Self::client(&self.dir.path().join("socket"));
        session.watch(b"backend", b"hotplug").unwrap();
        Agent::new(session, disks)
    }

    fn write(&mut self, home: &str, nodes: &[(&str, &str)]) {
        self.writer
            .transaction(|tx| {
                nodes.iter().try_for_each(|(name, value)| {
                    tx.write(format!("{home}/{name}").as_bytes(), value.as_bytes())
                })
            })
            .unwrap();
    }

    fn disk(&mut self, home: &str, params: &str, mode: &str) {
        self.write(home, &[("params", params), ("mode", mode), ("online", "1"), ("state", "1")]);
    }

    fn read(&mut self, home: &str, name: &str) -> Option<String> {
        let value = self.writer.nodes().read(format!("{home}/{name}").as_bytes()).ok()?;
        Some(String::from_utf8(value).unwrap())
    }

    fn remove(&mut self, path: &str) {
        self.writer.nodes().remove(path.as_bytes()).unwrap();
    }

    /// Lets hotplug work until it has said something of a device; gives that.
    fn said(&mut self, agent: &mut Agent<'_, Stream<UnixStream>, Made>, home: &str) -> (String, String) {
        loop {
            if let Some(status) = self.read(home, "hotplug-status") {
                return (status, self.read(home, "hotplug-error").unwrap_or_default());
            }
            agent.turn().unwrap();
        }
    }
}

const A: &str = "backend/vbd/7/51712";
const B: &str = "backend/vbd/8/51712";

fn said(status: &str, error: &str) -> (String, String) {
    (status.to_owned(), error.to_owned())
}

#[test]
fn a_file_becomes_a_device_and_its_backend_learns_the_number() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/a"]));
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/a", "w");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    assert_eq!(store.read(A, "physical-device").as_deref(), Some("7:1f"));
    assert_eq!(store.read(A, "physical-device-path").as_deref(), Some("/dev/loop0"));
    // Its end: the control domain says so, the driver has closed it.
    store.write(A, &[("online", "0"), ("state", "5")]);
    agent.turn().unwrap();
    assert!(store.read(A, "hotplug-status").is_some(), "the driver has it still");
    store.write(A, &[("state", "6")]);
    while store.read(A, "hotplug-status").is_some() {
        agent.turn().unwrap();
    }
    assert_eq!(store.read(A, "physical-device"), None);
    drop(agent);
    assert_eq!(disks.done, ["hold /a w"]);
}

#[test]
fn what_is_not_there_or_cannot_be_written_is_said() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/ro"]));
    disks.read_only.insert("/ro".into());
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/missing", "r");
    assert_eq!(store.said(&mut agent, A), said("error", "/missing: No such file"));
    store.disk(B, "/ro", "w");
    assert_eq!(store.said(&mut agent, B), said("error", "/ro: Read-only file system"));
    drop(agent);
    assert!(disks.done.is_empty());
}

#[test]
fn attack_c04_what_is_to_be_read_is_opened_for_reading_only() {
    for (mode, wanted) in [("r", "hold /a r"), ("", "hold /a r"), ("rw", "hold /a r"), ("w", "hold /a w")] {
        let (mut store, mut disks) = (Store::new(), Made::with(&["/a"]));
        let mut agent = store.agent(&mut disks);
        store.disk(A, "/a", mode);
        assert_eq!(store.said(&mut agent, A), said("connected", ""));
        drop(agent);
        assert_eq!(disks.done, [wanted], "{mode}");
    }
}

#[test]
fn the_same_file_is_not_written_by_two_whatever_it_is_called() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/a"]));
    disks.files.insert("/link".into(), 1);
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/a", "w");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    for mode in ["w", "r"] {
        store.disk(B, "/link", mode);
        assert_eq!(store.said(&mut agent, B), said("busy", "/link is used by domain 7"));
        store.remove("backend/vbd/8");
    }
    store.disk(B, "/link", "w!");
    assert_eq!(store.said(&mut agent, B), said("connected", ""));
    // Readers do not disturb each other.
    store.remove("backend/vbd/8");
    store.remove("backend/vbd/7");
    for home in [A, B] {
        store.disk(home, "/a", "r");
        assert_eq!(store.said(&mut agent, home), said("connected", ""));
    }
}

#[test]
fn what_somebody_else_in_this_domain_uses_is_not_given_away() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/a"]));
    disks.used_by_others = Some("/a is mounted".into());
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/a", "w");
    assert_eq!(store.said(&mut agent, A), said("busy", "/a is mounted"));
}

#[test]
fn one_that_was_killed_finds_everything_again() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/a", "/b"]));
    let mut agent = store.agent(&mut disks);
    store.disk(A, "/a", "w");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    drop(agent);
    // While nobody looks, another device comes that wants the same, and one that is all right.
    store.disk("backend/vbd/6/1", "/a", "w");
    store.disk(B, "/b", "w");
    let mut agent = store.agent(&mut disks);
    assert_eq!(store.said(&mut agent, B), said("connected", ""));
    assert_eq!(store.said(&mut agent, "backend/vbd/6/1"), said("busy", "/a is used by domain 7"));
    drop(agent);
    assert_eq!(disks.done, ["hold /a w", "hold /b w"], "the first one was not made again");
    // A device that went with its process is made again.
    disks.devices.clear();
    let mut agent = store.agent(&mut disks);
    agent.turn().unwrap();
    drop(agent);
    assert_eq!(disks.done[2..], ["hold /a w", "hold /b w"]);
}

#[test]
fn an_empty_drive_is_ready_at_once_and_a_disc_comes_later() {
    let (mut store, mut disks) = (Store::new(), Made::with(&["/disc"]));
    let mut agent = store.agent(&mut disks);
    store.disk(A, "", "r");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    assert_eq!(store.read(A, "physical-device"), None);
    store.remove("backend/vbd/7");
    store.disk(A, "/disc", "r");
    assert_eq!(store.said(&mut agent, A), said("connected", ""));
    assert!(store.read(A, "physical-device").is_some());
}

#[test]
fn a_script_does_its_work_itself() {
    let (mut store, mut disks) = (Store::new(), Made::default());
    let mut agent = store.agent(&mut disks);
    store.write(A, &[("script", "block-drbd")]);
    store.disk(A, "r0", "w");
    while store.read(A, "state").is_some() {
        agent.turn().unwrap();
        // The script of this test says nothing; its end is what is seen of it.
        store.remove(A);
    }
    agent.turn().unwrap();
    store.write(B, &[("script", "block-bad")]);
    store.disk(B, "r0", "w");
    assert_eq!(store.said(&mut agent, B), said("error", "script block-bad: exit status: 1"));
    drop(agent);
    let wanted =
        [format!("block-drbd add {A}"), format!("block-drbd remove {A}"), format!("block-bad add {B}")];
    assert_eq!(disks.done, wanted);
}
