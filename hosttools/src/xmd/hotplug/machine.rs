//! The machine itself: files, interfaces and scripts of this domain.

use std::io;
use std::path::PathBuf;

use super::class::Why;
use super::scripts::{self, Call, Scripts};
use crate::links::Links;

/// Where Linux shows what its backends made.
const BACKENDS: &str = "/sys/bus/xen-backend/devices";

/// This domain.
#[derive(Debug)]
pub(super) struct Machine {
    scripts: PathBuf,
    /// The bridge for interfaces that name none.
    pub(super) bridge: Option<String>,
    /// The backend's devices.
    pub(super) backends: PathBuf,
    links: Option<Links>,
}

impl Machine {
    /// `scripts` is the folder of hotplug scripts.
    pub(super) fn new(scripts: PathBuf, bridge: Option<String>) -> Self {
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
    fn script(&mut self, call: &Call<'_>) -> Result<(), Why> {
        scripts::run(&self.scripts, call)
    }
}
