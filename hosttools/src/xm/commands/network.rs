//! `network-attach`, `network-detach`, `network-list`.

use rustix::rand::{GetRandomFlags, getrandom};
use xendless_core::config::devices::{Equipment, Mac, Vif};
use xendless_core::config::{Devices as Configured, List, Settings};
use xendless_core::devices::Class;
use xendless_core::protocol::{DeviceRow, Devices};

use super::definition;
use super::device::{self, Listing, add, ask, forced, give, node, number, rows};
use super::target::{Target, target};
use crate::config;
use crate::shown::Shown;
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::Session;
use crate::xm::table::Outcome;

/// `network-attach`.
pub(in crate::xm) fn attach(session: &mut Session, given: &Given) -> Outcome {
    let words: Vec<&str> = given.operands.iter().skip(1).map(String::as_str).collect();
    let (mut vif, warnings) = config::vif(&words).map_err(|text| Error::Usage(Shown(&text).to_string()))?;
    device::warn(&warnings);
    // What is kept of the domain has to have the same address as what runs.
    vif.mac = Some(vif.mac.map_or_else(any, Ok)?);
    let domain = given.operand(0);
    give(session, domain, vif.into(), |domain, device| Devices::Attach { domain, device }, add)
}

/// An address nobody has, most likely.
fn any() -> Result<Mac, Error> {
    let mut bytes = [0; 3];
    getrandom(&mut bytes, GetRandomFlags::empty()).map_err(std::io::Error::from)?;
    Ok(Mac::of_xen(bytes))
}

/// What a person means by an interface.
#[derive(Clone, Copy)]
enum Wanted {
    /// Its number.
    Number(u32),
    /// Its address.
    Address(Mac),
}

/// `network-detach`.
pub(in crate::xm) fn detach(session: &mut Session, given: &Given) -> Outcome {
    let (domain, word) = (given.operand(0), given.operand(1));
    let force = forced(session, given)?;
    let wanted = match (word.strip_prefix("vif/").unwrap_or(word).parse(), word.parse()) {
        (Ok(number), _) => Wanted::Number(number),
        (_, Ok(mac)) => Wanted::Address(mac),
        _ => return Err(Error::Usage(format!("unknown devid {}", Shown(word)))),
    };
    let absent =
        || Error::Usage(format!("Cannot find device '{}' in domain '{}'", Shown(word), Shown(domain)));
    let mut client = session.connect()?;
    match target(&mut client, domain)? {
        Target::Defined(found) => definition::change(&mut client, &found, |settings| {
            let place = match wanted {
                Wanted::Number(number) => usize::try_from(number).ok(),
                Wanted::Address(mac) => settings.devices.vifs.iter().position(|vif| vif.mac == Some(mac)),
            };
            let taken = place.and_then(|place| settings.devices.take_vif(place));
            taken.map(drop).ok_or_else(absent)
        })?,
        Target::Running(row) => {
            let found = rows(&mut client, domain, Class::Vif)?.into_iter().find(|device| match wanted {
                Wanted::Number(number) => device.id == number,
                Wanted::Address(mac) => address(device) == Some(mac),
            });
            let found = found.ok_or_else(absent)?;
            let what = Devices::Detach { domain, class: Class::Vif, id: found.id, force };
            let change = |settings: &mut Settings| {
                let mac = address(&found);
                settings.devices.take(&Equipment::Vif(Vif { mac, ..Vif::default() }));
                Ok(())
            };
            definition::along(&mut client, &row, change, |client| ask(client, domain, what))?;
        }
    }
    Ok(0)
}

fn address(device: &DeviceRow) -> Option<Mac> {
    node(device, "mac").and_then(|mac| mac.parse().ok())
}

/// `network-list`.
pub(in crate::xm) fn list(session: &mut Session, given: &Given) -> Outcome {
    let listing = Listing {
        command: "network-list",
        class: Class::Vif,
        head: "Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path",
        row: line,
        kept,
    };
    device::list(session, given, &listing)
}

fn line(device: &DeviceRow) -> String {
    // One channel for both directions, or one for each.
    let channel = ["event-channel", "event-channel-tx"].into_iter().find(|name| node(device, name).is_some());
    format!(
        "{:<3} {:<3}{:<17}    {:<3}   {:<3}    {:<3}   {:<5}/{:<5}   {:<30}  ",
        device.id,
        number(device, "backend-id"),
        Shown(node(device, "mac").unwrap_or("??")).to_string(),
        number(device, "handle").max(0),
        number(device, "state"),
        channel.map_or(-1, |name| number(device, name)),
        number(device, "tx-ring-ref"),
        number(device, "rx-ring-ref"),
        device::path(device),
    )
}

fn kept(devices: &Configured) -> Vec<DeviceRow> {
    let vifs = devices.vifs.iter().zip(0..).map(|(vif, id)| {
        let nodes = vif.mac.iter().map(|mac| ("mac".to_owned(), mac.to_string())).collect();
        DeviceRow { id, nodes: List::new("nodes", nodes).unwrap_or_default() }
    });
    vifs.collect()
}
