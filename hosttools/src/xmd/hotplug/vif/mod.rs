//! Network interfaces (`vif`): the backend's driver made one, and it becomes a port of a bridge. Source: Xen's
//! `docs/man/xl-network-configuration.5.pod`; what netback waits for, Linux' `drivers/net/xen-netback`.

mod bridges;
mod interfaces;

use std::collections::BTreeMap;
use std::io;

use xendless_core::devices::XenbusState;

pub use self::bridges::Bridge;
pub(super) use self::bridges::provide;
pub(super) use self::interfaces::Interfaces;
use super::class::{Class, Get, Problem, SetUp, Why, words};
use super::node::{Failed, Node};
use super::scripts::{Call, other_than};
use crate::links::{Change, Link, is_name};

/// What there is to know of an interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// The bridge that it is to be a port of.
    bridge: Option<String>,
    /// What it is to be called in this domain.
    name: Option<String>,
    mtu: Option<u32>,
    /// What a script is told of the way out.
    gateway: Option<String>,
    /// The script that does the work, when it is not done here.
    script: Option<String>,
}

/// An interface that was got ready.
#[derive(Debug)]
pub(super) enum Port {
    /// It is a port of a bridge. It goes with its device.
    Bridged,
    /// The business of a script.
    Script(Wanted),
}

impl<M: Interfaces> Class<M> for Port {
    const NAME: &'static str = "vif";

    type Wanted = Wanted;

    fn read(get: &mut Get<'_>) -> Result<Wanted, Failed> {
        let mut named =
            |name: &str| -> Result<_, Failed> { Ok(get(name)?.filter(|value| !value.is_empty())) };
        Ok(Wanted {
            bridge: named("bridge")?,
            name: named("vifname")?,
            mtu: named("mtu")?.and_then(|mtu| mtu.parse().ok()),
            gateway: named("gatewaydev")?,
            script: other_than("vif-bridge", named("script")?),
        })
    }

    fn set_up(
        machine: &mut M,
        _: &BTreeMap<String, Self>,
        home: &str,
        node: &Node<Wanted>,
    ) -> Result<SetUp<Self>, Problem> {
        // The driver makes the interface before it says that it waits.
        if matches!(node.state, XenbusState::Unknown | XenbusState::Initialising) {
            return Ok(SetUp::Later);
        }
        if let Some(call) = call(home, &node.wanted, "online") {
            return Ok(SetUp::Script(Self::Script(node.wanted.clone()), call));
        }
        join(machine, home, &node.wanted)?;
        Ok(SetUp::Ready(Self::Bridged, vec![("hotplug-status", "connected".into())]))
    }

    fn find(machine: &mut M, home: &str, wanted: &Wanted) -> Option<Self> {
        if wanted.script.is_some() {
            return Some(Self::Script(wanted.clone()));
        }
        let master = machine.of(&Device::new(home)).ok()??.master?;
        match &wanted.bridge {
            Some(_) => (bridge(machine, wanted).ok()?.index == master).then_some(Self::Bridged),
            None => Some(Self::Bridged),
        }
    }

    fn is_scripts(&self) -> bool {
        matches!(self, Self::Script(_))
    }

    fn let_go(self, home: &str) -> Option<Call> {
        match self {
            Self::Bridged => None,
            Self::Script(wanted) => call(home, &wanted, "offline"),
        }
    }
}

/// Which device an interface is of, as drivers name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Device<'a> {
    pub(super) domain: &'a str,
    pub(super) handle: &'a str,
}

impl<'a> Device<'a> {
    /// The device whose directory is `home`.
    fn new(home: &'a str) -> Self {
        let mut parts = home.split('/').skip(2);
        Self { domain: parts.next().unwrap_or_default(), handle: parts.next().unwrap_or_default() }
    }

    /// What its driver calls the interface.
    fn interface(self) -> String {
        format!("vif{}.{}", self.domain, self.handle)
    }
}

/// Makes an interface a port of its bridge, if it is not one already.
fn join(machine: &mut impl Interfaces, home: &str, wanted: &Wanted) -> Result<(), Why> {
    let device = Device::new(home);
    let interface = device.interface();
    let of = |what: &str, error: &io::Error| format!("{interface}: {what}{}", words(error));
    let link = machine.of(&device).map_err(|error| of("", &error))?;
    let link = link.ok_or_else(|| format!("there is no interface {interface}"))?;
    let bridge = bridge(machine, wanted)?;
    let mtu = wanted.mtu.unwrap_or(bridge.mtu);
    let name = wanted.name.as_deref().filter(|name| *name != link.name);
    if link.up && link.master == Some(bridge.index) && link.mtu == mtu && name.is_none() {
        return Ok(());
    }
    if link.up {
        // It cannot be renamed, and has addresses already.
        machine.change(link.index, Change::Down).map_err(|error| of("", &error))?;
    }
    if let Some(name) = name {
        rename(machine, link.index, name)?;
    }
    let mut change =
        |what: &str, change: Change<'_>| machine.change(link.index, change).map_err(|error| of(what, &error));
    if mtu != link.mtu {
        change(&format!("an MTU of {mtu}: "), Change::Mtu(mtu))?;
    }
    change("", Change::Unaddressed)?;
    change(&format!("no port of bridge {}: ", bridge.name), Change::Bridge(bridge.index))?;
    change("", Change::Up)
}

/// The bridge for an interface.
fn bridge(machine: &mut impl Interfaces, wanted: &Wanted) -> Result<Link, Why> {
    let of = |error: io::Error| format!("bridges: {}", words(&error));
    let Some(name) = wanted.bridge.clone().or_else(|| machine.own_bridge()) else {
        let first = machine.bridges().map_err(of)?.into_iter().next();
        return first.ok_or_else(|| "no bridge, and none was named".into());
    };
    match machine.named(&name).map_err(of)? {
        None => Err(format!("bridge {name}: no such bridge")),
        Some(link) if !link.is_bridge => Err(format!("bridge {name}: not a bridge")),
        Some(link) => Ok(link),
    }
}

fn rename(machine: &mut impl Interfaces, index: u32, name: &str) -> Result<(), Why> {
    let failed = |why: &str| format!("vifname {name}: {why}");
    if !is_name(name) {
        return Err(failed("no name for an interface"));
    }
    match machine.change(index, Change::Name(name)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(failed("there is an interface of this name"))
        }
        outcome => outcome.map_err(|error| failed(&words(&error))),
    }
}

/// What a script has to do, where one does the work. It finds the interface under the driver's name, as with the
/// classic tools.
fn call(home: &str, wanted: &Wanted, action: &'static str) -> Option<Call> {
    let script = wanted.script.clone()?;
    let gateway = wanted.gateway.clone().unwrap_or_default();
    let variables = vec![("vif", Device::new(home).interface()), ("netdev", gateway)];
    let arguments = vec![action, "type_if=vif"];
    Some(Call { script, arguments, class: "vif", home: home.to_owned(), variables })
}
