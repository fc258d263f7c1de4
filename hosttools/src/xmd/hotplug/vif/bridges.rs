//! The bridges that `xmd` was told to provide. Whatever is there already stays as it is.

use std::str::FromStr;
use std::{fmt, io};

use super::super::class::words;
use super::Interfaces;
use crate::links::{Address, Change, is_name};
use crate::xmd::note::note;

/// A bridge, and the interfaces that are its ports from the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bridge {
    /// What it is called.
    pub name: String,
    /// Interfaces of this domain.
    pub ports: Vec<String>,
}

impl FromStr for Bridge {
    type Err = String;

    /// `NAME` or `NAME=INTERFACE[,INTERFACE...]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, ports) = text.split_once('=').map_or((text, None), |(name, ports)| (name, Some(ports)));
        let ports: Vec<&str> = ports.map(|ports| ports.split(',').collect()).unwrap_or_default();
        match [name].iter().chain(&ports).find(|name| !is_name(name)) {
            Some(name) => Err(format!("'{name}' is no name for an interface")),
            None => Ok(Self { name: name.into(), ports: ports.into_iter().map(Into::into).collect() }),
        }
    }
}

impl fmt::Display for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.ports.is_empty() { "" } else { "=" };
        write!(f, "{}{equals}{}", self.name, self.ports.join(","))
    }
}

/// Sees that bridges are there and work. What is wrong is noted, and harms nothing else.
pub(in super::super) fn provide(machine: &mut impl Interfaces, bridges: &[Bridge]) {
    for bridge in bridges {
        if let Err(why) = one(machine, bridge) {
            note(format_args!("bridge {}: {why}", bridge.name));
        }
    }
}

fn one(machine: &mut impl Interfaces, bridge: &Bridge) -> Result<(), String> {
    if machine.named(&bridge.name).map_err(said)?.is_none() {
        // With guests alone as ports it would change under those who talk to this domain.
        let address = if bridge.ports.is_empty() { Address::Own } else { Address::OfPorts };
        machine.make_bridge(&bridge.name, address).map_err(said)?;
    }
    let link = machine.named(&bridge.name).map_err(said)?.ok_or("it is gone again")?;
    if !link.is_bridge {
        return Err("there is an interface of this name that is no bridge".into());
    }
    if !link.up {
        machine.change(link.index, Change::Up).map_err(said)?;
    }
    for port in &bridge.ports {
        if let Err(why) = add(machine, link.index, port) {
            note(format_args!("bridge {}: {port}: {why}", bridge.name));
        }
    }
    Ok(())
}

fn add(machine: &mut impl Interfaces, bridge: u32, port: &str) -> Result<(), String> {
    let link = machine.named(port).map_err(said)?.ok_or("there is no such interface")?;
    if link.master != Some(bridge) {
        machine.change(link.index, Change::Bridge(bridge)).map_err(said)?;
    }
    if !link.up {
        machine.change(link.index, Change::Up).map_err(said)?;
    }
    Ok(())
}

fn said(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "xmd needs CAP_NET_ADMIN for it".into(),
        _ => words(&error),
    }
}
