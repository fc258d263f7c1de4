//! Devices of managed domains: those of their configuration, and those that come and go while they run.
//!
//! A domain starts when all its devices work. One that ends loses them before its nodes go, and what it served to
//! others ends with it, to come again with its next life.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::managed::{Down, Managed, Stage, Then};
use super::work::Turn;
use super::{ChangeError, Failure, ManagedId, Manager, News, Subject};
use crate::builder::Built;
use crate::config::Designator;
use crate::config::devices::{Disk, Equipment};
use crate::devices::{Backend, Class, Detail, DeviceError, DeviceName, Devices, Outcome, Problem, Report};
use crate::hyper::DomId;
use crate::rights::Rights;

/// Who is to serve a device.
enum Server {
    /// This domain.
    Runs(Backend),
    /// A domain that does not run yet, but will.
    Starts,
    /// Nobody.
    Nobody,
}

impl Manager {
    /// The devices of all domains.
    #[must_use]
    pub const fn devices(&self) -> &Devices {
        &self.devices
    }

    /// The domain that serves what names no other one: who asked for a domain does, and otherwise the first domain
    /// that may do everything.
    #[must_use]
    pub fn usual_backend(&self, id: ManagedId) -> Option<ManagedId> {
        let parent = self.domains.get(id.0).and_then(|managed| managed.terms.parent);
        let parent = parent.filter(|parent| self.domains.get(parent.0).is_some());
        parent.or_else(|| self.find_by(|managed| managed.terms.rights == Rights::Everything))
    }

    /// The domain that a device's setting means.
    #[must_use]
    pub fn backend(&self, id: ManagedId, wanted: Option<&Designator>) -> Option<ManagedId> {
        match wanted {
            None => self.usual_backend(id),
            Some(Designator::Id(domid)) if *domid == self.control => self.usual_backend(id),
            Some(Designator::Id(domid)) => self.find_by(|managed| managed.domid == Some(*domid)),
            Some(Designator::Name(name)) if name.as_str() == "Domain-0" => self.usual_backend(id),
            Some(Designator::Name(name)) => self.find(name.as_str()),
        }
    }

    fn server(&self, id: ManagedId, wanted: Option<&Designator>) -> Server {
        let found = self.backend(id, wanted).and_then(|backend| self.domains.get(backend.0));
        match found {
            Some(Managed { stage: Stage::Running, domid: Some(domid), handle, .. }) => {
                Server::Runs(Backend { domid: *domid, handle: *handle })
            }
            Some(Managed {
                stage: Stage::Rename | Stage::Kept | Stage::Ending(_, Then::Forget | Then::Fail(_)),
                ..
            })
            | None => Server::Nobody,
            Some(_) => Server::Starts,
        }
    }

    /// Gives a domain that is being made the next device of its configuration. Waits for who is to serve it.
    pub(super) fn equip(&mut self, id: ManagedId, next: usize, built: Built) -> Turn {
        if next == 0 {
            self.address_all(id);
        }
        let Some(managed) = self.domains.get(id.0) else { return Turn::Rest };
        let config = &managed.config;
        let device = config.devices.equipment_at(next).map(|device| match device {
            Equipment::Vtpm(vtpm) => {
                let before = config.devices.disks.len() + config.devices.vifs.len();
                Equipment::Vtpm(vtpm.named(config.uuid, next.saturating_sub(before)))
            }
            device => device,
        });
        let outcome = match device.map(|device| (self.server(id, device.backend()), device)) {
            Some((Server::Runs(backend), device)) => {
                self.devices.attach(built.domid, backend, device).map(|_| Some(Stage::Equip(next + 1, built)))
            }
            Some((Server::Starts, _)) => Ok(Some(Stage::Equip(next, built))),
            Some((Server::Nobody, device)) => Err(self.unknown_backend(built.domid, &device)),
            None => Ok(None),
        };
        let Some(managed) = self.domains.get_mut(id.0) else { return Turn::Rest };
        match outcome {
            Err(error) => managed.fail(Failure::Device(error)),
            Ok(None) => managed.connect(&self.devices, built),
            Ok(Some(stage)) => {
                let rests = matches!(stage, Stage::Equip(after, _) if after == next);
                managed.stage = stage;
                if rests { Turn::Rest } else { Turn::More }
            }
        }
    }

    /// A domain runs, and can serve others.
    pub(super) fn serves(&mut self, id: ManagedId) {
        if let Some(Managed { domid: Some(domid), handle, .. }) = self.domains.get(id.0) {
            self.devices.backend_runs(Backend { domid: *domid, handle: *handle });
        }
        self.wake_unequipped();
    }

    /// Lets those look again that wait for who is to serve them.
    pub(super) fn wake_unequipped(&mut self) {
        self.wake_those(|stage| matches!(stage, Stage::Equip(..)));
    }

    fn wake_those(&mut self, waits: impl Fn(&Stage) -> bool) {
        let waits = |managed: &Managed| waits(&managed.stage);
        let ids: Vec<_> =
            self.domains.iter().filter(|(_, managed)| waits(managed)).map(|(key, _)| key).collect();
        ids.into_iter().for_each(|key| self.wake(ManagedId(key)));
    }

    /// Something became of a device.
    pub(super) fn settle(&mut self, what: Report, report: &mut dyn FnMut(News, Subject<'_>)) {
        let Report { name, outcome, equipment } = what;
        // Who served it may wait for that.
        self.wake_those(|stage| matches!(stage, Stage::Ending(Down::Devices, _)));
        let Some(id) = self.find_by(|managed| managed.domid == Some(name.front)) else { return };
        let back = self.devices.of(name.front, name.class).find(|(other, _)| *other == name);
        let Some(managed) = self.domains.get_mut(id.0) else { return };
        match (&managed.stage, outcome) {
            (Stage::Equip(..) | Stage::Connect(_), Outcome::Failed(problem)) => {
                managed.unequipped = Some(DeviceError { name, problem });
            }
            (Stage::Equip(..) | Stage::Connect(_), Outcome::Lost) => {
                let problem = Problem::BackendGone(back.map_or(name.front, |(_, back)| back));
                managed.unequipped = Some(DeviceError { name, problem });
            }
            (Stage::Running | Stage::Kept, outcome) => {
                managed.follow(outcome, equipment);
                let config = &managed.config;
                report(
                    News::Device { id, name, outcome },
                    Subject { config, from_bundle: managed.from_bundle },
                );
            }
            _ => {}
        }
        self.wake(id);
    }

    /// Begins to give a running domain a device.
    ///
    /// # Errors
    /// When it does not run, or cannot have such a device.
    pub fn attach(&mut self, id: ManagedId, device: Equipment) -> Result<DeviceName, ChangeError> {
        let front = self.front(id)?;
        match self.server(id, device.backend()) {
            Server::Runs(backend) => {
                let device = self.addressed(id, device);
                Ok(self.devices.attach(front, backend, device)?)
            }
            Server::Starts | Server::Nobody => Err(self.unknown_backend(front, &device).into()),
        }
    }

    /// Begins to put something else into a drive of a running domain.
    ///
    /// # Errors
    /// When it does not run, or this is no drive.
    pub fn change_disk(&mut self, id: ManagedId, disk: Disk) -> Result<DeviceName, ChangeError> {
        Ok(self.devices.change(self.front(id)?, disk)?)
    }

    /// Begins to take a device from a domain, with `force` without asking it.
    ///
    /// # Errors
    /// When it does not run, or has no such device.
    pub fn detach(
        &mut self,
        id: ManagedId,
        class: Class,
        number: u32,
        force: bool,
    ) -> Result<DeviceName, ChangeError> {
        let name = DeviceName { front: self.front(id)?, class, id: number };
        self.devices.detach(name, force)?;
        Ok(name)
    }

    /// Takes a device back that does not work yet.
    pub fn withdraw(&mut self, name: DeviceName) {
        self.devices.withdraw(name);
    }

    fn unknown_backend(&self, front: DomId, device: &Equipment) -> DeviceError {
        let who = device.backend().map_or_else(|| "0".to_string(), ToString::to_string);
        let problem = Problem::NoBackend(Detail::new(who.as_bytes()));
        DeviceError { name: self.devices.name(front, device), problem }
    }

    fn front(&self, id: ManagedId) -> Result<DomId, ChangeError> {
        let managed = self.domains.get(id.0).ok_or(ChangeError::NoSuchDomain)?;
        let runs = matches!(managed.stage, Stage::Running | Stage::Kept);
        managed.domid.filter(|_| runs).ok_or(ChangeError::NotRunning)
    }
}

impl Managed {
    /// Goes on when all devices work.
    pub(super) fn connect(&mut self, devices: &Devices, built: Built) -> Turn {
        if let Some(error) = self.unequipped.take() {
            return self.fail(Failure::Device(error));
        }
        if devices.all_work(built.domid) {
            self.stage = Stage::Pin(0, built);
            return Turn::More;
        }
        self.stage = Stage::Connect(built);
        Turn::Rest
    }

    /// Goes on down when it has no device any more, and serves none.
    pub(super) fn unequip(&mut self, devices: &mut Devices, then: Then) -> Turn {
        let closed = self.domid.is_none_or(|domid| {
            let known = devices.backend_ended(domid);
            devices.close(domid) && known
        });
        self.unequipped = None;
        self.stage = Stage::Ending(if closed { Down::Nodes } else { Down::Devices }, then);
        if closed { Turn::More } else { Turn::Rest }
    }

    /// Its record has what it has: that is what it gets in its next life.
    fn follow(&mut self, outcome: Outcome, device: Equipment) {
        let stays = match outcome {
            Outcome::Connected | Outcome::Changed | Outcome::NotChanged(_) => true,
            Outcome::Gone => false,
            Outcome::Failed(_) | Outcome::Held(_) | Outcome::Lost => return,
        };
        // What does not fit any more is forgotten with the domain's present life.
        let _ = self.change(|settings| {
            if stays {
                let _ = settings.devices.put(device);
            } else {
                settings.devices.take(&device);
            }
        });
    }
}
