//! `block-attach`, `block-detach`, `block-configure`, `block-list`.

use xendless_core::config::devices::{Disk, Equipment, VirtualDevice};
use xendless_core::config::{Devices as Configured, List, Settings};
use xendless_core::devices::Class;
use xendless_core::protocol::{DeviceRow, Devices};

use super::definition;
use super::device::{self, Listing, add, ask, forced, give, node, number, put};
use super::target::{Target, target};
use crate::config;
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// `block-attach`.
pub(in crate::xm) fn attach(session: &mut Session, given: &Given) -> Outcome {
    let (domain, disk) = (given.operand(0), disk(given)?);
    give(session, domain, disk.into(), |domain, device| Devices::Attach { domain, device }, add)
}

/// `block-configure`.
pub(in crate::xm) fn configure(session: &mut Session, given: &Given) -> Outcome {
    let (domain, disk) = (given.operand(0), disk(given)?);
    let change = |settings: &mut Settings, disk: Equipment| {
        if settings.devices.take(&disk) { put(settings, disk) } else { Err(undefined(given.operand(2))) }
    };
    give(session, domain, disk.into(), |domain, device| Devices::Change { domain, device }, change)
}

/// `block-detach`.
pub(in crate::xm) fn detach(session: &mut Session, given: &Given) -> Outcome {
    let (domain, word) = (given.operand(0), given.operand(1));
    let force = forced(session, given)?;
    let device: Option<VirtualDevice> = word.strip_prefix("vbd/").unwrap_or(word).parse().ok();
    let mut client = session.connect()?;
    match target(&mut client, domain)? {
        Target::Defined(found) => definition::change(&mut client, &found, |settings| {
            let taken = device.and_then(|device| settings.devices.take_disk(device.number()));
            taken.map(drop).ok_or_else(|| undefined(word))
        })?,
        Target::Running(row) => {
            let device =
                device.ok_or_else(|| Error::Usage(format!("Device {} not connected", Shown(word))))?;
            let id = device.number();
            let what = Devices::Detach { domain, class: Class::Vbd, id, force };
            let change = |settings: &mut Settings| {
                settings.devices.take_disk(id);
                Ok(())
            };
            definition::along(&mut client, &row, change, |client| ask(client, domain, what))?;
        }
    }
    Ok(0)
}

/// `block-list`.
pub(in crate::xm) fn list(session: &mut Session, given: &Given) -> Outcome {
    let listing = Listing {
        command: "block-list",
        class: Class::Vbd,
        head: "Vdev  BE handle state evt-ch ring-ref BE-path",
        row: line,
        kept,
    };
    device::list(session, given, &listing)
}

fn line(device: &DeviceRow) -> String {
    let ring = if node(device, "ring-ref").is_some() { "ring-ref" } else { "ring-ref0" };
    format!(
        "{:<5}  {:<3}  {:<3}   {:<3}    {:<3}    {:<5} {:<30}  ",
        device.id,
        number(device, "backend-id"),
        0,
        number(device, "state"),
        number(device, "event-channel"),
        number(device, ring),
        device::path(device),
    )
}

fn kept(devices: &Configured) -> Vec<DeviceRow> {
    let disks = devices.disks.iter().map(|disk| {
        let id = disk.vdev.number();
        let nodes = vec![("virtual-device".to_owned(), id.to_string())];
        DeviceRow { id, nodes: List::new("nodes", nodes).unwrap_or_default() }
    });
    disks.collect()
}

/// The disk that the words mean.
fn disk(given: &Given) -> Result<Disk, Error> {
    let backend = given.operands.get(4).map(String::as_str);
    let words = (given.operand(1), given.operand(2), given.operand(3));
    let (disk, warnings) = config::disk(words.0, words.1, words.2, backend)
        .map_err(|text| Error::Usage(Shown(&text).to_string()))?;
    device::warn(&warnings);
    Ok(disk)
}

fn undefined(word: &str) -> Error {
    Error::Usage(format!("Device {} is not defined", Shown(word)))
}
