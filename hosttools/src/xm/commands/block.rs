//! `block-attach`, `block-detach`, `block-configure`, `block-list`.

use std::io::Write;

use xendless_core::config::devices::{Disk, VirtualDevice};
use xendless_core::config::{List, Settings};
use xendless_core::devices::Class;
use xendless_core::protocol::{Answer, DeviceRow, Devices, Request};

use super::definition;
use super::managed::too_long;
use super::target::{Target, not_started, target};
use crate::client::{self, Client};
use crate::config::{self, sxp::Sxp};
use crate::shown::Shown;
use crate::xm::error::{Error, FAILED};
use crate::xm::help;
use crate::xm::options::Given;
use crate::xm::session::{Session, act, explain, pages};
use crate::xm::table::{Found, Outcome, find};

/// `block-attach`.
pub(in crate::xm) fn attach(session: &mut Session, given: &Given) -> Outcome {
    give(session, given, |domain, disk| Devices::Attach { domain, disk }, add)
}

/// `block-configure`.
pub(in crate::xm) fn configure(session: &mut Session, given: &Given) -> Outcome {
    give(
        session,
        given,
        |domain, disk| Devices::Change { domain, disk },
        |settings, disk| {
            let old = settings.devices.take_disk(disk.vdev.number());
            old.ok_or_else(|| undefined(given.operand(2)))?;
            put(settings, disk)
        },
    )
}

/// Gives a domain that runs a disk by what `request` makes, and one that is only defined by `define`.
fn give(
    session: &mut Session,
    given: &Given,
    request: for<'a> fn(&'a str, &'a [u8]) -> Devices<'a>,
    define: impl FnOnce(&mut Settings, Disk) -> Result<(), Error>,
) -> Outcome {
    let (domain, disk) = (given.operand(0), disk(given)?);
    let mut client = session.connect()?;
    match target(&mut client, domain)? {
        Target::Defined(found) => {
            definition::change(&mut client, &found, |settings| define(settings, disk))?;
        }
        Target::Running(row) => {
            let bytes = disk.encode().ok_or_else(too_long)?;
            let what = request(domain, &bytes);
            let change = |settings: &mut Settings| put(settings, disk);
            definition::along(&mut client, &row, change, |client| ask(client, domain, what))?;
        }
    }
    Ok(0)
}

/// `block-detach`.
pub(in crate::xm) fn detach(session: &mut Session, given: &Given) -> Outcome {
    let (domain, word) = (given.operand(0), given.operand(1));
    let mut force = false;
    match given.operand(2) {
        "" => {}
        "-f" | "--force" => force = true,
        other => session.out.line(format_args!("Ignoring option {}", Shown(other)))?,
    }
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
    let domain = match given.operands.as_slice() {
        [domain] => domain,
        [] => return misused(session, "No domain parameter given"),
        _ => return misused(session, "No multiple domain parameters allowed"),
    };
    let mut client = session.connect()?;
    let devices = match target(&mut client, domain)? {
        Target::Running(_) => rows(&mut client, domain)?,
        Target::Defined(found) => {
            found.config.iter().flat_map(|config| config.devices.disks.iter()).map(kept).collect()
        }
    };
    if given.has("long") {
        for DeviceRow { id, nodes } in devices {
            let nodes = nodes.iter().map(|(name, value)| Sxp::pair(name, value.as_str())).collect();
            let device = Sxp::List(vec![Sxp::atom(id.to_string()), Sxp::List(nodes)]);
            session.out.write_all(device.pretty().as_bytes())?;
        }
        return Ok(0);
    }
    if !devices.is_empty() {
        session.out.line("Vdev  BE handle state evt-ch ring-ref BE-path")?;
    }
    for device in devices {
        session.out.line(line(&device))?;
    }
    Ok(0)
}

/// A row of the list, with the blanks at its end that it always had.
fn line(device: &DeviceRow) -> String {
    let node =
        |name: &str| device.nodes.iter().find(|(node, _)| node == name).map(|(_, value)| value.as_str());
    let number =
        |value: Option<&str>| value.and_then(|value| value.parse::<u32>().ok()).map_or(-1, i64::from);
    format!(
        "{:<5}  {:<3}  {:<3}   {:<3}    {:<3}    {:<5} {:<30}  ",
        device.id,
        number(node("backend-id")),
        0,
        number(node("state")),
        number(node("event-channel")),
        number(node("ring-ref").or_else(|| node("ring-ref0"))),
        Shown(node("backend").unwrap_or("??")).to_string(),
    )
}

/// A disk of a domain that does not run: nobody serves it.
fn kept(disk: &Disk) -> DeviceRow {
    let nodes = vec![("virtual-device".to_owned(), disk.vdev.number().to_string())];
    DeviceRow { id: disk.vdev.number(), nodes: List::new("nodes", nodes).unwrap_or_default() }
}

fn rows(client: &mut Client, domain: &str) -> Result<Vec<DeviceRow>, Error> {
    pages(|from| {
        let what = Devices::List { domain, class: Class::Vbd, from };
        match client.ask(Request::Devices(what)) {
            Ok(Answer::Devices(page)) => Ok((page.rows.to_vec(), page.next)),
            Ok(_) => Err(client::Error::Unexpected.into()),
            Err(error) => Err(explain(client, domain, error, &not_started(domain))),
        }
    })
}

/// What is wrong with how it is called, where the classic tool said it: before the usage, on standard output.
fn misused(session: &mut Session, text: &str) -> Outcome {
    session.out.line(text)?;
    if let Found::Command(command) = find("block-list") {
        session.out.write_all(help::usage(command).as_bytes())?;
    }
    Ok(FAILED)
}

fn ask(client: &mut Client, domain: &str, what: Devices<'_>) -> Result<(), Error> {
    act(client, domain, Request::Devices(what), &not_started(domain))
}

/// The disk that the words mean.
fn disk(given: &Given) -> Result<Disk, Error> {
    let backend = given.operands.get(4).map(String::as_str);
    let words = (given.operand(1), given.operand(2), given.operand(3));
    let (disk, warnings) = config::disk(words.0, words.1, words.2, backend)
        .map_err(|text| Error::Usage(Shown(&text).to_string()))?;
    for warning in warnings {
        eprintln!("Warning: {}", Shown(&warning));
    }
    Ok(disk)
}

fn undefined(word: &str) -> Error {
    Error::Usage(format!("Device {} is not defined", Shown(word)))
}

/// Adds a disk that is not there.
fn add(settings: &mut Settings, disk: Disk) -> Result<(), Error> {
    if settings.devices.disks.iter().any(|other| other.vdev == disk.vdev) {
        return Err(Error::Usage(format!("The device \"{}\" is already defined", disk.vdev)));
    }
    put(settings, disk)
}

/// Adds a disk in place of one with its number.
fn put(settings: &mut Settings, disk: Disk) -> Result<(), Error> {
    settings.devices.put_disk(disk).map_err(|error| Error::Usage(error.to_string()))
}
