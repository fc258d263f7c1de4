//! Debian's kernels as admin domain: PV and PVH, on one virtual CPU and on two, to a shell; and how they end.
//!
//! Each boot takes tens of seconds of emulation, so the four of them cover the combinations together.

use std::time::Duration;

use xendless_core::config::Kind;
use xendless_tests::admin::domain::Admin;
use xendless_tests::admin::kernel::Flavour;
use xendless_tests::qemu::artifacts::{self, Build};
use xendless_tests::qemu::machine::Machine;
use xendless_tests::qemu::running::Running;

use super::watch::News;

/// Emulating a PVH domain takes its time, and several run at once.
const LIMIT: Duration = Duration::from_secs(600);

/// Memory that the kernel and its tables take.
const KERNEL_MIB: std::ops::Range<u64> = 20..80;

/// What the domain says of itself, one value a line.
const LOOK: &str = "nproc; grep -c ^processor /proc/cpuinfo; grep MemTotal /proc/meminfo | tr -dc 0-9; echo; \
                    cat /sys/hypervisor/type /sys/hypervisor/guest_type /sys/hypervisor/uuid; \
                    cat /sys/hypervisor/version/major; xenstore-read name domid; \
                    xenstore-ls /local/domain/1 | grep -c platform-feature; ";

/// A Linux domain, and what it is expected to make of its end.
struct Boot {
    flavour: Flavour,
    kind: Kind,
    vcpus: u32,
    memory_mib: u32,
    /// The command that ends it.
    last: &'static str,
    /// What the control domain's log says of that end.
    fate: &'static str,
}

impl Boot {
    fn check(&self) {
        let commands = format!("set -e; {LOOK} (sleep 1; {}) >/dev/null 2>&1 &", self.last);
        let Self { flavour, kind, vcpus, memory_mib, .. } = *self;
        let admin = Admin { flavour, kind, vcpus, memory_mib, ..Admin::new(commands) };
        let machine =
            Machine::new(artifacts::xen().unwrap(), artifacts::control_domain(Build::Release).unwrap());
        let prepared = admin.prepare(Machine { control_args: "log=live".into(), ..machine }).unwrap();
        let mut running = Running::start(&prepared.machine, LIMIT, |_| {}).unwrap();
        let mut output = Vec::new();
        let status = prepared.follow(&mut running, &mut output).unwrap();
        let story =
            || running.transcript().iter().rev().take(30).rev().cloned().collect::<Vec<_>>().join("\n");
        let output = String::from_utf8(output).unwrap();
        assert_eq!(status.ok(), Some(0), "{output}\n{}", story());
        self.check_look(&output);
        let end =
            running.run_until(|line, _| News::find(line).filter(|news| news.text.contains("#0 stopped")));
        let news =
            end.unwrap_or_else(|end| panic!("{end}: {:?}", running.transcript().iter().rev().take(30)));
        assert!(news.text.contains(self.fate), "{}", news.text);
    }

    fn check_look(&self, output: &str) {
        let lines: Vec<_> = output.lines().collect();
        let [cpus, processors, memory, kind, guest_type, uuid, version, name, domid, features] = lines[..]
        else {
            panic!("not the lines that were asked for:\n{output}");
        };
        let vcpus = self.vcpus.to_string();
        assert_eq!((cpus, processors), (&*vcpus, &*vcpus));
        let missing = u64::from(self.memory_mib) - memory.parse::<u64>().unwrap() / 1024;
        assert!(KERNEL_MIB.contains(&missing), "{missing} MiB of {} are not there", self.memory_mib);
        let expected_type = if self.kind == Kind::Pv { "PV" } else { "PVH" };
        assert_eq!((kind, guest_type, version), ("xen", expected_type, "4"));
        assert!(uuid.len() == 36 && !uuid.starts_with("00000000"), "{uuid}");
        assert_eq!((name, domid, features), ("admin", "1", "2"));
    }
}

#[test]
fn debian_cloud_pv_reaches_a_shell_and_its_panic_is_a_crash() {
    Boot {
        flavour: Flavour::Cloud,
        kind: Kind::Pv,
        vcpus: 1,
        memory_mib: 256,
        last: "echo c > /proc/sysrq-trigger",
        fate: "stopped (Crash): destroyed",
    }
    .check();
}

#[test]
fn debian_generic_pv_reaches_a_shell_on_two_cpus_and_its_reboot_is_one() {
    Boot {
        flavour: Flavour::Generic,
        kind: Kind::Pv,
        vcpus: 2,
        memory_mib: 512,
        last: "reboot -f",
        fate: "stopped (Reboot): destroyed",
    }
    .check();
}

#[test]
fn debian_cloud_pvh_reaches_a_shell_and_its_power_off_is_one() {
    Boot {
        flavour: Flavour::Cloud,
        kind: Kind::Pvh,
        vcpus: 1,
        memory_mib: 256,
        last: "poweroff -f",
        fate: "stopped (Poweroff): destroyed",
    }
    .check();
}

#[test]
fn debian_generic_pvh_reaches_a_shell_on_two_cpus_and_its_panic_is_a_crash() {
    Boot {
        flavour: Flavour::Generic,
        kind: Kind::Pvh,
        vcpus: 2,
        memory_mib: 512,
        last: "echo c > /proc/sysrq-trigger",
        fate: "stopped (Crash): destroyed",
    }
    .check();
}
