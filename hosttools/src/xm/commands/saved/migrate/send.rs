//! `migrate`.

use xendless_core::config::DomainConfig;
use xendless_core::protocol::Request;

use super::super::leave::{Stayed, leave};
use super::super::save::{configuration, running};
use super::super::stream::Writer;
use super::link::Link;
use super::message::Message;
use crate::shown::Shown;
use crate::xm::commands::definition;
use crate::xm::commands::managed::{FOREIGN, too_long};
use crate::xm::error::Error;
use crate::xm::options::Given;
use crate::xm::session::{Dormant, Session};
use crate::xm::signals::Signals;
use crate::xm::table::Outcome;

/// `migrate`.
pub(in crate::xm) fn migrate(session: &mut Session, given: &Given) -> Outcome {
    let [domain, host] = given.operands.as_slice() else {
        return Err(Error::Usage("Invalid number of arguments".to_owned()));
    };
    refuse(given)?;
    // The program would take it for an option of its own.
    if host.is_empty() || host.starts_with('-') {
        return Err(Error::Plain(format!("'{}' is no name of a host.", Shown(host))));
    }
    let mut client = session.connect()?;
    let row = running(&mut client, domain, "migrate")?;
    let (bytes, config) = configuration(&mut client, &row, "migrate")?;
    movable(&config)?;
    let kept = if given.has("change_home_server") { Some(definition::of(&mut client, &row)?) } else { None };
    let kept = kept.map(|kept| kept.ok_or_else(|| Error::Usage("Domain is not a managed domain".to_owned())));
    let kept = kept.transpose()?;
    let definition = kept.as_ref().map(encoded).transpose()?;

    let mut link = Link::open(host)?;
    let mut signals = Signals::catch().map_err(|error| Error::Plain(error.to_string()))?;
    if let Some(definition) = definition {
        link.say(&Message::Definition(definition))?;
    }
    link.say(&Message::Begin)?;
    let mut writer = Writer::begin(&mut link, &bytes)?;
    // Only now is the domain disturbed: the other host has looked at all that can be known before.
    writer.to.wanted()?;
    match leave(&mut client, &row, &mut writer, &mut signals, false) {
        Ok(()) => {}
        Err(Stayed { why, certain: true }) => {
            link.abort();
            return Err(why);
        }
        Err(Stayed { why, .. }) => {
            let (why, name, host) = (why.report(true).text, Shown(config.name.as_str()), Shown(host));
            return Err(Error::Verbatim(format!(
                "{why} If domain '{name}' is gone here, it is at {host}, paused."
            )));
        }
    }
    go(&mut link, config.name.as_str(), host)?;
    if let Some(kept) = kept {
        client.ask(Request::Undefine { domain: &kept.name })?;
    }
    Ok(0)
}

/// Refuses what needs more than a program that joins two hosts.
fn refuse(given: &Given) -> Result<(), Error> {
    let text = if given.value("port").is_some() || given.has("ssl") {
        "-p/-s need the removed relocation server; migration runs over ssh."
    } else if given.value("node").is_some() {
        "-n needs the removed relocation server; the other host decides where the domain's memory is."
    } else {
        return Ok(());
    };
    Err(Error::Plain(text.to_owned()))
}

/// Whether all devices can be left behind and found again.
fn movable(config: &DomainConfig) -> Result<(), Error> {
    let devices = &config.devices;
    let held = [
        ("vtpm", !devices.vtpms.is_empty()),
        ("pci", !devices.pci.is_empty()),
        ("vscsi", !devices.scsi.is_empty()),
        ("vusb", !devices.usb.is_empty()),
        ("ioports", !devices.ioports.is_empty()),
        ("iomem", !devices.iomem.is_empty()),
        ("irq", !devices.irqs.is_empty()),
    ];
    match held.iter().find(|(_, held)| *held) {
        Some((class, _)) => Err(Error::Plain(format!("Device of type '{class}' refuses migration."))),
        None => Ok(()),
    }
}

/// A definition as it is sent.
fn encoded(kept: &Dormant) -> Result<Vec<u8>, Error> {
    let config = kept.config.as_ref().ok_or_else(|| Error::Plain(FOREIGN.to_owned()))?;
    config.encode().ok_or_else(too_long)
}

/// The domain is gone here: lets it go on there.
fn go(link: &mut Link, name: &str, host: &str) -> Result<(), Error> {
    link.forget_signals();
    let (name, host) = (Shown(name), Shown(host));
    match link.tell(&Message::Go).ok().and_then(|()| link.hear().ok()) {
        Some(Message::Done(text)) if text.is_empty() => Ok(()),
        Some(Message::Done(text)) => Err(Error::Plain(format!("{} (from {host})", Shown(&text)))),
        _ => Err(Error::Plain(format!(
            "The domain is at {host}; when it is paused there, 'xm unpause {name}' lets it go on."
        ))),
    }
}
