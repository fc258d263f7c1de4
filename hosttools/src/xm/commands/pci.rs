//! `pci-list`, `pci-list-assignable-devices`: what there is to list. No domain can be given a device of the host yet, so only
//! definitions name any.

use std::path::Path;

use xendless_core::config::devices::PciDevice;

use super::target::{Target, target};
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// Where Linux has the drivers that keep devices for other domains.
const KEEPERS: [&str; 2] = ["/sys/bus/pci/drivers/pciback", "/sys/bus/pci/drivers/pci-stub"];

/// `pci-list`.
pub(in crate::xm) fn list(session: &mut Session, given: &Given) -> Outcome {
    let Target::Defined(found) = target(&mut session.connect()?, given.operand(0))? else { return Ok(0) };
    let Some(config) = found.config else { return Ok(0) };
    for line in lines(&config.devices.pci) {
        session.out.line(line)?;
    }
    Ok(0)
}

/// A head and a row for each device. Virtual slots have a column when there are any.
fn lines(devices: &[PciDevice]) -> Vec<String> {
    let slots = devices.iter().any(|device| device.virtual_slot.is_some());
    let row = |device: &PciDevice| {
        let slot = device.virtual_slot.map_or("-".to_owned(), |slot| format!("{:02x}.0", slot.get()));
        if slots { format!("{slot:<4} {}", device.address) } else { device.address.to_string() }
    };
    let head = if slots { "Vdev Device" } else { "Device" };
    if devices.is_empty() {
        return Vec::new();
    }
    std::iter::once(head.to_owned()).chain(devices.iter().map(row)).collect()
}

/// `pci-list-assignable-devices`: those of this domain's system that are kept for others.
pub(in crate::xm) fn assignable(session: &mut Session, _: &Given) -> Outcome {
    let Some(devices) = kept(&KEEPERS) else {
        session.out.line("Error: pciback/pci-stub not loaded?")?;
        return Ok(0);
    };
    devices.iter().try_for_each(|device| session.out.line(device))?;
    Ok(0)
}

/// The devices that these drivers have, in order; `None` when none of the drivers is there.
fn kept(keepers: &[impl AsRef<Path>]) -> Option<Vec<String>> {
    let folders: Vec<_> = keepers.iter().filter_map(|keeper| std::fs::read_dir(keeper).ok()).collect();
    let names =
        |folder: std::fs::ReadDir| folder.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let count = folders.len();
    let mut devices: Vec<String> =
        folders.into_iter().flat_map(names).filter(|name| name.contains(':')).collect();
    devices.sort();
    (count > 0).then_some(devices)
}

#[cfg(test)]
mod tests {
    use xendless_core::config::Ranged;

    use super::*;

    #[test]
    fn rows_have_virtual_slots_when_there_are_any() {
        let device = |address: &str, slot: Option<u32>| PciDevice {
            address: address.parse().unwrap(),
            virtual_slot: slot.map(|slot| Ranged::new("slot", slot).unwrap()),
            msi_translate: false,
            power_management: false,
            permissive: false,
        };
        assert_eq!(lines(&[]), Vec::<String>::new());
        assert_eq!(lines(&[device("03:00.1", None)]), ["Device", "0000:03:00.1"]);
        let both = [device("03:00.0", None), device("03:00.1", Some(26))];
        assert_eq!(lines(&both), ["Vdev Device", "-    0000:03:00.0", "1a.0 0000:03:00.1"]);
    }

    #[test]
    fn what_is_kept_is_listed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = folder.path().join("pciback");
        let missing = folder.path().join("pci-stub");
        assert_eq!(kept(&[&keeper, &missing]), None);
        std::fs::create_dir(&keeper).unwrap();
        for name in ["0000:03:00.1", "0000:01:00.0", "bind", "uevent"] {
            std::fs::write(keeper.join(name), "").unwrap();
        }
        assert_eq!(kept(&[&keeper, &missing]).unwrap(), ["0000:01:00.0", "0000:03:00.1"]);
    }
}
