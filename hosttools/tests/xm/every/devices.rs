//! Sub-commands about devices.

use super::{Counted, Fine, Forbidden, No, NoDomain, Refused, Row, Says};
use xendless_core::protocol::{Devices, Failure, Request};

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
];
