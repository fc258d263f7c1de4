//! What `xm create -n` shows: the record of a domain that its configuration makes, in the order of `xm`.

use xendless_core::config::Kind;
use xendless_core::config::devices::{Access, Disk, DiskFormat, DiskVia, Medium};

use super::Sxp;
use crate::config::Evaluated;
use crate::config::datum::Datum;
use crate::config::specs::is_classic_disk;
use crate::config::table::{self, Status, Variable};

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
    let words = values.list("bootloader_args").join(" ");
    let words = values.text("bootloader_args").or_else(|| Some(words).filter(|words| !words.is_empty()));
    let words = values.text("bootargs").or(words);
    items.extend(words.map(|words| Sxp::pair("bootloader_args", words)));
    items.extend(more(&values));
    items.push(Sxp::named("image", [image(&values)]));
    items.push(Sxp::pair("s3_integrity", values.text("s3_integrity").unwrap_or_else(|| "1".to_owned())));
    items.extend(devices(&values).into_iter().map(|device| Sxp::named("device", [device])));
    Sxp::named("vm", items)
}

/// Variables that have a place of their own in the record, or are in what others have there.
const PLACED: &str = "name memory maxmem shadow_memory restart on_poweroff tsc_mode nomigrate on_reboot on_crash features \
    on_xend_start on_xend_stop cpuid cpuid_check description vcpus maxvcpus uuid cpu cpus cpu_cap cpu_weight blkif netif \
    tpmif localtime pool bootloader bootargs bootloader_args type builder pvh kernel ramdisk cmdline root extra ip gateway \
    netmask hostname interface dhcp nfs_server nfs_root disk pci pci_msitranslate pci_power_mgmt pci_permissive vscsi \
    vusb ioports irq irqs vif nics vtpm vfb";

/// What xm did not know, so that the record makes the same domain.
fn more(values: &Values<'_>) -> Vec<Sxp> {
    let placed = |name: &str| PLACED.split_whitespace().any(|known| known == name);
    let has_effect = |variable: &&Variable| matches!(variable.status, Status::Sets(_));
    let others = table::variables().filter(has_effect).filter(|variable| !placed(variable.name));
    others.filter_map(|variable| values.pair(variable.name, variable.name)).collect()
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
        let slot = device.virtual_slot.map(|slot| ("vslot", format!("0x{:02x}", slot.get())));
        let unusual = [
            ("msitranslate", device.msi_translate, true),
            ("power_mgmt", device.power_management, false),
            ("permissive", device.permissive, false),
        ];
        let unusual = unusual.into_iter().filter(|(_, set, usual)| set != usual);
        let opts: Vec<String> = unusual.map(|(name, set, _)| format!("{name}={}", u8::from(set))).collect();
        let opts = (!opts.is_empty()).then(|| ("opts", opts.join(",")));
        let pairs = parts.into_iter().chain(rest).chain(slot).chain(opts);
        Sxp::named("dev", pairs.map(|(name, value)| Sxp::pair(name, value)))
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
    let vifs = values.list("vif");
    devices.extend(vifs.iter().map(|text| keyed("vif", text)));
    // Those that only their number asks for.
    let rest = values.0.config.devices.vifs.len().saturating_sub(vifs.len());
    devices.extend((0..rest).map(|_| Sxp::named("vif", [])));
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
    let source = disk.medium.source();
    let format = source.map(|source| source.format).filter(|format| *format != DiskFormat::Raw);
    let script = source.and_then(|source| source.script.as_ref());
    let pairs = [Sxp::pair("uname", uname), Sxp::pair("dev", dev), Sxp::pair("mode", mode)].into_iter();
    // Without these two it is what xm could always say.
    let format = format.map(|format| Sxp::pair("format", format_name(format)));
    let script = script.map(|script| Sxp::pair("script", script.as_str()));
    Sxp::named("vbd", pairs.chain(backend).chain(format).chain(script))
}

const fn format_name(format: DiskFormat) -> &'static str {
    match format {
        DiskFormat::Raw => "raw",
        DiskFormat::Qcow => "qcow",
        DiskFormat::Qcow2 => "qcow2",
        DiskFormat::Vhd => "vhd",
        DiskFormat::Qed => "qed",
    }
}
