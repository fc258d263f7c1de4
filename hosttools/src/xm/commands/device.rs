//! What `block-*` and `network-*` have in common: devices of a domain that runs, or in the definition of one that does not.

use std::io::Write;

use xendless_core::config::devices::Equipment;
use xendless_core::config::{Devices as Configured, Settings};
use xendless_core::devices::Class;
use xendless_core::protocol::{Answer, DeviceRow, Devices, Request};

use super::definition;
use super::managed::too_long;
use super::target::{Target, not_started, target};
use crate::client::{self, Client};
use crate::config::sxp::Sxp;
use crate::shown::Shown;
use crate::xm::error::{Error, FAILED};
use crate::xm::help;
use crate::xm::options::Given;
use crate::xm::session::{Session, act, explain, pages};
use crate::xm::table::{Found, Outcome, find};

/// Devices of one class, as they are listed.
pub(super) struct Listing {
    /// The sub-command.
    pub(super) command: &'static str,
    pub(super) class: Class,
    /// What stands above the rows.
    pub(super) head: &'static str,
    /// A row, with the blanks at its end that it always had.
    pub(super) row: fn(&DeviceRow) -> String,
    /// The devices of a domain that does not run: nobody serves them.
    pub(super) kept: fn(&Configured) -> Vec<DeviceRow>,
}

/// Lists devices.
pub(super) fn list(session: &mut Session, given: &Given, listing: &Listing) -> Outcome {
    let domain = match given.operands.as_slice() {
        [domain] => domain,
        [] => return misused(session, listing, "No domain parameter given"),
        _ => return misused(session, listing, "No multiple domain parameters allowed"),
    };
    let mut client = session.connect()?;
    let devices = match target(&mut client, domain)? {
        Target::Running(_) => rows(&mut client, domain, listing.class)?,
        Target::Defined(found) => {
            found.config.map_or_else(Vec::new, |config| (listing.kept)(&config.devices))
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
        session.out.line(listing.head)?;
    }
    devices.iter().try_for_each(|device| session.out.line((listing.row)(device)))?;
    Ok(0)
}

/// What is wrong with how it is called, where the classic tool said it: before the usage, on standard output.
fn misused(session: &mut Session, listing: &Listing, text: &str) -> Outcome {
    session.out.line(text)?;
    if let Found::Command(command) = find(listing.command) {
        session.out.write_all(help::usage(command).as_bytes())?;
    }
    Ok(FAILED)
}

/// The devices of a domain that runs.
pub(super) fn rows(client: &mut Client, domain: &str, class: Class) -> Result<Vec<DeviceRow>, Error> {
    pages(|from| match client.ask(Request::Devices(Devices::List { domain, class, from })) {
        Ok(Answer::Devices(page)) => Ok((page.rows.to_vec(), page.next)),
        Ok(_) => Err(client::Error::Unexpected.into()),
        Err(error) => Err(explain(client, domain, error, &not_started(domain))),
    })
}

/// A node of a device.
pub(super) fn node<'a>(device: &'a DeviceRow, name: &str) -> Option<&'a str> {
    device.nodes.iter().find(|(node, _)| node == name).map(|(_, value)| value.as_str())
}

/// A node of a device that is a number, as lists print it.
pub(super) fn number(device: &DeviceRow, name: &str) -> i64 {
    node(device, name).and_then(|value| value.parse::<u32>().ok()).map_or(-1, i64::from)
}

/// Where a device is served, as lists print it.
pub(super) fn path(device: &DeviceRow) -> String {
    Shown(node(device, "backend").unwrap_or("??")).to_string()
}

/// Gives a domain that runs a device by what `request` makes, and one that is only defined by `define`.
pub(super) fn give(
    session: &mut Session,
    domain: &str,
    device: Equipment,
    request: for<'a> fn(&'a str, &'a [u8]) -> Devices<'a>,
    define: impl FnOnce(&mut Settings, Equipment) -> Result<(), Error>,
) -> Outcome {
    let mut client = session.connect()?;
    match target(&mut client, domain)? {
        Target::Defined(found) => {
            definition::change(&mut client, &found, |settings| define(settings, device))?;
        }
        Target::Running(row) => {
            let bytes = device.encode().ok_or_else(too_long)?;
            let what = request(domain, &bytes);
            let change = |settings: &mut Settings| put(settings, device);
            definition::along(&mut client, &row, change, |client| ask(client, domain, what))?;
        }
    }
    Ok(0)
}

/// Whether a device is to be taken by force. Another word than those that say so is ignored, aloud.
pub(super) fn forced(session: &mut Session, given: &Given) -> Result<bool, Error> {
    match given.operand(2) {
        "" => Ok(false),
        "-f" | "--force" => Ok(true),
        other => {
            session.out.line(format_args!("Ignoring option {}", Shown(other)))?;
            Ok(false)
        }
    }
}

/// Says what is odd about what was typed.
pub(super) fn warn(warnings: &[String]) {
    warnings.iter().for_each(|warning| eprintln!("Warning: {}", Shown(warning)));
}

/// Asks for something about the devices of a domain that runs.
pub(super) fn ask(client: &mut Client, domain: &str, what: Devices<'_>) -> Result<(), Error> {
    act(client, domain, Request::Devices(what), &not_started(domain))
}

/// Adds a device that is not there.
pub(super) fn add(settings: &mut Settings, device: Equipment) -> Result<(), Error> {
    if !settings.devices.has(&device) {
        return put(settings, device);
    }
    Err(Error::Usage(match device {
        Equipment::Disk(disk) => format!("The device \"{}\" is already defined", disk.vdev),
        Equipment::Vif(vif) => {
            let mac = vif.mac.map(|mac| mac.to_string()).unwrap_or_default();
            format!("The mac \"{mac}\" is already defined")
        }
        Equipment::Vtpm(_) => "There is such a vtpm already".to_owned(),
    }))
}

/// Adds a device in place of one with its number or address.
pub(super) fn put(settings: &mut Settings, device: Equipment) -> Result<(), Error> {
    settings.devices.put(device).map_err(|error| Error::Usage(error.to_string()))
}
