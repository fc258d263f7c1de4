//! Hotplug on a XenStore of its own, with a machine that is made up.

mod bridges;
mod disks;
mod interfaces;
mod machine;
mod network;
mod scripts;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use xendless_core::store::client::Session;

use self::machine::Made;
use super::agent::Agent;
use super::stream::Stream;
use super::vbd::Disks;
use super::vif::Interfaces;
use crate::xenstored::Hosted;

type Client = Session<Stream<UnixStream>>;
type Working<'a, M = Made> = Agent<'a, Stream<UnixStream>, M>;

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

    /// A hotplug that has begun to watch.
    fn agent<'a, M: Disks + Interfaces>(&self, machine: &'a mut M) -> Working<'a, M> {
        Agent::new(Self::client(&self.dir.path().join("socket")), machine).unwrap()
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
    fn said<M: Disks + Interfaces>(&mut self, agent: &mut Working<'_, M>, home: &str) -> (String, String) {
        loop {
            if let Some(status) = self.read(home, "hotplug-status").filter(|status| !status.is_empty()) {
                return (status, self.read(home, "hotplug-error").unwrap_or_default());
            }
            agent.turn().unwrap();
        }
    }
}

/// Makes a hotplug script.
pub(super) fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn said(status: &str, error: &str) -> (String, String) {
    (status.to_owned(), error.to_owned())
}
