//! What `xm create -n` shows: the record of a domain that its configuration makes, in the order of `xm`.

use xendless_core::config::Kind;
use xendless_core::config::devices::{Access, Disk, DiskVia, Medium};

use super::Sxp;
use crate::config::Evaluated;
use crate::config::datum::Datum;
use crate::config::specs::is_classic_disk;

/// The record of an evaluated configuration.
#[must_use]
pub fn record(evaluated: &Evaluated) -> Sxp {
    let values = Values(evaluated);
    let mut items = vec![Sxp::pair("name", evaluated.config.name.as_str())];
    items.push(Sxp::pair("memory", values.text("memory").unwrap_or_else(|| "128".to_owned())));
    let plain = [
        "maxmem",
        "shadow_memory",
        "restart",
        "on_poweroff",
        "tsc_mode",
        "nomigrate",
        "on_reboot",
        "on_crash",
    ];
    items.extend(plain.into_iter().chain(["features"]).filter_map(|name| values.pair(name, name)));
    for name in ["on_xend_start", "on_xend_stop"] {
        items.push(Sxp::pair(name, values.text(name).unwrap_or_else(|| "ignore".to_owned())));
    }
    let plain = [
        "target",
        "cpuid",
        "cpuid_check",
        "machine_address_size",
        "suppress_spurious_page_faults",
        "description",
    ];
    items.extend(plain.into_iter().filter_map(|name| values.pair(name, name)));
    items.extend(vcpus(&values));
    items.extend(
        ["uuid", "cpu", "cpus", "cpu_cap", "cpu_weight"]
            .into_iter()
            .filter_map(|name| values.pair(name, name)),
    );
    for name in ["blkif", "netif", "tpmif"] {
        let set = values.text(name).is_some();
        items.extend(set.then(|| Sxp::named("backend", [Sxp::List(vec![Sxp::atom(name)])])));
    }
    items.extend(values.pair("localtime", "localtime"));
    items.push(Sxp::pair("oos", values.text("oos").unwrap_or_else(|| "1".to_owned())));
    items.extend(values.pair("pool", "pool_name"));
    items.extend(values.pair("bootloader", "bootloader"));
    items.extend(values.pair("bootargs", "bootloader_args"));
    items.push(Sxp::named("image", [image(&values)]));
    items.push(Sxp::pair("s3_integrity", values.text("s3_integrity").unwrap_or_else(|| "1".to_owned())));
    items.extend(devices(&values).into_iter().map(|device| Sxp::named("device", [device])));
    Sxp::named("vm", items)
}

/// The variables as they were set.
struct Values<'a>(&'a Evaluated);

impl Values<'_> {
    /// A value as text; `None` when it is not set, empty or zero.
    fn text(&self, name: &str) -> Option<String> {
        match self.0.values.get(name)? {
            Datum::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Datum::Int(0) | Datum::Bool(false) => None,
            Datum::Int(n) => Some(n.to_string()),
            Datum::Float(n) => Some(n.to_string()),
            Datum::Bool(true) => Some("1".to_owned()),
            _ => None,
        }
    }

    /// The elements of a list as text.
    fn list(&self, name: &str) -> Vec<String> {
        let Some(Datum::List(items)) = self.0.values.get(name) else { return Vec::new() };
        let texts = items.iter().filter_map(|item| match &item.datum {
            Datum::Text(text) => Some(text.clone()),
            Datum::Int(n) => Some(n.to_string()),
            _ => None,
        });
        texts.collect()
    }

    /// `(key value)` of a variable that is set.
    fn pair(&self, name: &str, key: &str) -> Option<Sxp> {
        let list = self.list(name);
        match self.text(name) {
            Some(text) => Some(Sxp::pair(key, text)),
            None if !list.is_empty() => {
                Some(Sxp::named(key, [Sxp::List(list.into_iter().map(Sxp::Atom).collect())]))
            }
            None => None,
        }
    }
}

fn vcpus(values: &Values<'_>) -> Vec<Sxp> {
    let vcpus = values.0.config.vcpus;
    let max = Sxp::pair("vcpus", vcpus.max().to_string());
    if vcpus.online() == vcpus.max() {
        return vec![max];
    }
    // A bit for each virtual CPU that is online; beyond 64 of them Python's number had more digits.
    let mask = 1_u128.checked_shl(vcpus.online()).map_or(u128::MAX, |bit| bit - 1);
    vec![Sxp::pair("vcpu_avail", mask.to_string()), max]
}

fn image(values: &Values<'_>) -> Sxp {
    let config = &values.0.config;
    let line = &config.command_line;
    let parts = [("root", &*line.root), ("ip", &*line.ip)];
    let mut items: Vec<Sxp> =
        ["kernel", "ramdisk"].into_iter().filter_map(|name| values.pair(name, name)).collect();
    items.extend(
        parts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| Sxp::pair(name, text)),
    );
    items.push(Sxp::pair("videoram", values.text("videoram").unwrap_or_else(|| "4".to_owned())));
    items.extend((!line.extra.is_empty()).then(|| Sxp::pair("args", line.extra.as_str())));
    items.extend(values.pair("superpages", "superpages"));
    for name in ["tsc_mode", "nomigrate"] {
        items.push(Sxp::pair(name, values.text(name).unwrap_or_else(|| "0".to_owned())));
    }
    let kind = match config.kind {
        Kind::Pv => "linux",
        Kind::Pvh => "pvh",
    };
    Sxp::named(kind, items)
}

fn devices(values: &Values<'_>) -> Vec<Sxp> {
    let disks = values.list("disk");
    let disks = disks.iter().zip(values.0.config.devices.disks.iter());
    let mut devices: Vec<Sxp> = disks.map(|(text, typed)| disk(text, typed)).collect();
    let pci = values.0.config.devices.pci.iter().map(|device| {
        let (segment, bus, slot, function) = device.address.parts();
        let parts = [("domain", format!("0x{segment:04x}")), ("bus", format!("0x{bus:02x}"))];
        let rest = [("slot", format!("0x{slot:02x}")), ("func", format!("0x{function:x}"))];
        let pairs = parts.into_iter().chain(rest).map(|(name, value)| Sxp::pair(name, value));
        Sxp::named("dev", pairs)
    });
    let pci: Vec<Sxp> = pci.collect();
    devices.extend((!pci.is_empty()).then(|| Sxp::named("pci", pci)));
    devices.extend(values.list("vscsi").iter().map(|text| Sxp::pair("vscsi", text.as_str())));
    devices.extend(values.list("vusb").iter().map(|text| keyed("vusb", text)));
    devices.extend(values.0.config.devices.ioports.iter().map(|ports| {
        let (first, last) = ports.ends();
        Sxp::named("ioports", [Sxp::pair("from", format!("{first:x}")), Sxp::pair("to", format!("{last:x}"))])
    }));
    let irqs = values.0.config.devices.irqs.iter();
    devices.extend(irqs.map(|irq| Sxp::named("irq", [Sxp::pair("irq", irq.to_string())])));
    devices.extend(values.list("vif").iter().map(|text| keyed("vif", text)));
    devices.extend(values.list("vtpm").iter().map(|text| keyed("vtpm", text)));
    for text in values.list("vfb") {
        devices.push(Sxp::named("vkbd", []));
        devices.push(keyed("vfb", &text));
    }
    devices
}

/// `(class (key value) …)` of a text of pairs.
fn keyed(class: &str, text: &str) -> Sxp {
    let pairs = text.split(',').filter_map(|word| word.split_once('='));
    Sxp::named(class, pairs.map(|(key, value)| Sxp::pair(key.trim(), value.trim())))
}

/// A disk in the words of `xm`, also when it was written for `xl`.
fn disk(text: &str, disk: &Disk) -> Sxp {
    let names = ["uname", "dev", "mode", "backend", "protocol"];
    if is_classic_disk(text) {
        return Sxp::named(
            "vbd",
            names.into_iter().zip(text.split(',')).map(|(name, value)| Sxp::pair(name, value)),
        );
    }
    let uname = disk.medium.source().map_or_else(String::new, |source| match source.via {
        DiskVia::Device => format!("phy:{}", source.target),
        DiskVia::File => format!("file:{}", source.target),
        DiskVia::Any => source.target.to_string(),
    });
    let kind = if matches!(disk.medium, Medium::Cdrom(_)) { ":cdrom" } else { "" };
    let mode = match disk.access {
        Access::ReadOnly => "r",
        Access::ReadWrite => "w",
        Access::ReadWriteShared => "w!",
    };
    let backend = disk.backend.as_ref().map(|backend| Sxp::pair("backend", backend.to_string()));
    let dev = format!("{}{kind}", disk.vdev);
    Sxp::named(
        "vbd",
        [Sxp::pair("uname", uname), Sxp::pair("dev", dev), Sxp::pair("mode", mode)]
            .into_iter()
            .chain(backend),
    )
}
