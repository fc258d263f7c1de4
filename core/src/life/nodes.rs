//! The XenStore nodes of a domain, as data. Names, values and permissions are those that Xen's `libxl` gives a
//! domain, so that its programs and guests find what they look for.
//!
//! What the domain may write is its own directories of `control`, `data` and the like. All else is the control
//! domain's, which keeps its own record and reads none of it back.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::builder::{Built, Ring};
use crate::config::{Boot, DomainConfig, Kind};
use crate::hyper::DomId;
use crate::store::service::{Local, Refused};
use crate::store::wire::{Access, Perm, Request};

/// Bytes of console history that a console daemon would keep.
const CONSOLE_LIMIT: &str = "1048576";

/// Directories that belong to the domain.
const OWN: [&str; 11] = [
    "device/suspend/event-channel",
    "control/shutdown",
    "control/feature-poweroff",
    "control/feature-reboot",
    "control/feature-suspend",
    "control/sysrq",
    "data",
    "drivers",
    "feature",
    "attr",
    "error",
];

/// Who may do what with a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rights {
    /// The same as with the node above.
    Inherited,
    /// The domain may read.
    Readable,
    /// The domain may do everything.
    Own,
    /// Only the control domain.
    Hidden,
}

impl Rights {
    /// As permissions of a node; `None` when they need not be set.
    pub(super) fn perms(self, control: DomId, domid: DomId) -> Option<Vec<Perm>> {
        match self {
            Self::Inherited => None,
            Self::Readable => {
                Some([Perm::new(Access::None, control), Perm::new(Access::Read, domid)].to_vec())
            }
            Self::Own => Some([Perm::new(Access::None, domid)].to_vec()),
            Self::Hidden => Some([Perm::new(Access::None, control)].to_vec()),
        }
    }
}

/// A node to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    pub(super) path: String,
    pub(super) value: String,
    pub(super) rights: Rights,
}

/// Where a domain's nodes are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Homes {
    /// What the domain sees.
    pub(super) domain: String,
    /// What is said about it under its UUID.
    pub(super) vm: String,
    /// What only tools see.
    pub(super) tools: String,
}

impl Homes {
    pub(super) fn new(domid: DomId, config: &DomainConfig) -> Self {
        Self {
            domain: format!("/local/domain/{domid}"),
            vm: vm_home(config),
            tools: format!("/libxl/{domid}"),
        }
    }

    /// Writes what the domain is to do with itself.
    pub(super) fn wish(&self, store: &mut impl Local, value: &[u8]) -> Result<(), Refused> {
        let path = format!("{}/control/shutdown", self.domain);
        store.ask(&Request::Write { path: path.as_bytes(), value })
    }

    pub(super) fn all(&self) -> [&str; 3] {
        [&self.domain, &self.vm, &self.tools]
    }
}

/// Where a domain's nodes are under its UUID.
pub(super) fn vm_home(config: &DomainConfig) -> String {
    format!("/vm/{}", config.uuid)
}

/// Collects nodes.
struct List(Vec<Node>);

impl List {
    fn add(&mut self, path: String, value: impl ToString, rights: Rights) {
        self.0.push(Node { path, value: value.to_string(), rights });
    }

    fn value(&mut self, path: String, value: impl ToString) {
        self.add(path, value, Rights::Inherited);
    }
}

/// All nodes of a domain, parents before children, apart from its devices'.
pub(super) fn nodes(control: DomId, built: &Built, config: &DomainConfig) -> Vec<Node> {
    let Built { domid, store, console: ring } = *built;
    let homes = Homes::new(domid, config);
    let mut list = List(Vec::new());
    list.add(homes.domain.clone(), "", Rights::Readable);
    list.add(homes.vm.clone(), "", Rights::Readable);
    list.add(homes.tools.clone(), "", Rights::Hidden);
    list.value(format!("{}/type", homes.tools), kind(config.kind));
    list.0.extend(naming(domid, config));
    describe(&mut list, &homes.vm, config);
    basics(&mut list, &homes.domain, domid, config, store);
    console(&mut list, &homes.domain, control, ring);
    list.0
}

/// The nodes that name a domain: those to write again when it gets another name.
pub(super) fn naming(domid: DomId, config: &DomainConfig) -> Vec<Node> {
    let Homes { domain, vm, .. } = Homes::new(domid, config);
    let mut list = List(Vec::new());
    list.value(format!("{domain}/vm"), &vm);
    list.value(format!("{domain}/name"), config.name.as_str());
    list.value(format!("{vm}/uuid"), config.uuid);
    list.value(format!("{vm}/name"), config.name.as_str());
    list.0
}

fn describe(list: &mut List, vm: &str, config: &DomainConfig) {
    list.value(format!("{vm}/image/ostype"), "linux");
    if let Boot::Direct { kernel, ramdisk } = &config.boot {
        list.value(format!("{vm}/image/kernel"), kernel.as_str());
        if let Some(ramdisk) = ramdisk {
            list.value(format!("{vm}/image/ramdisk"), ramdisk.as_str());
        }
    }
    list.value(format!("{vm}/image/cmdline"), config.command_line.render());
}

fn basics(list: &mut List, home: &str, domid: DomId, config: &DomainConfig, store: Ring) {
    for name in ["cpu", "memory", "device", "control"] {
        list.add(format!("{home}/{name}"), "", Rights::Readable);
    }
    for name in OWN {
        list.add(format!("{home}/{name}"), "", Rights::Own);
    }
    for feature in ["multiprocessor-suspend", "xs_reset_watches"] {
        list.value(format!("{home}/control/platform-feature-{feature}"), 1);
    }
    list.value(format!("{home}/memory/static-max"), config.memory.maximum().kib());
    list.value(format!("{home}/memory/target"), config.memory.initial().kib());
    list.value(format!("{home}/memory/videoram"), 0);
    list.value(format!("{home}/domid"), domid);
    list.value(format!("{home}/store/port"), store.port);
    list.value(format!("{home}/store/ring-ref"), store.frame.0);
    for vcpu in 0..config.vcpus.max() {
        let state = if vcpu < config.vcpus.online() { "online" } else { "offline" };
        list.value(format!("{home}/cpu/{vcpu}/availability"), state);
    }
}

fn console(list: &mut List, home: &str, control: DomId, ring: Ring) {
    list.add(format!("{home}/console"), "", Rights::Readable);
    for (name, value) in [
        ("backend-id", control.to_string()),
        ("limit", CONSOLE_LIMIT.to_string()),
        ("type", "xenconsoled".to_string()),
        ("output", "pty".to_string()),
        ("tty", String::new()),
        ("port", ring.port.to_string()),
        ("ring-ref", ring.frame.0.to_string()),
    ] {
        list.value(format!("{home}/console/{name}"), value);
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Pv => "pv",
        Kind::Pvh => "pvh",
    }
}
