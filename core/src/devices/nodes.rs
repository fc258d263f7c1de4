//! The nodes of a new device, as data. Names and values are those that Xen's `libxl` and the classic tools write.
//! Sources: `xen/io/blkif.h`, `xen/io/netif.h`, `docs/misc/xenstore-paths.pandoc`.
//!
//! Each end's directory belongs to the domain of that end, and the other one may read it. So a guest cannot write
//! where its backend looks for what to open and how.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::DeviceName;
use crate::config::devices::{Access, Disk, DiskVia, Equipment, Medium, Vif, Vtpm};
use crate::hyper::DomId;
use crate::store::wire::{Access as Right, Perm};

/// Where the scripts of the classic tools are in the backend's domain.
const SCRIPTS: &str = "/etc/xen/scripts/";

/// A node to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    pub(super) path: String,
    pub(super) value: String,
    /// Who may see it, when that differs from the node above.
    pub(super) perms: Option<[Perm; 2]>,
}

struct List(Vec<Node>);

impl List {
    /// A directory of `owner`, which `reader` may read.
    fn folder(&mut self, path: &str, owner: DomId, reader: DomId) {
        let perms = Some([Perm::new(Right::None, owner), Perm::new(Right::Read, reader)]);
        self.0.push(Node { path: path.to_string(), value: String::new(), perms });
    }

    fn value(&mut self, folder: &str, name: &str, value: impl ToString) {
        self.0.push(Node { path: format!("{folder}/{name}"), value: value.to_string(), perms: None });
    }

    fn some(&mut self, folder: &str, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.value(folder, name, value);
        }
    }
}

/// All nodes of a device. The states come last: a driver looks at nothing that has none, so it never sees a part of it.
pub(super) fn of(name: &DeviceName, back: DomId, control: DomId, equipment: &Equipment) -> Vec<Node> {
    let (frontend, backend, record) = (name.frontend(), name.backend(back), name.record());
    let mut list = List(Vec::new());
    list.folder(&record, control, control);
    list.value(&record, "frontend", &frontend);
    list.value(&record, "backend", &backend);
    list.folder(&backend, back, name.front);
    list.value(&backend, "frontend", &frontend);
    list.value(&backend, "frontend-id", name.front);
    list.value(&backend, "online", 1);
    list.folder(&frontend, name.front, back);
    list.value(&frontend, "backend", &backend);
    list.value(&frontend, "backend-id", back);
    match equipment {
        Equipment::Disk(it) => disk(&mut list, (&frontend, &backend), name.id, it),
        Equipment::Vif(it) => vif(&mut list, (&frontend, &backend), name.id, it),
        Equipment::Vtpm(it) => vtpm(&mut list, (&frontend, &backend), name.id, it),
    }
    list.value(&backend, "state", 1);
    list.value(&frontend, "state", 1);
    list.0
}

/// What only disks have.
fn disk(list: &mut List, (frontend, backend): (&str, &str), id: u32, disk: &Disk) {
    list.value(backend, "bootable", 1);
    list.value(backend, "dev", disk.vdev);
    let removable = matches!(disk.medium, Medium::Cdrom(_));
    let kind = if removable { "cdrom" } else { "disk" };
    list.value(backend, "removable", u8::from(removable));
    list.value(backend, "device-type", kind);
    list.value(backend, "mode", mode(disk));
    let source = disk.medium.source();
    let is_file = source.is_some_and(|source| source.via == DiskVia::File);
    list.value(backend, "type", if is_file { "file" } else { "phy" });
    list.value(backend, "params", source.map_or("", |source| source.target.as_str()));
    list.some(backend, "script", source.and_then(|source| source.script.as_ref()));
    list.value(frontend, "virtual-device", id);
    list.value(frontend, "device-type", kind);
}

/// What only interfaces have. Linux' backend takes none on without a script. That hotplug has said nothing yet is
/// written, too: without that word Linux does not wait for it.
fn vif(list: &mut List, (frontend, backend): (&str, &str), id: u32, vif: &Vif) {
    let script = vif.script.as_ref().map_or("vif-bridge", |script| script.as_str());
    let folder = if script.starts_with('/') { "" } else { SCRIPTS };
    list.value(backend, "script", format_args!("{folder}{script}"));
    list.value(backend, "type", "vif");
    list.value(backend, "handle", id);
    list.some(backend, "mac", vif.mac);
    list.some(backend, "bridge", vif.bridge.as_ref());
    list.some(backend, "gatewaydev", vif.gateway_dev.as_ref());
    list.some(backend, "ip", vif.ip.as_ref());
    list.some(backend, "vifname", vif.vifname.as_ref());
    list.some(backend, "rate", vif.rate);
    list.some(backend, "mtu", vif.mtu.map(|mtu| mtu.get()));
    list.value(backend, "hotplug-status", "");
    list.value(frontend, "handle", id);
    list.some(frontend, "mac", vif.mac);
    list.some(frontend, "mtu", vif.mtu.map(|mtu| mtu.get()));
    list.some(frontend, "trusted", vif.untrusted_backend.then_some(0));
}

/// What only TPMs have. Mini-OS' backend takes none on without a UUID.
fn vtpm(list: &mut List, (frontend, backend): (&str, &str), id: u32, vtpm: &Vtpm) {
    list.value(backend, "handle", id);
    list.some(backend, "uuid", vtpm.uuid);
    list.value(backend, "resume", "False");
    list.value(frontend, "handle", id);
}

/// What the guest may do, as the backend reads it: without a `w` it opens for reading only. A disc in a drive is never
/// written.
fn mode(disk: &Disk) -> &'static str {
    match disk.access {
        _ if matches!(disk.medium, Medium::Cdrom(_)) => "r",
        Access::ReadOnly => "r",
        Access::ReadWrite => "w",
        Access::ReadWriteShared => "w!",
    }
}
