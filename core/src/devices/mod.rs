//! Devices: what one domain uses and another one serves, from the first node to the last.
//!
//! A device has two ends, each a directory in XenStore: what its driver has to know, and a state that it says aloud
//! (`xen/io/xenbus.h`). The control plane makes both, waits until the backend has what is behind the device, and takes
//! both away again. What is behind it, a file or a block device, is the business of `xmd` in the backend's domain.
//!
//! What a guest can write decides nothing here. Which devices there are, what they are and who serves them stands in
//! this record; what is read back is what the backend says, in a directory that the guest cannot write. The only thing
//! read of the guest's end is whose fault it is that a device is not let go.
//!
//! Every wait ends, in one of three ways: the other side did its part, it did not in time, or its domain ended.
#![forbid(unsafe_code)]

mod check;
mod close;
mod connect;
mod device;
mod look;
mod name;
mod nodes;
mod problem;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod work;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

pub use name::{Class, DeviceName};
pub use problem::{Detail, DeviceError, Problem};
pub use rows::{NODES, Row, row};
pub use state::XenbusState;

use crate::config::devices::{Disk, Equipment, Mac};
use crate::hyper::{DomId, DomainHandle};
use crate::store::wire::XsError;
use device::{After, Device, Phase};

/// How long a backend may take until a device works, in nanoseconds.
pub const CONNECT_NS: u64 = 100_000_000_000;

/// How long a guest may take to let go of a device, in nanoseconds.
pub const CLOSE_NS: u64 = 100_000_000_000;

/// How long a backend may take to let go of a device that its guest no longer has, in nanoseconds.
pub const RELEASE_NS: u64 = 10_000_000_000;

/// How long a guest may take to notice that the backend of a device is no more, in nanoseconds. The end of the backend's
/// domain waits for that.
pub const PART_NS: u64 = 5_000_000_000;

/// How long a device stays away before it comes again with something else in it, in nanoseconds. A guest that has not
/// noticed that it went would take it for the old one, and not connect.
pub const AWAY_NS: u64 = 1_000_000_000;

/// How long to wait before trying again what XenStore refused for the moment, in nanoseconds.
const RETRY_NS: u64 = 10_000_000;

/// The most devices of one class that a domain may have.
const PER_DOMAIN: usize = 256;

/// Who serves a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backend {
    /// Its number now.
    pub domid: DomId,
    /// By which it is known again in its next life.
    pub handle: DomainHandle,
}

/// What became of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It works.
    Connected,
    /// It came to nothing; nothing is left of it.
    Failed(Problem),
    /// Nothing is left of it.
    Gone,
    /// It is still there; it goes when it is let go.
    Held(Problem),
    /// There is something else in it.
    Changed,
    /// There is in it what was in it before.
    NotChanged(Problem),
    /// Its backend ended. It comes again with that.
    Lost,
}

/// That something became of a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Of which.
    pub name: DeviceName,
    /// What.
    pub outcome: Outcome,
    /// What that device is, or was.
    pub equipment: Equipment,
}

/// All devices.
#[derive(Debug)]
pub struct Devices {
    /// Who keeps this record.
    control: DomId,
    devices: BTreeMap<DeviceName, Device>,
    /// Those to look at.
    queue: VecDeque<DeviceName>,
    /// When to look at which at the latest. Looking too often changes nothing.
    timers: BTreeSet<(u64, DeviceName)>,
}

impl Devices {
    /// None yet. `control` is the domain this runs in.
    #[must_use]
    pub const fn new(control: DomId) -> Self {
        Self { control, devices: BTreeMap::new(), queue: VecDeque::new(), timers: BTreeSet::new() }
    }

    /// Begins to give a domain a device. What comes of it, [`Devices::step`] says.
    ///
    /// # Errors
    /// When that makes no sense; then nothing was done.
    pub fn attach(
        &mut self,
        front: DomId,
        backend: Backend,
        equipment: impl Into<Equipment>,
    ) -> Result<DeviceName, DeviceError> {
        let equipment = equipment.into();
        let name = self.name(front, &equipment);
        let failed = |problem| Err(DeviceError { name, problem });
        if self.devices.contains_key(&name) {
            return failed(Problem::Exists);
        }
        if self.of(front, name.class).count() >= PER_DOMAIN {
            return failed(Problem::Full);
        }
        if front == backend.domid {
            return failed(Problem::Unsupported("devices that a domain serves to itself"));
        }
        if let Err(problem) = self.check(&name, &backend, &equipment) {
            return failed(problem);
        }
        let phase = self.write(&name, backend.domid, &equipment);
        self.devices.insert(name, Device::new(backend, equipment, phase));
        self.wake(name);
        Ok(name)
    }

    /// What a new device would be called. What does not say its number is counted, and takes the first one that is free.
    #[must_use]
    pub fn name(&self, front: DomId, equipment: &Equipment) -> DeviceName {
        let class = match equipment {
            Equipment::Disk(disk) => return DeviceName::of_disk(front, disk),
            Equipment::Vif(_) => Class::Vif,
            Equipment::Vtpm(_) => Class::Vtpm,
        };
        let named = |id| DeviceName { front, class, id };
        let free = (0..).map(named).find(|name| !self.devices.contains_key(name));
        free.unwrap_or(named(u32::MAX))
    }

    /// What a new device begins with.
    fn write(&self, name: &DeviceName, back: DomId, equipment: &Equipment) -> Phase {
        Phase::Write(nodes::of(name, back, self.control, equipment))
    }

    /// Begins to take a device away, or with `force` does not ask its guest.
    ///
    /// # Errors
    /// When there is none, or it is being changed.
    pub fn detach(&mut self, name: DeviceName, force: bool) -> Result<(), DeviceError> {
        let missing = DeviceError { name, problem: Problem::Missing };
        let device = self.devices.get_mut(&name).ok_or(missing)?;
        device.detach(force).map_err(|problem| DeviceError { name, problem })?;
        self.wake(name);
        Ok(())
    }

    /// Takes a device back that does not work yet, because nobody waits for it any more.
    pub fn withdraw(&mut self, name: DeviceName) {
        if let Some(device) = self.devices.get_mut(&name) {
            device.withdraw();
        }
        self.wake(name);
    }

    /// Begins to put something else into a drive.
    ///
    /// # Errors
    /// When it is none, or it is being changed; then nothing was done.
    pub fn change(&mut self, front: DomId, disk: Disk) -> Result<DeviceName, DeviceError> {
        let name = DeviceName::of_disk(front, &disk);
        let failed = |problem| DeviceError { name, problem };
        let device = self.devices.get(&name).ok_or(failed(Problem::Missing))?;
        self.check_disk(&name, &device.backend, &disk).map_err(failed)?;
        if let Some(device) = self.devices.get_mut(&name) {
            device.change(disk).map_err(failed)?;
        }
        self.wake(name);
        Ok(name)
    }

    /// Takes all devices of a domain away, without asking it. Returns whether it has none any more.
    pub fn close(&mut self, front: DomId) -> bool {
        let names: alloc::vec::Vec<_> = self.all_of(front).map(|(name, _)| *name).collect();
        for name in &names {
            if let Some(device) = self.devices.get_mut(name) {
                device.release(After::Forget);
            }
            self.wake(*name);
        }
        names.is_empty()
    }

    /// A domain ends, and with it what it serves. Returns whether all guests know; until then its nodes have to stay.
    pub fn backend_ended(&mut self, back: DomId) -> bool {
        let served = self.devices.iter_mut().filter(|(_, device)| device.backend.domid == back);
        let mut names = alloc::vec::Vec::new();
        for (name, device) in served {
            device.backend_ended();
            names.push(*name);
        }
        names.into_iter().for_each(|name| self.wake(name));
        !self.devices.values().any(|device| device.backend.domid == back && device.parts())
    }

    /// A domain runs; what it served in an earlier life it serves again.
    pub fn backend_runs(&mut self, backend: Backend) {
        let mut names = alloc::vec::Vec::new();
        let control = self.control;
        for (name, device) in &mut self.devices {
            if device.is_served_by(&backend) && matches!(device.phase, Phase::Orphan) {
                device.backend = backend;
                device.phase = Phase::Write(nodes::of(name, backend.domid, control, &device.equipment));
                names.push(*name);
            }
        }
        names.into_iter().for_each(|name| self.wake(name));
    }

    /// Whether all devices of a domain work.
    #[must_use]
    pub fn all_work(&self, front: DomId) -> bool {
        self.all_of(front).all(|(_, device)| matches!(device.phase, Phase::Ready))
    }

    /// What a domain has of one class, in order of number, and who serves it.
    pub fn of(&self, front: DomId, class: Class) -> impl Iterator<Item = (DeviceName, DomId)> {
        let (first, last) = (DeviceName::first(front, class), DeviceName::last(front, class));
        self.devices.range(first..=last).map(|(name, device)| (*name, device.backend.domid))
    }

    /// The addresses of all interfaces.
    pub fn addresses(&self) -> impl Iterator<Item = Mac> {
        self.devices.values().filter_map(|device| match &device.equipment {
            Equipment::Vif(vif) => vif.mac,
            Equipment::Disk(_) | Equipment::Vtpm(_) => None,
        })
    }

    /// What a device is.
    #[must_use]
    pub fn equipment(&self, name: &DeviceName) -> Option<&Equipment> {
        self.devices.get(name).map(|device| &device.equipment)
    }

    /// When to step again at the latest; `now` when there is something to do.
    #[must_use]
    pub fn due(&self, now: u64) -> Option<u64> {
        if self.queue.is_empty() { self.timers.first().map(|(at, _)| *at) } else { Some(now) }
    }

    fn all_of(&self, front: DomId) -> impl Iterator<Item = (&DeviceName, &Device)> {
        self.devices.range(DeviceName::first(front, Class::Vbd)..=DeviceName::last(front, Class::Vtpm))
    }

    fn wake(&mut self, name: DeviceName) {
        if self.devices.contains_key(&name) && !self.queue.contains(&name) {
            self.queue.push_back(name);
        }
    }
}

/// Why a step was not done.
enum Failed {
    /// XenStore was busy.
    Later,
    /// XenStore refused.
    For(XsError),
}
