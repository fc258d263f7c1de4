//! Whether this record lets a domain have a device.

use super::device::Device;
use super::{Backend, Detail, DeviceName, Devices, Problem};
use crate::config::devices::{Access, Disk, DiskFormat, Equipment, Medium, Vif};

impl Devices {
    /// Whether a domain may have such a device. The backend looks again, at what is really there.
    pub(super) fn check(
        &self,
        name: &DeviceName,
        backend: &Backend,
        equipment: &Equipment,
    ) -> Result<(), Problem> {
        match equipment {
            Equipment::Disk(disk) => self.check_disk(name, backend, disk),
            Equipment::Vif(vif) => self.check_vif(name, backend, vif),
            Equipment::Vtpm(_) => Ok(()),
        }
    }

    /// A disk is written by one domain or read by many.
    pub(super) fn check_disk(
        &self,
        name: &DeviceName,
        backend: &Backend,
        disk: &Disk,
    ) -> Result<(), Problem> {
        let Some(source) = disk.medium.source() else { return Ok(()) };
        if source.format != DiskFormat::Raw {
            return Err(Problem::Unsupported("images in a format other than raw"));
        }
        if disk.access == Access::ReadWriteShared {
            return Ok(());
        }
        let writes =
            |disk: &Disk| disk.access != Access::ReadOnly && !matches!(disk.medium, Medium::Cdrom(_));
        let clash = |(_, device): (&DeviceName, &Device)| {
            let Equipment::Disk(other) = &device.equipment else { return false };
            let target = other.medium.source().map(|source| &source.target);
            device.is_served_by(backend) && target == Some(&source.target) && (writes(other) || writes(disk))
        };
        if self.others(name).any(clash) {
            return Err(Problem::Used(Detail::new(source.target.as_bytes())));
        }
        Ok(())
    }

    /// An address is one interface's, in its domain and on its bridge.
    fn check_vif(&self, name: &DeviceName, backend: &Backend, vif: &Vif) -> Result<(), Problem> {
        let Some(mac) = vif.mac else { return Ok(()) };
        let clash = |(other, device): &(&DeviceName, &Device)| {
            let Equipment::Vif(held) = &device.equipment else { return false };
            let near = device.is_served_by(backend) && held.bridge == vif.bridge;
            held.mac == Some(mac) && (near || other.front == name.front)
        };
        match self.others(name).find(clash) {
            Some((other, _)) => Err(Problem::MacTaken { mac, front: other.front }),
            None => Ok(()),
        }
    }

    /// All devices but this one.
    fn others(&self, name: &DeviceName) -> impl Iterator<Item = (&DeviceName, &Device)> {
        self.devices.iter().filter(move |(other, _)| *other != name)
    }
}
