//! The devices a domain has: parsed forms, independent of any backend.

mod disk;
mod equipment;
mod framebuffer;
mod network;
mod other;
mod passthrough;
mod vdev;

use serde::{Deserialize, Serialize};

pub use self::disk::{Access, Disk, DiskFormat, DiskSource, DiskVia, Medium};
pub use self::equipment::Equipment;
pub use self::framebuffer::{Framebuffer, Sdl, Vnc};
pub use self::network::{Mac, Rate, Vif, VifModel};
pub use self::other::{ScsiDevice, UsbController, UsbVersion, Vtpm};
pub use self::passthrough::{IoMemory, IoPorts, Irq, PciAddress, PciDevice};
pub use self::vdev::VirtualDevice;

use super::{Invalid, List};

/// All devices of a domain.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Devices {
    /// Disks; the first is the one to boot from.
    pub disks: List<Disk, 256>,
    /// Network interfaces.
    pub vifs: List<Vif, 64>,
    /// Framebuffers, each with keyboard and pointer.
    pub framebuffers: List<Framebuffer, 4>,
    /// Trusted platform modules.
    pub vtpms: List<Vtpm, 4>,
    /// PCI devices of the host.
    pub pci: List<PciDevice, 64>,
    /// Port ranges of the host.
    pub ioports: List<IoPorts, 64>,
    /// Memory-mapped registers of the host.
    pub iomem: List<IoMemory, 64>,
    /// Interrupts of the host.
    pub irqs: List<Irq, 64>,
    /// SCSI devices of the host.
    pub scsi: List<ScsiDevice, 64>,
    /// USB controllers.
    pub usb: List<UsbController, 8>,
}

impl Devices {
    /// No two devices claim the same thing.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let disks = self.disks.iter().map(|disk| Some(disk.vdev));
        unique(disks, Invalid::conflict("disk", "two disks have the same virtual device"))?;
        unique(
            self.vifs.iter().map(|vif| vif.mac),
            Invalid::conflict("vif", "two interfaces have the same MAC"),
        )?;
        let pci = self.pci.iter().map(|pci| Some(pci.address));
        unique(pci, Invalid::conflict("pci", "a device is listed twice"))
    }
}

/// Fails with `error` when a value occurs twice; the lists are short.
fn unique<T: PartialEq>(
    mut rest: impl Iterator<Item = Option<T>> + Clone,
    error: Invalid,
) -> Result<(), Invalid> {
    while let Some(value) = rest.next() {
        if value.is_some() && rest.clone().any(|other| other == value) {
            return Err(error);
        }
    }
    Ok(())
}
