//! Values with a form of their own: disks, interfaces, CPU lists and the like, as `xm` and `xl` write them.

mod cpus;
mod disk;
mod pairs;
mod pci;
mod small;
mod vfb;
mod vif;

pub(super) use self::cpus::{affinity, set as cpu_set};
pub(super) use self::disk::{disk, is_classic as is_classic_disk, words as disk_words};
pub(super) use self::pci::{Options as PciOptions, pci};
pub(super) use self::small::{iomem, ioports, irq, serial, usbctrl, vscsi, vtpm, vusb};
pub(super) use self::vfb::vfb;
pub(super) use self::vif::{vif, words as vif_words};
