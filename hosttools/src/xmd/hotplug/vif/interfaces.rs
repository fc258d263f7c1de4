//! Network interfaces of this domain.

use std::{fs, io};

use super::super::machine::Machine;
use super::super::scripts::Scripts;
use super::Device;
use crate::links::{Address, Change, Link};

/// What hotplug does with this domain's interfaces.
pub(in super::super) trait Interfaces: Scripts {
    /// The interface that the driver made for a device, whatever it is called by now.
    fn of(&mut self, device: &Device<'_>) -> io::Result<Option<Link>>;

    /// The interface of this name.
    fn named(&mut self, name: &str) -> io::Result<Option<Link>>;

    /// All bridges, the oldest first.
    fn bridges(&mut self) -> io::Result<Vec<Link>>;

    /// The bridge for interfaces that name none, when this domain was told one.
    fn own_bridge(&self) -> Option<String>;

    /// Makes a bridge.
    fn make_bridge(&mut self, name: &str, address: Address) -> io::Result<()>;

    /// Changes an interface, by its index.
    fn change(&mut self, index: u32, change: Change<'_>) -> io::Result<()>;
}

impl Interfaces for Machine {
    fn of(&mut self, device: &Device<'_>) -> io::Result<Option<Link>> {
        let shown = self.backends.join(format!("vif-{}-{}/net", device.domain, device.handle));
        let mut names = match fs::read_dir(shown) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            names => names?,
        };
        let Some(name) = names.next().transpose()? else { return Ok(None) };
        self.links()?.named(&name.file_name().to_string_lossy())
    }

    fn named(&mut self, name: &str) -> io::Result<Option<Link>> {
        self.links()?.named(name)
    }

    fn bridges(&mut self) -> io::Result<Vec<Link>> {
        self.links()?.bridges()
    }

    fn own_bridge(&self) -> Option<String> {
        self.bridge.clone()
    }

    fn make_bridge(&mut self, name: &str, address: Address) -> io::Result<()> {
        self.links()?.make_bridge(name, address)
    }

    fn change(&mut self, index: u32, change: Change<'_>) -> io::Result<()> {
        self.links()?.change(index, change)
    }
}
