//! Whether KVM can be used instead of emulation.
//!
//! That `/dev/kvm` exists says little: inside many virtual machines Xen dies early under it. So a whole boot is
//! tried once, and the verdict is kept in the cache until the kernel, QEMU or the processor is another one.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::artifacts::{cache, replace_file};
use super::machine::{Accel, Machine};
use super::running::Running;
use super::serial::Sight;

/// A working KVM boots in about a second.
const PROBE_LIMIT: Duration = Duration::from_secs(20);

/// KVM if the control domain of `machine` comes to life under it, emulation otherwise.
pub fn fastest(machine: &Machine) -> Result<Accel> {
    if fs::File::options().read(true).write(true).open("/dev/kvm").is_err() {
        return Ok(Accel::Tcg);
    }
    let verdict_file = cache()?.join("kvm-verdict");
    let host = describe_host();
    let usable = match read_verdict(&verdict_file, &host) {
        Some(usable) => usable,
        None => {
            let usable = probe(machine)?;
            replace_file(&verdict_file, format!("{}\n{host}", word(usable)).as_bytes())?;
            usable
        }
    };
    Ok(if usable { Accel::Kvm } else { Accel::Tcg })
}

fn probe(machine: &Machine) -> Result<bool> {
    eprintln!("ci/vm: trying once whether Xen boots under KVM here; QEMU may complain");
    let machine = Machine { accel: Accel::Kvm, ..machine.clone() };
    // Whatever the control domain says, it runs.
    let alive = Running::start(&machine, PROBE_LIMIT, |_| {})?
        .run_until(|_, sight| matches!(sight?, Sight::Ready(_) | Sight::Fatal(_)).then_some(()));
    let usable = alive.is_ok();
    eprintln!("ci/vm: {}", if usable { "it does" } else { "it does not: emulating from now on" });
    Ok(usable)
}

fn word(usable: bool) -> &'static str {
    if usable { "usable" } else { "unusable" }
}

fn read_verdict(file: &Path, host: &str) -> Option<bool> {
    let text = fs::read_to_string(file).ok()?;
    let (verdict, of) = text.split_once('\n')?;
    [true, false].into_iter().find(|&usable| of == host && verdict == word(usable))
}

/// What the verdict depends on, as far as it can be told from here.
fn describe_host() -> String {
    let kernel = fs::read_to_string("/proc/version").unwrap_or_default();
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find(|line| line.starts_with("model name")).unwrap_or_default();
    let qemu = Command::new("qemu-system-x86_64").arg("--version").output();
    let qemu = qemu.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    format!("{kernel}{model}\n{qemu}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_holds_only_for_the_host_it_was_found_on() {
        let file = std::env::temp_dir().join(format!("xendless-verdict-{}", std::process::id()));
        assert_eq!(read_verdict(&file, "host"), None);
        for usable in [true, false] {
            fs::write(&file, format!("{}\nhost", word(usable))).unwrap();
            assert_eq!(read_verdict(&file, "host"), Some(usable));
            assert_eq!(read_verdict(&file, "another"), None);
        }
        fs::remove_file(&file).unwrap();
    }
}
