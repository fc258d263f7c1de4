//! What was asked, in a line.

use xendless_core::config::DomainConfig;
use xendless_core::config::devices::{Disk, Equipment};
use xendless_core::devices::Class;
use xendless_core::protocol::{Devices, Request};

/// A device as the tests look for it.
fn shown(device: &[u8]) -> String {
    let device = Equipment::decode(device).unwrap();
    let backend = device.backend().map_or("-".to_owned(), ToString::to_string);
    match device {
        Equipment::Disk(Disk { vdev, access, medium, .. }) => {
            let target = medium.source().map_or("-", |source| source.target.as_str());
            format!("{vdev} {access:?} {target} {backend}")
        }
        Equipment::Vif(vif) => {
            let bridge = vif.bridge.as_ref().map_or("-", |bridge| bridge.as_str());
            let mac = vif.mac.unwrap();
            format!("{mac} {bridge} {:?} {backend}", vif.rate.map(|rate| rate.to_string()))
        }
        Equipment::Vtpm(vtpm) => format!("{:?} {backend}", vtpm.uuid.map(|uuid| uuid.to_string())),
    }
}

/// A request as the tests look for it.
pub(super) fn line(request: &Request<'_>) -> String {
    match request {
        Request::Create { config, paused, ramdisk, saved, .. } => {
            let config = DomainConfig::decode(config).unwrap();
            let saved = if *saved { " saved" } else { "" };
            format!("create {} paused={paused} ramdisk={}{saved}", config.name, ramdisk.is_some())
        }
        Request::Save { domain, keep } => format!("save {domain} keep={keep}"),
        Request::Define { config } => format!("define {}", DomainConfig::decode(config).unwrap().name),
        Request::Shutdown { domain, wish } => format!("shutdown {domain} {wish:?}"),
        Request::Wait { domain, until } => format!("wait {domain} {until:?}"),
        Request::Rename { domain, name } => format!("rename {domain} {name}"),
        Request::Dmesg { clear } => format!("dmesg clear={clear}"),
        Request::Adjust { domain, what } => format!("adjust {domain} {what:?}"),
        Request::Machine(what) => format!("machine {what:?}"),
        Request::Dump { domain, live, hold } => format!("dump {domain} live={live} hold={hold}"),
        Request::Sched(request) => format!("{request:?}"),
        Request::Devices(Devices::Detach { domain, class: Class::Vbd, id, force }) => {
            format!("detach {domain} {id} force={force}")
        }
        Request::Devices(Devices::Detach { domain, class, id, force }) => {
            format!("detach {domain} {class} {id} force={force}")
        }
        Request::Devices(Devices::Attach { domain, device }) => format!("attach {domain} {}", shown(device)),
        Request::Devices(Devices::Change { domain, device }) => format!("change {domain} {}", shown(device)),
        Request::Labels(request) => format!("{request:?}"),
        other => {
            let name = format!("{other:?}").split([' ', '(']).next().unwrap().to_lowercase();
            other.domain().map_or(name.clone(), |domain| format!("{name} {domain}"))
        }
    }
}
