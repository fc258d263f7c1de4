//! A person's commands in the admin domain, carried out on real Xen in QEMU: `xm`, `xmd`, the control ring, and the
//! control domain at its other end.
//!
//! Parts (`parts/`) are carried out in three boots: on machines with one CPU and with several, and on a Xen with security
//! labels; the tests look at what came of them. More boots are the admin domain that crashes, domains
//! beside it that manage or serve, budgets in counted instructions, and `ci/demo` at a terminal. Run by `ci/test`; by
//! hand:
//! `cargo test -p xendless-tests --features system --test management [NAME]`.

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
mod transcript;
mod trees;
mod vchan;

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use transcript::Part;
use xendless_tests::admin::disk;
use xendless_tests::admin::domain::Admin;
use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::machine::Machine;

/// Reached only by what hangs.
const LIMIT: Duration = Duration::from_secs(1200);

/// Parts in the order in which they are carried out: the Debian guest's files go up first where that is cut short.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "commands", "events", "relay", "debian", "resources", "disks", "hotplug", "networks", "options", "errors", "vchan", "reboot", "all", "package",
];

/// Those for a machine with several CPUs.
const WIDE_PARTS: &[&str] = &["pools", "dump", "labels", "definitions", "migrate"];

/// Those for a Xen with labels and the rtds scheduler.
const LABELLED_PARTS: &[&str] = &["flask", "rtds"];

/// What came of a boot.
type Output = LazyLock<Result<String, String>>;

static OUTPUT: Output = LazyLock::new(|| text(carry_out("management", PARTS, machine(), &[])));

static WIDE_OUTPUT: Output =
    LazyLock::new(|| text(carry_out("wide", WIDE_PARTS, Machine { cpus: 3, ..machine() }, &[])));

static LABELLED_OUTPUT: Output = LazyLock::new(|| text(labelled()));

fn text(output: anyhow::Result<String>) -> Result<String, String> {
    output.map_err(|error| format!("{error:#}"))
}

/// The boot with labels. Policies for it are compiled here.
fn labelled() -> anyhow::Result<String> {
    let policies = flask::policies()?;
    let machine = Machine { xen: artifacts::xen_with_labels()?, cpus: 3, ..machine() };
    carry_out("labelled", LABELLED_PARTS, machine, &[(policies.path().into(), "/root/policies".into())])
}

/// A machine with nothing in it yet.
fn machine() -> Machine {
    Machine::new(artifacts::xen().unwrap(), artifacts::control_domain(Build::Release).unwrap())
}

/// Carries out parts; what came of them is also left in a file of that name.
fn carry_out(
    name: &str,
    parts: &[&str],
    machine: Machine,
    files: &[(PathBuf, String)],
) -> anyhow::Result<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/management/parts");
    let client = vchan::client();
    let mut admin = Admin::new(format!(
        "cd /root/parts; for part in {}; do echo \"==== $part\"; sh $part.sh; done",
        parts.join(" ")
    ));
    let made = tempfile::tempdir()?;
    admin.additions = vec![
        (folder.into(), "/root/parts".into()),
        (client.clone(), "/usr/bin/vchan-client".into()),
        (artifacts::package()?, "/root/xendless.deb".into()),
        (disk::image(made.path())?, "/root/disk.img.gz".into()),
    ];
    admin.additions.extend_from_slice(files);
    let mut output = Vec::new();
    let outcome = admin.prepare(machine)?.run(LIMIT, |_| {}, &mut output)?;
    let output = String::from_utf8_lossy(&output).into_owned();
    std::fs::write(format!("{}/{name}.txt", env!("CARGO_TARGET_TMPDIR")), &output)?;
    match outcome {
        Ok(_) => Ok(output),
        Err(no_end) => anyhow::bail!("{output}\n{}\nno end: {}", no_end.story, no_end.end),
    }
}

/// What came of one part.
fn part(name: &str) -> Part {
    let output = match name {
        name if WIDE_PARTS.contains(&name) => &WIDE_OUTPUT,
        name if LABELLED_PARTS.contains(&name) => &LABELLED_OUTPUT,
        _ => &OUTPUT,
    };
    let output = output.as_ref().unwrap_or_else(|error| panic!("{error}"));
    Part::find(output, name)
}

/// Where tests say what they expect.
const EXPECTATIONS: [&str; 19] = [
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
    include_str!("vchan.rs"),
];

/// So whatever is carried out in the session, and is said to be shown there, is looked at, or did what it was told.
#[test]
fn a_step_that_no_test_looks_at_ends_well() {
    for name in PARTS.iter().chain(WIDE_PARTS).chain(LABELLED_PARTS) {
        for step in part(name).all().iter().filter(|step| step.status != 0) {
            let command = format!("\"{}\"", step.command);
            assert!(EXPECTATIONS.iter().any(|tests| tests.contains(&command)), "{name}: {step:?}");
        }
    }
}
