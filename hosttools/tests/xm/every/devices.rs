//! Sub-commands about devices.

use super::{Counted, Fine, Forbidden, No, NoDomain, Refused, Row, Says};
use xendless_core::config::List;
use xendless_core::protocol::{DeviceRow, Devices, Failure, Request};

const ALOUD: super::Cell = No("it is said on standard output, before the usage: tests of the sub-command");
const DEFINED: super::Cell = No("the definition of a domain that does not run is changed instead");

/// What the control domain says when nobody behind a disk answers.
fn silent(request: &Request<'_>) -> Option<Failure> {
    let changes = matches!(request, Request::Devices(Devices::Attach { .. } | Devices::Change { .. }));
    changes.then(|| Failure::Device("Device 51728 (vbd) could not be connected.".into()))
}

/// What it says when a guest keeps one.
fn held(request: &Request<'_>) -> Option<Failure> {
    let detaches = matches!(request, Request::Devices(Devices::Detach { .. }));
    detaches.then(|| Failure::Device("Device 51728 (vbd) could not be disconnected.".into()))
}

/// One that gives a domain something.
const fn gives(line: &'static str, wrong: &'static str) -> Row {
    Row {
        line,
        works: Fine(line),
        missing: Counted,
        extra: Counted,
        unknown: NoDomain,
        state: DEFINED,
        rights: Forbidden,
        value: Says(wrong, 1, "Unable to find number for device (nonsense)"),
        guest: Refused(line, silent, "Device 51728 (vbd) could not be connected."),
        world: |_| {},
    }
}

pub(super) static ROWS: &[Row] = &[
    gives("block-attach guest file:/a.img xvdb w", "block-attach guest file:/a.img nonsense w"),
    gives("block-configure guest file:/d.iso xvdb:cdrom r", "block-configure guest file:/d.iso nonsense r"),
    Row {
        line: "block-detach guest xvdb",
        works: Fine("block-detach guest xvdb"),
        missing: Counted,
        extra: Counted,
        unknown: NoDomain,
        state: Says("block-detach dormant xvdb", 1, "Device xvdb is not defined"),
        rights: Forbidden,
        value: Says("block-detach guest nonsense", 1, "Device nonsense not connected"),
        guest: Refused("block-detach guest xvdb", held, "Device 51728 (vbd) could not be disconnected."),
        world: |_| {},
    },
    Row {
        line: "block-list guest",
        works: Fine("block-list guest"),
        missing: ALOUD,
        extra: ALOUD,
        unknown: NoDomain,
        state: Fine("block-list dormant"),
        rights: Forbidden,
        value: No("it takes no value but a name"),
        guest: No("the guest is not asked"),
        world: |_| {},
    },
    Row {
        line: "network-attach guest bridge=xenbr0",
        works: Fine("network-attach guest bridge=xenbr0"),
        missing: Counted,
        extra: Says("network-attach guest a", 1, "Invalid argument: a"),
        unknown: NoDomain,
        state: DEFINED,
        rights: Forbidden,
        value: Says("network-attach guest rate=0b/s", 1, "rate: must let at least one byte through"),
        guest: Refused("network-attach guest", silent, "Device 51728 (vbd) could not be connected."),
        world: |_| {},
    },
    Row {
        line: "network-detach guest 0",
        works: Fine("network-detach guest 0"),
        missing: Counted,
        extra: Counted,
        unknown: NoDomain,
        state: Says("network-detach dormant 9", 1, "Cannot find device '9' in domain 'dormant'"),
        rights: Forbidden,
        value: Says("network-detach guest nonsense", 1, "unknown devid nonsense"),
        guest: Refused("network-detach guest 0", held, "Device 51728 (vbd) could not be disconnected."),
        world: |world| world.vifs = vec![DeviceRow { id: 0, nodes: List::default() }],
    },
    Row {
        line: "network-list guest",
        works: Fine("network-list guest"),
        missing: ALOUD,
        extra: ALOUD,
        unknown: NoDomain,
        state: Fine("network-list dormant"),
        rights: Forbidden,
        value: No("it takes no value but a name"),
        guest: No("the guest is not asked"),
        world: |_| {},
    },
    Row {
        line: "vtpm-list guest",
        works: Fine("vtpm-list guest"),
        missing: ALOUD,
        extra: ALOUD,
        unknown: NoDomain,
        state: Fine("vtpm-list dormant"),
        rights: Forbidden,
        value: No("it takes no value but a name"),
        guest: No("the guest is not asked"),
        world: |_| {},
    },
    Row {
        line: "pci-list guest",
        works: Fine("pci-list guest"),
        missing: Counted,
        extra: Counted,
        unknown: NoDomain,
        state: Fine("pci-list dormant"),
        rights: Forbidden,
        value: No("it takes no value but a name"),
        guest: No("the guest is not asked"),
        world: |_| {},
    },
    Row {
        line: "pci-list-assignable-devices",
        works: Fine("pci-list-assignable-devices"),
        missing: No("it takes none"),
        extra: Counted,
        unknown: No("it names no domain"),
        state: No("it names no domain"),
        rights: No("it asks nobody"),
        value: No("it takes no value"),
        guest: No("it names no domain"),
        world: |_| {},
    },
];
