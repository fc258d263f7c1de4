//! A device that one domain serves to another one, whatever kind it is.

use serde::{Deserialize, Serialize};

use super::{Devices, Disk, Mac, Vif, Vtpm};
use crate::config::{Designator, Invalid, List, Uuid};

/// A disk, an interface or a TPM.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Equipment {
    /// A disk or a drive.
    Disk(Disk),
    /// A network interface.
    Vif(Vif),
    /// A trusted platform module.
    Vtpm(Vtpm),
}

impl From<Disk> for Equipment {
    fn from(disk: Disk) -> Self {
        Self::Disk(disk)
    }
}

impl From<Vif> for Equipment {
    fn from(vif: Vif) -> Self {
        Self::Vif(vif)
    }
}

impl Equipment {
    /// The domain that serves it, when not the usual one.
    #[must_use]
    pub const fn backend(&self) -> Option<&Designator> {
        match self {
            Self::Disk(disk) => disk.backend.as_ref(),
            Self::Vif(vif) => vif.backend.as_ref(),
            Self::Vtpm(vtpm) => Some(&vtpm.backend),
        }
    }
}

impl Devices {
    /// What of these nobody serves: a domain would run without what it cannot do without. A display it can, and a USB
    /// controller.
    #[must_use]
    pub fn unserved(&self) -> Option<&'static str> {
        let kinds = [
            (self.pci.is_empty(), "a PCI device of the host"),
            (self.ioports.is_empty() && self.iomem.is_empty(), "I/O space of the host"),
            (self.irqs.is_empty(), "an interrupt of the host"),
            (self.scsi.is_empty(), "a SCSI device"),
        ];
        kinds.into_iter().find(|(none, _)| !none).map(|(_, what)| what)
    }

    /// What other domains serve, in the order in which the domain gets it.
    pub fn equipment(&self) -> impl Iterator<Item = Equipment> {
        (0..).map_while(|place| self.equipment_at(place))
    }

    /// What is at one place of that order.
    #[must_use]
    pub fn equipment_at(&self, place: usize) -> Option<Equipment> {
        if let Some(disk) = self.disks.get(place) {
            return Some(Equipment::Disk(disk.clone()));
        }
        let place = place.checked_sub(self.disks.len())?;
        if let Some(vif) = self.vifs.get(place) {
            return Some(Equipment::Vif(vif.clone()));
        }
        let place = place.checked_sub(self.vifs.len())?;
        self.vtpms.get(place).cloned().map(Equipment::Vtpm)
    }

    /// Whether there is a device with the number or address of this one.
    #[must_use]
    pub fn has(&self, device: &Equipment) -> bool {
        match device {
            Equipment::Disk(disk) => self.disks.iter().any(|other| other.vdev == disk.vdev),
            Equipment::Vif(vif) => self.vifs.iter().any(|other| other.is(vif)),
            Equipment::Vtpm(_) => false,
        }
    }

    /// Puts a device in the place of the one with its number or address, behind the others when there is none. TPMs do not
    /// come and go: those of the configuration stay.
    ///
    /// # Errors
    ///
    /// When there are too many.
    pub fn put(&mut self, device: Equipment) -> Result<(), Invalid> {
        match device {
            Equipment::Disk(disk) => {
                self.disks = with(&self.disks, "disk", disk, |one, other| one.vdev == other.vdev)?;
            }
            Equipment::Vif(vif) => self.vifs = with(&self.vifs, "vif", vif, Vif::is)?,
            Equipment::Vtpm(_) => {}
        }
        Ok(())
    }

    /// Gives each interface that has no address the first one that is made for this UUID and is not `used`.
    pub fn address_all(&mut self, uuid: Uuid, used: impl Fn(Mac) -> bool) {
        let mut vifs = self.vifs.to_vec();
        while let Some(place) = vifs.iter().position(|vif| vif.mac.is_none()) {
            let has = |mac| vifs.iter().any(|vif| vif.mac == Some(mac));
            let mac = Mac::free(uuid, |mac| has(mac) || used(mac));
            if let Some(vif) = vifs.get_mut(place) {
                vif.mac = Some(mac);
            }
        }
        // There are as many as there were.
        if let Ok(vifs) = List::new("vif", vifs) {
            self.vifs = vifs;
        }
    }

    /// Takes out the device with the number or address of this one. Returns whether there was one.
    pub fn take(&mut self, device: &Equipment) -> bool {
        match device {
            Equipment::Disk(disk) => self.take_disk(disk.vdev.number()).is_some(),
            Equipment::Vif(vif) => {
                let place = self.vifs.iter().position(|other| other.is(vif));
                place.and_then(|place| self.take_vif(place)).is_some()
            }
            Equipment::Vtpm(_) => false,
        }
    }

    /// Takes the disk with this number out; `None` when there is none.
    pub fn take_disk(&mut self, number: u32) -> Option<Disk> {
        let place = self.disks.iter().position(|disk| disk.vdev.number() == number)?;
        take(&mut self.disks, "disk", place)
    }

    /// Takes the interface at a place of the list out; `None` when there is none.
    pub fn take_vif(&mut self, place: usize) -> Option<Vif> {
        take(&mut self.vifs, "vif", place)
    }
}

/// The items with one more, in the place of the one that is the `same`.
fn with<T: Clone, const MAX: usize>(
    items: &List<T, MAX>,
    name: &'static str,
    item: T,
    same: impl Fn(&T, &T) -> bool,
) -> Result<List<T, MAX>, Invalid> {
    let mut items = items.to_vec();
    match items.iter_mut().find(|other| same(other, &item)) {
        Some(place) => *place = item,
        None => items.push(item),
    }
    List::new(name, items)
}

fn take<T: Clone, const MAX: usize>(items: &mut List<T, MAX>, name: &'static str, place: usize) -> Option<T> {
    let taken = items.get(place)?.clone();
    let mut left = items.to_vec();
    left.remove(place);
    *items = List::new(name, left).ok()?;
    Some(taken)
}
