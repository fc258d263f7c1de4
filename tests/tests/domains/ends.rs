//! How domains end, and what follows: a bundle of guests alone, with no admin domain.

use xendless_core::bundle::Role;
use xendless_tests::qemu::artifacts::Build;

use super::watch::Watched;
use super::{guest, machine};

#[test]
fn guests_without_an_admin_domain_end_as_they_are_configured_to() {
    let guest = |name: &str, words: &str, more: &[&str]| guest(Role::Guest, name, words, more);
    let mut watched = Watched::start(machine(
        Build::Release,
        [
            guest("off", "store poweroff", &[]),
            guest("again", "tick=1 reboot", &["restart_min_uptime = 0"]),
            guest("kept", "crash", &["on_crash = 'preserve'"]),
            guest("loop", "crash", &["on_crash = 'restart'"]),
            guest("renamed", "tick=1 reboot", &["on_reboot = 'rename-restart'", "restart_min_uptime = 0"]),
            guest("suspended", "suspend", &[]),
            guest("busy", "hang", &[]),
        ],
    ));
    watched.await_all(&[
        "#0 runs as domain 1",
        "#0 stopped (Poweroff): destroyed",
        "#0 is gone",
        "#1 runs",
        "#1 stopped (Reboot): restarted",
        "#1 runs",
        "#1 stopped (Reboot): restarted",
        "#1 runs",
        "#2 stopped (Crash): kept",
        "#3 stopped (Crash): destroyed; a restart would have come too soon",
        "#3 is gone",
        "#4 stopped (Reboot): kept under another name and restarted",
        "#4 starts anew, its old domain is kept",
        "#4 runs",
        "#5 stopped (Suspend): kept",
        "#6 runs as domain 7",
    ]);
    let domains = watched.domains_of_xen();
    // They were numbered in the order of the bundle.
    for (domid, there) in [(1, false), (3, true), (4, false), (5, true), (6, true), (7, true)] {
        assert_eq!(domains.contains(&domid), there, "domain {domid} in {domains:?}\n{}", watched.story());
    }
}
