//! The boots that carry out parts: which parts, on which machine, and what came of them.

use std::path::PathBuf;
use std::sync::{LazyLock, OnceLock};
use std::thread;

use xendless_tests::admin::disk;
use xendless_tests::admin::domain::Admin;
use xendless_tests::qemu::artifacts;
use xendless_tests::qemu::machine::Machine;

use super::{LIMIT, flask, machine, vchan};

/// A boot that carries out parts.
pub(crate) struct Boot {
    /// Its transcript is left in a file of this name.
    name: &'static str,
    /// In the order in which they are carried out.
    pub(crate) parts: &'static [&'static str],
    /// How its machine differs from the usual one.
    differs: fn(Machine) -> Machine,
    /// It has the Xen with labels, and policies to load.
    labels: bool,
    output: OnceLock<Result<String, String>>,
}

/// All of them; those that take longest come first.
pub(crate) static BOOTS: [Boot; 5] = [
    Boot::new("devices", &["disks", "hotplug", "networks"], |usual| usual),
    // Of a PV domain that is read, Xen would print a line for each frame that is not its own: there are thousands.
    // It has one CPU: on several, Xen's credit2 may leave the admin domain waiting beside idle ones (docs/development.md).
    Boot::new("saved", &["saved", "suspended", "migrate"], |usual| Machine {
        xen_args: "guest_loglvl=error".into(),
        ..usual
    }),
    // With several CPUs, domains and the control domain run at the same time.
    Boot::new("wide", &["pools", "dump", "labels", "definitions"], |usual| Machine { cpus: 3, ..usual }),
    // In relay, files that go up are cut short: it comes before whatever else has the same go up.
    Boot::new(
        "management",
        &[
            "commands",
            "events",
            "relay",
            "debian",
            "resources",
            "options",
            "errors",
            "vchan",
            "reboot",
            "all",
            "package",
        ],
        |usual| usual,
    ),
    Boot::new("labelled", &["flask", "rtds"], |usual| Machine { cpus: 3, ..usual }).with_labels(),
];

/// Carries out all of them, beside each other.
pub(crate) fn carry_out_all() {
    thread::scope(|scope| {
        for boot in &BOOTS {
            scope.spawn(|| boot.output());
        }
    });
}

/// What all of them have, made once.
static CLIENT: LazyLock<PathBuf> = LazyLock::new(vchan::client);
static PACKAGE: LazyLock<PathBuf> = LazyLock::new(|| artifacts::package().unwrap());

impl Boot {
    const fn new(
        name: &'static str,
        parts: &'static [&'static str],
        differs: fn(Machine) -> Machine,
    ) -> Self {
        Self { name, parts, differs, labels: false, output: OnceLock::new() }
    }

    const fn with_labels(mut self) -> Self {
        self.labels = true;
        self
    }

    /// What came of it; it is carried out when somebody first asks.
    pub(crate) fn output(&self) -> &str {
        let output = self.output.get_or_init(|| self.carry_out().map_err(|error| format!("{error:#}")));
        output.as_ref().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn carry_out(&self) -> anyhow::Result<String> {
        let (mut machine, made) = ((self.differs)(machine()), tempfile::tempdir()?);
        let mut admin = Admin::new(format!(
            "cd /root/parts
            for part in {}; do
                echo \"==== $part\"; sh $part.sh
                echo \"so far: $(cut -d. -f1 /proc/uptime) s\"
            done",
            self.parts.join(" ")
        ));
        admin.additions = vec![
            (concat!(env!("CARGO_MANIFEST_DIR"), "/tests/management/parts").into(), "/root/parts".into()),
            (CLIENT.clone(), "/usr/bin/vchan-client".into()),
            (PACKAGE.clone(), "/root/xendless.deb".into()),
            (disk::image(made.path())?, "/root/disk.img.gz".into()),
        ];
        let policies;
        if self.labels {
            policies = flask::policies()?;
            machine.xen = artifacts::xen_with_labels()?;
            admin.additions.push((policies.path().into(), "/root/policies".into()));
        }
        let mut output = Vec::new();
        let outcome = admin.prepare(machine)?.run(LIMIT, |_| {}, &mut output)?;
        let output = String::from_utf8_lossy(&output).into_owned();
        std::fs::write(format!("{}/{}.txt", env!("CARGO_TARGET_TMPDIR"), self.name), &output)?;
        match outcome {
            Ok(_) => Ok(output),
            Err(no_end) => anyhow::bail!("{output}\n{}\nno end: {}", no_end.story, no_end.end),
        }
    }
}
