//! The record of a domain that `list --long` prints, in the order of `xm`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use xendless_core::config::devices::{Access, Disk, DiskVia, Medium, Vif, Vtpm};
use xendless_core::config::{Boot, CpuSet, DomainConfig, Kind, OnStart, OnStop, PrintedUuid};

use super::Entry;
use crate::config::sxp::Sxp;

/// Everything that is known about a domain. The control domain has no configuration.
pub(super) fn record(entry: &Entry, config: Option<&DomainConfig>) -> Sxp {
    let row = entry.row.as_ref();
    let mut items: Vec<Sxp> = row.map(|row| Sxp::pair("domid", row.domid.to_string())).into_iter().collect();
    let weight = config.and_then(|config| config.scheduling.weight).map_or(256, |weight| weight.get());
    let cap = config.and_then(|config| config.scheduling.cap).unwrap_or(0);
    items.push(Sxp::pair("cpu_weight", weight.to_string()));
    items.push(Sxp::pair("cpu_cap", cap.to_string()));
    items.extend(legacy(entry, config));
    let paging = config.and_then(|config| config.platform.paging_pool).map_or(0, |pool| pool.mib());
    let (on_start, on_stop) =
        config.map_or(("ignore", "ignore"), |config| service(config.on_start, config.on_stop));
    let max = match (row, config) {
        (Some(row), _) => row.max_kib / 1024,
        (None, Some(config)) => config.memory.maximum().mib(),
        (None, None) => 0,
    };
    items.extend([
        Sxp::pair("maxmem", max.to_string()),
        Sxp::pair("memory", entry.memory_mib().to_string()),
        Sxp::pair("shadow_memory", paging.to_string()),
        Sxp::pair("features", config.map_or("", |config| &config.platform.features)),
        Sxp::pair("on_xend_start", on_start),
        Sxp::pair("on_xend_stop", on_stop),
    ]);
    if let Some(row) = row {
        items.extend(row.age_ns.map(|age| Sxp::pair("start_time", start(age))));
        items.push(Sxp::pair("cpu_time", format!("{:?}", entry.seconds())));
        items.push(Sxp::pair("online_vcpus", row.vcpus.to_string()));
    }
    let label = entry.label();
    items.extend((!label.is_empty()).then(|| Sxp::pair("security_label", label)));
    items.extend(config.map(|config| Sxp::named("image", [image(config)])));
    items.push(Sxp::pair("status", entry.state.code().to_string()));
    items.extend(row.map(|_| Sxp::pair("state", entry.state.letters())));
    items.extend(config.into_iter().flat_map(devices).map(|device| Sxp::named("device", [device])));
    Sxp::named("domain", items)
}

/// A UUID as it is printed.
pub(in crate::xm::commands) fn uuid(bytes: [u8; 16]) -> String {
    PrintedUuid(bytes).to_string()
}

/// The keys of the oldest format.
fn legacy(entry: &Entry, config: Option<&DomainConfig>) -> Vec<Sxp> {
    let actions = config.map(|config| config.actions).unwrap_or_default();
    let known = config.map(|config| config.uuid.to_string());
    let id = entry.row.as_ref().map(|row| uuid(row.uuid)).or(known).unwrap_or_default();
    let vcpus = match (&entry.row, config) {
        (Some(row), _) => row.max_vcpus,
        (None, Some(config)) => config.vcpus.max(),
        (None, None) => 0,
    };
    let (bootloader, arguments) = match config.map(|config| &config.boot) {
        Some(Boot::Bootloader { program, arguments }) => (program.as_str(), arguments.as_str()),
        _ => ("", ""),
    };
    vec![
        Sxp::pair("on_crash", actions.crash.name()),
        Sxp::pair("uuid", id),
        Sxp::pair("bootloader_args", arguments),
        Sxp::pair("pool_name", entry.pool()),
        Sxp::pair("vcpus", vcpus.to_string()),
        Sxp::pair("name", entry.name.as_str()),
        Sxp::pair("on_poweroff", actions.poweroff.name()),
        Sxp::pair("on_reboot", actions.reboot.name()),
        Sxp::named("cpus", [Sxp::List(cpus(config, vcpus))]),
        Sxp::pair("description", config.map_or("", |config| &config.description)),
        Sxp::pair("bootloader", bootloader),
    ]
}

/// The CPUs of each virtual CPU; an empty list is all of them.
fn cpus(config: Option<&DomainConfig>, vcpus: u32) -> Vec<Sxp> {
    let of = |vcpu| config.and_then(|config| config.affinity.of(vcpu));
    let numbers = |vcpu| of(vcpu).into_iter().flat_map(CpuSet::iter);
    let list = |vcpu| Sxp::List(numbers(vcpu).map(|cpu| Sxp::atom(cpu.to_string())).collect());
    (0..vcpus).map(list).collect()
}

/// When a domain was started, in seconds since 1970, as Python printed it.
fn start(age_ns: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:.2}", now.saturating_sub(Duration::from_nanos(age_ns)).as_secs_f64())
}

const fn service(start: OnStart, stop: OnStop) -> (&'static str, &'static str) {
    let start = match start {
        OnStart::Ignore => "ignore",
        OnStart::Start => "start",
    };
    let stop = match stop {
        OnStop::Ignore => "ignore",
        OnStop::Shutdown => "shutdown",
        OnStop::Suspend => "suspend",
    };
    (start, stop)
}

fn image(config: &DomainConfig) -> Sxp {
    let (kernel, ramdisk) = match &config.boot {
        Boot::Direct { kernel, ramdisk } => {
            (kernel.as_str(), ramdisk.as_ref().map_or("", |path| path.as_str()))
        }
        Boot::Bootloader { .. } => ("", ""),
    };
    let kind = match config.kind {
        Kind::Pv => "linux",
        Kind::Pvh => "pvh",
    };
    let line = config.command_line.render();
    let pairs = [("kernel", kernel), ("ramdisk", ramdisk), ("args", &line)];
    Sxp::named(kind, pairs.map(|(key, value)| Sxp::pair(key, value)))
}

fn devices(config: &DomainConfig) -> Vec<Sxp> {
    let disks = config.devices.disks.iter().enumerate().map(|(n, found)| disk(found, n == 0));
    disks.chain(config.devices.vifs.iter().map(vif)).chain(config.devices.vtpms.iter().map(vtpm)).collect()
}

fn vtpm(vtpm: &Vtpm) -> Sxp {
    let uuid = vtpm.uuid.iter().map(|uuid| Sxp::pair("uuid", uuid.to_string()));
    let items = [Sxp::pair("backend", vtpm.backend.to_string())].into_iter().chain(uuid);
    Sxp::named("vtpm", items)
}

fn disk(disk: &Disk, bootable: bool) -> Sxp {
    let uname = disk.medium.source().map_or_else(String::new, |source| match source.via {
        DiskVia::Device => format!("phy:{}", source.target),
        DiskVia::File => format!("file:{}", source.target),
        DiskVia::Any => source.target.to_string(),
    });
    let kind = if matches!(disk.medium, Medium::Cdrom(_)) { "cdrom" } else { "disk" };
    let mode = match disk.access {
        Access::ReadOnly => "r",
        Access::ReadWrite => "w",
        Access::ReadWriteShared => "w!",
    };
    let mut items = vec![
        Sxp::pair("bootable", if bootable { "1" } else { "0" }),
        Sxp::pair("dev", format!("{}:{kind}", disk.vdev)),
        Sxp::pair("uname", uname),
        Sxp::pair("mode", mode),
    ];
    items.extend(disk.backend.as_ref().map(|backend| Sxp::pair("backend", backend.to_string())));
    Sxp::named("vbd", items)
}

fn vif(vif: &Vif) -> Sxp {
    let mut items: Vec<Sxp> =
        vif.bridge.as_ref().map(|bridge| Sxp::pair("bridge", bridge.as_str())).into_iter().collect();
    items.extend(vif.mac.map(|mac| Sxp::pair("mac", mac.to_string())));
    items.extend(vif.script.as_ref().map(|script| Sxp::pair("script", script.as_str())));
    items.extend(vif.backend.as_ref().map(|backend| Sxp::pair("backend", backend.to_string())));
    Sxp::named("vif", items)
}
