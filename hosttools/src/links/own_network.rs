//! A network of its own for a test: it is run again, inside one.

use std::process::Command;

use super::*;

/// Says to a test that it is inside.
const INSIDE: &str = "XENDLESS_TEST_NETWORK";

/// Runs the test `name`, with its modules, again in an empty network, of which it is root; `true` inside.
pub(crate) fn inside(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let test = std::env::current_exe().unwrap();
    // Its /sys shows its own interfaces.
    let outside =
        ["--map-root-user", "--net", "--mount", "sh", "-c", "mount -t sysfs sysfs /sys && exec \"$@\"", "-"];
    if !Command::new("unshare").args(outside).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED {name}: no network of its own here (unshare --map-root-user --net --mount)");
        return false;
    }
    let mut command = Command::new("unshare");
    command.args(outside).arg(test).env(INSIDE, "yes");
    let status = command.args(["--exact", name, "--nocapture"]).status().unwrap();
    assert!(status.success(), "{name}, inside: {status}");
    false
}

impl Links {
    /// Makes a pair of interfaces that are joined, as a guest's is with its backend's. The other one is `veth0`, or the
    /// next number.
    pub(crate) fn make_pair(&mut self, name: &str) -> io::Result<()> {
        self.make(&make(name, "veth")?)
    }
}
