//! A person's commands in the admin domain, carried out on real Xen in QEMU: `xm`, `xmd`, the control ring, and the
//! control domain at its other end.
//!
//! Parts (`parts/`) are carried out in boots of their own (`boots.rs`): on machines with one CPU and with several, and on a Xen
//! with security labels; the tests look at what came of them. More boots are the admin domain that crashes, domains
//! beside it that manage or serve, budgets in counted instructions, and `ci/demo` at a terminal. By hand:
//! `cargo test -p xendless-tests --features system --test system management::[NAME]`.

mod boots;
mod budgets;
mod commands;
mod crash;
mod definitions;
mod demo;
mod disks;
mod driver;
mod dump;
mod durable;
mod errors;
mod events;
mod flask;
mod hotplug;
mod labels;
mod migrate;
mod networks;
mod options;
mod package;
mod pools;
mod relay;
mod resources;
mod rights;
mod rtds;
mod saved;
mod suspended;
mod transcript;
mod trees;
mod vchan;

use std::time::Duration;

use boots::BOOTS;
pub(crate) use boots::carry_out_all;
use transcript::Part;
use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::machine::Machine;

/// Reached only by what hangs.
const LIMIT: Duration = Duration::from_secs(1200);

/// A machine with nothing in it yet.
fn machine() -> Machine {
    Machine::new(artifacts::xen().unwrap(), artifacts::control_domain(Build::Release).unwrap())
}

/// What came of one part.
fn part(name: &str) -> Part {
    let boot = BOOTS.iter().find(|boot| boot.parts.contains(&name)).unwrap();
    Part::find(boot.output(), name)
}

/// Where tests say what they expect.
const EXPECTATIONS: [&str; 20] = [
    include_str!("commands.rs"),
    include_str!("definitions.rs"),
    include_str!("disks.rs"),
    include_str!("dump.rs"),
    include_str!("errors.rs"),
    include_str!("events.rs"),
    include_str!("flask.rs"),
    include_str!("hotplug.rs"),
    include_str!("labels.rs"),
    include_str!("migrate.rs"),
    include_str!("networks.rs"),
    include_str!("options.rs"),
    include_str!("package.rs"),
    include_str!("pools.rs"),
    include_str!("relay.rs"),
    include_str!("resources.rs"),
    include_str!("rtds.rs"),
    include_str!("saved.rs"),
    include_str!("suspended.rs"),
    include_str!("vchan.rs"),
];

/// So whatever is carried out in the session, and is said to be shown there, is looked at, or did what it was told.
#[test]
fn a_step_that_no_test_looks_at_ends_well() {
    for name in BOOTS.iter().flat_map(|boot| boot.parts) {
        for step in part(name).all().iter().filter(|step| step.status != 0) {
            let command = format!("\"{}\"", step.command);
            assert!(EXPECTATIONS.iter().any(|tests| tests.contains(&command)), "{name}: {step:?}");
        }
    }
}
