//! A machine that is made up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::super::class::Why;
use super::super::scripts::{Call, Ended, Scripts};
use super::super::vbd::{Disks, Held, Source};
use super::super::vif::{Device, Interfaces};
use crate::links::{Address, Change, Link};
use crate::loops::Identity;

/// Files by their names, and what was done with them.
#[derive(Default)]
pub(super) struct Made {
    pub(super) files: BTreeMap<PathBuf, u64>,
    pub(super) read_only: BTreeSet<PathBuf>,
    pub(super) used_by_others: Option<String>,
    /// Devices that were made and what is behind them; the next is one more.
    pub(super) devices: BTreeMap<PathBuf, u64>,
    pub(super) done: Vec<String>,
    /// Scripts that take no time.
    pub(super) ended: VecDeque<Ended>,
    /// Interfaces, by the names that they were made under.
    pub(super) links: Vec<(String, Link)>,
    pub(super) own_bridge: Option<String>,
    /// An interface that is changed goes when so much was done.
    pub(super) vanishes_after: Option<usize>,
    pub(super) powerless: bool,
}

impl Made {
    pub(super) fn with(files: &[&str]) -> Self {
        let files = files.iter().zip(1..).map(|(name, number)| (PathBuf::from(name), number)).collect();
        Self { files, ..Self::default() }
    }

    /// Adds an interface.
    pub(super) fn link(&mut self, name: &str, is_bridge: bool) -> u32 {
        let index = self.links.iter().map(|(_, link)| link.index).max().unwrap_or(1) + 1;
        let link = Link { index, name: name.into(), mtu: 1500, is_bridge, ..Link::default() };
        self.links.push((name.into(), link));
        index
    }

    fn allowed(&self) -> io::Result<()> {
        if self.powerless { Err(rustix::io::Errno::PERM.into()) } else { Ok(()) }
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
}

impl Scripts for Made {
    fn start(&mut self, call: Call) {
        let Call { script, arguments, home, variables, .. } = call;
        let variables: String = variables.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        self.done.push(format!("{script} {} {home}{variables}", arguments.join(" ")));
        let bad = script.ends_with("-bad");
        let outcome = if bad { Err(format!("script {script}: exit status: 1")) } else { Ok(()) };
        self.ended.push_back(Ended { home, outcome });
    }

    fn works_on(&self, home: &str) -> bool {
        self.ended.iter().any(|ended| ended.home == home)
    }

    fn ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// Reading waits by itself.
    fn wait(&mut self, _: BorrowedFd<'_>) -> io::Result<bool> {
        Ok(self.ended.is_empty())
    }
}

impl Interfaces for Made {
    fn of(&mut self, device: &Device<'_>) -> io::Result<Option<Link>> {
        let interface = format!("vif{}.{}", device.domain, device.handle);
        Ok(self.links.iter().find(|(made, _)| *made == interface).map(|(_, link)| link.clone()))
    }

    fn named(&mut self, name: &str) -> io::Result<Option<Link>> {
        Ok(self.links.iter().find(|(_, link)| link.name == name).map(|(_, link)| link.clone()))
    }

    fn bridges(&mut self) -> io::Result<Vec<Link>> {
        Ok(self.links.iter().filter(|(_, link)| link.is_bridge).map(|(_, link)| link.clone()).collect())
    }

    fn own_bridge(&self) -> Option<String> {
        self.own_bridge.clone()
    }

    fn make_bridge(&mut self, name: &str, address: Address) -> io::Result<()> {
        self.allowed()?;
        self.done.push(format!("make {name} {address:?}"));
        self.link(name, true);
        Ok(())
    }

    fn change(&mut self, index: u32, change: Change<'_>) -> io::Result<()> {
        self.allowed()?;
        let taken = |name: &str| self.links.iter().any(|(_, link)| link.name == name);
        if let Change::Name(name) = change
            && taken(name)
        {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let link = self.links.iter_mut().map(|(_, link)| link).find(|link| link.index == index);
        let link = link.ok_or(io::Error::from(rustix::io::Errno::NODEV))?;
        self.done.push(format!("{} {change:?}", link.name));
        match change {
            Change::Name(_) if link.up => return Err(io::ErrorKind::ResourceBusy.into()),
            Change::Name(name) => link.name = name.into(),
            Change::Mtu(mtu) => link.mtu = mtu,
            Change::Bridge(index) => link.master = Some(index),
            Change::Unaddressed => assert!(!link.up, "too late"),
            Change::Up => link.up = true,
            Change::Down => link.up = false,
        }
        if self.vanishes_after == Some(self.done.len()) {
            self.links.retain(|(_, link)| link.index != index);
        }
        Ok(())
    }
}
