//! Domains come and go, and nothing of them stays.

use xendless_core::bundle::Role;
use xendless_tests::qemu::artifacts::Build;
use xendless_tests::qemu::machine::Machine;
use xendless_tests::qemu::running::{Running, WATCHDOG};

use super::{guest, machine};

/// What is in use behind this, on the line that says so.
fn figures<'a>(transcript: &'a [String], when: &str) -> &'a str {
    transcript.iter().find_map(|line| line.strip_prefix(when)).unwrap_or_else(|| {
        panic!("no line '{when}':\n{}", transcript[transcript.len().saturating_sub(30)..].join("\n"))
    })
}

#[test]
fn attack_d06_two_hundred_domains_leave_nothing_behind() {
    let (machine, _file) = machine(Build::Faults, [guest(Role::Guest, "round", "store poweroff", &[])]);
    let machine = Machine { control_args: "trial=rounds".into(), ..machine };
    let mut running = Running::start(&machine, WATCHDOG, |_| {}).unwrap();
    running.run_to_end();
    let lines = running.transcript();
    let before = figures(lines, "xendless: before the rounds: ");
    assert_eq!(figures(lines, "xendless: after 200 rounds: "), before);
    println!("200 rounds: {before}, before and after");
    assert!(lines.iter().any(|line| line == "xendless: trial passed"), "{lines:?}");
}
