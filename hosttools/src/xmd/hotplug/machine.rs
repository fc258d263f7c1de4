//! The machine itself: files, interfaces and scripts of this domain.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use super::children::Children;
use super::scripts::{Call, Ended, Scripts};
use crate::links::Links;

/// Where Linux shows what its backends made.
const BACKENDS: &str = "/sys/bus/xen-backend/devices";

/// This domain.
#[derive(Debug)]
pub(super) struct Machine {
    scripts: Children,
    /// The bridge for interfaces that name none.
    pub(super) bridge: Option<String>,
    /// The backend's devices.
    pub(super) backends: PathBuf,
    links: Option<Links>,
}

impl Machine {
    /// `scripts` is the folder of hotplug scripts.
    pub(super) fn new(scripts: PathBuf, bridge: Option<String>) -> Self {
        let scripts = Children::new(scripts);
        Self { scripts, bridge, backends: BACKENDS.into(), links: None }
    }

    /// The way to the kernel's interfaces, opened when it is first needed.
    pub(super) fn links(&mut self) -> io::Result<&mut Links> {
        match &mut self.links {
            Some(links) => Ok(links),
            none => Ok(none.insert(Links::open()?)),
        }
    }
}

impl Scripts for Machine {
    fn start(&mut self, call: Call) {
        self.scripts.start(call);
    }

    fn works_on(&self, home: &str) -> bool {
        self.scripts.work_on(home)
    }

    fn ended(&mut self) -> Option<Ended> {
        self.scripts.ended()
    }

    fn wait(&mut self, wire: BorrowedFd<'_>) -> io::Result<bool> {
        self.scripts.wait(wire)
    }
}
