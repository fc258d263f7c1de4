//! Machines that carry out scripts: xendless on one, Debian's tools in a classic dom0 on the other.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::figures::Figures;
use crate::admin::disk;
use crate::admin::domain::Admin;
use crate::admin::kernel::{Flavour, Kernel};
use crate::qemu::artifacts::{self, Build};
use crate::qemu::machine::{Accel, Machine};
use crate::qemu::running::{Running, WATCHDOG};
use crate::qemu::serial::{Sight, XEN_PREFIX};

/// Reached only by what hangs: hundreds of domains take their time when instructions are counted.
pub const LIMIT: Duration = Duration::from_secs(7200);

/// Memory of the machine: enough for 500 domains beside the management domain.
const MEMORY_MIB: u32 = 4096;

/// Room for images in the control domain: both of Debian's kernels, packed and unpacked, in one piece each.
const IMAGES_MIB: u32 = 256;

/// Who manages the domains.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The control domain, `xmd` and `xm`.
    Xendless,
    /// A dom0 with xenstored, xenconsoled and `xl`.
    Stock,
}

impl Side {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xendless => "xendless",
            Self::Stock => "stock",
        }
    }

    const fn tool(self) -> &'static str {
        match self {
            Self::Xendless => "xm",
            Self::Stock => "xl",
        }
    }

    /// Domains before any guest.
    const fn present(self) -> u32 {
        match self {
            Self::Xendless => 2,
            Self::Stock => 1,
        }
    }

    fn admin(self, commands: String) -> Admin {
        match self {
            Self::Xendless => Admin::new(commands),
            Self::Stock => Admin::stock(commands),
        }
    }
}

/// What is done on a machine that was just booted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Course {
    /// More and more of the tiny guest, up to this many.
    Guests(u32),
    /// Debian guests.
    Debian,
    /// Debian guests with devices.
    Devices,
    /// What is promised of `xm` and `xmd` and takes no time to measure; no work for the other side.
    Promises,
}

impl Course {
    fn commands(self, side: Side) -> String {
        let (tool, present) = (side.tool(), side.present());
        match self {
            Self::Guests(most) => format!("sh /bench/guests.sh {tool} {present} {most}"),
            Self::Debian => format!("sh /bench/debian.sh {tool}"),
            Self::Devices => format!("sh /bench/devices.sh {tool}"),
            Self::Promises => "sh /bench/promises.sh".to_owned(),
        }
    }

    /// Boots a machine and carries it out. After `limit` the machine is ended; what it measured until then counts.
    pub fn run(self, side: Side, limit: Duration) -> Result<Figures> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bench");
        let mut admin = side.admin(self.commands(side));
        if self != Self::Promises {
            admin.images_mib = IMAGES_MIB;
        }
        let made = tempfile::tempdir()?;
        admin.additions = vec![
            (folder.into(), "/bench".into()),
            (disk::image(made.path())?, "/root/disk.img.gz".into()),
            (artifacts::stopwatch()?, "/usr/bin/stopwatch".into()),
            (Kernel::find(Flavour::Generic)?.packed().into(), "/boot/guest/vmlinuz-xz".into()),
        ];
        let control = artifacts::control_domain(Build::Release)?;
        let machine = Machine { memory_mib: MEMORY_MIB, ..machine(control)? };
        let prepared = admin.prepare(machine)?;
        let mut running = Running::start(&prepared.machine, limit, |_| {})?;
        let mut output = Vec::new();
        let outcome = prepared.follow(&mut running, &mut output)?;
        if outcome.is_err() {
            // A line that was cut is no figure.
            output.truncate(output.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        }
        let output = String::from_utf8_lossy(&output);
        let mut figures = Figures::parse(&output)?;
        match outcome {
            Ok(0) => {}
            Ok(status) => figures.troubles.push(trouble(side, &format!("status {status}"), &output)),
            Err(end) => figures.troubles.push(trouble(side, &end.to_string(), &output)),
        }
        note_boot(&mut figures, running.transcript());
        Ok(figures)
    }
}

/// A control domain alone: when it is ready, and what it has in use before its heap.
pub fn alone() -> Result<Figures> {
    let control = artifacts::control_domain(Build::Release)?;
    let machine = Machine { bundle: Some(artifacts::empty_bundle()?), ..machine(control)? };
    let mut running = Running::start(&machine, WATCHDOG, |_| {})?;
    let ready = running.run_until(|_, sight| match sight? {
        Sight::Ready(ready) => Some((ready.after_us, ready.heap.limit_kib)),
        _ => None,
    });
    let (after_us, limit_kib) = ready.map_err(|end| anyhow!("the control domain alone: {end}"))?;
    let mut figures = Figures::default();
    figures.set("ready", after_us as f64 * 1e3);
    figures.set("fixed", f64::from(machine.control_memory_mib) * 1024.0 - limit_kib as f64);
    Ok(figures)
}

fn machine(control: PathBuf) -> Result<Machine> {
    let machine = Machine::new(artifacts::xen()?, control);
    Ok(Machine { accel: Accel::Icount, xen_args: "console_timestamps=boot".into(), ..machine })
}

/// What Xen's own clock says about a dom0's boot: from its hand-over to the debug key that the script begins with.
fn note_boot(figures: &mut Figures, transcript: &[String]) {
    let at = |text: &str| transcript.iter().find(|line| line.contains(text)).and_then(|line| stamp(line));
    if let (Some(handed_over), Some(ready)) = (at("init memory"), at("NMI neither pending")) {
        figures.set("ready", (ready - handed_over) * 1e9);
        figures.set("begin-age", (ready - handed_over) * 1e9);
    }
}

/// Seconds, from a line of Xen's like `(XEN) [    1.234567] text`.
fn stamp(line: &str) -> Option<f64> {
    let (stamp, _) = line.split_once(XEN_PREFIX)?.1.strip_prefix('[')?.split_once(']')?;
    stamp.trim_start().parse().ok()
}

fn trouble(side: Side, how: &str, output: &str) -> String {
    let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with("figure ")).collect();
    let last = lines[lines.len().saturating_sub(3)..].join(" | ");
    format!("{} did not come to its end ({how}): {last}", side.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dom0_is_ready_when_xen_saw_the_key() {
        let lines = [
            "(XEN) [    1.250000] Freed 2048kB init memory",
            "noise(XEN) [    4.500000] d0v0: NMI neither pending nor masked",
        ];
        let mut figures = Figures::default();
        note_boot(&mut figures, &lines.map(str::to_owned));
        assert_eq!(figures.median("ready"), Some(3.25e9));
        let mut none = Figures::default();
        note_boot(&mut none, &["(XEN) Freed 2048kB init memory".to_owned()]);
        assert_eq!(none, Figures::default());
    }
}
